"""`certificate approve`: a signing request may be signed (kubectl pkg/cmd/certificates)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.certificate.decisions import Decision, DecisionOptions, decide

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_DECISION = Decision("Approved", "Denied", "KubectlApprove", "This CSR was approved by kubectl certificate approve.")


def run(environment: Environment, options: DecisionOptions, arguments: Arguments) -> None:
    decide(environment, options, arguments.words, _DECISION)


COMMAND = Command(
    run=run,
    options=DecisionOptions,
    usage="certificate approve (-f FILENAME | NAME) [options]",
    description="""
    Approve certificate signing requests: a signer then makes the certificate that each asks for.

    Look at what a request asks for first: whoever gets the certificate is what it says, with all that this one may do.
    """,
    examples="""
    # Approve a signing request
    kubetrace certificate approve csr-sqgzp
    """,
)

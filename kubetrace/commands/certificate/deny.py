"""`certificate deny`: a signing request shall not be signed (kubectl pkg/cmd/certificates)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.certificate.decisions import Decision, DecisionOptions, decide

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_DECISION = Decision("Denied", "Approved", "KubectlDeny", "This CSR was denied by kubectl certificate deny.")


def run(environment: Environment, options: DecisionOptions, arguments: Arguments) -> None:
    decide(environment, options, arguments.words, _DECISION)


COMMAND = Command(
    run=run,
    options=DecisionOptions,
    usage="certificate deny (-f FILENAME | NAME) [options]",
    description="""
    Deny certificate signing requests: no signer makes a certificate for them.
    """,
    examples="""
    # Deny a signing request
    kubetrace certificate deny csr-sqgzp
    """,
)

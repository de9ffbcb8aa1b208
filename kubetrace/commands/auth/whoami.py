"""`auth whoami`: as whom does the server see me? (kubectl pkg/cmd/auth/whoami.go)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.shared_options import PrintOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment
    from kubetrace.wire.go_struct import TypedObject


def run(environment: Environment, options: PrintOptions, arguments: Arguments) -> None:
    from kubetrace.commands.writing import object_printer

    environment.make_client()
    if not arguments.changed("output"):
        _print_table(environment, _myself(environment))
        return
    printer = object_printer(environment, options, "")
    printer.print(_myself(environment), environment.stdout)


def _myself(environment: Environment) -> TypedObject:
    """The newest version of the question that the server knows."""
    from kubetrace.api.status import StatusError, is_forbidden, is_not_found
    from kubetrace.api.typed_kinds import SELF_REVIEWS
    from kubetrace.commands.auth.reviews import ask

    for mapping in SELF_REVIEWS:
        try:
            return ask(environment, mapping, None)
        except StatusError as error:
            if is_forbidden(error):
                raise KubetraceError(
                    "the selfsubjectreviews API is not enabled in the cluster or you do not have permission to call it"
                ) from None
            if not is_not_found(error):
                raise
    raise KubetraceError("the selfsubjectreviews API is not enabled in the cluster")


def _print_table(environment: Environment, review: TypedObject) -> None:
    from kubetrace.printing.go_values import sprint
    from kubetrace.printing.tabwriter import TabWriter

    user = (review.get("status") or {}).get("userInfo") or {}
    writer = TabWriter(environment.stdout)
    rows = [["ATTRIBUTE", "VALUE"]]
    for label, field in (("Username", "username"), ("UID", "uid"), ("Groups", "groups")):
        if user.get(field):
            rows.append([label, sprint(user[field])])
    rows += [[f"Extra: {key}", sprint(values or [])] for key, values in sorted((user.get("extra") or {}).items())]
    writer.write_rows(rows)
    writer.flush()


COMMAND = Command(
    run=run,
    options=PrintOptions,
    usage="auth whoami [options]",
    description="""
    Show the user that the server takes you for: name, groups and what else its authenticator says.

    Useful where a token webhook, an authenticating proxy or OpenID Connect decides who you are.
    """,
    examples="""
    # Who am I?
    kubetrace auth whoami

    # As JSON
    kubetrace auth whoami -o json
    """,
)

"""`config set` (kubectl pkg/cmd/config/set.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.config.common import sources, wrong_arguments
from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.loader import starting_config
from kubetrace.kubeconfig.modify import modify
from kubetrace.kubeconfig.navigation import set_value
from kubetrace.value import Value
from kubetrace.wire.go_strconv import go_quote

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class SetOptions(Value):
    set_raw_bytes: bool = flag(
        False, help="Take the value of a binary field as it is, not as base64.", shown_default=""
    )


def run(environment: Environment, options: SetOptions, arguments: Arguments) -> None:
    if len(arguments.words) != 2:
        raise wrong_arguments(environment, arguments)
    name, value = arguments.words
    if not value:
        raise KubetraceError("you cannot use set to unset a property")
    if not name:
        raise KubetraceError("you must specify a property")
    files = sources(environment)
    config = set_value(starting_config(files), name, value, raw=options.set_raw_bytes)
    modify(files, config, relativize=False)
    environment.stdout.write(f"Property {go_quote(name)} set.\n")


COMMAND = Command(
    run=run,
    options=SetOptions,
    usage="config set PROPERTY_NAME PROPERTY_VALUE [options]",
    description="""
    Set a single value of the kubeconfig.

    PROPERTY_NAME is a path of names with dots between them: sections, entries and fields. An entry's own name may
    contain dots.

    PROPERTY_VALUE is the new value; binary fields such as certificate-authority-data take base64, unless
    --set-raw-bytes is given.
    """,
    examples="""
    # The server of the cluster "my-cluster"
    kubetrace config set clusters.my-cluster.server https://1.2.3.4

    # Its CA's certificates
    kubetrace config set clusters.my-cluster.certificate-authority-data $(base64 -w0 ca.crt)

    # The cluster of the context "my-context"
    kubetrace config set contexts.my-context.cluster my-cluster

    # A key as it is
    kubetrace config set users.cluster-admin.client-key-data cert_data_here --set-raw-bytes=true
    """,
)

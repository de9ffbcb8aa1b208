"""`config set-cluster` (kubectl pkg/cmd/config/set_cluster.go)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.config.common import sources, wrong_arguments
from kubetrace.commands.config.embedding import check_file, content
from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.loader import starting_config
from kubetrace.kubeconfig.modify import modify
from kubetrace.kubeconfig.sections import Cluster
from kubetrace.value import Value, replace
from kubetrace.wire.go_strconv import go_quote

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class SetClusterOptions(Value):
    certificate_authority: str = flag("", help="File with the cluster's CA certificates.")
    embed_certs: bool = flag(False, help="Put the CA file's content into the kubeconfig.", shown_default="")
    insecure_skip_tls_verify: bool = flag(False, help="Do not check the cluster's certificate.")
    proxy_url: str = flag("", help="Proxy to reach the cluster through.")
    server: str = flag("", help="Address of the cluster's API server.")
    tls_server_name: str = flag("", help="Name that the server's certificate must have.")


def run(environment: Environment, options: SetClusterOptions, arguments: Arguments) -> None:
    if len(arguments.words) != 1:
        raise wrong_arguments(environment, arguments)
    name = arguments.words[0]
    _validate(name, options)
    files = sources(environment)
    config = starting_config(files)
    cluster = changed(config.clusters.get(name) or Cluster(), options, arguments)
    modify(files, replace(config, clusters={**config.clusters, name: cluster}))
    environment.stdout.write(f"Cluster {go_quote(name)} set.\n")


def _validate(name: str, options: SetClusterOptions) -> None:
    if not name:
        raise KubetraceError("you must specify a non-empty cluster name")
    if options.insecure_skip_tls_verify and options.certificate_authority:
        raise KubetraceError("you cannot specify a certificate authority and insecure mode at the same time")
    if options.embed_certs:
        if not options.certificate_authority:
            raise KubetraceError("you must specify a --certificate-authority to embed")
        check_file("certificate-authority", options.certificate_authority)


def changed(cluster: Cluster, options: SetClusterOptions, arguments: Arguments) -> Cluster:
    """The cluster with what the flags say; another server clears the TLS name, insecure mode clears the CA, and every
    change without --insecure-skip-tls-verify clears insecure mode, as kubectl does it."""
    changes: dict[str, Any] = {}
    if arguments.changed("server"):
        changes |= {"server": options.server, "tls_server_name": ""}
    if arguments.changed("tls_server_name"):
        changes["tls_server_name"] = options.tls_server_name
    changes["insecure_skip_tls_verify"] = options.insecure_skip_tls_verify  # kubectl takes its default as given
    if options.insecure_skip_tls_verify:
        changes |= {"certificate_authority": "", "certificate_authority_data": None}
    if arguments.changed("certificate_authority"):
        changes |= _authority(options)
    if arguments.changed("proxy_url"):
        changes["proxy_url"] = options.proxy_url
    return replace(cluster, **changes)


def _authority(options: SetClusterOptions) -> dict[str, Any]:
    path = options.certificate_authority
    if options.embed_certs:
        return {
            "certificate_authority_data": content(path),
            "insecure_skip_tls_verify": False,
            "certificate_authority": "",
        }
    return {
        "certificate_authority": os.path.abspath(path),  # noqa: PTH100
        "insecure_skip_tls_verify": False,
        "certificate_authority_data": None,
    }


COMMAND = Command(
    run=run,
    options=SetClusterOptions,
    usage=(
        "config set-cluster NAME [--server=server] [--certificate-authority=path/to/certificate/authority]"
        " [--insecure-skip-tls-verify=true] [--tls-server-name=example.com] [options]"
    ),
    description="""
    Add a cluster to the kubeconfig, or change one.

    Of a cluster that exists, only the given fields change.
    """,
    examples="""
    # Another server for the cluster "e2e"
    kubetrace config set-cluster e2e --server=https://1.2.3.4

    # Its CA's certificates, put into the kubeconfig
    kubetrace config set-cluster e2e --embed-certs --certificate-authority=~/.kube/e2e/kubernetes.ca.crt

    # No check of its certificate
    kubetrace config set-cluster e2e --insecure-skip-tls-verify=true

    # The name that its certificate must have
    kubetrace config set-cluster e2e --tls-server-name=my-cluster-name

    # The proxy it is reached through
    kubetrace config set-cluster e2e --proxy-url=https://1.2.3.4
    """,
)

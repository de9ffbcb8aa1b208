"""`create ingress` (kubectl pkg/cmd/create/create_ingress.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import GeneratedOptions

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class CreateIngressOptions(GeneratedOptions):
    annotation: tuple[str, ...] = flag((), kind="array", help="Annotation of the ingress, as KEY=VALUE.")
    class_name: str = flag("", name="class", help="Class of the ingress.")
    default_backend: str = flag("", help="Where everything else goes, as SERVICE:PORT.")
    rule: tuple[str, ...] = flag(
        (),
        kind="array",
        help="HOST/PATH=SERVICE:PORT[,tls[=SECRET]]. A path that ends in '*' stands for all that begin so "
        "(pathType Prefix), any other for itself only (Exact).",
    )


def run(environment: Environment, options: CreateIngressOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import INGRESSES
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.ingresses import check_rules, ingress

    creation = prepare(environment, options, arguments)
    check_rules(options.rule, options.annotation, options.default_backend)
    value = ingress(
        creation.name,
        creation.namespace,
        options.rule,
        options.annotation,
        options.default_backend,
        options.class_name,
    )
    creation.create(value, INGRESSES, "failed to create ingress: ")


COMMAND = Command(
    run=run,
    options=CreateIngressOptions,
    usage="create ingress NAME --rule=host/path=service:port[,tls[=secret]]  [options]",
    description="Create an ingress of that name.",
    examples="""
    # foo.com/bar goes to port 8080 of "svc1", with the TLS secret "my-cert"
    kubetrace create ingress simple --rule="foo.com/bar=svc1:8080,tls=my-cert"

    # /path of every host, for the ingress class "other"
    kubetrace create ingress catch-all --class=other --rule="/path=svc:port"

    # With annotations
    kubetrace create ingress annotated --class=default --rule="foo.com/bar=svc:port" --annotation color=blue

    # Several paths and hosts; "*" at the end stands for every path that begins so
    kubetrace create ingress many --rule="foo.com/path*=svc:8080" --rule="bar.com/admin*=svc2:http"

    # A backend for everything else
    kubetrace create ingress rest --default-backend=defaultsvc:http --rule="foo.com/*=svc:8080,tls=secret1"
    """,
)

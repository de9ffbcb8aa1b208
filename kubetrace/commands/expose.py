"""`expose`: a service for the pods behind another object (kubectl pkg/cmd/expose)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.overrides import override_type, overrides
from kubetrace.commands.shared_options import RecordedOptions, field_manager, save_config
from kubetrace.errors import KubetraceError
from kubetrace.value import Mutable

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer

_NAME_LENGTH = 63


class ExposeOptions(RecordedOptions):
    cluster_ip: str = flag("", help="The service's address; empty: any; 'None': a headless service.")
    external_ip: str = flag("", help="Another address, outside of Kubernetes, that leads to the service.")
    field_manager: str = field_manager("kubectl-expose")
    labels: str = flag("", "l", help="Labels of the service, instead of the object's own.")
    load_balancer_ip: str = flag("", help="Address of the load balancer.")
    name: str = flag("", help="Name of the service, instead of the object's own.")
    override_type: str = override_type()
    overrides: str = overrides()
    port: str = flag("", help="Port of the service, instead of those that the object has.")
    protocol: str = flag("", help="Protocol of the ports: TCP, UDP, SCTP.")
    save_config: bool = save_config()
    selector: str = flag("", help="Labels of the pods, instead of those that the object says.")
    session_affinity: str = flag("", help="Whether a client stays with a pod: None, ClientIP.")
    target_port: str = flag("", help="Number or name of the container's port, if it is another.")
    type: str = flag("", help="ClusterIP, NodePort, LoadBalancer, or ExternalName.")


def run(environment: Environment, options: ExposeOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.selecting import Selecting, load_namespace, select
    from kubetrace.trace.exchange import Purpose

    strategy = writing.dry_run(environment, options.dry_run)
    printer = writing.object_printer(environment, options, strategy.mark("exposed"))
    recorder = Recorder.of(environment, options, options.record)
    _ = environment.cluster.mapper
    load_namespace(environment)
    how = Selecting(purpose=Purpose("expose", "change: what does the object look like now?"), typed=True)
    run_ = Run(environment, options, strategy, recorder, printer, options.selector, options.port, options.labels)
    select(environment, options, arguments.words, how).visit(run_.one)


class Run(Mutable):
    """One run of expose. What the first object says for want of a flag holds for the following ones, too."""

    environment: Environment
    options: ExposeOptions
    strategy: DryRun
    recorder: Recorder
    printer: Printer
    selector: str
    port: str
    labels: str
    ports: str = ""
    protocols: dict[str, list[str]] | None = None

    def one(self, info: Info) -> None:
        from kubetrace.commands.generators import exposed

        assert info.object is not None and info.mapping is not None
        kind = info.mapping.kind
        if (kind.group, kind.kind) not in exposed.EXPOSABLE:
            raise KubetraceError(f"cannot expose a {kind.group_kind}")
        self._take_over(info.object)
        self._create(self._service(info.name[:_NAME_LENGTH]))

    def _take_over(self, value: dict[str, Any]) -> None:
        """What no flag says is taken from the object."""
        from kubetrace.api.metadata import string_map
        from kubetrace.commands.generators import exposed

        if not self.selector:
            try:
                self.selector = _joined(exposed.pod_selector(value))
            except KubetraceError as error:
                raise KubetraceError(
                    f"couldn't retrieve selectors via --selector flag or introspection: {error}"
                ) from None
        protocols = exposed.protocols_of(value)
        if not self.port:
            if not protocols and self.options.cluster_ip != "None":
                raise KubetraceError("couldn't find port via --port flag or introspection")
            if len(protocols) == 1:
                (self.port,) = protocols
            else:
                self.ports = ",".join(protocols)
        self.protocols = protocols or self.protocols
        if not self.labels:
            self.labels = _joined(string_map(value, "labels"))

    def _service(self, name: str) -> dict[str, Any]:
        from kubetrace.commands.generators import exposed
        from kubetrace.commands.generators.metadata import int_or_string, new_object, parse_labels

        options = self.options
        if not self.selector:
            raise KubetraceError("selector must be specified")
        selector = parse_labels(self.selector)
        labels = parse_labels(self.labels) if self.labels else {}
        if not (options.name or name):
            raise KubetraceError("name must be specified")
        numbers = (self.ports or self.port).split(",") if self.ports or self.port else []
        ports = list(exposed.service_ports(numbers, options.protocol, self.protocols or {}))
        if options.target_port:
            for port in ports:
                port["targetPort"] = int_or_string(options.target_port)
        if options.session_affinity not in ("", "None", "ClientIP"):
            raise KubetraceError(f"unknown session affinity: {options.session_affinity}")
        service = new_object("v1", "Service", options.name or name)
        if labels:
            service["metadata"]["labels"] = labels
        balancer = options.load_balancer_ip if options.type == "LoadBalancer" else ""
        spec = {
            "ports": ports,
            "selector": selector,
            "externalIPs": [options.external_ip] if options.external_ip else [],
            "type": options.type,
            "loadBalancerIP": balancer,
            "sessionAffinity": options.session_affinity,
            "clusterIP": options.cluster_ip,
        }
        service["spec"] = {key: item for key, item in spec.items() if item}
        return service

    def _create(self, value: dict[str, Any]) -> None:
        from kubetrace.api.last_applied import create_or_update
        from kubetrace.api.resources import GroupKind
        from kubetrace.commands.overrides import overridden
        from kubetrace.commands.writing import DryRun, create_as_typed
        from kubetrace.wire import go_json
        from kubetrace.wire.go_struct import typed

        made = typed(overridden(typed(value), self.options.overrides, self.options.override_type))
        self.recorder.record(made)
        if self.strategy is DryRun.CLIENT:
            if self.environment.namespace_given:
                made["metadata"]["namespace"] = self.environment.namespace
            self.printer.print(typed(made), self.environment.stdout)
            return
        create_or_update(made, self.options.save_config)
        mapping = self.environment.cluster.mapper.mapping(GroupKind("", "Service"), "v1")
        body = go_json.dumps(typed(made)) + b"\n"
        dry = self.strategy is DryRun.SERVER
        answer = create_as_typed(self.environment, mapping, body, self.options.field_manager, dry)
        self.printer.print(answer, self.environment.stdout)


def _joined(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={text}" for key, text in labels.items())


COMMAND = Command(
    run=run,
    options=ExposeOptions,
    words="resources:pod,service,replicationcontroller,deployment,replicaset",
    usage=(
        "expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] "
        "[--name=name] [--external-ip=external-ip-of-service] [--type=type] [options]"
    ),
    description="""
    Create a service for the pods behind a deployment, replica set, replication controller, service or pod.

    What no flag says is taken from the object: its selector, its ports with their protocols, its labels.
    """,
    examples="""
    # Port 80 of a service for port 8000 of a replication controller's pods
    kubetrace expose rc nginx --port=80 --target-port=8000

    # For what nginx.yaml describes
    kubetrace expose -f nginx.yaml --port=80 --target-port=8000

    # Another name
    kubetrace expose pod web --port=444 --name=frontend

    # A second service beside one that is there
    kubetrace expose service nginx --port=443 --target-port=8443 --name=nginx-https
    """,
)

"""`debug`: a container to look into a pod or a node with (kubectl pkg/cmd/debug)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import filename
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubetrace.api.builder import Info
    from kubetrace.commands.debugging.making import Making
    from kubetrace.environment import Environment
    from kubetrace.wire.go_struct import TypedObject

Object = dict[str, Any]

_ONLY_COPIES = "Only with --copy-to."
_PULL_POLICIES = ("", "Always", "IfNotPresent", "Never")
_UNUSED_POWERS = (
    "Warning: Non-root user is configured for the entire target Pod, and some capabilities granted by debug profile "
    'may not work. Please consider using "--custom" with a custom profile that specifies '
    '"securityContext.runAsUser: 0".\n'
)
_LEGACY = (
    "--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other profile, "
    'for example "--profile=general".\n'
)
_TARGETING = (
    "Targeting container {}. If you don't see processes from this container it may be because the container runtime "
    "doesn't support this feature.\n"
)


class DebugOptions(Value):
    arguments_only: bool = flag(False, help="Take the words behind '--' for the arguments, not for the command.")
    attach: bool = flag(False, help="Wait until the container runs, and attach to it. Implied by -i.")
    container: str = flag("", "c", help="Name of the container to debug with.")
    copy_to: str = flag("", help="Name of a copy of the pod, to be debugged in its place.")
    custom: str = flag("", help="File with a partial container (JSON or YAML) that adds to the profile.")
    env: tuple[str, ...] = flag((), kind="pairs", help="Environment variables NAME=VALUE of the container.")
    filename: tuple[str, ...] = filename("the pod or node")
    image: str = flag("", help="Image of the container.")
    image_pull_policy: str = flag("", help="When the image is pulled (Always, IfNotPresent, Never).")
    keep_annotations: bool = flag(False, help=f"The copy keeps the pod's annotations. {_ONLY_COPIES}")
    keep_init_containers: bool = flag(True, help=f"The copy keeps the pod's init containers. {_ONLY_COPIES}")
    keep_labels: bool = flag(False, help=f"The copy keeps the pod's labels. {_ONLY_COPIES}")
    keep_liveness: bool = flag(False, help=f"The copy keeps the liveness probes. {_ONLY_COPIES}")
    keep_readiness: bool = flag(False, help=f"The copy keeps the readiness probes. {_ONLY_COPIES}")
    keep_startup: bool = flag(False, help=f"The copy keeps the startup probes. {_ONLY_COPIES}")
    profile: str = flag(
        "general",
        help='What the container may do: "general", "baseline", "restricted", "netadmin" or "sysadmin".',
    )
    quiet: bool = flag(False, "q", help="Say nothing but what is wrong.")
    replace: bool = flag(False, help=f"Delete the pod once there is a copy. {_ONLY_COPIES}")
    same_node: bool = flag(False, help=f"The copy runs on the pod's node. {_ONLY_COPIES}")
    set_image: tuple[str, ...] = flag(
        (), kind="pairs", help=f"Other images for containers, as CONTAINER=IMAGE; '*' is each. {_ONLY_COPIES}"
    )
    share_processes: bool = flag(True, help=f"The copy's containers see each other's processes. {_ONLY_COPIES}")
    stdin: bool = flag(False, "i", help="Keep the container's standard input open, and attach to it.")
    target: str = flag("", help="Container whose processes an ephemeral container shall see.")
    tty: bool = flag(False, "t", help="Give the container a terminal. Needs -i.")


def run(environment: Environment, options: DebugOptions, arguments: Arguments) -> None:
    from kubetrace.commands.debugging.custom import check_custom, read_custom
    from kubetrace.commands.debugging.making import Making
    from kubetrace.commands.debugging.profiles import LEGACY, Keep, Profile, check_profile
    from kubetrace.commands.selecting import load_namespace

    dash = len(arguments.words) if arguments.dash is None else arguments.dash
    names, command = arguments.words[:dash], arguments.words[dash:]
    load_namespace(environment)
    check_profile(options.profile)
    custom = read_custom(options.custom) if options.custom else None
    environment.make_client()
    attach = options.attach or (options.stdin and not arguments.changed("attach"))
    set_images = _pairs(options.set_image)
    _check(environment, options, arguments, names, command, set_images)
    check_custom(custom)
    if options.profile == LEGACY:
        environment.stderr.write(_LEGACY)
    keep = Keep(
        options.keep_labels,
        options.keep_annotations,
        options.keep_liveness,
        options.keep_readiness,
        options.keep_startup,
        options.keep_init_containers,
    )
    making = Making(
        profile=Profile(options.profile, keep),
        custom=custom,
        tell=_nothing if options.quiet else environment.stdout.write,
        container=options.container,
        image=options.image,
        command=command,
        arguments_only=options.arguments_only,
        env=_pairs(options.env),
        pull_policy=options.image_pull_policy,
        stdin=options.stdin,
        tty=options.tty,
        target=options.target,
        copy_to=options.copy_to,
        same_node=options.same_node,
        set_images=set_images,
        share_processes=options.share_processes if arguments.changed("share_processes") else None,
    )
    _Debugging(environment, options, making, attach).run(names)


def _nothing(text: str) -> None:
    """--quiet"""


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    return {key: value for key, _, value in (text.partition("=") for text in texts)}


def _check(
    environment: Environment,
    options: DebugOptions,
    arguments: Arguments,
    names: tuple[str, ...],
    command: tuple[str, ...],
    set_images: dict[str, str],
) -> None:
    """What kubectl refuses, in its order."""
    from kubetrace.api.go_words import quoted

    if options.attach and arguments.changed("attach") and not (options.image or options.container):
        raise KubetraceError("you must specify --container or create a new container using --image in order to attach.")
    if options.copy_to:
        _check_copy(options, command)
    else:
        _check_no_copy(options)
    if options.image and not _is_image(options.image):
        raise KubetraceError(f"invalid image name {quoted(options.image)}: invalid reference format")
    if not names and not options.filename:
        raise KubetraceError("NAME or filename is required for debug")
    if options.image_pull_policy not in _PULL_POLICIES:
        raise KubetraceError(f"invalid image pull policy: {options.image_pull_policy}")
    for name, image in set_images.items():
        if not _is_image(image):
            raise KubetraceError(
                f"invalid image name {quoted(image)} for container {quoted(name)}: invalid reference format"
            )
    if options.target:
        if options.copy_to:
            raise KubetraceError("--target is incompatible with --copy-to. Use --share-processes instead.")
        if not options.quiet:
            environment.stdout.write(_TARGETING.format(quoted(options.target)))
    if options.tty and not options.stdin:
        raise KubetraceError("-i/--stdin is required for containers with -t/--tty=true")


def _check_copy(options: DebugOptions, command: tuple[str, ...]) -> None:
    if not (options.image or options.set_image or command):
        raise KubetraceError("you must specify --image, --set-image or command arguments.")
    if command and not (options.container or options.image):
        raise KubetraceError("you must specify an existing container or a new image when specifying args.")


def _check_no_copy(options: DebugOptions) -> None:
    for given, name in (
        (options.replace, "replace"),
        (options.same_node, "same-node"),
        (options.set_image, "set-image"),
    ):
        if given:
            raise KubetraceError(f"--{name} may only be used with --copy-to.")
    if not options.image:
        raise KubetraceError("you must specify --image when not using --copy-to.")


def _is_image(text: str) -> bool:
    import re

    from kubetrace.commands.run import IMAGE

    return re.fullmatch(IMAGE, text) is not None


class _Debugging(Value):
    """One run of debug."""

    environment: Environment
    options: DebugOptions
    making: Making
    attach: bool

    def run(self, names: tuple[str, ...]) -> None:
        from kubetrace.api.builder import build
        from kubetrace.commands.pod_target import named_request
        from kubetrace.trace.exchange import Purpose

        purpose = Purpose("debug", "debug: what shall be looked into?")
        request = named_request(self.environment, "pods", names, purpose, self.options.filename)
        build(self.environment.cluster.typed, request).visit(self._one)

    def _one(self, info: Info) -> None:
        from kubetrace.api.go_words import quoted
        from kubetrace.api.resources import GroupVersionKind
        from kubetrace.wire.go_struct import typed

        assert info.object is not None
        kind = GroupVersionKind.of_struct(info.object)
        if (kind.api_version, kind.kind) == ("v1", "Node"):
            pod, container = self._on_node(info.name)
        elif (kind.api_version, kind.kind) == ("v1", "Pod"):
            value = typed(info.object)
            value["metadata"].setdefault("namespace", info.namespace)
            pod, container = self._copied(value) if self.options.copy_to else self._with_container(value)
        else:
            raise KubetraceError(f"{quoted(str(kind))} not supported by debug")
        if self.attach and container:
            metadata = pod.get("metadata") or {}
            self._attach(str(metadata.get("namespace") or ""), str(metadata.get("name") or ""), container)

    def _on_node(self, node: str) -> tuple[Object, str]:
        pod = self._create(self.making.on_node(node), self.environment.namespace, "debug: a pod on the node")
        return pod, str(pod["spec"]["containers"][0]["name"])

    def _copied(self, pod: TypedObject) -> tuple[Object, str]:
        from kubetrace.api.containers import CONTAINERS, containers_in
        from kubetrace.commands.debugging.making import needs_root

        namespace = str(pod["metadata"]["namespace"])
        copy, name = self.making.copy_of(pod)
        container = next((one for one in containers_in(copy, CONTAINERS) if name and one["name"] == name), None)
        self._warn(needs_root(container, copy))
        created = self._create(copy, namespace, "debug: a copy of the pod")
        if self.options.replace:
            self._delete(namespace, str(pod["metadata"]["name"]))
        return created, name

    def _with_container(self, pod: TypedObject) -> tuple[Object, str]:
        from kubetrace.api import verbs
        from kubetrace.api.containers import EPHEMERAL_CONTAINERS, containers_in
        from kubetrace.api.merge_meta import built_in_meta
        from kubetrace.api.strategic_merge import two_way_patch
        from kubetrace.api.typed_kinds import PODS
        from kubetrace.commands.debugging.go_text import shown, shown_new
        from kubetrace.commands.debugging.making import needs_root
        from kubetrace.trace.exchange import Purpose
        from kubetrace.value import replace
        from kubetrace.wire import go_json
        from kubetrace.wire.go_struct import typed

        self._note("debug-existing-containers", lambda: shown(containers_in(pod, EPHEMERAL_CONTAINERS)))
        changed, container = self.making.with_ephemeral_container(pod)
        self._note("debug-new-container", lambda: shown_new(container, self.options.arguments_only))
        self._warn(needs_root(container, pod))
        meta = built_in_meta("v1", "Pod")
        assert meta is not None
        patch = go_json.dumps(two_way_patch(pod, typed(changed), meta))
        self._note("debug-patch", patch.decode)
        namespace, name = str(pod["metadata"]["namespace"]), str(pod["metadata"]["name"])
        purpose = Purpose("debug", "debug: one more container in the running pod")
        call = verbs.patch(
            PODS, namespace, name, verbs.STRATEGIC_PATCH, patch, subresource="ephemeralcontainers", purpose=purpose
        )
        result = self._send(replace(call, operation="typed-patch"), name)
        return result, str(container["name"])

    def _note(self, name: str, text: Callable[[], str | None]) -> None:
        """What kubectl logs beside the calls, put into words only where somebody reads them."""
        if self.environment.events.active and (words := text()) is not None:
            self.environment.note(name, text=words)

    def _warn(self, needed: bool) -> None:
        if needed:
            self.environment.stderr.write(_UNUSED_POWERS)

    # --- calls -------------------------------------------------------------------------------------------------------

    def _create(self, pod: Object, namespace: str, why: str) -> TypedObject:
        from kubetrace.api import last_applied, verbs
        from kubetrace.api.typed_kinds import PODS
        from kubetrace.commands.writing import send_typed
        from kubetrace.trace.exchange import Purpose
        from kubetrace.value import replace

        body = last_applied.encode_typed(pod)
        call = verbs.create(PODS, namespace, body, purpose=Purpose("debug", why))
        return send_typed(self.environment, replace(call, operation="typed-create"), PODS)

    def _delete(self, namespace: str, name: str) -> None:
        from kubetrace.api import verbs
        from kubetrace.api.typed_kinds import PODS
        from kubetrace.commands.writing import send_typed
        from kubetrace.trace.exchange import Purpose
        from kubetrace.value import replace

        body = b'{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}\n'
        call = verbs.delete(PODS, namespace, name, body, purpose=Purpose("debug", "debug: the original pod goes"))
        send_typed(self.environment, replace(call, operation="typed-delete"), PODS, name)

    def _send(self, call: Any, name: str) -> Object:
        """The patch; the subresource of a server that has none is what its 404 means."""
        from kubetrace.api.go_words import quoted
        from kubetrace.api.status import StatusError
        from kubetrace.api.typed_kinds import PODS
        from kubetrace.commands.writing import send_typed

        try:
            return send_typed(self.environment, call, PODS, name)
        except StatusError as error:
            if error.reason == "NotFound" and not error.details.get("name"):
                raise KubetraceError(
                    f"ephemeral containers are disabled for this cluster (error from server: {quoted(str(error))})"
                ) from None
            raise

    # --- attaching ---------------------------------------------------------------------------------------------------

    def _attach(self, namespace: str, name: str, container: str) -> None:
        from kubetrace.commands.attach import AttachOptions
        from kubetrace.commands.debugging.attaching import Attaching

        options = self.options
        how = AttachOptions(container=container, quiet=options.quiet, stdin=options.stdin, tty=options.tty)
        Attaching(self.environment, how).run(namespace, name)


COMMAND = Command(
    run=run,
    options=DebugOptions,
    words="resources",
    usage="debug (POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ] [options]",
    description="""
    Look into a pod or a node with a container that has the tools for it.

    A pod gets one more container while it runs (an ephemeral one); with --copy-to, a copy of it is made, which may have
    other images and commands. A node gets a pod that sees its namespaces, and its files below /host.

    Where the pod runs as a user who is not root, some of what a profile allows has no effect.
    """,
    examples="""
    # A container in a running pod, and its terminal
    kubetrace debug web -it --image=busybox

    # With a name, and with the processes of another container
    kubetrace debug web -c debugger --image=busybox --target=app

    # A copy of the pod with one more container; with another command; with other images
    kubetrace debug web -it --image=busybox --copy-to=web-debug
    kubetrace debug web -it --copy-to=web-debug --container=app -- sh
    kubetrace debug web --copy-to=web-debug --set-image=*=busybox

    # A pod on a node: its files are below /host
    kubetrace debug node/node-0 -it --image=busybox
    """,
)

"""The options that every command takes: kubectl's own, then kubetrace's.

The help texts are ours; names, kinds and defaults are kubectl 1.36's (cli-runtime config_flags.go, kubectl cmd.go, the
klog flags of component-base).
"""

from __future__ import annotations

from kubetrace.cmdline.flags import BoundFlag, bind, flag
from kubetrace.value import Value


class GlobalOptions(Value):
    """kubectl's global options. An empty text means "not given"; `log_flush_frequency` is in seconds."""

    as_: str = flag("", name="as", help="Impersonate this user, or a service account of some namespace.")
    as_group: tuple[str, ...] = flag((), kind="array", help="Impersonate this group; repeat for several.")
    as_uid: str = flag("", help="Impersonate this UID.")
    as_user_extra: tuple[str, ...] = flag(
        (), kind="array", help="Impersonation extra as KEY=VALUE; repeat for several values or keys."
    )
    cache_dir: str = flag("", help="Folder of the discovery cache.")
    certificate_authority: str = flag("", help="File with the CA certificates to trust.")
    client_certificate: str = flag("", help="File with the client certificate for TLS.")
    client_key: str = flag("", help="File with the client key for TLS.")
    cluster: str = flag("", help="Use this cluster of the kubeconfig.", completion="cluster")
    context: str = flag("", help="Use this context of the kubeconfig.", completion="context")
    disable_compression: bool = flag(False, help="Ask the server for uncompressed answers.")
    insecure_skip_tls_verify: bool = flag(
        False, help="Do not check the server's certificate. The connection is then open to eavesdroppers."
    )
    kubeconfig: str = flag("", help="Read this kubeconfig file and no other.", completion="file")
    kuberc: str = flag(
        "", help="Read preferences from this kuberc file; KUBECTL_KUBERC=false or KUBERC=off turns them off."
    )
    log_flush_frequency: float = flag(
        5.0, kind="go-duration", help="Longest time between two flushes of the log (every line is flushed)."
    )
    match_server_version: bool = flag(False, help="Refuse to work with a server of another version.")
    namespace: str = flag("", "n", help="Namespace that the command works in.", completion="namespace")
    password: str = flag("", help="Password for basic authentication.")
    profile: str = flag(
        "none",
        help="Profile to record: one of (none, cpu, heap, allocs, goroutine); kubectl's others need the Go runtime.",
    )
    profile_output: str = flag("profile.pprof", help="File to write the profile to.")
    request_timeout: str = flag(
        "0", help="Give up on a single request after this time (for example 1s, 2m, 3h); 0 waits for ever."
    )
    server: str = flag("", "s", help="Address and port of the API server.")
    tls_server_name: str = flag("", help="Name that the server's certificate must have; without it, the host's name.")
    token: str = flag("", help="Bearer token to authenticate with.")
    user: str = flag("", help="Use this user of the kubeconfig.", completion="user")
    username: str = flag("", help="User name for basic authentication.")
    v: int = flag(0, "v", kind="level", help="Log level, 0 to 10: 6 shows calls, 7 headers, 8 bodies.")
    vmodule: str = flag("", kind="vmodule", shown_default="", help="Log levels by source file, as PATTERN=N,PATTERN=N.")
    warnings_as_errors: bool = flag(False, help="Exit with an error when the server sent warnings.")


class OwnOptions(Value):
    """kubetrace's own global options, which kubectl does not have."""

    like: str = flag(
        "", help="Write the log as this kubectl version does, 1.19 to 1.37 (KUBETRACE_LIKE sets another default)."
    )
    unmask: bool = flag(False, help="Show credentials and Secret values in the log.")
    color: str = flag("auto", bare="always", help='Colour: "auto" (on a terminal), "always" or "never".')
    playground: bool = flag(
        False, help="Talk to the playground instead of a cluster, and start it when it is not running."
    )
    trace: str = flag(
        "",
        help="Keep a trace of this command in this file (.gz packs it); KUBETRACE_TRACE names a folder for all.",
        completion="file",
    )
    trace_bodies: str = flag("256KiB", help='Bodies in traces: "none", "all", or the most bytes of each.')
    plan: bool = flag(
        False, help="Print the requests that would be sent, and write nothing; reads are sent, to know what follows."
    )
    why: bool = flag(
        False, help="Say before each call why it is made, after it what the answer meant (on standard error)."
    )
    lang: str = flag(
        "",
        help='Language of --why: "en" or "ko"; without it, what LC_ALL, LC_MESSAGES or LANG say.',
        completion="=en,ko",
    )
    traceparent: str = flag(
        "",
        bare="new",
        help="Send W3C trace context with every request: a new trace, or the one of this traceparent value.",
    )
    stats: bool = flag(False, help="End with a line on calls, new connections, bytes and times (on standard error).")


KUBECTL_FLAGS: tuple[BoundFlag, ...] = bind(GlobalOptions)
OWN_FLAGS: tuple[BoundFlag, ...] = bind(OwnOptions)
GLOBAL_FLAGS = (*KUBECTL_FLAGS, *OWN_FLAGS)

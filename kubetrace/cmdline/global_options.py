"""The options that every command takes: kubectl's own, then kubetrace's.

The help texts are ours; names, kinds and defaults are kubectl 1.36's (cli-runtime config_flags.go, kubectl cmd.go, the
klog flags of component-base).
"""

# No `from __future__ import annotations` here: every command reads these, and evaluating their texts costs start-up.

from dataclasses import dataclass
from typing import Annotated

from kubetrace.cmdline.flags import BoundFlag, Flag, bind


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """kubectl's global options. An empty text means "not given"; `log_flush_frequency` is in seconds."""

    as_: Annotated[str, Flag(name="as", help="Impersonate this user, or a service account of some namespace.")] = ""
    as_group: Annotated[tuple[str, ...], Flag(kind="array", help="Impersonate this group; repeat for several.")] = ()
    as_uid: Annotated[str, Flag(help="Impersonate this UID.")] = ""
    as_user_extra: Annotated[
        tuple[str, ...], Flag(kind="array", help="Impersonation extra as KEY=VALUE; repeat for several values or keys.")
    ] = ()
    cache_dir: Annotated[str, Flag(help="Folder of the discovery cache.", completion="dir")] = ""
    certificate_authority: Annotated[str, Flag(help="File with the CA certificates to trust.")] = ""
    client_certificate: Annotated[str, Flag(help="File with the client certificate for TLS.")] = ""
    client_key: Annotated[str, Flag(help="File with the client key for TLS.")] = ""
    cluster: Annotated[str, Flag(help="Use this cluster of the kubeconfig.", completion="cluster")] = ""
    context: Annotated[str, Flag(help="Use this context of the kubeconfig.", completion="context")] = ""
    disable_compression: Annotated[bool, Flag(help="Ask the server for uncompressed answers.")] = False
    insecure_skip_tls_verify: Annotated[
        bool, Flag(help="Do not check the server's certificate. The connection is then open to eavesdroppers.")
    ] = False
    kubeconfig: Annotated[str, Flag(help="Read this kubeconfig file and no other.", completion="file")] = ""
    kuberc: Annotated[
        str, Flag(help="Read preferences from this kuberc file; KUBECTL_KUBERC=false or KUBERC=off turns them off.")
    ] = ""
    log_flush_frequency: Annotated[
        float, Flag(kind="go-duration", help="Longest time between two flushes of the log (every line is flushed).")
    ] = 5.0
    match_server_version: Annotated[bool, Flag(help="Refuse to work with a server of another version.")] = False
    namespace: Annotated[str, Flag("n", help="Namespace that the command works in.", completion="namespace")] = ""
    password: Annotated[str, Flag(help="Password for basic authentication.")] = ""
    profile: Annotated[
        str,
        Flag(help="Profile to record: one of (none|cpu|heap|goroutine|threadcreate|block|mutex|trace)."),
    ] = "none"
    profile_output: Annotated[str, Flag(help="File to write the profile to.")] = "profile.pprof"
    request_timeout: Annotated[
        str,
        Flag(help="Give up on a single request after this time (for example 1s, 2m, 3h); 0 waits for ever."),
    ] = "0"
    server: Annotated[str, Flag("s", help="Address and port of the API server.")] = ""
    tls_server_name: Annotated[
        str, Flag(help="Name that the server's certificate must have; without it, the host's name.")
    ] = ""
    token: Annotated[str, Flag(help="Bearer token to authenticate with.")] = ""
    user: Annotated[str, Flag(help="Use this user of the kubeconfig.", completion="user")] = ""
    username: Annotated[str, Flag(help="User name for basic authentication.")] = ""
    v: Annotated[int, Flag("v", kind="level", help="Log level, 0 to 10: 6 shows calls, 7 headers, 8 bodies.")] = 0
    vmodule: Annotated[
        str, Flag(kind="vmodule", shown_default="", help="Log levels by source file, as PATTERN=N,PATTERN=N.")
    ] = ""
    warnings_as_errors: Annotated[bool, Flag(help="Exit with an error when the server sent warnings.")] = False


@dataclass(frozen=True, slots=True)
class OwnOptions:
    """kubetrace's own global options, which kubectl does not have."""

    like: Annotated[
        str,
        Flag(help="Write the log as this kubectl version does, 1.19 to 1.37 (KUBETRACE_LIKE sets another default)."),
    ] = ""
    unmask: Annotated[bool, Flag(help="Show credentials and Secret values in the log.")] = False
    color: Annotated[str, Flag(bare="always", help='Colour: "auto" (on a terminal), "always" or "never".')] = "auto"
    playground: Annotated[
        bool, Flag(help="Talk to the playground instead of a cluster, and start it when it is not running.")
    ] = False
    trace: Annotated[
        str,
        Flag(
            help="Keep a trace of this command in this file (.gz packs it); KUBETRACE_TRACE names a folder for all.",
            completion="file",
        ),
    ] = ""
    trace_bodies: Annotated[str, Flag(help='Bodies in traces: "none", "all", or the most bytes of each.')] = "256KiB"
    plan: Annotated[
        bool,
        Flag(help="Print the requests that would be sent, and write nothing; reads are sent, to know what follows."),
    ] = False
    why: Annotated[
        bool, Flag(help="Say before each call why it is made, after it what the answer meant (on standard error).")
    ] = False
    lang: Annotated[
        str,
        Flag(
            help='Language of --why: "en" or "ko"; without it, what LC_ALL, LC_MESSAGES or LANG say.',
            completion="=en,ko",
        ),
    ] = ""
    stats: Annotated[
        bool, Flag(help="End with a line on calls, new connections, bytes and times (on standard error).")
    ] = False


KUBECTL_FLAGS: tuple[BoundFlag, ...] = bind(GlobalOptions)
OWN_FLAGS: tuple[BoundFlag, ...] = bind(OwnOptions)

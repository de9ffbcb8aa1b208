"""Every command in one table: name, group, one line, module. Help and search read this; a module is imported only when
its command runs."""

from __future__ import annotations

from kubetrace.cmdline.command import Entry

_BEGINNER = "Basic Commands (Beginner):"
_INTERMEDIATE = "Basic Commands (Intermediate):"
_CLUSTER = "Cluster Management Commands:"
_DEBUGGING = "Troubleshooting and Debugging Commands:"
_ADVANCED = "Advanced Commands:"
_SETTINGS = "Settings Commands:"
_OWN = "Tracing Commands (kubetrace only):"


def _config(name: str, summary: str, aliases: tuple[str, ...] = ()) -> Entry:
    return Entry(name, summary, f"kubetrace.commands.config.{name.replace('-', '_')}", aliases=aliases)


def _create(name: str, summary: str, *aliases: str) -> Entry:
    return Entry(name, summary, f"kubetrace.commands.create.{name}", aliases=aliases)


def _apply(name: str, summary: str) -> Entry:
    return Entry(name, summary, f"kubetrace.commands.apply.{name.replace('-', '_')}")


def _create_part(kind: str, name: str, summary: str) -> Entry:
    return Entry(name, summary, f"kubetrace.commands.create.{kind}_{name.replace('-', '_')}")


def _rollout(name: str, summary: str) -> Entry:
    return Entry(name, summary, f"kubetrace.commands.rollout.{name}")


def _playground(name: str, summary: str) -> Entry:
    return Entry(name, summary, "kubetrace.commands.playground", attribute=name.upper())


def _trace(name: str, summary: str, module: str = "trace") -> Entry:
    attribute = name.upper() if module == "trace" else "COMMAND"
    return Entry(name, summary, f"kubetrace.commands.{module}", attribute=attribute)


ROOT = Entry(
    "kubetrace",
    "",
    description="""
    kubetrace runs kubectl's commands and shows exactly how they become HTTP calls.

    Add -v=6 to any command to see its calls, -v=7 for their headers, -v=8 for their bodies; --like picks the kubectl
    version whose log lines are written.
    """,
    children=(
        # In kubectl's order, which its suggestions follow.
        Entry(
            "create",
            "Create objects from a file or from standard input",
            "kubetrace.commands.create.manifests",
            _BEGINNER,
            children=(
                _create("clusterrole", "Create a cluster role"),
                _create("clusterrolebinding", "Create a cluster role binding"),
                _create("configmap", "Create a config map from files, folders or values", "cm"),
                _create("cronjob", "Create a cron job", "cj"),
                _create("deployment", "Create a deployment", "deploy"),
                _create("ingress", "Create an ingress", "ing"),
                _create("job", "Create a job"),
                _create("namespace", "Create a namespace", "ns"),
                _create("poddisruptionbudget", "Create a pod disruption budget", "pdb"),
                _create("priorityclass", "Create a priority class", "pc"),
                _create("quota", "Create a resource quota", "resourcequota"),
                _create("role", "Create a role with one rule"),
                _create("rolebinding", "Create a role binding"),
                Entry(
                    "secret",
                    "Create a secret, with a subcommand for its type",
                    usage="create secret (docker-registry | generic | tls)",
                    description="""
                    Create a secret of one of three types.

                    docker-registry is a login to a container registry, generic holds any values (Opaque), tls is a
                    certificate with its key.
                    """,
                    children=(
                        _create_part("secret", "docker-registry", "Create a secret with a login to a registry"),
                        _create_part("secret", "generic", "Create a secret from files, folders or values"),
                        _create_part("secret", "tls", "Create a secret with a certificate and its key"),
                    ),
                ),
                Entry(
                    "service",
                    "Create a service, with a subcommand for its type",
                    usage="create service [flags]",
                    aliases=("svc",),
                    description="Create a service of one of four types.",
                    children=(
                        _create_part("service", "clusterip", "Create a service with an address in the cluster"),
                        _create_part("service", "externalname", "Create a service that stands for a DNS name"),
                        _create_part("service", "loadbalancer", "Create a service behind a load balancer"),
                        _create_part("service", "nodeport", "Create a service on a port of every node"),
                    ),
                ),
                _create("serviceaccount", "Create a service account", "sa"),
                _create("token", "Ask for a token of a service account"),
            ),
        ),
        Entry("expose", "Create a service for what runs already", "kubetrace.commands.expose", _BEGINNER),
        Entry("run", "Run an image in a pod", "kubetrace.commands.run", _BEGINNER),
        Entry(
            "set",
            "Set single fields of objects that have pods",
            group=_BEGINNER,
            usage="set SUBCOMMAND",
            description="Set single fields of objects that have pods.",
            children=(
                Entry("env", "Set, list and remove environment variables", "kubetrace.commands.set.env"),
                Entry("image", "Set other images for containers", "kubetrace.commands.set.image"),
                Entry("resources", "Set what containers request and may use", "kubetrace.commands.set.resources"),
                Entry("selector", "Set another selector for services", "kubetrace.commands.set.selector"),
                Entry(
                    "serviceaccount",
                    "Set the pods' service account",
                    "kubetrace.commands.set.serviceaccount",
                    aliases=("sa",),
                ),
                Entry("subject", "Bind roles to more subjects", "kubetrace.commands.set.subject"),
            ),
        ),
        Entry("explain", "Describe a resource and its fields", "kubetrace.commands.explain", _INTERMEDIATE),
        Entry(
            "get",
            "List objects or show single ones",
            "kubetrace.commands.get",
            _INTERMEDIATE,
            suggest_for=("list", "ls"),
        ),
        Entry("edit", "Edit objects of the server in your editor", "kubetrace.commands.edit", _INTERMEDIATE),
        Entry(
            "delete",
            "Delete objects by file, by name, or by label selector",
            "kubetrace.commands.delete",
            _INTERMEDIATE,
            suggest_for=("rm", "remove"),
        ),
        Entry(
            "rollout",
            "Restart, pause, undo and watch the rollout of a workload",
            group=_INTERMEDIATE,
            usage="rollout SUBCOMMAND",
            bare="output",
            description="""
            Look after the rollouts of deployments, daemon sets and stateful sets: how they get to a new version, and
            back to an earlier one.
            """,
            children=(
                _rollout("history", "Show the revisions of a workload"),
                _rollout("pause", "Pause a deployment's rollout"),
                _rollout("restart", "Replace the pods of a workload"),
                _rollout("resume", "Resume a deployment's rollout"),
                _rollout("status", "Show how far a rollout is"),
                _rollout("undo", "Go back to an earlier revision"),
            ),
        ),
        Entry("scale", "Set the number of replicas", "kubetrace.commands.scale", _CLUSTER),
        Entry("autoscale", "Have the number of replicas follow the load", "kubetrace.commands.autoscale", _CLUSTER),
        Entry(
            "certificate",
            "Decide over certificate signing requests",
            group=_CLUSTER,
            usage="certificate SUBCOMMAND",
            bare="help",
            description="Approve and deny certificate signing requests.",
            children=(
                Entry("approve", "Approve signing requests", "kubetrace.commands.certificate.approve"),
                Entry("deny", "Deny signing requests", "kubetrace.commands.certificate.deny"),
            ),
        ),
        Entry(
            "cluster-info",
            "Show where the cluster's services are",
            "kubetrace.commands.cluster_info",
            _CLUSTER,
            children=(
                Entry("dump", "Print what helps to find out what is wrong", "kubetrace.commands.cluster_info_dump"),
            ),
        ),
        Entry(
            "top",
            "Show how much cpu and memory is used",
            group=_CLUSTER,
            suggest_for=("stats",),
            description="""
            Show how much cpu and memory nodes and pods use at the moment.

            The figures are those of the metrics API (metrics-server serves it), made for autoscalers: good for a look
            at who uses most, not for exact accounts.
            """,
            children=(
                Entry("node", "Show what nodes use", "kubetrace.commands.top.node", aliases=("nodes", "no")),
                Entry("pod", "Show what pods use", "kubetrace.commands.top.pod", aliases=("pods", "po")),
            ),
        ),
        Entry("cordon", "Let no more pods come to a node", "kubetrace.commands.drain.cordon", _CLUSTER),
        Entry("uncordon", "Let pods come to a node again", "kubetrace.commands.drain.uncordon", _CLUSTER),
        Entry("drain", "Empty a node of pods", "kubetrace.commands.drain.drain", _CLUSTER),
        Entry("taint", "Set and remove taints of nodes", "kubetrace.commands.taint", _CLUSTER),
        Entry(
            "describe",
            "Show what an object is, what belongs to it, and what happened to it",
            "kubetrace.commands.describe",
            _DEBUGGING,
            suggest_for=("inspect",),
        ),
        Entry("logs", "Print what a container wrote", "kubetrace.commands.logs", _DEBUGGING),
        Entry("attach", "Attach to a process that runs in a container", "kubetrace.commands.attach", _DEBUGGING),
        Entry("exec", "Run a command in a container", "kubetrace.commands.exec", _DEBUGGING),
        Entry("port-forward", "Let local ports lead to ports of a pod", "kubetrace.commands.port_forward", _DEBUGGING),
        Entry("proxy", "Open a local port that leads to the API server", "kubetrace.commands.proxy", _DEBUGGING),
        Entry("cp", "Copy files to and from containers", "kubetrace.commands.cp", _DEBUGGING),
        Entry(
            "auth",
            "Ask what is allowed, and to whom",
            group=_DEBUGGING,
            description="Ask what is allowed, and to whom.",
            children=(
                Entry("can-i", "Ask whether an action is allowed", "kubetrace.commands.auth.can_i"),
                Entry(
                    "reconcile",
                    "Bring roles and bindings to what files say",
                    "kubetrace.commands.auth.reconcile",
                ),
                Entry("whoami", "Show the user that the server takes you for", "kubetrace.commands.auth.whoami"),
            ),
        ),
        Entry("debug", "Look into a pod or a node", "kubetrace.commands.debug", _DEBUGGING),
        Entry("events", "List events, or watch them come", "kubetrace.commands.events", _DEBUGGING),
        Entry("diff", "Show what apply would change", "kubetrace.commands.diff", _ADVANCED),
        Entry(
            "apply",
            "Bring objects to the state that a manifest describes",
            "kubetrace.commands.apply.manifests",
            _ADVANCED,
            children=(
                _apply("edit-last-applied", "Edit the manifest that was applied last in your editor"),
                _apply("set-last-applied", "Set the annotation of what was applied last to what a file says"),
                _apply("view-last-applied", "Show the manifest that was applied last"),
            ),
        ),
        Entry("patch", "Change fields of objects with a patch", "kubetrace.commands.patch", _ADVANCED),
        Entry("replace", "Replace objects with what files say", "kubetrace.commands.replace", _ADVANCED),
        Entry("wait", "Wait until objects are as they should be", "kubetrace.commands.wait", _ADVANCED),
        Entry("kustomize", "Build the objects of a kustomization folder", "kubetrace.commands.kustomize", _ADVANCED),
        Entry("label", "Set and remove labels", "kubetrace.commands.label", _SETTINGS),
        Entry("annotate", "Set and remove annotations", "kubetrace.commands.annotate", _SETTINGS),
        Entry(
            "completion",
            "Print shell completion code (bash, zsh, fish, powershell)",
            "kubetrace.commands.completion",
            _SETTINGS,
        ),
        Entry(
            "config",
            "Change and show kubeconfig files",
            description="""
            Change and show kubeconfig files, for example "kubetrace config use-context my-context".

            With --kubeconfig only that file is read and written. Otherwise the files that the KUBECONFIG environment
            variable lists are merged; a change goes to the file that holds the entry, a new entry to the first file
            that exists (or the last of the list, when none does). Without both, ~/.kube/config is used.
            """,
            children=(
                _config("current-context", "Print the current context"),
                _config("delete-cluster", "Delete a cluster from the kubeconfig"),
                _config("delete-context", "Delete a context from the kubeconfig"),
                _config("delete-user", "Delete a user from the kubeconfig"),
                _config("get-clusters", "List the clusters of the kubeconfig"),
                _config("get-contexts", "List contexts, or show some of them"),
                _config("get-users", "List the users of the kubeconfig"),
                _config("rename-context", "Rename a context"),
                _config("set", "Set a single value"),
                _config("set-cluster", "Add or change a cluster"),
                _config("set-context", "Add or change a context"),
                _config("set-credentials", "Add or change a user"),
                _config("unset", "Remove a single value"),
                _config("use-context", "Make a context the current one", aliases=("use",)),
                _config("view", "Show the merged kubeconfig, or one file"),
            ),
        ),
        Entry(
            "plugin",
            "Find kubectl's plugins",
            description="""
            Find plugins: programs in PATH whose names begin with "kubectl-", which extend the command line.

            "kubetrace foo" runs kubectl-foo, where no command is called so.
            """,
            children=(Entry("list", "List the plugins in PATH", "kubetrace.commands.plugin_list"),),
        ),
        Entry("version", "Print the versions of the client and of the server", "kubetrace.commands.version"),
        Entry(
            "api-versions",
            'List the API versions that the server serves, as "group/version"',
            "kubetrace.commands.api_versions",
        ),
        Entry("api-resources", "List the resources that the server serves", "kubetrace.commands.api_resources"),
        Entry("alpha", "Commands that are being tried out", "kubetrace.commands.alpha", hidden=True),
        Entry("options", "List the options that every command takes", "kubetrace.commands.options", hidden=True),
        Entry(
            "kuberc",
            "Show and change preferences",
            description="Show and change the kuberc file: other defaults for flags, and aliases for commands.",
            children=(
                Entry("set", "Change the preferences", "kubetrace.commands.kuberc.set"),
                Entry("view", "Show the preferences", "kubetrace.commands.kuberc.view"),
            ),
        ),
        Entry(
            "playground",
            "Run an API server to practise on",
            group=_OWN,
            description="Run a Kubernetes API server on this machine, to practise on without a cluster.",
            children=(
                _playground("up", "Start the playground"),
                _playground("down", "Stop the playground"),
                _playground("status", "Say whether the playground runs, and where"),
                _playground("list", "List the playgrounds"),
                _playground("kubeconfig", "Print the kubeconfig of a playground"),
                _playground("logs", "Print what the playground's server wrote"),
                _playground("reset", "Forget every object of the playground"),
            ),
        ),
        Entry("wrap", "Run any Kubernetes client and record its calls", "kubetrace.commands.wrap", _OWN),
        Entry("token", "Print the bearer token of the current user", "kubetrace.commands.token", _OWN),
        Entry(
            "trace",
            "Show, compare and convert what was said to a server",
            group=_OWN,
            description="""
            Show, compare and convert traces: what a command said to its server, and what came back.

            "--trace FILE" keeps a trace of any command; with KUBETRACE_TRACE=DIR every run leaves one in that folder,
            and "last" names the newest. Credentials are masked before anything is written.
            """,
            children=(
                _trace("show", "Show a trace, or one exchange of it", "trace_show"),
                _trace("stats", "Count calls, times and bytes by endpoint"),
                _trace("lint", "Find calls that could be saved, and answers that ask for attention"),
                _trace("diff", "Compare two traces", "trace_diff"),
                _trace("audit", "Join a trace with the server's audit log", "trace_audit"),
                _trace("curl", "Print the requests as lines for a shell", "trace_curl"),
                _trace("rbac", "Print the permissions that the requests need", "trace_rbac"),
                _trace("html", "Convert a trace to one page for a browser"),
                _trace("har", "Convert a trace to HAR 1.2"),
                _trace("serve", "Serve the answers, for clients that run offline", "trace_serve"),
                _trace("import", "Read kubectl's own verbose log as a trace", "trace_import"),
                _trace("otlp", "Convert a trace to OpenTelemetry spans", "trace_otlp"),
                _trace("mermaid", "Draw a trace as a sequence diagram"),
            ),
        ),
    ),
)

"""`create job` (kubectl pkg/cmd/create/create_job.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import GeneratedOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class CreateJobOptions(GeneratedOptions):
    origin: str = flag("", name="from", help="Object to make the job from, a cron job: cronjob/NAME.")
    image: str = flag("", help="Image to run.")


def run(environment: Environment, options: CreateJobOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import JOBS
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.workloads import job, job_from_cron_job

    creation = prepare(environment, options, arguments)
    command = arguments.words[1:]
    if bool(options.image) == bool(options.origin):
        raise KubetraceError("either --image or --from must be specified")
    if command and options.origin:
        raise KubetraceError("cannot specify --from and command")
    if options.image:
        value = job(creation.name, creation.namespace, options.image, command)
    else:
        value = job_from_cron_job(creation.name, creation.namespace, _cron_job(environment, options.origin))
    creation.create(value, JOBS, "failed to create job: ")


def _cron_job(environment: Environment, origin: str) -> dict[str, Any]:
    """The one cron job that --from names. Raises KubetraceError."""
    from kubetrace.api.builder import Request, build
    from kubetrace.api.selection import Selection
    from kubetrace.trace.exchange import Purpose
    from kubetrace.wire.go_struct import go_type_of

    selection = Selection()
    selection.add_arguments((origin,))
    request = Request(
        selection=selection,
        namespace=environment.namespace,
        default_namespace=True,
        flatten=True,
        purpose=Purpose("create", "create: what does the cron job look like?"),
    )
    infos = build(environment.cluster.typed, request).infos()
    if len(infos) != 1:
        raise KubetraceError("from must be an existing cronjob")
    found = infos[0].object or {}
    if (found.get("apiVersion"), found.get("kind")) != ("batch/v1", "CronJob"):
        raise KubetraceError(f"unknown object type {go_type_of(found)}")
    return found


COMMAND = Command(
    run=run,
    options=CreateJobOptions,
    usage="create job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...] [options]",
    description="Create a job of that name.",
    examples="""
    # A job
    kubetrace create job once --image=busybox

    # With a command of its own
    kubetrace create job once --image=busybox -- date

    # What the cron job "nightly" would start, now
    kubetrace create job once --from=cronjob/nightly
    """,
)

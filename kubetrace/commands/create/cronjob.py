"""`create cronjob` (kubectl pkg/cmd/create/create_cronjob.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import GeneratedOptions

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class CreateCronJobOptions(GeneratedOptions):
    image: str = flag("", help="Image to run.", required=True)
    restart: str = flag("", help="When its pods are restarted: OnFailure or Never.")
    schedule: str = flag("", help="When it runs, as cron writes it.", required=True)


def run(environment: Environment, options: CreateCronJobOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import CRON_JOBS
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.workloads import cron_job

    creation = prepare(environment, options, arguments)
    command = arguments.words[1:]
    value = cron_job(creation.name, creation.namespace, options.image, options.schedule, options.restart, command)
    creation.create(value, CRON_JOBS, "failed to create cronjob: ")


COMMAND = Command(
    run=run,
    options=CreateCronJobOptions,
    usage="create cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags] [options]",
    description="Create a cron job of that name.",
    examples="""
    # A cron job that runs every minute
    kubetrace create cronjob clock --image=busybox --schedule="*/1 * * * *"

    # With a command of its own
    kubetrace create cronjob clock --image=busybox --schedule="*/1 * * * *" -- date
    """,
)

"""`cp`: files to and from containers, in tar streams (kubectl pkg/cmd/cp)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import PROGRAM, Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError
from kubetrace.streams import Write, writer
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.commands.file_specs import FileSpec
    from kubetrace.commands.tar_reading import TarReader
    from kubetrace.environment import Environment
    from kubetrace.trace.exchange import Purpose

_TEST_SECONDS = 30.0


class CpOptions(Value):
    container: str = flag("", "c", help="Copy to or from this container.")
    no_preserve: bool = flag(False, help="Files get the owner and the permissions that new files have there.")
    retries: int = flag(
        0, help="How often to go on with a copy from a container that broke off; 0 never, less than 0 for ever."
    )


def run(environment: Environment, options: CpOptions, arguments: Arguments) -> None:
    from kubetrace.commands.file_specs import parse_spec

    _ = environment.namespace
    environment.make_client()
    environment.rest_config()
    if len(arguments.words) != 2:
        raise KubetraceError("source and destination are required")
    source, target = parse_spec(arguments.words[0]), parse_spec(arguments.words[1])
    if source.pod and target.pod:
        raise KubetraceError("one of src or dest must be a local file specification")
    if not source.path or not target.path:
        raise KubetraceError("filepath can not be empty")
    if source.pod:
        _Copy(environment, options, source).out_of_pod(target.path)
    elif target.pod:
        _Copy(environment, options, target).into_pod(source.path)
    else:
        raise KubetraceError("one of src or dest must be a remote file specification")


class _Copy(Value):
    """One copy to or from the pod of a file specification."""

    environment: Environment
    options: CpOptions
    there: FileSpec

    def into_pod(self, source: str) -> None:
        from kubetrace.api.go_paths import join
        from kubetrace.commands.file_specs import base, folder
        from kubetrace.commands.tar_writing import TarWriter
        from kubetrace.trace.exchange import Purpose

        if not os.path.exists(source):  # noqa: PTH110 (pathlib takes longer to load)
            raise KubetraceError(f"{source} doesn't exist in local filesystem")
        target = self.there.path
        if self._is_folder(target):
            target = join(target, base(source))
        command = ["tar", "-xmf", "-"]
        if self.options.no_preserve:
            command[1:1] = ["--no-same-permissions", "--no-same-owner"]
        where = folder(target)
        stdout, stderr = writer(self.environment.stdout), writer(self.environment.stderr)
        self._execute(
            (*command, "-C", where),
            Purpose("cp", "cp: an archive into the container"),
            stdout,
            stderr,
            self.environment.stderr.write,
            stdin=_Archive(TarWriter(source, target)),
        )

    def _is_folder(self, path: str) -> bool:
        """Is there a folder of this name in the container? Whatever goes wrong says no, only time does not."""
        from kubetrace.commands.remote_session import TimedOut
        from kubetrace.trace.exchange import Purpose

        purpose = Purpose("cp", "cp: is the destination a folder?")
        deadline = time.monotonic() + _TEST_SECONDS
        try:
            self._execute(("test", "-d", path), purpose, _nowhere, _nowhere, _silently, deadline=deadline)
        except TimedOut:
            raise
        except KubetraceError:
            return False
        return True

    def out_of_pod(self, target: str) -> None:
        from kubetrace.api.go_paths import clean
        from kubetrace.api.go_words import quoted
        from kubetrace.commands.file_specs import without_shortcuts
        from kubetrace.commands.tar_reading import TarReader, Unpacker

        path, options = self.there.path, self.options
        prefix = without_shortcuts(clean(path.lstrip("/\\")))
        shown = f"exec -n {quoted(self.there.namespace)} {quoted(self.there.pod)} -- tar cf - {quoted(path)} | tar xf -"
        hint = f' (consider using "{PROGRAM} {shown}")'
        reader = TarReader(Unpacker(prefix, target, self.environment.stderr.write, hint))
        retried = 0
        while not self._read(reader, reader.taken + 1 if retried else 0):
            if options.retries >= 0 and retried >= options.retries:
                self.environment.stdout.write(f"Dropping out copy after {retried} retries\n")
                if not reader.between:
                    raise KubetraceError("unexpected EOF")
                return
            retried += 1
            self.environment.stdout.write(f"Resuming copy at {reader.taken} bytes, retry {retried}/{options.retries}\n")

    def _read(self, reader: TarReader, start: int) -> bool:
        """Feeds the reader what tar packs, from its byte number `start` on; whether the archive is whole now. One that
        is whole counts, whatever tar says then."""
        from kubetrace.trace.exchange import Purpose

        path = self.there.path
        command: tuple[str, ...] = ("tar", "cf", "-", path)
        if self.options.retries:
            escaped = path.replace("'", "'\\''")
            command = ("sh", "-c", f"tar cf - '{escaped}' | tail -c+{start}")
        purpose = Purpose("cp", "cp: an archive out of the container")
        try:
            # Yes, stdout: what tar says and which container it is, too (TarPipe.initReadFrom).
            self._execute(command, purpose, reader.feed, writer(self.environment.stdout), self._say)
        except KubetraceError:
            if not reader.complete:
                raise
        return reader.complete

    def _say(self, text: str) -> None:
        self.environment.stdout.write(text)
        self.environment.stdout.flush()

    def _execute(
        self,
        command: tuple[str, ...],
        purpose: Purpose,
        stdout: Write,
        stderr: Write,
        tell: Callable[[str], object],
        *,
        stdin: Any = None,
        deadline: float | None = None,
    ) -> None:
        from kubetrace.api.related import Related
        from kubetrace.api.typed_kinds import PODS
        from kubetrace.commands.exec import remote_command, with_streams
        from kubetrace.commands.pod_target import refuse_completed
        from kubetrace.commands.remote_session import UserStreams, run_session
        from kubetrace.trace.exchange import Purpose
        from kubetrace.value import replace

        environment = self.environment
        asked = Purpose("cp", "cp: which pod is it, and which containers has it?")
        namespace = self.there.namespace or environment.namespace
        pod = Related(environment.cluster.objects).one(PODS, namespace, self.there.pod, purpose=asked)
        refuse_completed(pod, "exec into a container")
        wanted = replace(remote_command(environment, pod, self.options.container, command, tell), purpose=purpose)
        user = UserStreams(stdin, stdout, stderr)
        run_session(environment, with_streams(wanted, user), user, lambda size: [size], deadline)


class _Archive:
    """A session's input that is made as it is read."""

    descriptor = None
    is_terminal = False

    def __init__(self, archive: Any) -> None:
        self.read: Callable[[], bytes] = archive.read


def _nowhere(data: bytes) -> None:
    """What `test` says is of no interest."""


def _silently(text: str) -> None:
    """Nor is in which container it runs."""


COMMAND = Command(
    run=run,
    options=CpOptions,
    words="files-in-pods",
    usage="cp <file-spec-src> <file-spec-dest>",
    description="""
    Copy files and folders to and from containers. The container must have tar.

    Links in a folder that comes out of a container are left out; 'exec … -- tar' brings them, too.
    """,
    examples="""
    # A file into a pod, and back; another namespace
    kubetrace cp report.txt web:/tmp/report.txt
    kubetrace cp web:/tmp/report.txt report.txt
    kubetrace cp report.txt shop/web:/tmp/

    # A folder, to one of several containers
    kubetrace cp site web:/usr/share/nginx -c nginx

    # With links, permissions, patterns
    kubetrace exec web -- tar cf - /etc | tar xf -
    tar cf - . | kubetrace exec -i web -- tar xf - -C /srv
    """,
)

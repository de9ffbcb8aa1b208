"""What the `set` commands share: objects as kubectl's structs have them, and the strategic patches that say what is to
be different (kubectl pkg/cmd/set/helper.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.commands.shared_options import ChangeOptions, everything, field_manager, local
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubetrace.api.builder import Info
    from kubetrace.commands.selecting import Selecting
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer
    from kubetrace.wire.go_struct import TypedObject

Object = dict[str, Any]


class SetOptions(ChangeOptions):
    all: bool = everything()
    field_manager: str = field_manager("kubectl-set")
    local: bool = local()


def infos(environment: Environment, options: SetOptions, words: Sequence[str], labels: str = "") -> list[Info]:
    """The objects to change, as they are now. Raises KubetraceError."""
    from kubetrace.api.selection import ONLY_LOCAL_FILES
    from kubetrace.commands.selecting import select

    if options.local and words:
        raise KubetraceError(ONLY_LOCAL_FILES)
    return select(environment, options, words, looked_up(options.all, options.local, labels)).infos()


def looked_up(everything: bool, local: bool, labels: str = "") -> Selecting:
    """How the objects are selected."""
    from kubetrace.commands.selecting import Selecting
    from kubetrace.trace.exchange import Purpose

    return Selecting(
        purpose=Purpose("set", "change: what does the object look like now?"),
        labels=labels,
        everything=everything,
        latest=True,
        local=local,
        typed=True,
    )


def patch_of(info: Info, change: Callable[[Object], bool | None]) -> bytes | None:
    """Changes an Info's object; the patch between both states, None where the change found nothing to do. Raises
    KubetraceError."""
    from copy import deepcopy

    from kubetrace.api.strategic_merge import built_in_patch
    from kubetrace.commands.writing import as_typed

    assert info.object is not None
    before = as_typed(info.object)
    after = deepcopy(before)
    if change(after) is False:
        return None
    info.object = as_typed(after)
    return built_in_patch(before, info.object)


def send(environment: Environment, info: Info, patch: bytes, manager: str, *, dry_run: bool) -> TypedObject:
    """Has the server change the object. Raises StatusError, TransportError."""
    from kubetrace.api import verbs
    from kubetrace.commands.writing import as_typed
    from kubetrace.trace.exchange import Purpose

    assert info.mapping is not None
    write = verbs.WriteOptions(manager, dry_run=dry_run)
    purpose = Purpose("set", "change: only what differs")
    where = (info.mapping, info.namespace, info.name)
    call = verbs.patch(*where, verbs.STRATEGIC_PATCH, patch, write, purpose=purpose)
    return as_typed(environment.cluster.typed.objects.send(call, info.mapping, info.name))


class Changes(Value):
    """One run of a `set` command over its objects. A change gets each object; it returns False where it finds nothing
    to do, and raises KubetraceError where it can't be done. `failure` begins the message of what the server refuses;
    `even_unchanged` sends empty patches, too; `check_sent` is asked after each change that the server made, before it
    is told."""

    environment: Environment
    options: SetOptions
    strategy: DryRun
    printer: Printer
    failure: str
    even_unchanged: bool = False
    check_sent: Callable[[], None] = lambda: None

    def make(
        self, found: Sequence[Info], change: Callable[[Object], bool | None], errors: list[KubetraceError]
    ) -> None:
        """Changes all, then sends what differs. Raises KubetraceError: `errors`, and what fails."""
        from kubetrace.api.aggregates import raise_all

        for info, patch in self.patches(found, change):
            if isinstance(patch, KubetraceError):
                errors.append(patch)
                continue
            if patch == b"{}" and not self.even_unchanged:
                continue
            try:
                value = self._changed(info, patch)
            except KubetraceError as error:
                errors.append(error)
                continue
            if value is not info.object:
                self.check_sent()
            self.printer.print(value, self.environment.stdout)
        raise_all(errors)

    def patches(
        self, found: Sequence[Info], change: Callable[[Object], bool | None]
    ) -> list[tuple[Info, bytes | KubetraceError]]:
        """Each object's patch, or why there is none; without those that the change leaves alone."""
        made: list[tuple[Info, bytes | KubetraceError]] = []
        for info in found:
            try:
                patch = patch_of(info, change)
            except KubetraceError as error:
                made.append((info, KubetraceError(f"error: {info.object_name} {error}\n")))
            else:
                made += [] if patch is None else [(info, patch)]
        return made

    def _changed(self, info: Info, patch: bytes) -> Object:
        from kubetrace.commands.writing import DryRun

        assert info.object is not None
        if self.options.local or self.strategy is DryRun.CLIENT:
            return info.object
        try:
            dry = self.strategy is DryRun.SERVER
            return send(self.environment, info, patch, self.options.field_manager, dry_run=dry)
        except KubetraceError as error:
            raise KubetraceError(f"{self.failure}{error}") from None

"""Several failures of one command as one error, and how they are told (apimachinery's util/errors, kubectl's
cmd/util/helpers.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kubetrace.api.status import StatusError, debug_note
from kubetrace.errors import KubetraceError, aggregate_text
from kubetrace.trace.exchange import Note
from kubetrace.transport.errors import TransportError


class AggregateError(KubetraceError):
    """Several failures of one command, told in order (apimachinery's util/errors.Aggregate)."""

    def __init__(self, errors: Sequence[KubetraceError]) -> None:
        self.errors = tuple(errors)
        super().__init__(aggregate_text(map(str, self._leaves())))

    def _leaves(self) -> Iterator[KubetraceError]:
        for error in self.errors:
            if isinstance(error, AggregateError):
                yield from error._leaves()
            else:
                yield error

    @property
    def told(self) -> tuple[KubetraceError, ...]:
        """The errors that are told one by one: an aggregate of one error is that error, but only once (checkErr)."""
        only = self.errors[0] if len(self.errors) == 1 else None
        return only.errors if isinstance(only, AggregateError) else self.errors

    @property
    def is_lone(self) -> bool:
        """Is it told as its one error would be?"""
        return len(self.errors) == 1 and self.told is self.errors

    def lines(self) -> list[str]:
        if self.is_lone:
            return self.errors[0].lines_of_only()
        return "".join(f"{_listed(error)}\n" for error in self.told).split("\n")

    def flat(self) -> list[KubetraceError]:
        """The single errors, those within aggregates included."""
        return list(self._leaves())

    def without(self, unwanted: Callable[[KubetraceError], bool]) -> KubetraceError | None:
        """The same aggregates, some errors left out; None where nothing is left (FilterOut)."""
        kept = [found for error in self.errors if (found := without(error, unwanted)) is not None]
        return AggregateError(kept) if kept else None


def _listed(error: KubetraceError) -> str:
    """One of several errors: its standard words, without the "error: " that a lone error gets (MultipleErrors)."""
    if isinstance(error, StatusError) or (isinstance(error, TransportError) and error.recognized):
        return error.user_message()
    return str(error)


def aggregate(errors: Sequence[KubetraceError]) -> KubetraceError | None:
    """None, the one error, or all of them."""
    if not errors:
        return None
    return errors[0] if len(errors) == 1 and not errors[0].problems else AggregateError(errors)


def taken_apart(error: KubetraceError) -> KubetraceError:
    """A list of problems as any other aggregate, which is what the end of a visit makes of it (FilterOut)."""
    return AggregateError([KubetraceError(problem) for problem in error.problems]) if error.problems else error


def raise_all(errors: Sequence[KubetraceError]) -> None:
    """Raises what `aggregate` makes of them; returns where there is none."""
    failure = aggregate(errors)
    if failure is not None:
        raise failure


def without(error: KubetraceError, unwanted: Callable[[KubetraceError], bool]) -> KubetraceError | None:
    """The error, or what of it is not unwanted."""
    if isinstance(error, AggregateError):
        return error.without(unwanted)
    return None if unwanted(error) else error


def debug_notes(error: BaseException) -> list[Note]:
    """The notes of an error and, where it is an aggregate, of all in it."""
    if not isinstance(error, AggregateError) or error.is_lone:
        note = debug_note(error.errors[0] if isinstance(error, AggregateError) else error)
        return [] if note is None else [note]
    return [note for one in error.told if (note := debug_note(one, alone=False)) is not None]

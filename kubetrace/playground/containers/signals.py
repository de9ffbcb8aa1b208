"""Signals by name, and what they do to a process that has no trap for them (signal(7))."""

from __future__ import annotations

from dataclasses import dataclass, field

NUMBERS: dict[str, int] = {
    "EXIT": 0,
    "HUP": 1,
    "INT": 2,
    "QUIT": 3,
    "ILL": 4,
    "TRAP": 5,
    "ABRT": 6,
    "BUS": 7,
    "FPE": 8,
    "KILL": 9,
    "USR1": 10,
    "SEGV": 11,
    "USR2": 12,
    "PIPE": 13,
    "ALRM": 14,
    "TERM": 15,
    "CHLD": 17,
    "CONT": 18,
    "STOP": 19,
    "TSTP": 20,
    "TTIN": 21,
    "TTOU": 22,
    "URG": 23,
    "WINCH": 28,
}
_NAMES = {number: name for name, number in NUMBERS.items()}
HARMLESS = frozenset(("CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "WINCH"))
"""Those that end nothing here: there is no job control."""


def signal_name(text: str) -> str | None:
    """TERM for 15, TERM, SIGTERM and term; None where there is no such signal."""
    if text.isdigit():
        return _NAMES.get(int(text))
    name = text.upper().removeprefix("SIG")
    return name if name in NUMBERS else None


def listed() -> str:
    """As kill -l and trap -l show them."""
    return "".join(f"{number:2}) {name}\n" for name, number in NUMBERS.items() if number)


@dataclass(slots=True)
class Traps:
    """What a shell does at signals, and at its end (EXIT)."""

    commands: dict[str, str] = field(default_factory=dict)
    """Signal → command; "" where it is ignored."""
    pending: list[str] = field(default_factory=list)
    """Commands that run once what runs now is over."""

    def take(self, name: str) -> bool:
        """Whether a trap takes care of a signal."""
        command = self.commands.get(name)
        if command is None or name in ("KILL", "STOP"):
            return False
        if command:
            self.pending.append(command)
        return True

"""The options of simulated programs, as getopt takes them apart."""

from __future__ import annotations

from kubetrace.playground.containers.machine import Process


class UsageFailure(Exception):
    """An option that the program does not have; the exit code is 1."""


def options(
    process: Process, flags: str, valued: str = "", long: dict[str, str] | None = None
) -> tuple[dict[str, str], list[str]]:
    """({letter: value or ""}, operands). `long` maps --names to letters. Raises UsageFailure."""
    found: dict[str, str] = {}
    rest: list[str] = []
    words = list(process.arguments)
    while words:
        word = words.pop(0)
        if word == "--":
            rest += words
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            letter = (long or {}).get(name)
            if letter is None:
                raise UsageFailure(f"unrecognized option: {name}")
            if letter in valued and letter and not equals:
                value = words.pop(0) if words else ""
            found[letter] = value
            continue
        if not word.startswith("-") or word == "-":
            rest.append(word)
            continue
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in valued:
                if not letters and not words:
                    raise UsageFailure(f"option requires an argument: {letter}")
                found[letter] = letters or words.pop(0)
                break
            if letter not in flags:
                raise UsageFailure(f"invalid option -- '{letter}'")
            found[letter] = ""
    return found, rest


def number(text: str) -> int:
    """Raises UsageFailure."""
    try:
        return int(text)
    except ValueError:
        raise UsageFailure(f"invalid number '{text}'") from None

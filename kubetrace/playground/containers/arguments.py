"""The options of simulated programs, as getopt takes them apart."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kubetrace.playground.containers.machine import Process


class UsageFailure(Exception):
    """An option that the program does not have; the exit code is 1."""


def options(
    process: Process, flags: str, valued: str = "", long: dict[str, str] | None = None, joined: str = ""
) -> tuple[dict[str, str], list[str]]:
    """({letter: value or ""}, operands). `long` maps --names to letters; the values of an option of `joined` that is
    there several times stand in lines. Raises UsageFailure."""
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
                value = letters or words.pop(0)
                found[letter] = f"{found[letter]}\n{value}" if letter in joined and letter in found else value
                break
            if letter not in flags:
                raise UsageFailure(f"invalid option -- '{letter}'")
            found[letter] = ""
    return found, rest


def counted(words: list[str]) -> list[str]:
    """head's and tail's old way of saying how many: -5 for -n5, where it is no option's value."""
    return [
        re.sub(r"^-(\d+)$", r"-n\1", word) if index == 0 or words[index - 1] not in ("-n", "-c") else word
        for index, word in enumerate(words)
    ]


def amount(text: str, units: Mapping[str, int]) -> int:
    """A count that may end with a unit: 2k, 1M. Raises UsageFailure."""
    return number(text[:-1]) * units[text[-1]] if text[-1:] in units else number(text)


def number(text: str) -> int:
    """Raises UsageFailure."""
    try:
        return int(text)
    except ValueError:
        raise UsageFailure(f"invalid number '{text}'") from None

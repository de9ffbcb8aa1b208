"""The shell's commands about its variables and options: export, local, read, set, getopts and the like."""

from __future__ import annotations

import re
import shlex

from kubetrace.playground.containers.arithmetic import evaluate
from kubetrace.playground.containers.expansion import numbers, quoted_always
from kubetrace.playground.containers.redirections import Fatal, ShellFailure
from kubetrace.playground.containers.shell import Shell

_OPTIONS = {
    "errexit": "e",
    "noglob": "f",
    "noclobber": "C",
    "nounset": "u",
    "xtrace": "x",
    "verbose": "v",
    "noexec": "n",
    "allexport": "a",
}


def number(words: list[str], default: int) -> int:
    """A command's one operand. Raises ShellFailure."""
    if len(words) < 2:
        return default
    if not re.fullmatch(r"-?\d+", words[1]):
        raise ShellFailure(f"{words[0]}: Illegal number: {words[1]}")
    return int(words[1])


def _named(command: str, word: str) -> tuple[str, str | None]:
    """(name, value) of NAME or NAME=VALUE. Raises Fatal."""
    name, equals, value = word.partition("=")
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise Fatal(f"{command}: {name}: bad variable name")
    return name, value if equals else None


async def export(shell: Shell, words: list[str]) -> int:
    """export and readonly."""
    kept = shell.exported if words[0] == "export" else shell.readonly
    if len(words) == 1 or words[1] == "-p":
        lines = [
            f"{words[0]} {n}={shlex.quote(shell.variables[n])}\n" if n in shell.variables else f"{words[0]} {n}\n"
            for n in sorted(kept)
        ]
        await shell.streams.output.write("".join(lines).encode())
        return 0
    forget = words[1] == "-n" and words[0] == "export"
    for word in words[2:] if forget else words[1:]:
        name, value = _named(words[0], word)
        if value is not None:
            shell.set(name, value)
        if forget:
            kept.discard(name)
        else:
            kept.add(name)
    return 0


async def local(shell: Shell, words: list[str]) -> int:
    if not shell.locals:
        raise Fatal(f"{words[0]}: not in a function")
    for word in words[1:]:
        if word.startswith("-"):
            continue
        name, value = _named(words[0], word)
        shell.locals[-1].setdefault(name, shell.variables.get(name))
        if value is not None:
            shell.set(name, value)
    return 0


async def unset(shell: Shell, words: list[str]) -> int:
    functions = words[1:2] == ["-f"]
    for name in words[1:]:
        if name in ("-f", "-v"):
            continue
        if functions:
            shell.functions.pop(name, None)
            continue
        if name in shell.readonly:
            raise Fatal(f"unset: {name}: is read only")
        shell.variables.pop(name, None)
        shell.exported.discard(name)
    return 0


async def set_options(shell: Shell, words: list[str]) -> int:
    if len(words) == 1:
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in sorted(shell.variables.items())]
        await shell.streams.output.write("".join(lines).encode())
        return 0
    rest = words[1:]
    while rest and rest[0][:1] in "-+" and len(rest[0]) > 1:
        option = rest.pop(0)
        if option == "--":
            shell.positional = rest
            return 0
        named = {rest.pop(0)} if option[1:] == "o" and rest else set(option[1:].replace("o", ""))
        if "o" in option[1:] and rest and option[1:] != "o":
            named.add(rest.pop(0))
        named = {_OPTIONS.get(name, name) for name in named}
        unknown = sorted(named - set(_OPTIONS.values()) - {"pipefail", "m", "h", "b", "E", "vi", "emacs"})
        if unknown:
            raise Fatal(f"set: illegal option {option[0]}{unknown[0]}")
        shell.options = shell.options | named if option[0] == "-" else shell.options - named
    if rest:
        shell.positional = rest
    return 0


async def shift(shell: Shell, words: list[str]) -> int:
    count = number(words, 1)
    if count > len(shell.positional):
        return 1
    shell.positional = shell.positional[count:]
    return 0


async def read(shell: Shell, words: list[str]) -> int:
    names: list[str] = []
    raw, at = False, 1
    while at < len(words):
        word = words[at]
        if re.fullmatch(r"-[a-zA-Z].*", word) and not names:
            raw = raw or "r" in word
            if word[-1] in "ptndu":
                at += 1
                if word[-1] == "p" and shell.streams.terminal:
                    await shell.streams.error.write("".join(words[at : at + 1]).encode())
        else:
            names.append(word)
        at += 1
    line = (await shell.streams.input.line()).decode("utf-8", "surrogateescape")
    while not raw and re.search(r"(?<!\\)(\\\\)*\\\n$", line):
        more = (await shell.streams.input.line()).decode("utf-8", "surrogateescape")
        line = line[:-2] + more
    text = line.removesuffix("\n")
    if not raw:
        text = re.sub(r"\\(.)", r"\1", text)
    values = _parted(text, shell.variables.get("IFS", " \t\n"), max(1, len(names)))
    for index, name in enumerate(names or ["REPLY"]):
        shell.set(name, values[index] if index < len(values) else "")
    return 0 if line.endswith("\n") else 1


def _parted(text: str, separators: str, count: int) -> list[str]:
    """A line as so many fields, the last of which takes what is left."""
    blanks = "".join(char for char in separators if char in " \t\n")
    others = re.escape("".join(char for char in separators if char not in " \t\n"))
    space = f"[{re.escape(blanks)}]*" if blanks else ""
    text = text.strip(blanks) if blanks else text
    if not separators:
        return [text]
    mark = f"{space}[{others}]{space}" if others else ""
    if blanks:
        mark = f"{mark}|{space[:-1]}+" if mark else f"{space[:-1]}+"
    found = re.split(mark, text, maxsplit=count - 1) if count > 1 else [text]
    if others and re.fullmatch(rf".*[{others}]", found[-1], re.DOTALL) and len(re.findall(mark, found[-1])) == 1:
        found[-1] = re.sub(rf"{space}[{others}]$", "", found[-1])  # one separator at the end is none
    return found


async def getopts(shell: Shell, words: list[str]) -> int:
    if len(words) < 3:
        raise Fatal("getopts: usage: getopts optstring var [arg]")
    known, name = words[1], words[2]
    arguments = words[3:] or shell.positional
    index, place = int(shell.variables.get("OPTIND") or 1), shell.option_place
    if index != shell.option_index:
        place = 0
    shell.variables.pop("OPTARG", None)
    word = arguments[index - 1] if 0 < index <= len(arguments) else ""
    if place == 0 and (not re.match(r"-.", word) or word == "--"):
        shell.set("OPTIND", str(index + (word == "--")))
        shell.set(name, "?")
        shell.option_index, shell.option_place = index + (word == "--"), 0
        return 1
    place = place or 1
    letter, rest = word[place], word[place + 1 :]
    found, quiet = known.find(letter), known.startswith(":")
    place += 1
    if found < 0 or letter == ":":
        if quiet:
            shell.set("OPTARG", letter)
        else:
            await shell.tell(f"Illegal option -{letter}")
        letter = "?"
    elif known[found + 1 : found + 2] == ":":
        place = len(word)
        if rest:
            shell.set("OPTARG", rest)
        elif index < len(arguments):
            shell.set("OPTARG", arguments[index])
            index += 1
        elif quiet:
            shell.set("OPTARG", letter)
            letter = ":"
        else:
            await shell.tell(f"No arg for -{letter} option")
            letter = "?"
    if place >= len(word):
        index, place = index + 1, 0
    shell.option_index, shell.option_place = index, place
    shell.set("OPTIND", str(index))
    shell.set(name, letter)
    return 0


async def let(shell: Shell, words: list[str]) -> int:
    value = 0
    for word in words[1:]:
        value = evaluate(word, numbers(shell))
    return int(value == 0)


async def umask(shell: Shell, words: list[str]) -> int:
    if len(words) == 1:
        await shell.streams.output.write(f"{shell.machine.files.umask:04o}\n".encode())
    elif re.fullmatch(r"[0-7]{1,4}", words[1]):
        shell.machine.files.umask = int(words[1], 8) & 0o777
    else:
        raise ShellFailure(f"umask: illegal mode: {words[1]}")
    return 0


async def alias(shell: Shell, words: list[str]) -> int:
    code = 0
    names = words[1:] or sorted(shell.aliases)
    for word in names:
        name, equals, value = word.partition("=")
        if words[0] == "unalias":
            shell.aliases.pop(name, None)
        elif equals:
            shell.aliases[name] = value
        elif name in shell.aliases:
            await shell.streams.output.write(f"{name}={quoted_always(shell.aliases[name])}\n".encode())
        else:
            await shell.tell(f"{words[0]}: {name} not found")
            code = 1
    return code

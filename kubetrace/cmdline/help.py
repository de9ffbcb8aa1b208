"""Help as kubectl lays it out (kubectl pkg/util/templates): description, aliases, examples, subcommands, options,
usage line, hints. The structure is kubectl's, the sentences are ours."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from kubetrace.cmdline.command import PROGRAM, Command, Entry
from kubetrace.cmdline.flags import BoundFlag, bind

GROUP_ORDER = (
    "Basic Commands (Beginner):",
    "Basic Commands (Intermediate):",
    "Deploy Commands:",
    "Cluster Management Commands:",
    "Troubleshooting and Debugging Commands:",
    "Advanced Commands:",
    "Settings Commands:",
    "Tracing Commands (kubetrace only):",
    "Other Commands:",
)


def wrap_width(columns: int | None) -> int | None:
    """kubectl's term.NewResponsiveWriter: wraps at 120, 100 or 80 columns, narrower terminals and pipes not at all."""
    return next((limit for limit in (120, 100, 80) if columns is not None and columns >= limit), None)


def flag_usages(
    flags: Iterable[BoundFlag], width: int | None = None, defaults: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The entries below "Options:", sorted by name, a tab before each explanation. `defaults` are those, by flag, that
    depend on where the program runs."""
    blocks = []
    for flag in sorted(flags, key=lambda f: f.name):
        if flag.flag.hidden or flag.flag.deprecated:
            continue
        short = f"-{flag.shorthand}, " if flag.shorthand else ""
        default = defaults.get(flag.name, flag.default_text())
        if flag.kind == "string":
            default = f"'{default}'"
        text = flag.flag.help
        if width is not None:
            text = "\n\t".join(textwrap.wrap(text, width - 8) or [""])
        blocks.append(f"    {short}--{flag.name}={default}:\n\t{text}\n")
    return "\n".join(blocks)


def command_help(path: tuple[Entry, ...], command: Command | None, width: int | None = None) -> str:
    """The --help page of a command below the root."""
    entry = path[-1]
    names = " ".join((PROGRAM, *(e.name for e in path)))
    sections = [_wrap(textwrap.dedent(command.description if command else entry.description).strip(), width)]
    if entry.aliases:
        sections.append(f"Aliases:\n{', '.join((entry.name, *entry.aliases))}")
    if command and command.examples:
        sections.append("Examples:\n" + textwrap.indent(textwrap.dedent(command.examples).strip("\n"), "  "))
    visible = [child for child in sorted(entry.children, key=lambda c: c.name) if not child.hidden]
    if visible:
        sections.append("Available Commands:\n" + _rows(visible, _padding(visible)))
    flags = bind(command.options) if command else ()
    if usages := flag_usages(flags, width):
        sections.append("Options:\n" + usages.rstrip())
    own = command.usage if command else entry.usage
    usage = f"{PROGRAM} {own}" if own else f"{names} SUBCOMMAND"
    if "[options]" not in usage:
        usage += " [options]"
    sections.append(f"Usage:\n  {usage}")
    hints = [f'Use "{names} <command> --help" for more information about a given command.'] if visible else []
    hints.append(f'Use "{PROGRAM} options" for a list of global command-line options (applies to all commands).')
    sections.append("\n".join(hints))
    return "\n\n".join(sections) + "\n"


def root_help(root: Entry, width: int | None = None) -> str:
    """What the program says when it is called alone."""
    sections = [_wrap(textwrap.dedent(root.description).strip(), width)]
    padding = _padding(root.children)
    for group in GROUP_ORDER:
        entries = [child for child in root.children if child.group == group and not child.hidden]
        if group == "Other Commands:":
            entries.sort(key=lambda entry: entry.name)
        if entries:
            sections.append(f"{group}\n{_rows(entries, padding)}")
    sections.append(f"Usage:\n  {PROGRAM} [flags] [options]")
    sections.append(
        f'Use "{PROGRAM} <command> --help" for more information about a given command.\n'
        f'Use "{PROGRAM} options" for a list of global command-line options (applies to all commands).'
    )
    return "\n\n".join(sections) + "\n"


def options_help(
    kubectl: Iterable[BoundFlag], own: Iterable[BoundFlag], width: int | None, defaults: Mapping[str, str]
) -> str:
    """What `options` prints: kubectl's global options, and ours in a list of their own."""
    return (
        "The following options can be passed to any command:\n\n"
        + flag_usages(kubectl, width, defaults)
        + "\nThese are kubetrace's own, for any command too:\n\n"
        + flag_usages(own, width)
        + "\n"
    )


def _padding(entries: Iterable[Entry]) -> int:
    return max(11, *(len(entry.name) for entry in entries))


def _rows(entries: Iterable[Entry], padding: int) -> str:
    return "\n".join(f"  {entry.name:<{padding}}   {entry.summary}" for entry in entries)


def _wrap(text: str, width: int | None) -> str:
    """kubectl's long descriptions: the first paragraph at the margin, further ones one blank in, wrapped on a
    terminal."""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    if width is not None:
        paragraphs = ["\n".join(textwrap.wrap(part, width)) for part in paragraphs]
    return "\n\n ".join(paragraphs)

"""Text for a POSIX shell: words, bodies, files. Nothing that a server sent leaves its quotes."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterable

from kubetrace.trace.access import Access, Material

_SHORT = 1000
_FOLDER = "kubetrace_files"


def word(text: str) -> str:
    """One word; control characters by printf, which every shell knows."""
    if text.isprintable():
        return shlex.quote(text)
    octal = "".join(f"\\{byte:03o}" for byte in text.encode("utf-8", "surrogateescape"))
    return f"\"$(printf '{octal}')\""


def lines(words: Iterable[str]) -> str:
    """A command on several lines; every entry is one line's words."""
    return " \\\n  ".join(words)


def with_body(command: str, body: bytes) -> str:
    """A command that reads the body: a here-document whose end is no line of it; what a here-document can't hold to the
    byte goes through printf or base64."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    plain = bool(text) and all(one.isprintable() or one in "\n\t" for one in text)
    if plain and text.endswith("\n"):
        end = "END"
        while end in text.split("\n"):
            end += "_"
        return f"{command} << '{end}'\n{text}{end}\n"
    if plain and len(text) < _SHORT:
        return f"printf %s {shlex.quote(text)} |\n{command}\n"
    packed = base64.b64encode(body).decode("ascii")
    wrapped = "\n".join(packed[at : at + 76] for at in range(0, len(packed), 76))
    return f"base64 -d << 'END' |\n{wrapped}\nEND\n{command}\n"


def material_file(name: str, material: Material) -> str:
    """The file that holds it, as a word: its own, or one of the script's private folder."""
    return shlex.quote(material.path) if material.path else f'"${_FOLDER}/{name}"'


def preamble(access: Access) -> str:
    """The lines that write what the kubeconfig holds inline to a private folder, which goes when the shell does."""
    found = (("ca", access.authority), ("cert", access.certificate), ("key", access.key))
    written = [
        f'{shlex.join(material.command)} | base64 -d > "${_FOLDER}/{name}"\n'
        for name, material in found
        if material is not None and material.command
    ]
    if not written:
        return ""
    return f"{_FOLDER}=$(mktemp -d) && trap 'rm -rf \"${_FOLDER}\"' EXIT\n" + "".join(written)

"""Lines broken as kubectl's two renderers break them."""

from __future__ import annotations

import re

_BULLET = re.compile(r"(?:[0-9]+\.?|-|\*)[\t\n\f\r ]")


def wrap(text: str, limit: int) -> str:
    """Broken at blanks before a word would pass the limit; blanks at a break are lost, words longer than the limit
    stay whole (github.com/mitchellh/go-wordwrap)."""
    parts: list[str] = []
    word = space = ""
    column = 0
    for char in text:
        if char == "\n":
            if word or column + len(space) <= limit:
                parts.append(space + word)
            parts.append(char)
            word = space = ""
            column = 0
        elif char.isspace() and char != "\xa0":
            if not space or word:
                column += len(space) + len(word)
                parts.append(space + word)
                word = space = ""
            space += char
        else:
            word += char
            if column + len(word) + len(space) > limit and len(word) < limit:
                parts.append("\n")
                column, space = 0, ""
    if word or column + len(space) <= limit:
        parts.append(space + word)
    return "".join(parts)


def indent(text: str, amount: int) -> str:
    """Blanks before every line, empty ones, too."""
    pad = " " * amount
    return pad + text.replace("\n", "\n" + pad)


def paragraphs(text: str, limit: int) -> list[str]:
    """Lines joined and broken anew, but for code blocks, lists, empty lines, and what ends in a colon (kubectl
    pkg/explain/formatter.go)."""
    result: list[str] = []
    words: list[str] = []
    last = ""

    def flush() -> None:
        nonlocal last
        if words:
            result.append(" ".join(words))
            words.clear()
            last = ""

    for line in text.split("\n"):
        if line.startswith("    "):
            flush()
            result.append(line)
            continue
        if result and not line.strip():
            flush()
            result.append("")
            continue
        if last.endswith(":") or not line.strip() or _BULLET.match(line.strip()):
            flush()
        for word in line.split():
            last = word
            if words and len(" ".join([*words, word]).encode()) > limit:
                flush()
            words.append(word)
    flush()
    return result

"""YAML texts as kubectl compares them: without comments (kubectl pkg/cmd/util/helpers.go)."""

from __future__ import annotations


def without_comments(text: bytes) -> bytes:
    """The first document as JSON; a text that is no YAML without its lines of comments (StripComments)."""
    from kubetrace.wire.go_json import dumps
    from kubetrace.wire.yaml_reader import InvalidYAML, loads

    try:
        return dumps(loads(text))
    except InvalidYAML:
        return without_comment_lines(text)


def without_comment_lines(text: bytes) -> bytes:
    """The text without the lines that begin with "#", other than "#!" (ManualStrip)."""
    lines = text.split(b"\n")
    kept = [
        line + (b"\n" if number < len(lines) - 1 else b"")
        for number, line in enumerate(lines)
        if not _is_comment(line.strip())
    ]
    return b"".join(kept)


def _is_comment(line: bytes) -> bool:
    return line.startswith(b"#") and not line.startswith(b"#!")

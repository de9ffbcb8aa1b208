"""A command line as a trace keeps it: without the credentials that its words may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kubetrace.trace.masking import Masker

_SECRET_FLAGS = frozenset(
    {
        "--token",
        "--password",
        "--docker-password",
        "--from-literal",
        "--auth-provider-arg",
        "--exec-env",
        "--raw-token",
        "--env",
    }
)
_PAIR = re.compile(r"([^=]*=)(.*)", re.DOTALL)


def masked_command(words: Sequence[str], masker: Masker) -> tuple[str, ...]:
    """The words, with the values of flags that take credentials, tokens in URLs and secrets in JSON masked."""
    return tuple(words) if masker.unmask else tuple(_masked(words, masker))


def _masked(words: Sequence[str], masker: Masker) -> Iterator[str]:
    hide = ""
    for word in words:
        if hide:
            yield _hidden(hide, word)
            hide = ""
            continue
        flag, equals, value = word.partition("=")
        if flag in _SECRET_FLAGS:
            hide = "" if equals else flag
            yield f"{flag}={_hidden(flag, value)}" if equals else word
        elif word.lstrip("'\"")[:1] in ("{", "["):
            # Whether a patch belongs to a Secret only its command knows; a Secret's fields are hidden in any case.
            body = word.encode("utf-8", "surrogateescape")
            url = "/api/v1/namespaces/x/secrets/x" if re.search(r'"(data|stringData)"', word) else None
            yield masker.body(body, url).decode("utf-8", "replace")
        else:
            yield masker.text(word)


def _hidden(flag: str, value: str) -> str:
    """KEY=VALUE keeps its key."""
    pair = _PAIR.fullmatch(value)
    keeps_key = flag in ("--from-literal", "--auth-provider-arg", "--exec-env", "--env")
    return f"{pair[1]}<masked>" if pair and keeps_key else "<masked>"

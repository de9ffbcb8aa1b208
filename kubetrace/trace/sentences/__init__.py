"""What kubetrace says to people about calls, in their language: one catalogue, a table of sentences a language.

English is complete; what another language lacks is said in English. Purposes (`exchange.Purpose`) are looked up by
their English sentence, as gettext does with message ids, then by their tag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module

from kubetrace.trace.exchange import Purpose

LANGUAGES = ("en", "ko")


class Catalogue:
    """The sentences of one language ("en", "ko")."""

    def __init__(self, language: str = "en") -> None:
        self.language = language

    @cached_property
    def _tables(self) -> tuple[_Table, ...]:
        names = (self.language, "en") if self.language != "en" else ("en",)
        return tuple(_Table(name) for name in names)

    def knows(self, key: str) -> bool:
        return any(key in table.sentences for table in self._tables)

    def say(self, key: str, **values: object) -> str:
        """The sentence of a key with its values set in. Raises KeyError for a key that English does not know."""
        for table in self._tables:
            if key in table.sentences:
                return table.sentences[key].format(**values)
        raise KeyError(key)

    def purpose(self, purpose: Purpose) -> str:
        """Why a call is made; empty where nobody said."""
        own, english = self._tables[0], self._tables[-1]
        if found := own.purposes.get(purpose.sentence):
            return found
        stated = "" if own is not english else _sentence(purpose)  # written in English where it is made
        return stated or own.tags.get(purpose.tag) or _sentence(purpose) or english.tags.get(purpose.tag, "")


class _Table:
    """One language's module."""

    def __init__(self, language: str) -> None:
        module = import_module(f"{__name__}.{language}")
        self.sentences: Mapping[str, str] = module.SENTENCES
        self.purposes: Mapping[str, str] = module.PURPOSES
        self.tags: Mapping[str, str] = module.TAGS


def _sentence(purpose: Purpose) -> str:
    """A purpose's own sentence, without the word that says what it belongs to, and with a capital."""
    text = re.sub(r"^[a-z][a-z -]*: ", "", purpose.sentence).strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def language(wanted: str, environ: Mapping[str, str]) -> str:
    """The language to speak: `wanted` (--lang), else what LC_ALL, LC_MESSAGES or LANG say; English where it is none of
    ours."""
    name = wanted or environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return spoken(name) or "en"


def spoken(name: str) -> str | None:
    """Our language by its name, or by a locale's ("ko_KR.UTF-8", "ko-KR"); None where it is none of ours."""
    found = re.split(r"[-_.@]", name, maxsplit=1)[0].lower()
    return found if found in LANGUAGES else None

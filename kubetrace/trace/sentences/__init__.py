"""What kubetrace says to people about calls, in their language: one catalogue, a table of sentences a language.

English is complete; what another language lacks is said in English. Purposes (`exchange.Purpose`) are looked up by
their English sentence, as gettext does with message ids, then by their tag.
"""

from __future__ import annotations

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
        for table in self._tables:
            if found := table.purposes.get(purpose.sentence) or table.tags.get(purpose.tag):
                return found
        return _sentence(purpose)


class _Table:
    """One language's module."""

    def __init__(self, language: str) -> None:
        module = import_module(f"{__name__}.{language}")
        self.sentences: Mapping[str, str] = module.SENTENCES
        self.purposes: Mapping[str, str] = module.PURPOSES
        self.tags: Mapping[str, str] = module.TAGS


def _sentence(purpose: Purpose) -> str:
    """A purpose's own sentence, without its tag and with a capital."""
    text = purpose.sentence.removeprefix(f"{purpose.tag}: ").strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def language(wanted: str, environ: Mapping[str, str]) -> str:
    """The language to speak: `wanted` (--lang), else what LC_ALL, LC_MESSAGES or LANG say, English where it is none of
    ours."""
    if wanted:
        return wanted
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    found = locale.replace("-", "_").partition("_")[0].partition(".")[0].lower()
    return found if found in LANGUAGES else "en"

"""The words KEY=VALUE and KEY- behind the objects that a command names (kubectl pkg/cmd/util/helpers.go)."""

from __future__ import annotations

from collections.abc import Iterable

from kubetrace.errors import KubetraceError


def split_pairs(words: Iterable[str], what: str) -> tuple[list[str], list[str]]:
    """The words that name objects, and those after them that are pairs; `what` is what the pairs change ("label").

    Raises KubetraceError for an object behind a pair (GetResourcesAndPairs)."""
    objects: list[str] = []
    pairs: list[str] = []
    for word in words:
        if _is_pair(word):
            pairs.append(word)
        elif pairs:
            raise KubetraceError(f"all resources must be specified before {what} changes: {word}")
        else:
            objects.append(word)
    return objects, pairs


def _is_pair(word: str) -> bool:
    return ("=" in word and not word.startswith("=")) or (word.endswith("-") and word != "-")


def parse_pairs(pairs: Iterable[str], what: str, *, removing: bool = False) -> tuple[dict[str, str], list[str]]:
    """What is to be set, and, where `removing` is possible, which keys are to go (ParsePairs).

    Raises KubetraceError."""
    found: dict[str, str] = {}
    removed: list[str] = []
    invalid = []
    for pair in pairs:
        if "=" in pair and not pair.startswith("="):
            key, _, value = pair.partition("=")
            found[key] = value
        elif removing and pair.endswith("-") and pair != "-":
            removed.append(pair[:-1])
        else:
            invalid.append(pair)
    if invalid:
        raise KubetraceError(f"invalid {what} format: {', '.join(invalid)}")
    return found, removed

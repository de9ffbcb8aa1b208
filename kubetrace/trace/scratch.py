"""A database that lives as long as its view: what has to be joined or sorted lies on the disk, so that a trace of any
length takes the same memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from sqlite3 import Connection

_SETTINGS = "PRAGMA cache_size=-8192; PRAGMA temp_store=FILE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; "
"""8 MiB stay in memory. Nothing is meant to outlive the program."""


def database(schema: str) -> Connection:
    """A new database without a name, which its closing (or its end of life) removes. For one thread at a time, but any.
    Raises KubetraceError where Python has no SQLite."""
    try:
        import sqlite3
    except ImportError:
        raise KubetraceError("this view needs Python's module sqlite3, which this Python lacks") from None
    connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    connection.executescript(_SETTINGS + schema)
    return connection


def packed(text: str) -> bytes:
    """Text as a key: bytes sort as the text does, and anything that a file can hold is taken."""
    return text.encode("utf-8", "surrogatepass")


def unpacked(data: bytes) -> str:
    """What `packed` was given."""
    return data.decode("utf-8", "surrogatepass")

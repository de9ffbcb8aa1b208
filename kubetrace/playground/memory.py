"""Memory that is free goes back to the system: after a burst of clients or of large bodies the playground is small
again. CPython and the C library keep it otherwise; where neither /proc nor malloc_trim is known, they do."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from pathlib import Path

LOOK_SECONDS = 10.0
LARGE = 64 * 1024 * 1024
"""Bytes; below that nothing is done."""
GROWTH = 1.2
"""By so much it must have grown since it was last made small."""


def resident() -> int:
    """Bytes of this process in memory; 0 where that can't be told."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def give_back() -> None:
    gc.collect()
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


async def stay_small() -> None:
    """Runs for as long as the server does."""
    least = LARGE / GROWTH
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if resident() > least * GROWTH:
            give_back()
            least = max(resident(), LARGE / GROWTH)

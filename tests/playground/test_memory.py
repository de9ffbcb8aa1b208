"""A playground that many clients have come to is small again."""

from __future__ import annotations

import asyncio

import pytest

from kubetrace.playground import memory


def test_what_has_grown_is_made_small_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = iter((memory.LARGE // 2, 3 * memory.LARGE, 2 * memory.LARGE, 2 * memory.LARGE + 1))
    size, given = 0, 0

    def resident() -> int:
        nonlocal size
        size = next(sizes, size)
        return size

    def give_back() -> None:
        nonlocal given
        given += 1

    monkeypatch.setattr(memory, "LOOK_SECONDS", 0)
    monkeypatch.setattr(memory, "resident", resident)
    monkeypatch.setattr(memory, "give_back", give_back)

    async def some_looks() -> None:
        task = asyncio.create_task(memory.stay_small())
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(some_looks())
    assert given == 1


def test_memory_can_be_given_back() -> None:
    memory.give_back()
    assert memory.resident() >= 0

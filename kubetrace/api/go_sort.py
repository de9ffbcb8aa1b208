"""Go's sort.Sort: pattern-defeating quicksort, which is not stable. kubectl's --sort-by uses it, so the order of equal
items is the algorithm's, and has to be made the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_INSERTION_LIMIT = 12
_NINTHER_LIMIT = 50
_MOST_SWAPS = 12
_MASK = (1 << 64) - 1


def go_sort(items: list[T], less: Callable[[T, T], bool]) -> None:
    """Sorts in place, making Go's comparisons in Go's order."""
    _Sorter(items, less).sort(0, len(items), len(items).bit_length())


class _Sorter(Generic[T]):
    def __init__(self, items: list[T], less: Callable[[T, T], bool]) -> None:
        self._items = items
        self._is_less = less
        self._swaps = 0

    def _less(self, i: int, j: int) -> bool:
        return self._is_less(self._items[i], self._items[j])

    def _swap(self, i: int, j: int) -> None:
        items = self._items
        items[i], items[j] = items[j], items[i]

    def sort(self, low: int, high: int, limit: int) -> None:
        balanced = partitioned = True
        while high - low > _INSERTION_LIMIT:
            if limit == 0:
                self._heap_sort(low, high)
                return
            if not balanced:
                self._break_patterns(low, high)
                limit -= 1
            pivot = self._choose_pivot(low, high)
            if self._swaps == _MOST_SWAPS:
                self._items[low:high] = self._items[low:high][::-1]
                pivot = high - 1 - (pivot - low)
            rising = self._swaps in (0, _MOST_SWAPS)
            if balanced and partitioned and rising and self._nearly_sorted(low, high):
                return
            if low > 0 and not self._less(low - 1, pivot):
                low = self._partition_equal(low, high, pivot)
                continue
            middle, partitioned = self._partition(low, high, pivot)
            balanced = min(middle - low, high - middle) >= (high - low) // 8
            if middle - low < high - middle:
                self.sort(low, middle, limit)
                low = middle + 1
            else:
                self.sort(middle + 1, high, limit)
                high = middle
        self._insertion_sort(low, high)

    def _insertion_sort(self, low: int, high: int) -> None:
        for i in range(low + 1, high):
            j = i
            while j > low and self._less(j, j - 1):
                self._swap(j, j - 1)
                j -= 1

    def _heap_sort(self, low: int, high: int) -> None:
        size = high - low
        for root in range((size - 1) // 2, -1, -1):
            self._sift_down(root, size, low)
        for end in range(size - 1, -1, -1):
            self._swap(low, low + end)
            self._sift_down(0, end, low)

    def _sift_down(self, root: int, size: int, first: int) -> None:
        while (child := 2 * root + 1) < size:
            if child + 1 < size and self._less(first + child, first + child + 1):
                child += 1
            if not self._less(first + root, first + child):
                return
            self._swap(first + root, first + child)
            root = child

    def _partition(self, low: int, high: int, pivot: int) -> tuple[int, bool]:
        self._swap(low, pivot)
        i, j = self._close_in(low, low + 1, high - 1)
        untouched = i > j
        while i <= j:
            self._swap(i, j)
            i, j = self._close_in(low, i + 1, j - 1)
        self._swap(j, low)
        return j, untouched

    def _close_in(self, pivot: int, i: int, j: int) -> tuple[int, int]:
        while i <= j and self._less(i, pivot):
            i += 1
        while i <= j and not self._less(j, pivot):
            j -= 1
        return i, j

    def _partition_equal(self, low: int, high: int, pivot: int) -> int:
        self._swap(low, pivot)
        i, j = low + 1, high - 1
        while True:
            while i <= j and not self._less(low, i):
                i += 1
            while i <= j and self._less(low, j):
                j -= 1
            if i > j:
                return i
            self._swap(i, j)
            i, j = i + 1, j - 1

    def _nearly_sorted(self, low: int, high: int) -> bool:
        """Moves a few items that stand wrong; True when the range is sorted then."""
        i = low + 1
        for _ in range(5):
            while i < high and not self._less(i, i - 1):
                i += 1
            if i == high:
                return True
            if high - low < _NINTHER_LIMIT:
                return False
            self._swap(i, i - 1)
            if i - low >= 2:
                j = i - 1
                while j >= 1 and self._less(j, j - 1):
                    self._swap(j, j - 1)
                    j -= 1
            if high - i >= 2:
                j = i + 1
                while j < high and self._less(j, j - 1):
                    self._swap(j, j - 1)
                    j += 1
        return False

    def _break_patterns(self, low: int, high: int) -> None:
        length = high - low
        if length < 8:
            return
        state = length
        modulus = 1 << length.bit_length()
        middle = low + length // 4 * 2
        for index in range(middle - 1, middle + 2):
            state ^= state << 13 & _MASK
            state ^= state >> 7
            state ^= state << 17 & _MASK
            other = state & (modulus - 1)
            self._swap(index, low + (other - length if other >= length else other))

    def _choose_pivot(self, low: int, high: int) -> int:
        """The pivot's index; `_swaps` then tells how ordered the samples were."""
        self._swaps = 0
        quarter = (high - low) // 4
        i, j, k = low + quarter, low + quarter * 2, low + quarter * 3
        if high - low >= _NINTHER_LIMIT:
            i, j, k = (self._median(at - 1, at, at + 1) for at in (i, j, k))
        return self._median(i, j, k)

    def _median(self, a: int, b: int, c: int) -> int:
        a, b = self._ordered(a, b)
        b, c = self._ordered(b, c)
        return self._ordered(a, b)[1]

    def _ordered(self, a: int, b: int) -> tuple[int, int]:
        if self._less(b, a):
            self._swaps += 1
            return b, a
        return a, b

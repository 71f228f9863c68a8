# SPDX-License-Identifier: Apache-2.0
"""
Two containers that never change, from which the next state is made cheaply.

A request looks things up in one view from beginning to end, so a view may not change under it; and a view of 100,000
roles may not be copied for every change. ``LayeredMap`` is a large dict that successive versions share, under a small
one of what has changed since; ``SortedIndex`` keeps the sorted list of each account that nobody touched.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Generic, Protocol, TypeVar, overload

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

SMALLEST_FOLD: Final = 64
"""An overlay of no more than this many entries is not folded into the base, however small that is."""
MOST_PENDING: Final = 1024
"""Beyond this many changes an index is sorted afresh: each costs a shift of the list, sorting all of it is as quick."""


class LayeredMap(Generic[K, V]):
    """An immutable mapping; ``changed`` makes the next one. None in the overlay marks what was removed.

    A lookup costs two dict lookups at most. A change of n entries costs n plus the overlay, which is folded into a new
    base when it has outgrown the square root of it: of 100,000 entries, the amortised cost of a change is a few
    microseconds.
    """

    __slots__ = ("_base", "_overlay")

    def __init__(self, base: dict[K, V] | None = None, overlay: dict[K, V | None] | None = None) -> None:
        self._base = {} if base is None else base
        self._overlay = {} if overlay is None else overlay

    def get(self, key: K) -> V | None:
        """The value, or None."""
        if key in self._overlay:
            return self._overlay[key]
        return self._base.get(key)

    def values(self) -> Iterator[V]:
        """Every value, in no particular order."""
        for key, value in self._base.items():
            if key not in self._overlay:
                yield value
        for changed in self._overlay.values():
            if changed is not None:
                yield changed

    def changed(self, changes: Mapping[K, V | None]) -> LayeredMap[K, V]:
        """This mapping with the changes made (None removes); this one stays as it is."""
        if not changes:
            return self
        if not self._base and not self._overlay:
            return LayeredMap({key: value for key, value in changes.items() if value is not None})
        overlay = {**self._overlay, **changes}
        if len(overlay) <= max(SMALLEST_FOLD, int((2 * len(self._base)) ** 0.5)):
            return LayeredMap(self._base, overlay)
        base = dict(self._base)
        for key, value in overlay.items():
            if value is None:
                base.pop(key, None)
            else:
                base[key] = value
        return LayeredMap(base)


class Named(Protocol):
    """What an index can hold: a record of an account, with a name unique in it."""

    @property
    def account(self) -> str:
        """Whose it is: twelve digits."""

    @property
    def name(self) -> str:
        """Its name, unique in the account."""


R = TypeVar("R", bound=Named)


def _name(record: Named) -> str:
    return record.name


class SortedRecords(Sequence[R]):
    """The records of one account, sorted by name (by code point). Immutable."""

    __slots__ = ("_records",)

    def __init__(self, records: list[R]) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> R: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[R]: ...

    def __getitem__(self, index: int | slice) -> R | Sequence[R]:
        return self._records[index]

    def __iter__(self) -> Iterator[R]:
        return iter(self._records)

    def after(self, name: str | None) -> Iterator[R]:
        """The records whose names sort after the given one, in order (None: all). The name itself need not exist.

        This is how a list is paged: the marker is the last name of the page before.
        """
        start = 0 if name is None else bisect_right(self._records, name, key=_name)
        return (self._records[index] for index in range(start, len(self._records)))


class SortedIndex(Generic[R]):
    """The sorted records of every account, made when first asked for and carried over to the next view."""

    __slots__ = ("_all", "_inherited", "_lists", "_pending")

    def __init__(self, everything: Callable[[], Iterable[R]]) -> None:
        self._all = everything
        self._lists: dict[str, list[R]] | None = None
        self._inherited: dict[str, list[R]] | None = None
        self._pending: dict[tuple[str, str], R | None] = {}

    def changed(
        self, changes: Mapping[tuple[str, str], R | None], everything: Callable[[], Iterable[R]]
    ) -> SortedIndex[R]:
        """The index after the changes, which are by (account, name); None removes. Does no work yet."""
        following = SortedIndex(everything)
        pending = {**self._pending, **changes}
        lists = self._lists if self._lists is not None else self._inherited
        if lists is not None and len(pending) <= MOST_PENDING:
            following._inherited = lists
            following._pending = pending
        return following

    def of(self, account: str) -> SortedRecords[R]:
        """The account's records, sorted by name; empty when it has none."""
        if self._lists is None:
            self._lists = self._sort() if self._inherited is None else self._patch(self._inherited)
            self._inherited, self._pending = None, {}
        return SortedRecords(self._lists.get(account, []))

    def _sort(self) -> dict[str, list[R]]:
        lists: dict[str, list[R]] = {}
        for record in self._all():
            lists.setdefault(record.account, []).append(record)
        for records in lists.values():
            records.sort(key=_name)
        return lists

    def _patch(self, inherited: dict[str, list[R]]) -> dict[str, list[R]]:
        lists = dict(inherited)
        for account in {account for account, _ in self._pending}:
            lists[account] = list(lists.get(account, ()))
        for (account, name), record in self._pending.items():
            records = lists[account]
            at = bisect_left(records, name, key=_name)
            end = at + (at < len(records) and records[at].name == name)
            records[at:end] = [] if record is None else [record]
        return lists

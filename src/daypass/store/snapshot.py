# SPDX-License-Identifier: Apache-2.0
"""
Two containers that never change, from which the next state is made cheaply.

A request looks things up in one view from beginning to end, so a view may not change under it; and a view of 100,000
roles may not be copied for every change. ``LayeredMap`` is a large dict that successive versions share, under a small
one of what has changed since; ``SortedIndex`` keeps the sorted list of each account that nobody touched. They hold keys
and names; what a record is, they do not know.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Generic, TypeVar, overload

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

    def __len__(self) -> int:
        known = sum((key in self._base) for key in self._overlay)
        return len(self._base) - known + sum(value is not None for value in self._overlay.values())

    def __bool__(self) -> bool:
        return bool(self._base or self._overlay) and len(self) > 0

    def items(self) -> Iterator[tuple[K, V]]:
        """Every key and value, in no particular order. The map may ``remember`` meanwhile."""
        for key, value in list(self._base.items()):
            if key not in self._overlay:
                yield key, value
        for key, changed in self._overlay.items():
            if changed is not None:
                yield key, changed

    def values(self) -> Iterator[V]:
        """Every value, in no particular order."""
        return (value for _, value in self.items())

    def remember(self, key: K, value: V) -> None:
        """Keep another form of the value that is there already: it means the same, so this is no change."""
        kept = self._overlay if key in self._overlay else self._base
        kept[key] = value  # one of two dicts; the overlay may hold None besides

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


R = TypeVar("R")

Group = tuple[str, str, str]
"""What is listed together: the account and a link (``Record.links``), or the account and nothing: all of its records."""
Place = tuple[str, str]
"""Where a record stands in a list: its name, then its key."""
Places = tuple[str, tuple[Group, ...]]
"""A record's name, and the groups it is listed in."""


class SortedRecords(Sequence[R]):
    """Records of one group, sorted by name (by code point). Immutable; each is looked up when it is asked for."""

    __slots__ = ("_places", "_record")

    def __init__(self, places: list[Place], record: Callable[[str], R]) -> None:
        self._places = places
        self._record = record

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> R: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[R]: ...

    def __getitem__(self, index: int | slice) -> R | Sequence[R]:
        if isinstance(index, slice):
            return [self._record(key) for _, key in self._places[index]]
        return self._record(self._places[index][1])

    def __iter__(self) -> Iterator[R]:
        return (self._record(key) for _, key in self._places)

    def after(self, name: str | None) -> Iterator[R]:
        """The records whose names sort after the given one, in order (None: all). The name itself need not exist.

        This is how a list is paged: the marker is the last name of the page before.
        """
        start = 0 if name is None else bisect_right(self._places, name, key=_name)
        return (self._record(self._places[index][1]) for index in range(start, len(self._places)))


def _name(place: Place) -> str:
    return place[0]


class SortedIndex:
    """The sorted places of every group, made when first asked for and carried over to the next view."""

    __slots__ = ("_all", "_inherited", "_lists", "_pending")

    def __init__(self, everything: Callable[[], Iterable[tuple[str, Places]]]) -> None:
        self._all = everything
        self._lists: dict[Group, list[Place]] | None = None
        self._inherited: dict[Group, list[Place]] | None = None
        self._pending: dict[str, tuple[Places | None, Places | None]] = {}

    def changed(
        self,
        before: Mapping[str, Places | None],
        changes: Mapping[str, Places | None],
        everything: Callable[[], Iterable[tuple[str, Places]]],
    ) -> SortedIndex:
        """The index after the changes, which are by key; ``before`` is what they replace. Does no work yet."""
        following = SortedIndex(everything)
        pending = dict(self._pending)
        for key, places in changes.items():
            pending[key] = (pending[key][0] if key in pending else before[key], places)
        lists = self._lists if self._lists is not None else self._inherited
        if lists is not None and len(pending) <= MOST_PENDING:
            following._inherited = lists
            following._pending = pending
        return following

    def of(self, group: Group) -> list[Place]:
        """The group's places, sorted; empty when it has none. Not to be changed."""
        if self._lists is None:
            self._lists = self._sort() if self._inherited is None else self._patch(self._inherited)
            self._inherited, self._pending = None, {}
        return self._lists.get(group, [])

    def _sort(self) -> dict[Group, list[Place]]:
        lists: dict[Group, list[Place]] = {}
        for key, (name, groups) in self._all():
            place = (name, key)
            for group in groups:
                lists.setdefault(group, []).append(place)
        for places in lists.values():
            places.sort()
        return lists

    def _patch(self, inherited: dict[Group, list[Place]]) -> dict[Group, list[Place]]:
        lists = dict(inherited)
        removals = [(group, (old[0], key)) for key, (old, _) in self._pending.items() if old for group in old[1]]
        additions = [(group, (new[0], key)) for key, (_, new) in self._pending.items() if new for group in new[1]]
        for group in {group for group, _ in (*removals, *additions)}:
            lists[group] = list(lists.get(group, ()))
        for group, place in removals:
            places = lists[group]
            del places[bisect_left(places, place)]
        for group, place in additions:
            insort(lists[group], place)
        return lists

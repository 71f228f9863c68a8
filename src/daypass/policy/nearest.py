# SPDX-License-Identifier: Apache-2.0
"""
Of statements that do not apply, the one that is nearest to it. What is near:

1. The resource fits.
2. The fewest conditions fail.
3. An entry of Resource fits the furthest: by fields of the ARN, then by characters.
4. It stands first.

Among hundreds of statements most are about other resources, and only one of them is wanted. An entry that begins as ARNs do
and has no variables fits as far as its text and the resource's are the same, so that in a sorted list of such entries the
nearest stand side by side. The few others are compared one by one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from daypass.policy.resources import ResourceElement, ResourcePattern, Target
from daypass.policy.statement import Statement

Distance = tuple[bool, int, int, int]
"""The resource does not fit, conditions that fail, minus the fields and minus the characters that fit: less is nearer."""

_FIELDS: Final = ("PARTITION", "SERVICE", "REGION", "ACCOUNT", "RESOURCE_PART")
"""Where a resource can stop fitting, from left to right: the further, the closer."""
_FIELD_AFTER_COLONS: Final = (0, 0, 1, 2, 3, 4)
"""The place in ``_FIELDS`` of a difference behind so many colons; the first two fields are the partition's."""


def nearest(statements: Collection[Statement], target: Target) -> tuple[Distance, Statement] | None:
    """The nearest of the statements, compared one by one, and how far away it is."""
    fitting = [one for one in statements if one.fits(target)]
    misfit = not fitting
    measured = [((misfit, one.failing(target.entries), *_reach(one, target)), one) for one in fitting or statements]
    return min(measured, key=_distance, default=None)


def _distance(measured: tuple[Distance, Statement]) -> Distance:
    return measured[0]


def _reach(statement: Statement, target: Target) -> tuple[int, int]:
    """How far the best entry of Resource fits, fields and characters; negative, as in a distance."""
    if statement.resource is None:
        return 0, 0
    traces = [pattern.trace(target) for pattern in statement.resource.patterns]
    return min(
        [
            (-_FIELDS.index(trace.why) if trace.why in _FIELDS else 1, -_common(trace.resolved, target.raw))
            for trace in traces
        ],
        default=(0, 0),
    )


def _common(one: str, other: str) -> int:
    """The number of characters that two texts begin with alike."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


class Neighbours:
    """The same choice among many statements, of which none fits the resource."""

    __slots__ = ("_others", "_places", "_statements", "_texts")

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._statements = statements
        self._others: list[int] = []
        entries: list[tuple[str, int]] = []
        for place, statement in enumerate(statements):
            if statement.resource is not None and _is_plain(statement.resource):
                entries += [(pattern.text, place) for pattern in statement.resource.patterns]
            else:
                self._others.append(place)
        entries.sort()
        self._texts = [text for text, _ in entries]
        self._places = [place for _, place in entries]

    def nearest(self, target: Target, without: Collection[Statement]) -> tuple[Distance, Statement] | None:
        """The nearest of the statements but for those ``without``, and how far away it is."""
        if not target.head or not target.raw.startswith(target.head):
            return nearest([one for one in self._statements if one not in without], target)
        others = [(place, self._statements[place]) for place in self._others]
        compared: list[tuple[Distance, int]] = [
            ((True, one.failing(target.entries), *_reach(one, target)), place)
            for place, one in others
            if one not in without
        ]
        best = min(compared, default=None)
        for fields, common, places in self._by_reach(target.raw):
            if best is not None and best[0] < (True, 0, fields, common):
                break  # whatever comes now fits less far, and what was found meets all of its conditions
            found = self._first(places, target, without)
            if found is not None:
                failing, place = found
                measured = (True, failing, fields, common), place
                best = measured if best is None else min(best, measured)
        return None if best is None else (best[0], self._statements[best[1]])

    def _by_reach(self, raw: str) -> Iterator[tuple[int, int, list[int]]]:
        """The statements in groups that fit equally far, the furthest first; fields and characters are negative."""
        texts = self._texts
        low = high = bisect_left(texts, raw)
        while low > 0 or high < len(texts):
            common = max([_common(text, raw) for text in (*texts[low - 1 : low], *texts[high : high + 1])])
            start = raw[:common]

            def beginning(text: str, length: int = common) -> str:
                return text[:length]

            first = bisect_left(texts, start, 0, low, key=beginning)
            last = bisect_right(texts, start, high, key=beginning)
            places = sorted(self._places[first:low] + self._places[high:last])
            yield -_FIELD_AFTER_COLONS[min(start.count(":"), 5)], -common, places
            low, high = first, last

    def _first(self, places: list[int], target: Target, without: Collection[Statement]) -> tuple[int, int] | None:
        """The first of the places with the fewest conditions that fail, and how many these are."""
        best: tuple[int, int] | None = None
        for place in places:
            statement = self._statements[place]
            if statement in without:
                continue
            failing = statement.failing(target.entries)
            if not failing:
                return 0, place
            if best is None or failing < best[0]:
                best = failing, place
        return best


def _is_plain(element: ResourceElement) -> bool:
    """Whether every entry is text and wildcards behind five literal fields in lower case, and not negated."""
    return not element.negated and all(map(_has_plain_text, element.patterns))


def _has_plain_text(pattern: ResourcePattern) -> bool:
    head = pattern.head
    return head is not None and pattern.text.startswith(head) and "${" not in pattern.text

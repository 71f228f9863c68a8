# SPDX-License-Identifier: Apache-2.0
"""
Pages of a list (IAM API: Marker, MaxItems, IsTruncated).

A marker is the sort key of the last item sent, opaque to the caller. It names a place in the order, not a row number, so
what is created or deleted between two pages neither repeats nor hides another item.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from daypass.awsapi.parameters import Parameters, optional_integer, optional_text
from daypass.errors import Reason, RequestError
from daypass.iam.limits import PAGE_ITEMS, SCANNED_FOR_A_PAGE
from daypass.store import Record, SortedRecords

Item = TypeVar("Item")
R = TypeVar("R", bound=Record)
After = Callable[[str | None], Iterator[R]]
"""A sorted list, as what comes after a name (None: all of it): ``SortedRecords.after``."""


def page(
    items: Sequence[Item], parameters: Parameters, *, key: Callable[[Item], str]
) -> tuple[Sequence[Item], dict[str, object]]:
    """The items of one page, and the output members that say whether there are more. ``items`` are sorted by ``key``."""
    marker = optional_text(parameters, "Marker")
    start = 0 if marker is None else bisect_right(items, _read(marker), key=key)
    count = optional_integer(parameters, "MaxItems") or PAGE_ITEMS
    chosen = items[start : start + count]
    if start + count < len(items):
        return chosen, {"IsTruncated": True, "Marker": _write(key(chosen[-1]))}
    return chosen, {"IsTruncated": False}


def page_of_records(
    records: SortedRecords[R], parameters: Parameters, *, keep: Callable[[R], bool]
) -> tuple[list[R], dict[str, object]]:
    """
    A page of the records that ``keep`` keeps, in time that does not depend on how many there are.

    Of a long list only so many records are looked at; a page may then have fewer items than were asked for, or none, and
    more to come, as IAM says of its own lists (IAM API, ListRoles: IsTruncated).
    """
    marker = optional_text(parameters, "Marker")
    rest = records.after(None if marker is None else _read(marker))
    return _page_of(((record.sort_name, record) for record in rest), parameters, keep)


def page_of_lists(
    lists: Sequence[After[R]], parameters: Parameters, *, keep: Callable[[R], bool]
) -> tuple[list[R], dict[str, object]]:
    """The same for several lists, one after the other."""
    marker = optional_text(parameters, "Marker")
    number, name = (0, None) if marker is None else _read_place(marker, len(lists))
    rest = (
        (f"{place}:{record.sort_name}", record)
        for place in range(number, len(lists))
        for record in lists[place](name if place == number else None)
    )
    return _page_of(rest, parameters, keep)


def _page_of(
    rest: Iterator[tuple[str, R]], parameters: Parameters, keep: Callable[[R], bool]
) -> tuple[list[R], dict[str, object]]:
    """The page that begins with the first of ``rest``: records and their places in the order."""
    count = optional_integer(parameters, "MaxItems") or PAGE_ITEMS
    chosen: list[R] = []
    last = ""
    for place, record in islice(rest, SCANNED_FOR_A_PAGE):
        if keep(record):
            if len(chosen) == count:
                return chosen, {"IsTruncated": True, "Marker": _write(last)}
            chosen.append(record)
        last = place
    if next(rest, None) is None:
        return chosen, {"IsTruncated": False}
    return chosen, {"IsTruncated": True, "Marker": _write(last)}


def _write(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode("ascii")


def _read_place(marker: str, lists: int) -> tuple[int, str]:
    """Which of several lists, and the name in it."""
    number, colon, name = _read(marker).partition(":")
    if not colon or number not in map(str, range(lists)):
        raise RequestError(Reason.INVALID_PARAMETER, "Invalid Marker.")
    return int(number), name


def _read(marker: str) -> str:
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise RequestError(Reason.INVALID_PARAMETER, "Invalid Marker.") from None

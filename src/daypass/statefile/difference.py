# SPDX-License-Identifier: Apache-2.0
"""
From what a state file wants, and what is there, to what has to change. Pure.

What leaves the file is part of the difference: a policy is removed, an owner or a public access block stays as it is and is
managed no longer (``daypass.statefile.aspects``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from daypass.resources import is_managed
from daypass.statefile.aspects import ASPECTS, Json
from daypass.statefile.desired import Desired, Wanted
from daypass.store import View

Action = Literal["add", "change", "adopt", "remove", "release"]
"""``adopt``: it is as wanted, and managed from now on. ``release``: it left the file and stays, managed no longer."""


class Change(msgspec.Struct, frozen=True):
    """
    One thing that changes. ``before`` and ``after``: as JSON shows them, None for nothing. ``wanted``: the entry of the file;
    None for what left it.
    """

    action: Action
    aspect: str
    target: str
    before: Json
    after: Json
    wanted: Wanted | None = None


class Difference(msgspec.Struct, frozen=True):
    """Everything that changes, in the order in which it is written; and how much stays as it is."""

    changes: tuple[Change, ...]
    unchanged: int


def difference(desired: Desired, view: View) -> Difference:
    """What has to change so that everything is as the file wants it, and managed by it; and nothing else is."""
    changes = (*_of_wanted(desired, view), *_of_left(desired, view))
    untouched = len(desired.wanted) - sum(change.wanted is not None for change in changes)
    return Difference(changes, untouched)


def _of_wanted(desired: Desired, view: View) -> Iterator[Change]:
    for wanted in desired.wanted:
        aspect = ASPECTS[wanted.aspect]
        holds = aspect.holds(wanted, view)
        if holds and is_managed(wanted.aspect, wanted.target, view):
            continue
        before, after = aspect.found(wanted.target, view), aspect.shown(wanted.value)
        action: Action = "adopt" if holds else "add" if before is None else "change"
        yield Change(action, wanted.aspect, wanted.target, before, after, wanted)


def _of_left(desired: Desired, view: View) -> Iterator[Change]:
    named = {wanted.key for wanted in desired.wanted}
    for mark in view.managed.of(""):
        aspect = ASPECTS.get(mark.aspect)
        if aspect is None or (mark.aspect, mark.target) in named:
            continue  # one that is not known belongs to a newer daypass at work on the same store
        before = aspect.found(mark.target, view)
        if aspect.stays:
            yield Change("release", mark.aspect, mark.target, before, before)
        else:
            yield Change("remove", mark.aspect, mark.target, before, None)

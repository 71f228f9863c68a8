# SPDX-License-Identifier: Apache-2.0
"""
Actions and resources of a statement that have nothing to do with each other (Service Authorization Reference, "Resource
types"): ``s3:GetObject`` on a bucket's ARN, say, the most common mistake there is.

Only where every action of the statement is known. An ARN counts as fitting wherever it might.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from daypass.lint.coverage import all_covered
from daypass.lint.findings import quoted
from daypass.lint.located import Scalar
from daypass.lint.overlap import arns_overlap
from daypass.lint.stated import Inspection, Stated
from daypass.lint.tables import Action, ResourceType, service

_EVERY_BUCKET = "arn:aws:s3:::*"  # what a request for s3:ListAllMyBuckets names; the tables have nothing for it
Covered = Sequence[tuple[Scalar, tuple[Action, ...]]]


def check_fitting(work: Inspection) -> None:
    """Report resources that no action acts on, actions without their resource, and ARNs of no type that exists."""
    for stated in work.statements:
        entries = [entry for entry in stated.resources if (entry.text or "").count(":") >= 5]
        named = {kind for prefix in stated.prefixes for kind in _types(prefix)} if entries else set()
        unknown = {entry for entry in entries if _check_type(work, stated, entry, named)}
        if stated.source.resource is None or len(entries) < len(stated.resources):
            continue  # NotResource, "*" or a short ARN among them: something may fit
        found = all_covered(stated, work.out)
        if found is not None and not unknown:
            _check_statement(work, stated, found, entries)


def _types(prefix: str) -> Iterable[ResourceType]:
    tables = service(prefix)
    return () if tables is None else tables.resources.values()


def _check_type(work: Inspection, stated: Stated, entry: Scalar, named: set[ResourceType]) -> bool:
    """Whether the ARN is of no resource type, which is reported. ``named`` are those of the services of the actions."""
    text = entry.text or ""
    prefix = text.split(":", 3)[2].lower()
    own = [kind for kind in _types(prefix) if kind.service == prefix]
    if not own or _fits(work, text, own) is not False or _fits(work, text, named) is not False:
        return False
    known = "; ".join(sorted(kind.shown for kind in own)[:3])
    message = f"{quoted(text)} is an ARN of no resource type of {prefix}; types are {known}" + " and others" * (
        len(own) > 3
    )
    work.report("unknown-resource-type", stated, entry, message)
    return True


def _fits(work: Inspection, text: str, types: Iterable[ResourceType]) -> bool | None:
    """Whether the ARN pattern may mean a resource of one of the types; None when that is too much to compare."""
    for kind in types:
        if not work.out.spend(1):
            return None
        if arns_overlap(text, kind.arn):
            return True
    return False


def _check_statement(work: Inspection, stated: Stated, found: Covered, entries: Sequence[Scalar]) -> None:
    types_of = {entry: {kind for action in actions for kind in action.resources} for entry, actions in found}
    every = set().union(*types_of.values())
    useless = [entry for entry in entries if _reached(work, entry, found, every) is False]
    if len(useless) == len(entries):
        message = f"No action of this statement acts on its resources; {_wants(every)}."
        work.report("statement-never-matches", stated, stated.place("Resource"), message)
        return
    for entry in useless:
        message = f"No action of this statement acts on {quoted(entry.text or '')}; {_wants(every)}."
        work.report("resource-fits-no-action", stated, entry, message)
    for action, actions in found:
        if all(_reached(work, entry, [(action, actions)], types_of[action]) is False for entry in entries):
            message = f"{quoted(action.text or '')} acts on none of the resources here; {_wants(types_of[action])}."
            work.report("action-fits-no-resource", stated, action, message)


def _reached(work: Inspection, entry: Scalar, found: Covered, types: set[ResourceType]) -> bool | None:
    text = entry.text or ""
    if text == _EVERY_BUCKET and any(action.name == "ListAllMyBuckets" for _, actions in found for action in actions):
        return True
    return _fits(work, text, types)


def _wants(types: set[ResourceType]) -> str:
    if not types:
        return 'write "Resource": "*", for it has no resources of its own'
    shown = sorted(kind.shown for kind in types)
    return f"expected an ARN like {' or '.join(shown[:3])}" + (" or others" if len(shown) > 3 else "")

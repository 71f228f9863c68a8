# SPDX-License-Identifier: Apache-2.0
"""Tags on IAM entities (IAM User Guide, "Tagging IAM resources"): their rules, and what adding and removing them does."""

from __future__ import annotations

from collections.abc import Iterable

from daypass.errors import EntityError, Reason
from daypass.iam.limits import TAGS_PER_ENTITY

Tags = tuple[tuple[str, str], ...]


def checked(tags: Tags) -> Tags:
    """Tags as sent, for a new entity. Raises EntityError for keys that repeat (ignoring case), are reserved, or many."""
    folded = [key.lower() for key, _ in tags]
    if len(set(folded)) < len(folded):
        message = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        raise EntityError(Reason.INVALID_INPUT, message)
    if any(key.startswith("aws:") for key in folded):
        message = "Tag keys beginning with 'aws:' are reserved for system use."
        raise EntityError(Reason.INVALID_INPUT, message)
    if len(tags) > TAGS_PER_ENTITY:
        raise EntityError(
            Reason.LIMIT_EXCEEDED, f"The number of tags has reached the maximum limit of {TAGS_PER_ENTITY}."
        )
    return tags


def added(present: Tags, new: Tags) -> Tags:
    """The tags after TagRole and its like: a key that is there (ignoring case) gets the new value and spelling."""
    replaced = {key.lower() for key, _ in checked(new)}
    return checked((*(tag for tag in present if tag[0].lower() not in replaced), *new))


def removed(present: Tags, keys: Iterable[str]) -> Tags:
    """The tags after UntagRole and its like. A key that is not there is no error."""
    gone = {key.lower() for key in keys}
    return tuple(tag for tag in present if tag[0].lower() not in gone)


def members(tags: Tags) -> list[dict[str, str]]:
    """Tags in the output's form."""
    return [{"Key": key, "Value": value} for key, value in tags]

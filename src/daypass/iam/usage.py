# SPDX-License-Identifier: Apache-2.0
"""
What IAM knows of last uses: read for its reports, and forgotten with the entity. ``daypass.access.usage`` writes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from daypass.iam.limits import TRACKED_SECONDS
from daypass.store import LastUse, View

if TYPE_CHECKING:
    from daypass.store import Transaction


def uses_of(view: View, account: str, entity_id: str, now: float) -> list[LastUse]:
    """The last uses of a user, role (by unique id) or access key, one for each action, as far back as they are tracked."""
    earliest = int(now) - TRACKED_SECONDS
    return [use for use in view.last_uses.linked(account, ("entity", entity_id)) if use.used_at > earliest]


def newest(uses: Iterable[LastUse]) -> LastUse | None:
    """The latest use, or None of none."""
    return max(uses, key=lambda use: use.used_at, default=None)


def role_last_used(view: View, account: str, role_id: str, now: float) -> dict[str, object]:
    """IAM's RoleLastUsed: empty for a role that has not been used (IAM API, RoleLastUsed)."""
    use = newest(uses_of(view, account, role_id, now))
    return {} if use is None else {"LastUsedDate": use.used_at, "Region": use.region}


async def forget(transaction: Transaction, account: str, entity_id: str) -> None:
    """Delete what is known of the use of a user, role or access key, which is being deleted."""
    for use in list(transaction.view.last_uses.linked(account, ("entity", entity_id))):
        await transaction.delete(use)

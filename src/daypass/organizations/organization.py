# SPDX-License-Identifier: Apache-2.0
"""
The organisation itself (AWS Organizations API, CreateOrganization).

All accounts of the store are its members: the first is its management account, which its policies do not limit.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from daypass.access.organization import EVERYWHERE, organization
from daypass.errors import EntityError, Reason
from daypass.organizations.accounts import management_account
from daypass.organizations.names import new_organization_id, new_root_id
from daypass.store import Membership, Organization, Store

MANAGEMENT: Final = "management"
"""The name of the management account, unless it has one."""


async def create_organization(store: Store, *, now: float) -> Organization:
    """Make the organisation of the store's accounts. Raises EntityError when there is one, or there is no account yet."""
    async with store.transaction() as transaction:
        view = transaction.view
        if organization(view) is not None:
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, "These accounts are already members of an organization.")
        management = management_account(view)
        if management is None:
            raise EntityError(Reason.NO_SUCH_ENTITY, "There is no account yet; the first start makes one.")
        made = Organization(new_organization_id(), new_root_id(), management, int(now), EVERYWHERE)
        await transaction.put(made)
        for account in list(view.accounts.of("")):
            number = account.account_id
            name = MANAGEMENT if number == management else number
            member = view.memberships.with_key(number) or Membership(number, name)
            named = replace(member, name=member.name or name, parent=made.root_id, policies=EVERYWHERE)
            await transaction.put(named)
    return made

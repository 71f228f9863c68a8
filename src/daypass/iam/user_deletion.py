# SPDX-License-Identifier: Apache-2.0
"""
The end of a user (IAM API, DeleteUser): only of one that has nothing any more. What it has must be taken away before, by
whoever may do that.
"""

from __future__ import annotations

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters
from daypass.errors import EntityError, Reason
from daypass.iam.service import Iam
from daypass.iam.usage import forget
from daypass.iam.users import user_to_change
from daypass.store import User, View


async def delete_user(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Delete a user. Its name is free from then on, its unique id is not."""
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        for words, there in _conflicts(user, transaction.view):
            if there:
                raise EntityError(Reason.DELETE_CONFLICT, f"Cannot delete entity, must {words} first.")
        await forget(transaction, user.account, user.unique_id)
        await transaction.delete(user)
    return {}


def _conflicts(user: User, view: View) -> tuple[tuple[str, bool], ...]:
    """What stands in the way, in the order in which it is told, with AWS's words for it."""
    account, of_user = user.account, ("user", user.unique_id)
    referenced = (view.ssh_public_keys, view.service_credentials)
    return (
        ("delete policies", bool(user.inline_policies)),
        ("detach all policies", bool(user.attached_policies)),
        ("remove users from group", bool(user.groups)),
        ("delete MFA device", bool(view.mfa_devices.linked(account, of_user))),
        ("delete access keys", bool(view.access_keys.linked(account, of_user))),
        ("delete certificates", bool(view.signing_certificates.linked(account, of_user))),
        ("delete login profile", bool(view.login_profiles.linked(account, of_user))),
        ("remove referenced objects", any(records.linked(account, of_user) for records in referenced)),
    )

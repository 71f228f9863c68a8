# SPDX-License-Identifier: Apache-2.0
"""
Access keys of users and of the root user (IAM API): CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey,
GetAccessKeyLastUsed.

A secret access key is shown once, when it is made, and kept under the master key. Without ``UserName`` the keys are those
of the user that signed, or of the root user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, text
from daypass.awsapi.query_writer import OMITTED
from daypass.credentials import LONG_TERM_KEY, access_key_label, new_access_key_id, new_secret_access_key
from daypass.errors import EntityError, Reason
from daypass.iam.limits import ACCESS_KEYS_PER_USER
from daypass.iam.paging import page_of_records
from daypass.iam.service import Iam
from daypass.iam.status import settable_status
from daypass.iam.usage import forget, newest, uses_of
from daypass.iam.users import existing_user, user_to_change
from daypass.principal import Root
from daypass.store import AccessKey, View

if TYPE_CHECKING:
    from daypass.store import SortedRecords, Transaction


class _Owner(msgspec.Struct, frozen=True):
    """Whose keys an operation is about; the root user has neither id nor name."""

    account: str
    user_id: str | None = None
    name: str | None = None

    def keys(self, view: View) -> SortedRecords[AccessKey]:
        """Its keys, by id."""
        link = ("root", self.account) if self.user_id is None else ("user", self.user_id)
        return view.access_keys.linked(self.account, link)


def _is_roots(permitted: Permitted, parameters: Parameters) -> bool:
    return "UserName" not in parameters and isinstance(permitted.caller.principal, Root)


def _owner(iam: Iam, permitted: Permitted, parameters: Parameters) -> _Owner:
    if _is_roots(permitted, parameters):
        return _Owner(permitted.caller.principal.account)
    user = existing_user(iam, permitted, parameters)
    return _Owner(user.account, user.unique_id, user.name)


async def _owner_to_change(transaction: Transaction, permitted: Permitted, parameters: Parameters) -> _Owner:
    if _is_roots(permitted, parameters):
        return _Owner(permitted.caller.principal.account)
    user = await user_to_change(transaction, permitted, parameters)
    return _Owner(user.account, user.unique_id, user.name)


async def _key_to_change(transaction: Transaction, permitted: Permitted, parameters: Parameters) -> AccessKey:
    """The key that ``AccessKeyId`` names, if it is one of the owner's. Raises EntityError."""
    owner = await _owner_to_change(transaction, permitted, parameters)
    key = transaction.view.access_keys.with_key(text(parameters, "AccessKeyId"))
    if key is None or (key.account, key.user_id) != (owner.account, owner.user_id):
        raise _no_such_key(parameters)
    return key


def _no_such_key(parameters: Parameters) -> EntityError:
    key_id = text(parameters, "AccessKeyId")
    return EntityError(Reason.NO_SUCH_ENTITY, f"The Access Key with id {key_id} cannot be found.")


async def create_access_key(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """A key that is new and active, with its secret."""
    secret = new_secret_access_key()
    async with iam.store.transaction() as transaction:
        owner = await _owner_to_change(transaction, permitted, parameters)
        if len(owner.keys(transaction.view)) >= ACCESS_KEYS_PER_USER:
            message = f"Cannot exceed quota for AccessKeysPerUser: {ACCESS_KEYS_PER_USER}"
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        key_id = new_access_key_id(LONG_TERM_KEY, owner.account)
        wrapped = iam.master.wrap(secret.reveal().encode("ascii"), access_key_label(key_id))
        key = AccessKey(key_id, owner.account, owner.user_id, wrapped, "Active", int(permitted.facts.now))
        await transaction.put(key)
    shown = {"UserName": owner.name or OMITTED, "SecretAccessKey": secret.reveal()}
    return {"AccessKey": {**_members(key), **shown}}


async def list_access_keys(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The keys of a user, without their secrets."""
    owner = _owner(iam, permitted, parameters)
    chosen, more = page_of_records(owner.keys(iam.store.view()), parameters, keep=lambda _key: True)
    return {"AccessKeyMetadata": [{"UserName": owner.name, **_members(key)} for key in chosen], **more}


async def update_access_key(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Let a key count, or not. One that does not is refused from the next request on."""
    status = settable_status(parameters)
    async with iam.store.transaction() as transaction:
        key = await _key_to_change(transaction, permitted, parameters)
        await transaction.put(replace(key, status=status))
    return {}


async def delete_access_key(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The end of a key. Its id is never used again."""
    async with iam.store.transaction() as transaction:
        key = await _key_to_change(transaction, permitted, parameters)
        await forget(transaction, key.account, key.access_key_id)
        await transaction.delete(key)
    return {}


async def get_access_key_last_used(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """When, where and for which service a key was last used; of one never used, AWS's words for that."""
    view, account = iam.store.view(), permitted.caller.principal.account
    key = view.access_keys.with_key(text(parameters, "AccessKeyId"))
    if key is None or key.account != account or owner_arn(key, view) != permitted.resource:
        raise _no_such_key(parameters)
    user = None if key.user_id is None else view.users.with_key(key.user_id)
    use = newest(uses_of(view, account, key.access_key_id, permitted.facts.now))
    used: dict[str, object] = {"Region": "N/A", "ServiceName": "N/A"}
    if use is not None:
        used = {"LastUsedDate": use.used_at, "Region": use.region, "ServiceName": use.service}
    return {"UserName": None if user is None else user.name, "AccessKeyLastUsed": used}


def owner_arn(key: AccessKey, view: View) -> str | None:
    """The ARN of the user, or root user, whose key it is. A user is not deleted before its keys are."""
    if key.user_id is None:
        return Root(key.account).arn
    user = view.users.with_key(key.user_id)
    return None if user is None else user.arn


def _members(key: AccessKey) -> dict[str, object]:
    return {"AccessKeyId": key.access_key_id, "Status": key.status, "CreateDate": key.created_at}

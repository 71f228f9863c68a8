# SPDX-License-Identifier: Apache-2.0
"""
SSH public keys of users (IAM API): UploadSSHPublicKey, GetSSHPublicKey, ListSSHPublicKeys, UpdateSSHPublicKey,
DeleteSSHPublicKey. They are kept for services that ask IAM for them; nothing here speaks SSH.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, text
from daypass.credentials import new_unique_id
from daypass.errors import EntityError, Reason
from daypass.iam import ssh_key_text
from daypass.iam.limits import SSH_PUBLIC_KEYS_PER_USER
from daypass.iam.paging import page_of_records
from daypass.iam.service import Iam
from daypass.iam.status import settable_status
from daypass.iam.users import existing_user, user_to_change
from daypass.store import SshPublicKey, User, View

if TYPE_CHECKING:
    from daypass.store import Transaction


async def upload_ssh_public_key(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """A key that is new to its user, active at once."""
    body = text(parameters, "SSHPublicKeyBody")
    fingerprint = ssh_key_text.fingerprint_of(ssh_key_text.read_ssh_public_key(body))
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        present = transaction.view.ssh_public_keys.linked(user.account, ("user", user.unique_id))
        if any(key.fingerprint == fingerprint for key in present):
            message = "The SSH public key is already associated with the specified IAM user."
            raise EntityError(Reason.SSH_KEY_DUPLICATE, message)
        if len(present) >= SSH_PUBLIC_KEYS_PER_USER:
            message = f"Cannot exceed quota for SSHPublicKeysPerUser: {SSH_PUBLIC_KEYS_PER_USER}"
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        key = SshPublicKey(
            account=user.account,
            user_id=user.unique_id,
            unique_id=new_unique_id("APKA"),
            body=body,
            fingerprint=fingerprint,
            status="Active",
            uploaded_at=int(permitted.facts.now),
        )
        await transaction.put(key)
    return {"SSHPublicKey": _members(key, user, key.body)}


async def get_ssh_public_key(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One key, in the encoding that is asked for."""
    user = existing_user(iam, permitted, parameters)
    key = _key_of(user, iam.store.view(), parameters)
    body = ssh_key_text.in_encoding(key.body, text(parameters, "Encoding"))
    return {"SSHPublicKey": _members(key, user, body)}


async def list_ssh_public_keys(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The keys of a user, without the keys themselves."""
    user = existing_user(iam, permitted, parameters)
    every = iam.store.view().ssh_public_keys.linked(user.account, ("user", user.unique_id))
    chosen, more = page_of_records(every, parameters, keep=lambda _: True)
    return {"SSHPublicKeys": [_metadata(key, user) for key in chosen], **more}


async def update_ssh_public_key(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Active or inactive."""
    status = settable_status(parameters)
    async with iam.store.transaction() as transaction:
        key = await _key_to_change(transaction, permitted, parameters)
        await transaction.put(replace(key, status=status))
    return {}


async def delete_ssh_public_key(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The end of a key."""
    async with iam.store.transaction() as transaction:
        await transaction.delete(await _key_to_change(transaction, permitted, parameters))
    return {}


async def _key_to_change(transaction: Transaction, permitted: Permitted, parameters: Parameters) -> SshPublicKey:
    return _key_of(await user_to_change(transaction, permitted, parameters), transaction.view, parameters)


def _key_of(user: User, view: View, parameters: Parameters) -> SshPublicKey:
    key_id = text(parameters, "SSHPublicKeyId")
    key = view.ssh_public_keys.with_key(key_id)
    if key is None or key.user_id != user.unique_id:
        raise EntityError(Reason.NO_SUCH_ENTITY, f"The Public Key with id {key_id} cannot be found.")
    return key


def _metadata(key: SshPublicKey, user: User) -> dict[str, object]:
    return {
        "UserName": user.name,
        "SSHPublicKeyId": key.unique_id,
        "Status": key.status,
        "UploadDate": key.uploaded_at,
    }


def _members(key: SshPublicKey, user: User, body: str) -> dict[str, object]:
    return {**_metadata(key, user), "Fingerprint": key.fingerprint, "SSHPublicKeyBody": body}

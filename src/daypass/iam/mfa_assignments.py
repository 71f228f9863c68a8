# SPDX-License-Identifier: Apache-2.0
"""
Whose an MFA device is (IAM API): EnableMFADevice, ResyncMFADevice, DeactivateMFADevice, ListMFADevices, GetMFADevice.

Without ``UserName`` the devices are those of the user that signed, or of the root user. AWS lets the root user enable devices
in its console only; here it does with ``UserName`` ``root``, unless a user of the account has that name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from daypass.access import Caller, Permitted
from daypass.access.second_factor import ROOT_OWNER, brought_into_step, device_with_serial, opened_seed
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.awsapi.query_writer import OMITTED
from daypass.errors import EntityError, Reason
from daypass.iam.limits import MFA_DEVICES_PER_USER
from daypass.iam.mfa_devices import no_such_device
from daypass.iam.paging import page_of_records
from daypass.iam.service import Iam
from daypass.iam.users import existing_user, no_such_user, user_to_change
from daypass.principal import Root
from daypass.store import MfaDevice, View

if TYPE_CHECKING:
    from daypass.store import SortedRecords, Transaction

_ROOT_NAME: Final = "root"


def means_root(parameters: Parameters, caller: Caller, view: View) -> bool:
    """Whether an operation is about the root user: only itself can mean that."""
    if not isinstance(caller.principal, Root):
        return False
    name = optional_text(parameters, "UserName")
    return name is None or (name == _ROOT_NAME and view.users.with_name(caller.principal.account, name) is None)


class _Owner(msgspec.Struct, frozen=True):
    """Whose devices an operation is about; the root user has no name."""

    account: str
    user_id: str
    name: str | None = None

    def devices(self, view: View) -> SortedRecords[MfaDevice]:
        """Its devices, by name."""
        return view.mfa_devices.linked(self.account, ("user", self.user_id))


def _roots(view: View, permitted: Permitted, parameters: Parameters) -> _Owner | None:
    """The root user, if it is meant. Raises EntityError when somebody else was meant at the time of the permission."""
    principal = permitted.caller.principal
    if not means_root(parameters, permitted.caller, view):
        return None
    if permitted.resource != principal.arn:
        raise no_such_user(text(parameters, "UserName"))
    return _Owner(principal.account, ROOT_OWNER)


def _owner(iam: Iam, permitted: Permitted, parameters: Parameters) -> _Owner:
    root = _roots(iam.store.view(), permitted, parameters)
    if root is not None:
        return root
    user = existing_user(iam, permitted, parameters)
    return _Owner(user.account, user.unique_id, user.name)


async def _owner_to_change(transaction: Transaction, permitted: Permitted, parameters: Parameters) -> _Owner:
    root = _roots(transaction.view, permitted, parameters)
    if root is not None:
        return root
    user = await user_to_change(transaction, permitted, parameters)
    return _Owner(user.account, user.unique_id, user.name)


def _device_of(owner: _Owner, view: View, parameters: Parameters) -> MfaDevice:
    """The owner's device with this serial number. Another's and one that is not there answer alike."""
    device = device_with_serial(view, owner.account, text(parameters, "SerialNumber"))
    if device is None or device.user_id != owner.user_id:
        raise EntityError(Reason.NO_SUCH_ENTITY, "MFA Device invalid for user.")
    return device


async def enable_mfa_device(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Give a device to a user, who shows two codes of it in a row. Both are spent."""
    async with iam.store.transaction() as transaction:
        view = transaction.view
        owner = await _owner_to_change(transaction, permitted, parameters)
        device = device_with_serial(view, owner.account, text(parameters, "SerialNumber"))
        if device is None:
            raise no_such_device(text(parameters, "SerialNumber"))
        if device.user_id is not None:
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, "MFA Device is already in use.")
        if len(owner.devices(view)) >= MFA_DEVICES_PER_USER:
            message = f"Cannot exceed quota for MFADevicesPerUser: {MFA_DEVICES_PER_USER}"
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        enabled = _in_step(iam, device, permitted, parameters)
        await transaction.put(replace(enabled, user_id=owner.user_id, enabled_at=int(permitted.facts.now)))
    return {}


async def resync_mfa_device(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Find out by two codes in a row how a device's clock goes. Both are spent."""
    async with iam.store.transaction() as transaction:
        owner = await _owner_to_change(transaction, permitted, parameters)
        device = _device_of(owner, transaction.view, parameters)
        await transaction.put(_in_step(iam, device, permitted, parameters))
    return {}


def _in_step(iam: Iam, device: MfaDevice, permitted: Permitted, parameters: Parameters) -> MfaDevice:
    first, second = text(parameters, "AuthenticationCode1"), text(parameters, "AuthenticationCode2")
    return brought_into_step(device, opened_seed(iam.master, device), first, second, permitted.facts.now)


async def deactivate_mfa_device(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Take a device from its user. It can be given to somebody again; the codes it has spent stay spent."""
    async with iam.store.transaction() as transaction:
        owner = await _owner_to_change(transaction, permitted, parameters)
        device = _device_of(owner, transaction.view, parameters)
        await transaction.put(replace(device, user_id=None, enabled_at=None, failures=0, failed_at=0, drift=0))
    return {}


async def list_mfa_devices(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The devices of a user, by name."""
    owner = _owner(iam, permitted, parameters)
    chosen, more = page_of_records(owner.devices(iam.store.view()), parameters, keep=lambda _device: True)
    return {"MFADevices": [_members(device, owner) for device in chosen], **more}


async def get_mfa_device(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One device of a user. AWS answers for security keys only; there are none here, and virtual devices are answered."""
    owner = _owner(iam, permitted, parameters)
    return _members(_device_of(owner, iam.store.view(), parameters), owner)


def _members(device: MfaDevice, owner: _Owner) -> dict[str, object]:
    return {"UserName": owner.name or OMITTED, "SerialNumber": device.arn, "EnableDate": device.enabled_at}

# SPDX-License-Identifier: Apache-2.0
"""
Virtual MFA devices (IAM API): CreateVirtualMFADevice, DeleteVirtualMFADevice, ListVirtualMFADevices, TagMFADevice,
UntagMFADevice, ListMFADeviceTags. Whose a device is, and what codes it shows, is in ``mfa_assignments``.

The seed is shown once, when the device is made, and kept under the master key.
"""

from __future__ import annotations

import asyncio
import io
import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.access.second_factor import ROOT_OWNER, device_with_serial, wrapped_seed
from daypass.access.totp import key_uri, new_seed
from daypass.awsapi.parameters import Parameters, optional_text, tag_list, text, texts
from daypass.credentials import Secret
from daypass.errors import EntityError, Reason
from daypass.iam import tags, users
from daypass.iam.limits import MFA_DEVICES_PER_ACCOUNT, SERIAL_NUMBER_CHARACTERS
from daypass.iam.paging import page, page_of_records
from daypass.iam.service import Iam
from daypass.principal import Root
from daypass.store import MfaDevice, View

if TYPE_CHECKING:
    from daypass.store import Transaction

ISSUER: Final = "daypass"
"""Whom authenticator apps name beside a code."""

_SERIAL: Final = re.compile(r"[\w+=/:,.@-]+", re.ASCII)
_MODULE_PIXELS: Final = 5
"""Of the QR code: some 300 pixels a side, which phones read from a screen and from paper."""


def no_such_device(serial: str) -> EntityError:
    """The answer of every operation on a device that is not there."""
    return EntityError(Reason.NO_SUCH_ENTITY, f"VirtualMFADevice with serial number {serial} doesn't exist.")


def _permitted_device(view: View, permitted: Permitted, parameters: Parameters) -> MfaDevice:
    serial = text(parameters, "SerialNumber")
    device = device_with_serial(view, permitted.caller.principal.account, serial)
    if device is None or device.arn != permitted.resource:
        raise no_such_device(serial)
    return device


async def _device_to_change(transaction: Transaction, permitted: Permitted, parameters: Parameters) -> MfaDevice:
    """The device, read inside the transaction that will write it."""
    device = _permitted_device(transaction.view, permitted, parameters)
    permitted.with_tags(device.tags)
    return device


async def create_virtual_mfa_device(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """A device that is nobody's yet, and its seed, as text and as a QR code to scan."""
    account, name = permitted.caller.principal.account, text(parameters, "VirtualMFADeviceName")
    seed = new_seed()
    device = MfaDevice(
        account=account,
        path=optional_text(parameters, "Path") or "/",
        name=name,
        wrapped_seed=b"",
        created_at=int(permitted.facts.now),
        tags=tags.checked(tag_list(parameters)),
    )
    _check_serial(device.arn)
    device = replace(device, wrapped_seed=wrapped_seed(iam.master, device.arn, seed))
    picture = await asyncio.to_thread(_qr_code, key_uri(seed, name=name, account=account, issuer=ISSUER))
    async with iam.store.transaction() as transaction:
        present = transaction.view.mfa_devices
        if present.with_name(account, name) is not None:
            message = "MFADevice entity at the same path and name already exists."
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, message)
        if len(present.of(account)) >= MFA_DEVICES_PER_ACCOUNT:
            message = f"Cannot exceed quota for VirtualMFADevicesPerAccount: {MFA_DEVICES_PER_ACCOUNT}"
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        await transaction.put(device)
    shown: dict[str, object] = {
        "SerialNumber": device.arn,
        "Base32StringSeed": seed.reveal().encode("ascii"),
        "QRCodePNG": picture,
    }
    return {"VirtualMFADevice": {**shown, "Tags": tags.members(device.tags)} if device.tags else shown}


def _check_serial(serial: str) -> None:
    """Paths may have letters that serial numbers may not. Raises EntityError for a device that could never be named."""
    if len(serial) > SERIAL_NUMBER_CHARACTERS:
        message = f"The serial number {serial[:64]}... would be longer than {SERIAL_NUMBER_CHARACTERS} characters."
        raise EntityError(Reason.INVALID_INPUT, message)
    if _SERIAL.fullmatch(serial) is None:
        message = (
            "The path has characters that a serial number cannot have; expected letters, digits and +=/:,.@-_ only."
        )
        raise EntityError(Reason.INVALID_INPUT, message)


def _qr_code(uri: Secret) -> bytes:
    """A PNG. Takes some 20 ms."""
    import segno  # 5 ms, which only who makes a device pays

    picture = io.BytesIO()
    segno.make_qr(uri.reveal(), error="m").save(picture, kind="png", scale=_MODULE_PIXELS)
    return picture.getvalue()


async def delete_virtual_mfa_device(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The end of a device and its seed. It must be nobody's."""
    async with iam.store.transaction() as transaction:
        device = await _device_to_change(transaction, permitted, parameters)
        if device.user_id is not None:
            raise EntityError(Reason.DELETE_CONFLICT, "MFA VirtualDevice in use. Must deactivate first.")
        await transaction.delete(device)
    return {}


async def list_virtual_mfa_devices(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The devices of the account, by name, without tags (IAM API, ListVirtualMFADevices); all unless it says which."""
    view, account = iam.store.view(), permitted.caller.principal.account
    status = optional_text(parameters, "AssignmentStatus")
    every = view.mfa_devices.of(account)
    if status == "Assigned":
        every = view.mfa_devices.linked(account, ("assigned", ""))

    def keep(device: MfaDevice) -> bool:
        return status != "Unassigned" or device.user_id is None

    chosen, more = page_of_records(every, parameters, keep=keep)
    return {"VirtualMFADevices": [_members(device, view) for device in chosen], **more}


def _members(device: MfaDevice, view: View) -> dict[str, object]:
    if device.user_id is None:
        return {"SerialNumber": device.arn}
    return {"SerialNumber": device.arn, "EnableDate": device.enabled_at, "User": _user_members(device, view)}


def _user_members(device: MfaDevice, view: View) -> dict[str, object] | None:
    if device.user_id == ROOT_OWNER:
        return users.root_members(view, Root(device.account))
    user = view.users.with_key(device.user_id or "")
    return None if user is None else users.members(user)  # a user is not deleted before its devices are taken away


async def tag_mfa_device(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """More tags, or other values."""
    async with iam.store.transaction() as transaction:
        device = await _device_to_change(transaction, permitted, parameters)
        await transaction.put(replace(device, tags=tags.added(device.tags, tag_list(parameters))))
    return {}


async def untag_mfa_device(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Fewer tags."""
    async with iam.store.transaction() as transaction:
        device = await _device_to_change(transaction, permitted, parameters)
        await transaction.put(replace(device, tags=tags.removed(device.tags, texts(parameters, "TagKeys"))))
    return {}


async def list_mfa_device_tags(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The tags of a device, sorted by key (IAM API, ListMFADeviceTags)."""
    device = _permitted_device(iam.store.view(), permitted, parameters)
    chosen, more = page(sorted(device.tags), parameters, key=lambda tag: tag[0])
    return {"Tags": tags.members(tuple(chosen)), **more}

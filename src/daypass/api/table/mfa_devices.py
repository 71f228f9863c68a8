# SPDX-License-Identifier: Apache-2.0
"""
Rows of the table of operations: MFA devices. Whose a device is, is permitted on the user; a device is a resource of its own for
what is done with it while it is nobody's (Service Authorization Reference).
"""

from __future__ import annotations

from typing import Final

from daypass import arn
from daypass.access import Caller
from daypass.access.second_factor import device_with_serial
from daypass.api.resources import Resource, everything
from daypass.api.row import Row
from daypass.api.table.users import user_alone
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.iam import mfa_assignments, mfa_devices
from daypass.store import View


def user_or_root(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The user whose devices it is about, or the root user that calls."""
    if mfa_assignments.means_root(parameters, caller, view):
        return Resource(caller.principal.arn, caller.principal.account)
    return user_alone(parameters, caller, view)


def device_to_be(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The device that CreateVirtualMFADevice would make."""
    account, path = caller.principal.account, optional_text(parameters, "Path") or "/"
    return Resource(arn.mfa_arn(account, path, text(parameters, "VirtualMFADeviceName")), account)


def device(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The device that ``SerialNumber`` names: its ARN. Other serial numbers are of devices that there are none of here."""
    # INVARIANT: the operation acts on a device whose ARN is exactly this one.
    account, serial = caller.principal.account, text(parameters, "SerialNumber")
    found = device_with_serial(view, account, serial)
    if found is not None:
        return Resource(found.arn, account, found.tags)
    return Resource(serial if serial.startswith("arn:") else arn.mfa_arn(account, "/", serial), account)


ROWS: Final = (
    Row("CreateVirtualMFADevice", device_to_be, mfa_devices.create_virtual_mfa_device),
    Row("DeleteVirtualMFADevice", device, mfa_devices.delete_virtual_mfa_device),
    Row("ListVirtualMFADevices", everything, mfa_devices.list_virtual_mfa_devices),
    Row("TagMFADevice", device, mfa_devices.tag_mfa_device),
    Row("UntagMFADevice", device, mfa_devices.untag_mfa_device),
    Row("ListMFADeviceTags", device, mfa_devices.list_mfa_device_tags),
    Row("EnableMFADevice", user_or_root, mfa_assignments.enable_mfa_device),
    Row("ResyncMFADevice", user_or_root, mfa_assignments.resync_mfa_device),
    Row("DeactivateMFADevice", user_or_root, mfa_assignments.deactivate_mfa_device),
    Row("ListMFADevices", user_or_root, mfa_assignments.list_mfa_devices),
    Row("GetMFADevice", user_or_root, mfa_assignments.get_mfa_device),
)

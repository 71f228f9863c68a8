# SPDX-License-Identifier: Apache-2.0
"""
Lists of what there cannot be any of yet (IAM API): ListMFADevices, ListVirtualMFADevices, ListSAMLProviders.

Tools ask for them before they delete a user or take stock of an account, and stop at an error. The answer is true: nothing
can be made that they would show. They move to their features' own modules when those come.
"""

from __future__ import annotations

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters
from daypass.iam.service import Iam
from daypass.iam.users import existing_user
from daypass.principal import Root


async def list_mfa_devices(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The MFA devices of a user, who must be there, or of the root user that asks for its own: none."""
    if "UserName" in parameters or not isinstance(permitted.caller.principal, Root):
        existing_user(iam, permitted, parameters)
    return {"MFADevices": [], "IsTruncated": False}


async def list_virtual_mfa_devices(_iam: Iam, _permitted: Permitted, _parameters: Parameters) -> dict[str, object]:
    """The virtual MFA devices of the account: none, assigned or not."""
    return {"VirtualMFADevices": [], "IsTruncated": False}


async def list_saml_providers(_iam: Iam, _permitted: Permitted, _parameters: Parameters) -> dict[str, object]:
    """The SAML providers of the account: none."""
    return {"SAMLProviderList": []}

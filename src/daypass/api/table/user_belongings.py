# SPDX-License-Identifier: Apache-2.0
"""
Rows of the table of operations: signing certificates, SSH public keys and service-specific credentials. None is a resource
of its own: permission is given on the user that owns it (Service Authorization Reference).
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from daypass import arn
from daypass.access import Caller
from daypass.api.resources import NO_KEYS, Resource
from daypass.api.row import Row
from daypass.api.table.users import user_alone
from daypass.awsapi.parameters import Parameters, optional_integer, text
from daypass.iam import service_credentials, signing_certificates, ssh_public_keys
from daypass.identity import ContextValue
from daypass.store import View

_SERVICE: Final = "iam:servicespecificcredentialservicename"


def owner_of_new_credential(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The user that a service-specific credential is made for, with the service and how many days it is good for."""
    keys: dict[str, ContextValue] = {_SERVICE: text(parameters, "ServiceName")}
    days = optional_integer(parameters, "CredentialAgeDays")
    if days is not None:
        keys["iam:servicespecificcredentialagedays"] = str(days)
    return replace(user_alone(parameters, caller, view), keys=keys)


def owner_of_credential(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The user that a service-specific credential is said to be of, with its service if it is."""
    resource = user_alone(parameters, caller, view)
    found = view.service_credentials.with_key(text(parameters, "ServiceSpecificCredentialId"))
    owner = None if found is None else view.users.with_key(found.user_id)
    theirs = found is not None and owner is not None and owner.arn == resource.arn
    return replace(resource, keys={_SERVICE: found.service} if found is not None and theirs else NO_KEYS)


def owner_or_all(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The user whose service-specific credentials are listed; with ``AllUsers``, every user of the account."""
    if parameters.get("AllUsers") is True:
        account = caller.principal.account
        return Resource(arn.user_arn(account, "/", "*"), account)
    return user_alone(parameters, caller, view)


ROWS: Final = (
    Row("UploadSigningCertificate", user_alone, signing_certificates.upload_signing_certificate),
    Row("ListSigningCertificates", user_alone, signing_certificates.list_signing_certificates),
    Row("UpdateSigningCertificate", user_alone, signing_certificates.update_signing_certificate),
    Row("DeleteSigningCertificate", user_alone, signing_certificates.delete_signing_certificate),
    Row("UploadSSHPublicKey", user_alone, ssh_public_keys.upload_ssh_public_key),
    Row("GetSSHPublicKey", user_alone, ssh_public_keys.get_ssh_public_key),
    Row("ListSSHPublicKeys", user_alone, ssh_public_keys.list_ssh_public_keys),
    Row("UpdateSSHPublicKey", user_alone, ssh_public_keys.update_ssh_public_key),
    Row("DeleteSSHPublicKey", user_alone, ssh_public_keys.delete_ssh_public_key),
    Row("CreateServiceSpecificCredential", owner_of_new_credential, service_credentials.create_service_credential),
    Row("ListServiceSpecificCredentials", owner_or_all, service_credentials.list_service_credentials),
    Row("ResetServiceSpecificCredential", owner_of_credential, service_credentials.reset_service_credential),
    Row("UpdateServiceSpecificCredential", owner_of_credential, service_credentials.update_service_credential),
    Row("DeleteServiceSpecificCredential", owner_of_credential, service_credentials.delete_service_credential),
)

# SPDX-License-Identifier: Apache-2.0
"""Recipes: what users sign in and sign with."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from iam.kitchen import Step
from iam.recipe import USER, Pages, Recipe, recipe

PASSWORD: Final = "correct-Horse-7-battery"
OWNER: Final = {"UserName": "<name>"}

ACCESS_KEY: Final = Step("CreateAccessKey", OWNER)
ACCESS_KEY_ID: Final = "<CreateAccessKey.AccessKey.AccessKeyId>"
ACCESS_KEYS: Final = {
    "CreateAccessKey": recipe(USER, **OWNER),
    "ListAccessKeys": replace(
        recipe(USER, ACCESS_KEY, **OWNER),
        pages=Pages(
            ("AccessKeyMetadata",),
            (ACCESS_KEY,),
            (Step("DeleteAccessKey", {**OWNER, "AccessKeyId": "<item.AccessKeyId>"}),),
            count=1,
        ),
    ),
    "UpdateAccessKey": recipe(USER, ACCESS_KEY, **OWNER, AccessKeyId=ACCESS_KEY_ID, Status="Inactive"),
    "DeleteAccessKey": recipe(USER, ACCESS_KEY, **OWNER, AccessKeyId=ACCESS_KEY_ID),
    "GetAccessKeyLastUsed": replace(
        recipe(USER, ACCESS_KEY, AccessKeyId=ACCESS_KEY_ID), shown=f"access key {ACCESS_KEY_ID}"
    ),
}

LOGIN: Final = Step("CreateLoginProfile", {**OWNER, "Password": PASSWORD, "PasswordResetRequired": True})
LOGIN_PROFILES: Final = {
    "CreateLoginProfile": recipe(USER, **LOGIN.parameters),
    "GetLoginProfile": recipe(USER, LOGIN, **OWNER),
    "UpdateLoginProfile": recipe(USER, LOGIN, **OWNER, Password=f"{PASSWORD}-2", PasswordResetRequired=False),
    "DeleteLoginProfile": recipe(USER, LOGIN, **OWNER),
    "ChangePassword": replace(
        recipe(
            Step("UpdateAccountPasswordPolicy", {"AllowUsersToChangePassword": False}),
            Step("CreateLoginProfile", {"UserName": "<caller>", "Password": PASSWORD}),
            OldPassword=PASSWORD,
            NewPassword=f"{PASSWORD}-2",
        ),
        resource="user/<caller>",
        by_caller=True,
    ),
}

SSH: Final = Step("UploadSSHPublicKey", {**OWNER, "SSHPublicKeyBody": "<ssh.0>"})
SSH_ID: Final = "<UploadSSHPublicKey.SSHPublicKey.SSHPublicKeyId>"
SSH_KEYS: Final = {
    "UploadSSHPublicKey": recipe(USER, **SSH.parameters),
    "GetSSHPublicKey": recipe(USER, SSH, **OWNER, SSHPublicKeyId=SSH_ID, Encoding="SSH"),
    "ListSSHPublicKeys": replace(
        recipe(USER, Step("UploadSSHPublicKey", {**OWNER, "SSHPublicKeyBody": "<ssh.9>"}), **OWNER),
        pages=Pages(
            ("SSHPublicKeys",),
            (Step("UploadSSHPublicKey", {**OWNER, "SSHPublicKeyBody": "<ssh.i>"}),),
            (Step("DeleteSSHPublicKey", {**OWNER, "SSHPublicKeyId": "<item.SSHPublicKeyId>"}),),
            count=3,
        ),
    ),
    "UpdateSSHPublicKey": recipe(USER, SSH, **OWNER, SSHPublicKeyId=SSH_ID, Status="Inactive"),
    "DeleteSSHPublicKey": recipe(USER, SSH, **OWNER, SSHPublicKeyId=SSH_ID),
}

SIGNING: Final = Step("UploadSigningCertificate", {**OWNER, "CertificateBody": "<certificate.0.body>"})
SIGNING_ID: Final = "<UploadSigningCertificate.Certificate.CertificateId>"
SIGNING_CERTIFICATES: Final = {
    "UploadSigningCertificate": recipe(USER, **SIGNING.parameters),
    "ListSigningCertificates": replace(
        recipe(USER, SIGNING, **OWNER),
        pages=Pages(
            ("Certificates",),
            (SIGNING,),
            (Step("DeleteSigningCertificate", {**OWNER, "CertificateId": "<item.CertificateId>"}),),
            count=1,
        ),
    ),
    "UpdateSigningCertificate": recipe(USER, SIGNING, **OWNER, CertificateId=SIGNING_ID, Status="Inactive"),
    "DeleteSigningCertificate": recipe(USER, SIGNING, **OWNER, CertificateId=SIGNING_ID),
}

CREDENTIAL: Final = Step("CreateServiceSpecificCredential", {**OWNER, "ServiceName": "codecommit.amazonaws.com"})
CREDENTIAL_ID: Final = "<CreateServiceSpecificCredential.ServiceSpecificCredential.ServiceSpecificCredentialId>"
SERVICE_CREDENTIALS: Final = {
    "CreateServiceSpecificCredential": recipe(USER, **CREDENTIAL.parameters),
    "ListServiceSpecificCredentials": replace(
        recipe(USER, CREDENTIAL, **OWNER),
        pages=Pages(
            ("ServiceSpecificCredentials",),
            (CREDENTIAL,),
            (
                Step(
                    "DeleteServiceSpecificCredential",
                    {**OWNER, "ServiceSpecificCredentialId": "<item.ServiceSpecificCredentialId>"},
                ),
            ),
            count=1,
        ),
    ),
    "UpdateServiceSpecificCredential": recipe(
        USER, CREDENTIAL, **OWNER, ServiceSpecificCredentialId=CREDENTIAL_ID, Status="Inactive"
    ),
    "ResetServiceSpecificCredential": recipe(USER, CREDENTIAL, **OWNER, ServiceSpecificCredentialId=CREDENTIAL_ID),
    "DeleteServiceSpecificCredential": recipe(USER, CREDENTIAL, **OWNER, ServiceSpecificCredentialId=CREDENTIAL_ID),
}

MFA_DEVICES: Final = {"ListMFADevices": recipe(USER, **OWNER), "ListVirtualMFADevices": recipe()}

RECIPES: Final[dict[str, Recipe]] = {
    **ACCESS_KEYS,
    **LOGIN_PROFILES,
    **SSH_KEYS,
    **SIGNING_CERTIFICATES,
    **SERVICE_CREDENTIALS,
    **MFA_DEVICES,
}

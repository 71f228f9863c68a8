# SPDX-License-Identifier: Apache-2.0
"""Recipes: what users sign in and sign with."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from iam.kitchen import Step
from iam.recipe import PATH, TAGS, USER, Pages, Recipe, recipe

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

ANY_RULES: Final = Step("UpdateAccountPasswordPolicy")
LOGIN: Final = Step("CreateLoginProfile", {**OWNER, "Password": PASSWORD, "PasswordResetRequired": True})
LOGIN_PROFILES: Final = {
    "CreateLoginProfile": recipe(USER, ANY_RULES, **LOGIN.parameters),
    "GetLoginProfile": recipe(USER, ANY_RULES, LOGIN, **OWNER),
    "UpdateLoginProfile": recipe(
        USER, ANY_RULES, LOGIN, **OWNER, Password=f"{PASSWORD}-2", PasswordResetRequired=False
    ),
    "DeleteLoginProfile": recipe(USER, ANY_RULES, LOGIN, **OWNER),
    "ChangePassword": replace(
        recipe(
            ANY_RULES,
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

DEVICE: Final = Step("CreateVirtualMFADevice", {"VirtualMFADeviceName": "<name>", "Path": PATH, "Tags": TAGS})
OWN_DEVICE: Final = Step("CreateVirtualMFADevice", {"VirtualMFADeviceName": "<name>-<i>"})
SERIAL: Final = {"SerialNumber": "<CreateVirtualMFADevice.VirtualMFADevice.SerialNumber>"}
CODES: Final = {"AuthenticationCode1": "<codes.0>", "AuthenticationCode2": "<codes.1>"}
LATER_CODES: Final = {"AuthenticationCode1": "<codes.2>", "AuthenticationCode2": "<codes.3>"}
ENABLED: Final = Step("EnableMFADevice", {**OWNER, **SERIAL, **CODES})
MFA_DEVICES: Final = {
    "CreateVirtualMFADevice": recipe(**DEVICE.parameters, new="VirtualMFADeviceName"),
    "DeleteVirtualMFADevice": recipe(DEVICE, **SERIAL),
    "ListVirtualMFADevices": replace(
        recipe(USER, DEVICE, ENABLED),
        pages=Pages(
            ("VirtualMFADevices",),
            (OWN_DEVICE,),
            (Step("DeleteVirtualMFADevice", {"SerialNumber": "<item.SerialNumber>"}),),
            alone=True,
        ),
    ),
    "EnableMFADevice": recipe(USER, DEVICE, **ENABLED.parameters),
    "ResyncMFADevice": recipe(USER, DEVICE, ENABLED, **OWNER, **SERIAL, **LATER_CODES),
    "DeactivateMFADevice": recipe(USER, DEVICE, ENABLED, **OWNER, **SERIAL),
    "ListMFADevices": replace(
        recipe(USER, DEVICE, ENABLED, **OWNER),
        pages=Pages(
            ("MFADevices",),
            (OWN_DEVICE, ENABLED),
            (Step("DeactivateMFADevice", {**OWNER, "SerialNumber": "<item.SerialNumber>"}),),
        ),
    ),
    "GetMFADevice": recipe(USER, DEVICE, ENABLED, **OWNER, **SERIAL),
    "TagMFADevice": recipe(DEVICE, **SERIAL, Tags=[{"Key": "more", "Value": "yes"}]),
    "UntagMFADevice": recipe(DEVICE, **SERIAL, TagKeys=["team"]),
    "ListMFADeviceTags": replace(
        recipe(DEVICE, **SERIAL),
        pages=Pages(
            ("Tags",),
            (Step("TagMFADevice", {**SERIAL, "Tags": [{"Key": "key-<i>", "Value": "<i>"}]}),),
            (Step("UntagMFADevice", {**SERIAL, "TagKeys": ["<item.Key>"]}),),
        ),
    ),
}

RECIPES: Final[dict[str, Recipe]] = {
    **ACCESS_KEYS,
    **LOGIN_PROFILES,
    **SSH_KEYS,
    **SIGNING_CERTIFICATES,
    **SERVICE_CREDENTIALS,
    **MFA_DEVICES,
}

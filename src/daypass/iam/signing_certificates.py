# SPDX-License-Identifier: Apache-2.0
"""
Signing certificates of users (IAM API): UploadSigningCertificate, ListSigningCertificates, UpdateSigningCertificate,
DeleteSigningCertificate. They are kept and listed; no request here is signed with one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, text
from daypass.credentials import new_certificate_id
from daypass.errors import EntityError, Reason
from daypass.iam import certificates
from daypass.iam.limits import SIGNING_CERTIFICATES_PER_USER
from daypass.iam.paging import page_of_records
from daypass.iam.service import Iam
from daypass.iam.status import settable_status
from daypass.iam.users import existing_user, user_to_change
from daypass.store import SigningCertificate, User

if TYPE_CHECKING:
    from daypass.store import Transaction


async def upload_signing_certificate(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """A certificate that is new in the account, active at once."""
    body = text(parameters, "CertificateBody")
    read = certificates.read_certificate(body)
    _check_usable(read, permitted.facts.now)
    fingerprint = certificates.fingerprint_of(read)
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        present = transaction.view.signing_certificates
        if len(present.linked(user.account, ("certificate", fingerprint))):
            message = "The certificate is already associated with an IAM user in this account."
            raise EntityError(Reason.CERTIFICATE_DUPLICATE, message)
        if len(present.linked(user.account, ("user", user.unique_id))) >= SIGNING_CERTIFICATES_PER_USER:
            message = f"Cannot exceed quota for CertificatesPerUser: {SIGNING_CERTIFICATES_PER_USER}"
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        certificate = SigningCertificate(
            account=user.account,
            user_id=user.unique_id,
            unique_id=new_certificate_id(),
            body=body,
            fingerprint=fingerprint,
            status="Active",
            uploaded_at=int(permitted.facts.now),
        )
        await transaction.put(certificate)
    return {"Certificate": _members(certificate, user)}


def _check_usable(certificate: x509.Certificate, now: float) -> None:
    """What is well formed and could still sign nothing is invalid, not malformed (IAM API: InvalidCertificate)."""
    try:
        certificates.public_key_of(certificate)
        certificates.check_current(certificate, now)
    except EntityError as error:
        raise EntityError(Reason.CERTIFICATE_INVALID, str(error)) from None


async def list_signing_certificates(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The certificates of a user."""
    user = existing_user(iam, permitted, parameters)
    every = iam.store.view().signing_certificates.linked(user.account, ("user", user.unique_id))
    chosen, more = page_of_records(every, parameters, keep=lambda _: True)
    return {"Certificates": [_members(certificate, user) for certificate in chosen], **more}


async def update_signing_certificate(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Active or inactive."""
    status = settable_status(parameters)
    async with iam.store.transaction() as transaction:
        certificate = await _certificate_to_change(transaction, permitted, parameters)
        await transaction.put(replace(certificate, status=status))
    return {}


async def delete_signing_certificate(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The end of a certificate."""
    async with iam.store.transaction() as transaction:
        await transaction.delete(await _certificate_to_change(transaction, permitted, parameters))
    return {}


async def _certificate_to_change(
    transaction: Transaction, permitted: Permitted, parameters: Parameters
) -> SigningCertificate:
    user, certificate_id = await user_to_change(transaction, permitted, parameters), text(parameters, "CertificateId")
    certificate = transaction.view.signing_certificates.with_key(certificate_id)
    if certificate is None or certificate.user_id != user.unique_id:
        raise EntityError(Reason.NO_SUCH_ENTITY, f"The Certificate with id {certificate_id} cannot be found.")
    return certificate


def _members(certificate: SigningCertificate, user: User) -> dict[str, object]:
    return {
        "UserName": user.name,
        "CertificateId": certificate.unique_id,
        "CertificateBody": certificate.body,
        "Status": certificate.status,
        "UploadDate": certificate.uploaded_at,
    }

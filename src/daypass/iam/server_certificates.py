# SPDX-License-Identifier: Apache-2.0
"""
Server certificates (IAM API): UploadServerCertificate, GetServerCertificate, ListServerCertificates,
UpdateServerCertificate, DeleteServerCertificate, TagServerCertificate, UntagServerCertificate, ListServerCertificateTags.

The private key is kept under the master key, and no operation answers it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, optional_text, tag_list, text, texts
from daypass.credentials import new_unique_id
from daypass.errors import EntityError, Reason
from daypass.iam import certificates, tags
from daypass.iam.limits import SERVER_CERTIFICATES_PER_ACCOUNT
from daypass.iam.paging import page, page_of_records
from daypass.iam.service import Iam
from daypass.store import ServerCertificate, View

if TYPE_CHECKING:
    from daypass.store import Transaction


def _permitted_certificate(view: View, permitted: Permitted, parameters: Parameters) -> ServerCertificate:
    name = text(parameters, "ServerCertificateName")
    certificate = view.server_certificates.with_name(permitted.caller.principal.account, name)
    if certificate is None or certificate.arn != permitted.resource:
        raise EntityError(Reason.NO_SUCH_ENTITY, f"The Server Certificate with name {name} cannot be found.")
    return certificate


async def _certificate_to_change(
    transaction: Transaction, permitted: Permitted, parameters: Parameters
) -> ServerCertificate:
    """The certificate, read inside the transaction that will write it."""
    certificate = _permitted_certificate(transaction.view, permitted, parameters)
    permitted.with_tags(certificate.tags)
    return certificate


def _already_exists(name: str) -> EntityError:
    message = f"The Server Certificate with name {name} already exists."
    return EntityError(Reason.ENTITY_ALREADY_EXISTS, message)


async def upload_server_certificate(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """A certificate that is new, checked against its private key, its chain and the time."""
    account, name = permitted.caller.principal.account, text(parameters, "ServerCertificateName")
    now, unique_id = int(permitted.facts.now), new_unique_id("ASCA")
    body, chain = text(parameters, "CertificateBody"), optional_text(parameters, "CertificateChain")
    read = certificates.read_certificate(body)
    await asyncio.to_thread(certificates.check_private_key, read, text(parameters, "PrivateKey"))
    certificates.check_current(read, permitted.facts.now)
    if chain is not None:
        certificates.check_chain(read, chain)
    certificate = ServerCertificate(
        account=account,
        path=optional_text(parameters, "Path") or "/",
        name=name,
        unique_id=unique_id,
        body=body,
        chain=chain,
        wrapped_private_key=iam.master.wrap(text(parameters, "PrivateKey").encode(), private_key_label(unique_id)),
        uploaded_at=now,
        expires_at=certificates.expiration_of(read),
        tags=tags.checked(tag_list(parameters)),
    )
    async with iam.store.transaction() as transaction:
        present = transaction.view.server_certificates
        if present.like_name(account, name) is not None:
            raise _already_exists(name)
        if len(present.of(account)) >= SERVER_CERTIFICATES_PER_ACCOUNT:
            message = f"Cannot exceed quota for ServerCertificatesPerAccount: {SERVER_CERTIFICATES_PER_ACCOUNT}"
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        await transaction.put(certificate)
    answered: dict[str, object] = {"ServerCertificateMetadata": _metadata(certificate)}
    return {**answered, "Tags": tags.members(certificate.tags)} if certificate.tags else answered


def private_key_label(unique_id: str) -> bytes:
    """What a private key is wrapped with, so that a row copied to another certificate's does not open."""
    return b"daypass server certificate key v1 " + unique_id.encode("ascii")


async def get_server_certificate(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One certificate with its chain, without its private key."""
    certificate = _permitted_certificate(iam.store.view(), permitted, parameters)
    members: dict[str, object] = {
        "ServerCertificateMetadata": _metadata(certificate),
        "CertificateBody": certificate.body,
        "CertificateChain": certificate.chain,
    }
    if certificate.tags:
        members["Tags"] = tags.members(certificate.tags)
    return {"ServerCertificate": members}


async def list_server_certificates(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The certificates of the account under a path, by name."""
    every = iam.store.view().server_certificates.of(permitted.caller.principal.account)
    prefix = optional_text(parameters, "PathPrefix") or "/"
    chosen, more = page_of_records(every, parameters, keep=lambda certificate: certificate.path.startswith(prefix))
    return {"ServerCertificateMetadataList": [_metadata(certificate) for certificate in chosen], **more}


async def update_server_certificate(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Another name or path. What is not sent stays as it is. The caller was permitted both the old and the new."""
    async with iam.store.transaction() as transaction:
        certificate = await _certificate_to_change(transaction, permitted, parameters)
        name = optional_text(parameters, "NewServerCertificateName") or certificate.name
        other = transaction.view.server_certificates.like_name(certificate.account, name)
        if other is not None and other.unique_id != certificate.unique_id:
            raise _already_exists(name)
        path = optional_text(parameters, "NewPath") or certificate.path
        await transaction.put(replace(certificate, name=name, path=path))
    return {}


async def delete_server_certificate(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The end of a certificate. Nothing here uses one, so nothing is in the way."""
    async with iam.store.transaction() as transaction:
        await transaction.delete(await _certificate_to_change(transaction, permitted, parameters))
    return {}


async def tag_server_certificate(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """More tags, or other values."""
    async with iam.store.transaction() as transaction:
        certificate = await _certificate_to_change(transaction, permitted, parameters)
        await transaction.put(replace(certificate, tags=tags.added(certificate.tags, tag_list(parameters))))
    return {}


async def untag_server_certificate(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Fewer tags."""
    async with iam.store.transaction() as transaction:
        certificate = await _certificate_to_change(transaction, permitted, parameters)
        left = tags.removed(certificate.tags, texts(parameters, "TagKeys"))
        await transaction.put(replace(certificate, tags=left))
    return {}


async def list_server_certificate_tags(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The tags of a certificate, sorted by key (IAM API, ListServerCertificateTags)."""
    certificate = _permitted_certificate(iam.store.view(), permitted, parameters)
    chosen, more = page(sorted(certificate.tags), parameters, key=lambda tag: tag[0])
    return {"Tags": tags.members(tuple(chosen)), **more}


def _metadata(certificate: ServerCertificate) -> dict[str, object]:
    return {
        "Path": certificate.path,
        "ServerCertificateName": certificate.name,
        "ServerCertificateId": certificate.unique_id,
        "Arn": certificate.arn,
        "UploadDate": certificate.uploaded_at,
        "Expiration": certificate.expires_at,
    }

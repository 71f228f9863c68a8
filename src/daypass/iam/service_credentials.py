# SPDX-License-Identifier: Apache-2.0
"""
Service-specific credentials of users (IAM API): CreateServiceSpecificCredential, ListServiceSpecificCredentials,
ResetServiceSpecificCredential, UpdateServiceSpecificCredential, DeleteServiceSpecificCredential.

Two kinds (IAM User Guide, "Service-specific credentials for IAM users"): a user name and a password; and, for the services
that take API keys, an alias and a secret, which may expire. The password or secret is made here, answered once, and kept
under the master key.
"""

from __future__ import annotations

import base64
import itertools
import secrets
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, optional_integer, optional_text, text
from daypass.credentials import Secret, new_unique_id
from daypass.errors import EntityError, Reason
from daypass.iam.limits import SERVICE_CREDENTIALS_PER_SERVICE
from daypass.iam.paging import page_of_records
from daypass.iam.service import Iam
from daypass.iam.status import settable_status
from daypass.iam.users import existing_user, user_to_change
from daypass.store import ServiceSpecificCredential, User, View

if TYPE_CHECKING:
    from daypass.store import Transaction

_PASSWORDS: Final = ("codecommit.amazonaws.com", "cassandra.amazonaws.com")
_API_KEYS: Final = {"bedrock.amazonaws.com": "ABSK", "logs.amazonaws.com": "ACWL"}
"""What a secret begins with, by service."""

_PASSWORD_BYTES: Final = 32
_SECONDS_PER_DAY: Final = 86_400


async def create_service_credential(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """A credential with a password or secret that is shown now and never again."""
    service, days = _service(parameters), optional_integer(parameters, "CredentialAgeDays")
    if days is not None and service not in _API_KEYS:
        message = f"CredentialAgeDays is only valid for services that support API keys, and {service} is not one."
        raise EntityError(Reason.INVALID_INPUT, message)
    now = int(permitted.facts.now)
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        present = transaction.view.service_credentials.linked(user.account, ("user", user.unique_id))
        if sum(credential.service == service for credential in present) >= SERVICE_CREDENTIALS_PER_SERVICE:
            message = f"Cannot exceed quota for ServiceSpecificCredentialsPerUser: {SERVICE_CREDENTIALS_PER_SERVICE}"
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        unique_id, user_name = new_unique_id("ACCA"), _free_name(transaction.view, service, user)
        password = _new_password(service, user_name)
        credential = ServiceSpecificCredential(
            account=user.account,
            user_id=user.unique_id,
            unique_id=unique_id,
            service=service,
            user_name=user_name,
            wrapped_password=_wrapped(iam, password, unique_id),
            status="Active",
            created_at=now,
            expires_at=None if days is None else now + days * _SECONDS_PER_DAY,
        )
        await transaction.put(credential)
    return {"ServiceSpecificCredential": _with_password(credential, user.name, password, now)}


def _service(parameters: Parameters) -> str:
    service = text(parameters, "ServiceName")
    if service not in _PASSWORDS and service not in _API_KEYS:
        message = f"No such service {service} is supported for Service Specific Credentials"
        raise EntityError(Reason.SERVICE_NOT_SUPPORTED, message)
    return service


def _free_name(view: View, service: str, user: User) -> str:
    """
    ``jane-at-123456789012``; others are told apart by a number: ``jane+1-at-123456789012``. There may be more than two to
    tell apart: those of a user who was called jane before keep their names.
    """
    suffixes = itertools.chain([""], (f"+{number}" for number in itertools.count(1)))
    names = (f"{user.name}{suffix}-at-{user.account}" for suffix in suffixes)
    taken = view.service_credentials
    return next(name for name in names if not len(taken.linked(user.account, ("service user", f"{service}:{name}"))))


def _new_password(service: str, user_name: str) -> Secret:
    """256 random bits. The secret of an API key says whose it is, too, as AWS's do."""
    random = base64.b64encode(secrets.token_bytes(_PASSWORD_BYTES)).decode("ascii")
    prefix = _API_KEYS.get(service)
    if prefix is None:
        return Secret(random)
    return Secret(prefix + base64.b64encode(f"{user_name}:{random}".encode()).decode("ascii"))


def _wrapped(iam: Iam, password: Secret, unique_id: str) -> bytes:
    return iam.master.wrap(password.reveal().encode("ascii"), password_label(unique_id))


def password_label(unique_id: str) -> bytes:
    """What a password is wrapped with, so that a row copied to another credential's does not open."""
    return b"daypass service credential v1 " + unique_id.encode("ascii")


async def list_service_credentials(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The credentials of a user, or of all, for one service or every; without passwords."""
    service = _service(parameters) if "ServiceName" in parameters else None
    view, now = iam.store.view(), int(permitted.facts.now)
    if parameters.get("AllUsers") is True:
        if optional_text(parameters, "UserName") is not None:
            raise EntityError(Reason.INVALID_INPUT, "UserName cannot be specified together with AllUsers.")
        every = view.service_credentials.of(permitted.caller.principal.account)
    else:
        user = existing_user(iam, permitted, parameters)
        every = view.service_credentials.linked(user.account, ("user", user.unique_id))
    chosen, more = page_of_records(every, parameters, keep=lambda found: service in (None, found.service))
    listed = [_metadata(credential, _name_of(credential, view), now) for credential in chosen]
    return {"ServiceSpecificCredentials": listed, **more}


def _name_of(credential: ServiceSpecificCredential, view: View) -> str:
    user = view.users.with_key(credential.user_id)
    return "" if user is None else user.name  # a user with credentials is not deleted


async def reset_service_credential(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Another password or secret, shown now and never again; the one before is gone."""
    async with iam.store.transaction() as transaction:
        credential, user = await _credential_to_change(transaction, permitted, parameters)
        password = _new_password(credential.service, credential.user_name)
        wrapped = _wrapped(iam, password, credential.unique_id)
        await transaction.put(replace(credential, wrapped_password=wrapped))
    now = int(permitted.facts.now)
    return {"ServiceSpecificCredential": _with_password(credential, user.name, password, now)}


async def update_service_credential(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Active or inactive."""
    status = settable_status(parameters)
    async with iam.store.transaction() as transaction:
        credential, _ = await _credential_to_change(transaction, permitted, parameters)
        await transaction.put(replace(credential, status=status))
    return {}


async def delete_service_credential(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The end of a credential."""
    async with iam.store.transaction() as transaction:
        credential, _ = await _credential_to_change(transaction, permitted, parameters)
        await transaction.delete(credential)
    return {}


async def _credential_to_change(
    transaction: Transaction, permitted: Permitted, parameters: Parameters
) -> tuple[ServiceSpecificCredential, User]:
    user = await user_to_change(transaction, permitted, parameters)
    credential_id = text(parameters, "ServiceSpecificCredentialId")
    credential = transaction.view.service_credentials.with_key(credential_id)
    if credential is None or credential.user_id != user.unique_id:
        raise EntityError(Reason.NO_SUCH_ENTITY, f"No such credential {credential_id} exists")
    return credential, user


def _metadata(credential: ServiceSpecificCredential, user_name: str, now: int) -> dict[str, object]:
    expired = credential.expires_at is not None and credential.expires_at <= now
    shown_as = "ServiceCredentialAlias" if credential.service in _API_KEYS else "ServiceUserName"
    return {
        "UserName": user_name,
        "Status": "Expired" if expired else credential.status,
        shown_as: credential.user_name,
        "CreateDate": credential.created_at,
        "ExpirationDate": credential.expires_at,
        "ServiceSpecificCredentialId": credential.unique_id,
        "ServiceName": credential.service,
    }


def _with_password(
    credential: ServiceSpecificCredential, user_name: str, password: Secret, now: int
) -> dict[str, object]:
    shown_as = "ServiceCredentialSecret" if credential.service in _API_KEYS else "ServicePassword"
    return {**_metadata(credential, user_name, now), shown_as: password.reveal()}

# SPDX-License-Identifier: Apache-2.0
"""
A record, in the shape of CloudTrail's (CloudTrail User Guide, "CloudTrail record contents").

``requestParameters`` and ``responseElements`` are null where there are none, as in CloudTrail; other fields are left out.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from daypass.audit.admission import MAX_TEXT
from daypass.audit.event import Event, Proven, Who, pack, unpack
from daypass.clock import iso8601
from daypass.principal import AccountPrincipal, FederatedUser, RoleSession, Root, User

VERSION: Final = "1.11"
"""``eventVersion``: the version of CloudTrail's format that this is."""

MAX_USER_AGENT: Final = 512
"""Characters of the User-Agent header that are recorded. Those of SDKs have 100 to 300."""


class Record(msgspec.Struct, frozen=True, rename="camel"):
    """A record of the trail; the names on the wire are CloudTrail's."""

    event_version: str
    user_identity: msgspec.Raw
    event_time: str
    event_source: str
    event_name: str
    aws_region: str
    source_ip_address: str = msgspec.field(name="sourceIPAddress")
    user_agent: str | None
    error_code: str | UnsetType
    error_message: str | UnsetType
    request_parameters: Mapping[str, Any] | None
    response_elements: Mapping[str, Any] | None
    additional_event_data: Mapping[str, Any] | UnsetType
    request_id: str = msgspec.field(name="requestID")
    event_id: str = msgspec.field(name="eventID")
    read_only: bool
    resources: list[dict[str, str]] | UnsetType
    event_type: str
    management_event: bool
    recipient_account_id: str | UnsetType
    event_category: str


def record_of(event: Event, event_id: str) -> Record:
    """The record of an event. ``event_id``: a UUID of its own."""
    user_agent = event.user_agent
    return Record(
        VERSION,
        _identity(event.who),
        iso8601(event.at),
        event.source,
        event.name,
        event.region,
        event.source_ip or "unknown",
        user_agent if user_agent is None else user_agent[:MAX_USER_AGENT],
        UNSET if event.code is None else event.code,
        UNSET if event.message is None else event.message[:MAX_TEXT],
        event.parameters,
        event.answer,
        _data(event),
        event.request_id,
        event_id,
        event.read_only,
        [_resource(arn) for arn in event.resources] if event.resources else UNSET,
        event.kind,
        event.management,
        _recipient(event) or UNSET,
        "Management" if event.management else "Data",
    )


def _data(event: Event) -> dict[str, Any] | UnsetType:
    """What CloudTrail's own fields have no place for."""
    who = event.who
    if (
        event.reason is None
        and event.data is None
        and event.decision is None
        and isinstance(who, Who)
        and not who.chain
    ):
        return UNSET  # as for most
    data: dict[str, Any] = {} if event.data is None else dict(event.data)
    if event.reason is not None:
        data["reason"] = event.reason.value
    if event.decision is not None:
        packed = event.decision if isinstance(event.decision, bytes) else pack(event.decision())
        text = unpack(packed)
        data["decision"] = {"leftOut": "too long"} if text is None else msgspec.Raw(text)
    if isinstance(who, Proven):
        data["provider"] = who.provider_arn
        if who.proof_id is not None:
            name = "assertionIdSha256" if who.kind == "SAMLUser" else "tokenIdSha256"
            data[name] = hashlib.sha256(who.proof_id.encode()).hexdigest()
        if who.certificate is not None:
            data["certificateSha256"] = who.certificate
        if who.weak:
            data["weak"] = who.weak
    elif isinstance(who, Who) and who.chain:
        data["chain"] = who.chain
    return data or UNSET


def _identity(who: Who | Proven | None) -> msgspec.Raw:
    """CloudTrail User Guide, "CloudTrail userIdentity element"; as JSON, for most callers call again and again."""
    if who is None:
        return _UNKNOWN
    if isinstance(who, Proven):
        return _proven(who.kind, who.provider_arn, who.qualifier, who.subject)
    return _caller_json(who)


_UNKNOWN: Final = msgspec.Raw(b'{"type":"Unknown"}')


@functools.lru_cache(maxsize=1024)
def _proven(kind: str, provider_arn: str, qualifier: str, subject: str) -> msgspec.Raw:
    named = {
        "type": kind,
        "principalId": f"{qualifier}:{subject}",
        "userName": subject,
        "identityProvider": provider_arn,
    }
    return msgspec.Raw(msgspec.json.encode(named))


@functools.lru_cache(maxsize=1024)
def _caller_json(who: Who) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(_caller(who)))


def _caller(who: Who) -> dict[str, Any]:
    principal = who.principal
    found: dict[str, Any] = {
        "type": _TYPES[type(principal)],
        "principalId": principal.user_id,
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": who.access_key_id,
    }
    if type(principal) is User:
        found["userName"] = principal.name
    if who.issued_at is None:
        return found
    context: dict[str, Any] = {
        "attributes": {
            "creationDate": iso8601(who.issued_at),
            "mfaAuthenticated": "true" if who.mfa else "false",
        }
    }
    issuer = _session_issuer(principal)
    if issuer is not None:
        context["sessionIssuer"] = issuer
    if who.provider is not None:
        attributes = {} if who.subject is None else {"sub": who.subject}
        context["webIdFederationData"] = {"federatedProvider": who.provider, "attributes": attributes}
    if who.source_identity is not None:
        context["sourceIdentity"] = who.source_identity
    found["sessionContext"] = context
    return found


_TYPES: Final[Mapping[type, str]] = {
    Root: "Root",
    User: "IAMUser",
    RoleSession: "AssumedRole",
    FederatedUser: "FederatedUser",
}


def _session_issuer(principal: AccountPrincipal) -> Mapping[str, str] | None:
    """Whose permissions a session has, where it is not the caller itself."""
    if isinstance(principal, RoleSession):
        return {
            "type": "Role",
            "principalId": principal.role_id,
            "arn": principal.role_arn,
            "accountId": principal.account,
            "userName": principal.role_name,
        }
    if not isinstance(principal, FederatedUser):
        return None
    parent = principal.parent
    shown = {"principalId": parent.user_id, "arn": parent.arn, "accountId": parent.account}
    return (
        {"type": "IAMUser", **shown, "userName": parent.name} if isinstance(parent, User) else {"type": "Root", **shown}
    )


def _resource(arn: str) -> dict[str, str]:
    account = _account_in(arn)
    return {"ARN": arn} if account is None else {"ARN": arn, "accountId": account}


def _recipient(event: Event) -> str | None:
    """Whose trail it is: the caller's account; of a proof its provider's; of a refused one that of the role it names."""
    who = event.who
    if isinstance(who, Who):
        return who.principal.account
    if event.account is not None:
        return event.account
    if isinstance(who, Proven):
        return _account_in(who.provider_arn)
    claimed = event.parameters.get("roleArn") if event.parameters else None
    return _account_in(claimed) if isinstance(claimed, str) else None


@functools.lru_cache(maxsize=1024)
def _account_in(arn: str) -> str | None:
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 and len(parts[4]) == 12 and parts[4].isdecimal() else None

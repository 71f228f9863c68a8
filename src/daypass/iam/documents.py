# SPDX-License-Identifier: Apache-2.0
"""
Policy documents on their way in and out: checked when written, stored as sent, URL-encoded when shown.

IAM answers documents encoded per RFC 3986 (IAM API, GetRolePolicy: PolicyDocument), and counts their length without
white space outside strings (IAM User Guide, "IAM and STS quotas").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from daypass.arn import Arn
from daypass.errors import EntityError, PolicyError, Reason
from daypass.policy import Kind, compile_policy
from daypass.policy.limits import TRUST_POLICY, policy_size
from daypass.store import Role, User, View


def shown(document: str) -> str:
    """A document as IAM answers it."""
    return quote(document, safe="~")


def shown_trust_policy(role: Role, view: View) -> str:
    """
    A role's trust policy as IAM answers it: a principal whose ARN is another by now is shown by that, and one that is gone
    by its unique id (IAM User Guide, "AWS JSON policy elements: Principal").
    """
    now = {written: _arn_now(unique_id, view) or unique_id for written, unique_id in role.trust_principals}
    if all(written == name for written, name in now.items()):
        return shown(role.trust_policy)
    return shown(_with_principals(role.trust_policy, now))


def check_trust_policy(document: str, view: View) -> tuple[tuple[str, str], ...]:
    """
    Check a role trust policy, and say which unique ids its principals have (IAM User Guide, "Principal": a role or user
    is stored by its unique id, so that another of the same name does not inherit the trust).

    Raises PolicyError, or EntityError when it is too long.
    """
    policy = compile_policy(document, Kind.TRUST)
    if policy_size(document) > TRUST_POLICY:
        message = f"Cannot exceed quota for ACLSizePerRole: {TRUST_POLICY}"
        raise EntityError(Reason.LIMIT_EXCEEDED, message)
    elements = [statement.principal for statement in policy.statements if statement.principal is not None]
    written_ids = sorted({unique_id for element in elements for unique_id in element.ids})
    return (
        *((arn, _unique_id(arn, view)) for arn in policy.principal_arns),
        *((unique_id, _living(unique_id, view)) for unique_id in written_ids),
    )


def _unique_id(arn: str, view: View) -> str:
    parsed = Arn.parse(arn)
    entity: Role | User | None
    if parsed.resource.startswith("user/"):
        entity = view.users.with_name(parsed.account, parsed.name)
    else:
        entity = view.roles.with_name(parsed.account, parsed.name)
    if entity is None or entity.arn != arn:
        raise _invalid_principal(arn)
    return entity.unique_id


def _living(unique_id: str, view: View) -> str:
    """A unique id written as such, if somebody has it: one that was shown for an entity that is gone is refused."""
    if _arn_now(unique_id, view) is None:
        raise _invalid_principal(unique_id)
    return unique_id


def _arn_now(unique_id: str, view: View) -> str | None:
    entity = view.users.with_key(unique_id) or view.roles.with_key(unique_id)
    return None if entity is None else entity.arn


def _invalid_principal(name: str) -> PolicyError:
    return PolicyError(Reason.POLICY_PRINCIPAL_INVALID, f'Invalid principal in policy: "AWS":"{name}"')


def _with_principals(document: str, names: Mapping[str, str]) -> str:
    """The document with other names for some AWS principals. Condition values that read the same stay what they are."""
    policy: dict[str, Any] = json.loads(document)
    statements = policy["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        entries = statement["Principal"]
        written = entries.get("AWS")
        if isinstance(written, list):
            entries["AWS"] = [names.get(entry, entry) for entry in written]
        elif written is not None:
            entries["AWS"] = names.get(written, written)
    return json.dumps(policy, ensure_ascii=False)

# SPDX-License-Identifier: Apache-2.0
"""
The users and roles that a stored policy names (IAM User Guide, "AWS JSON policy elements: Principal").

A user or role is stored by its unique id, so that another of the same name does not inherit what was granted. A principal
whose ARN is another by now is shown by that, and one that is gone by its unique id. Trust policies and resource policies alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from daypass.arn import Arn
from daypass.errors import PolicyError, Reason
from daypass.policy import Policy
from daypass.store import Role, User, View

StoredPrincipals = tuple[tuple[str, str], ...]
"""(as written, unique id), each once."""


def stored_principals(policy: Policy, view: View) -> StoredPrincipals:
    """
    Which unique ids the users and roles of a policy have. Raises PolicyError (POLICY_PRINCIPAL_INVALID) for one that is not
    there, and for a unique id that nobody has.
    """
    elements = [statement.principal for statement in policy.statements if statement.principal is not None]
    written_ids = sorted({unique_id for element in elements for unique_id in element.ids})
    return (
        *((arn, _unique_id(arn, view)) for arn in policy.principal_arns),
        *((unique_id, _living(unique_id, view)) for unique_id in written_ids),
    )


def shown_document(document: str, principals: StoredPrincipals, view: View) -> str:
    """A document as it is shown now: the text as sent, unless a principal of it has another name by now, or is gone."""
    now = {written: _arn_now(unique_id, view) or unique_id for written, unique_id in principals}
    if all(written == name for written, name in now.items()):
        return document
    return _with_principals(document, now)


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
        for element in ("Principal", "NotPrincipal"):
            entries = statement.get(element)
            if isinstance(entries, dict) and "AWS" in entries:
                entries["AWS"] = _renamed(entries["AWS"], names)
    return json.dumps(policy, ensure_ascii=False)


def _renamed(written: Any, names: Mapping[str, str]) -> Any:
    if isinstance(written, list):
        return [names.get(entry, entry) for entry in written]
    return names.get(written, written)

# SPDX-License-Identifier: Apache-2.0
"""
The shape of a policy document (IAM User Guide, "Grammar of the IAM JSON policy language").

Turns JSON into ``Document`` and ``Statement``, which hold plain strings and tuples. What is checked here holds for every
kind of policy: names, types, one of each Not-pair, known operators. What a kind adds is in the rules of that kind.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from daypass.errors import PolicyError, Reason
from daypass.policy.json_text import Json, Number

VERSION_2008 = "2008-10-17"
VERSION_2012 = "2012-10-17"
SYNTAX = "Syntax errors in policy."

_BASES = frozenset(
    [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnEquals",
        "ArnNotEquals",
        "ArnLike",
        "ArnNotLike",
        "Null",
    ]
)
_POLICY_NAMES = frozenset({"Version", "Id", "Statement"})
_STATEMENT_NAMES = frozenset(
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"]
)
PRINCIPAL_TYPES = frozenset({"AWS", "Federated", "Service", "CanonicalUser"})


class Kind(enum.Enum):
    """What a document is used as. It decides which elements are legal, and how some of them match."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"
    RESOURCE = "resource"
    TRUST = "trust"
    SCP = "scp"
    RCP = "rcp"
    VPC_ENDPOINT = "vpce"

    # Enum hashes by name, in Python; kinds are keys of caches on the path of every request.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator, taken apart: ``ForAnyValue:`` + ``StringLike`` + ``IfExists``."""

    name: str
    prefix: str
    base: str
    if_exists: bool

    @property
    def negated(self) -> bool:
        """Whether this is one of the Not forms, for which several policy values mean NOR."""
        return "Not" in self.base

    @classmethod
    def parse(cls, name: str) -> Operator | None:
        """Take an operator apart; None when there is no such operator. The spelling is exact."""
        prefix, colon, rest = name.rpartition(":")
        if colon and prefix not in ("ForAllValues", "ForAnyValue"):
            return None
        base = rest.removesuffix("IfExists")
        if base not in _BASES or (base == "Null" and rest != base):
            return None
        return cls(name, prefix, base, rest != base)


@dataclass(frozen=True, slots=True)
class ConditionSource:
    """One (operator, key, values) of a Condition block, as written."""

    operator: Operator
    key: str
    values: tuple[str, ...]


Principals = Mapping[str, tuple[str, ...]]
"""Entries by type. ``"Principal": "*"`` is ``{"*": ("*",)}``."""


@dataclass(frozen=True, slots=True)
class StatementSource:
    """A statement as written. An element that is absent is None; an empty list is an empty tuple."""

    index: int
    sid: str
    effect: str
    principal: Principals | None
    not_principal: Principals | None
    action: tuple[str, ...] | None
    not_action: tuple[str, ...] | None
    resource: tuple[str, ...] | None
    not_resource: tuple[str, ...] | None
    conditions: tuple[ConditionSource, ...]
    has_condition: bool

    @property
    def denies(self) -> bool:
        """Whether its Effect is Deny."""
        return self.effect == "Deny"

    @property
    def actions(self) -> tuple[str, ...]:
        """The patterns of Action or NotAction, whichever is there."""
        return self.action or self.not_action or ()

    @property
    def resources(self) -> tuple[str, ...]:
        """The patterns of Resource or NotResource, whichever is there."""
        return self.resource or self.not_resource or ()


@dataclass(frozen=True, slots=True)
class Document:
    """A document whose shape is right. ``version`` is None when it is absent, which means 2008-10-17."""

    version: str | None
    id: str | None
    statements: tuple[StatementSource, ...]


def syntax_error() -> PolicyError:
    """The refusal of every wrong shape."""
    return PolicyError(Reason.POLICY_SYNTAX, SYNTAX)


def read_document(value: Json) -> Document:
    """The document that the JSON value is. Raises PolicyError with POLICY_SYNTAX when its shape is wrong."""
    if not isinstance(value, dict) or not value.keys() <= _POLICY_NAMES:
        raise syntax_error()
    version = value.get("Version")
    if "Version" in value and version not in (VERSION_2008, VERSION_2012):
        raise syntax_error()
    statements = value.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise syntax_error()
    return Document(
        None if version is None else _text(version),
        _text(value["Id"]) if "Id" in value else None,
        tuple(_statement(index, statement) for index, statement in enumerate(statements)),
    )


def _statement(index: int, value: Json) -> StatementSource:
    if not isinstance(value, dict) or not value.keys() <= _STATEMENT_NAMES:
        raise syntax_error()
    for element in ("Action", "Resource", "Principal"):
        if element in value and f"Not{element}" in value:
            raise syntax_error()
    effect = _text(value.get("Effect"))
    if effect.lower() not in ("allow", "deny"):
        raise syntax_error()
    return StatementSource(
        index=index,
        sid=_text(value.get("Sid", "")),
        effect=effect,
        principal=_principals(value["Principal"]) if "Principal" in value else None,
        not_principal=_principals(value["NotPrincipal"]) if "NotPrincipal" in value else None,
        action=_texts(value["Action"]) if "Action" in value else None,
        not_action=_texts(value["NotAction"]) if "NotAction" in value else None,
        resource=_resources(value["Resource"]) if "Resource" in value else None,
        not_resource=_resources(value["NotResource"]) if "NotResource" in value else None,
        conditions=_conditions(value["Condition"]) if "Condition" in value else (),
        has_condition="Condition" in value,
    )


def _text(value: Json) -> str:
    if not isinstance(value, str) or isinstance(value, Number):
        raise syntax_error()
    return value


def _texts(value: Json) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(map(_text, value))
    return (_text(value),)


def _resources(value: Json) -> tuple[str, ...]:
    """Like ``_texts``, but AWS accepts null in a list of resources and forgets it."""
    if isinstance(value, list):
        return tuple(_text(item) for item in value if item is not None)
    return (_text(value),)


def _principals(value: Json) -> Principals:
    if value == "*":
        return {"*": ("*",)}
    if not isinstance(value, dict) or not value.keys() <= PRINCIPAL_TYPES:
        raise syntax_error()
    return {name: _texts(entries) for name, entries in value.items()}


def _conditions(value: Json) -> tuple[ConditionSource, ...]:
    if not isinstance(value, dict):
        raise syntax_error()
    found: list[ConditionSource] = []
    for name, keys in value.items():
        operator = Operator.parse(name)
        # An operator nobody knows is let through only when it asks nothing.
        if not isinstance(keys, dict) or (operator is None and keys):
            raise syntax_error()
        if operator is not None:
            found.extend(ConditionSource(operator, key, _condition_values(values)) for key, values in keys.items())
    return tuple(found)


def _condition_values(value: Json) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(map(_scalar, value))
    return (_scalar(value),)


def _scalar(value: Json) -> str:
    """The text of a string, number or boolean: 10 is "10", true is "true"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise syntax_error()
    return str(value)

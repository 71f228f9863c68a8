# SPDX-License-Identifier: Apache-2.0
"""
Is a policy public (S3 User Guide, "Blocking public access to your Amazon S3 storage: The meaning of public").

A policy is public until shown otherwise: one that is not has no Allow statement that is. A statement is not public when it

1. names its principals: accounts, users, roles, sessions, services, providers;
2. or has a condition that holds only for fixed values, without wildcards and variables, of a key that says who asks or where
   from (``KEYS``). Address ranges may not be wider than /8 for IPv4 and /32 for IPv6.

What holds too when the key is absent (``...IfExists``, ``ForAllValues:``, the Not operators, ``Null``) shows nothing.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from daypass.policy import Policy
from daypass.policy.document import ConditionSource
from daypass.policy.statement import Statement
from daypass.policy.values import network
from daypass.resources.limits import FIXED_IPV4_PREFIX, FIXED_IPV6_PREFIX

KEYS: Final = frozenset(
    [
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
    ]
)
"""Keys of which a fixed value makes a statement not public, in lower case. AWS's list says "an AWS principal, user, role
(e.g. aws:PrincipalOrgID)"; here that is the three keys of its kind that have one value."""

_OPERATORS: Final = frozenset(
    ["StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress"]
)
_ACCESS_POINT: Final = re.compile(r"arn:[a-z-]+:s3:[a-z0-9-]+:[0-9]{12}:accesspoint/[^?$/]+", re.ASCII)
_OF_A_ROLE: Final = re.compile(r"ARO[^:]*:", re.IGNORECASE)


@functools.lru_cache(maxsize=4096)
def is_public(policy: Policy) -> bool:
    """Whether a resource's policy grants anything to the public."""
    return any(not statement.denies and _grants_the_public(statement) for statement in policy.statements)


def _grants_the_public(statement: Statement) -> bool:
    if statement.unreachable:
        return False  # without a principal it grants nobody anything
    principal = statement.principal
    if principal is not None and not principal.negated and not principal.everyone:
        return False
    return not any(_fixes(condition) for condition in statement.source.conditions)


def _fixes(condition: ConditionSource) -> bool:
    """Whether a condition holds only for fixed callers or places."""
    key, operator = condition.key.lower(), condition.operator
    if key not in KEYS or operator.base not in _OPERATORS or operator.if_exists or operator.prefix == "ForAllValues":
        return False
    if (operator.base == "IpAddress") is not (key == "aws:sourceip"):
        return False
    return bool(condition.values) and all(_is_fixed(key, value) for value in condition.values)


def _is_fixed(key: str, value: str) -> bool:
    if key == "aws:sourceip":
        return _is_narrow(value)
    if key == "s3:dataaccesspointarn" and _ACCESS_POINT.fullmatch(value):
        return True  # every access point of one account is a fixed value too
    if key == "aws:userid" and _OF_A_ROLE.match(value):
        return False  # whoever may assume the role chooses the rest
    return bool(value) and not any(sign in value for sign in ("*", "?", "${"))


def _is_narrow(value: str) -> bool:
    """INVARIANT: read as decisions read it. To them ``::ffff:0:0/96`` is every IPv4 address."""
    found = network(value)
    if found is None:
        return False
    version, _, mask = found
    return mask.bit_count() >= (FIXED_IPV4_PREFIX if version == 4 else FIXED_IPV6_PREFIX)

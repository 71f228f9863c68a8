# SPDX-License-Identifier: Apache-2.0
"""
From text to a compiled policy: read, check the shape, check the rules of the kind, compile; remembered by content.
"""

from __future__ import annotations

import threading

from daypass.errors import PolicyError, Reason
from daypass.policy import json_text, limits
from daypass.policy.compiled import Policy
from daypass.policy.document import Document, Kind, read_document
from daypass.policy.identity_rules import check_identity
from daypass.policy.resource_rules import check_rcp, check_resource, check_scp, check_session, check_vpc_endpoint
from daypass.policy.trust_rules import check_trust, check_trust_shape

_RULES = {
    Kind.IDENTITY: check_identity,
    Kind.BOUNDARY: check_identity,
    Kind.SESSION: check_session,
    Kind.RESOURCE: check_resource,
    Kind.TRUST: check_trust,
    Kind.SCP: check_scp,
    Kind.RCP: check_rcp,
    Kind.VPC_ENDPOINT: check_vpc_endpoint,
}


class _Remembered:
    """Compiled policies of one kind by text. Reading takes no lock; the oldest leaves when there are too many."""

    def __init__(self) -> None:
        self.policies: dict[str, Policy] = {}
        self._characters = 0
        self._lock = threading.Lock()

    def add(self, text: str, policy: Policy) -> Policy:
        with self._lock:
            if text not in self.policies:
                self.policies[text] = policy
                self._characters += len(text)
            while len(self.policies) > limits.MAX_COMPILED or self._characters > limits.MAX_COMPILED_CHARACTERS:
                oldest = next(iter(self.policies))
                del self.policies[oldest]
                self._characters -= len(oldest)
        return policy


_remembered = {kind: _Remembered() for kind in Kind}


def compile_policy(text: str, kind: Kind) -> Policy:
    """
    Validate a document as a policy of the kind, and compile it. The same text again is a dictionary lookup.

    Raises PolicyError whose message is AWS's own for the first rule that is broken, in AWS's order; the reason is one of the
    POLICY_ members. Quotas on the size of stored policies are the caller's: see ``daypass.policy.limits``.
    **What it cannot check:** that the users and roles in ``Policy.principal_arns`` exist.
    """
    remembered = _remembered[kind]
    policy = remembered.policies.get(text)
    if policy is not None:
        return policy
    return remembered.add(text, Policy(_read(text, kind), kind, text))


def _read(text: str, kind: Kind) -> Document:
    trust = kind is Kind.TRUST
    try:
        value = json_text.read(text)
    except PolicyError as error:
        if trust and error.reason is Reason.POLICY_SYNTAX:
            raise PolicyError(Reason.POLICY_SYNTAX, "This policy contains invalid Json") from error
        raise
    if trust:
        check_trust_shape(value)
    try:
        document = read_document(value)
    except PolicyError as error:
        if trust:
            raise PolicyError(error.reason, "Syntax error in policy.") from error
        raise
    _RULES[kind](document)
    return document

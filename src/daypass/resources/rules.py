# SPDX-License-Identifier: Apache-2.0
"""
What is checked when a policy of a resource is written, and whom it names.

Bucket policies have rules of their own (``bucket_rules``). In the policies of all other resources the actions are those of the
service that the ARN names, and the resource, where a statement has one, is the ARN itself, below it, or ``*``.
"""

from __future__ import annotations

import functools

import msgspec

from daypass.access.stored_principals import StoredPrincipals, stored_principals
from daypass.arn import Arn
from daypass.errors import PolicyError, Reason
from daypass.policy import Kind, NamedPolicy, Policy, compile_policy
from daypass.policy.actions import split_action
from daypass.policy.document import Document
from daypass.resources.bucket_rules import compile_bucket_policy
from daypass.resources.limits import BUCKET_POLICY
from daypass.resources.naming import bucket_name, check_arn
from daypass.store import ResourcePolicy, View


class CheckedPolicy(msgspec.Struct, frozen=True):
    """A document that is right as the policy of ``arn``, compiled, with the unique ids of the users and roles in it."""

    arn: str
    policy: Policy
    principals: StoredPrincipals

    def named(self) -> NamedPolicy:
        """As a layer of decisions."""
        return NamedPolicy(self.arn, self.policy, dict(self.principals))


def check_policy(arn: str, document: str, view: View) -> CheckedPolicy:
    """
    Check the document as the policy of the resource. Raises EntityError for an ARN that can have none, and PolicyError,
    for buckets in S3's words, for what is wrong with the document.
    """
    check_arn(arn)
    if len(document.encode("utf-8", "surrogatepass")) > BUCKET_POLICY:
        message = f"The policy is larger than {BUCKET_POLICY} bytes."
        raise PolicyError(Reason.POLICY_TOO_LARGE, message)
    of_bucket = bucket_name(arn) is not None
    policy = compile_bucket_policy(document, arn) if of_bucket else _compile_other(document, arn)
    try:
        return CheckedPolicy(arn, policy, stored_principals(policy, view))
    except PolicyError as error:
        raise PolicyError(error.reason, "Invalid principal in policy") from error


def _compile_other(document: str, arn: str) -> Policy:
    policy = compile_policy(document, Kind.RESOURCE)
    service = Arn.parse(arn).service
    for statement in policy.statements:
        source = statement.source
        if source.principal is None and source.not_principal is None:
            raise PolicyError(Reason.POLICY_WITHOUT_PRINCIPAL, "Missing required field Principal")
        for action in source.actions:
            if action != "*" and split_action(action)[0] != service:
                raise PolicyError(Reason.POLICY_ACTION_INVALID, f"Expected actions of {service}, got {action!r}.")
        for resource in source.resources:
            if resource not in ("*", arn) and not resource.startswith((f"{arn}/", f"{arn}:")):
                raise PolicyError(Reason.POLICY_RESOURCE_INVALID, "Policy has invalid resource")
    return policy


def named_policy(stored: ResourcePolicy, *, without_grants: bool = False) -> NamedPolicy:
    """
    A stored policy as a layer of decisions. ``without_grants``: only what it denies.

    Raises PolicyError for a text that is no policy: nobody knows what it denied, so nothing may be allowed.
    """
    return _named(stored.arn, stored.document, stored.principals, without_grants)


@functools.lru_cache(maxsize=4096)
def _named(arn: str, document: str, principals: StoredPrincipals, without_grants: bool) -> NamedPolicy:
    policy = compile_policy(document, Kind.RESOURCE)
    if without_grants:
        denies = tuple([statement.source for statement in policy.statements if statement.denies])
        policy = Policy(Document(policy.version, None, denies), Kind.RESOURCE, document)
    return NamedPolicy(arn, policy, dict(principals))

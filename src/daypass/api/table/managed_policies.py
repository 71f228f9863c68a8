# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: managed policies and their versions."""

from __future__ import annotations

from typing import Final

from daypass import arn
from daypass.access import Caller
from daypass.access.policies import managed_policy
from daypass.api.resources import Resource, everything
from daypass.api.row import Row
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.iam import managed_policies, policy_entities, policy_versions
from daypass.store import View


def policy_to_be(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The policy that CreatePolicy would make."""
    account, path = caller.principal.account, optional_text(parameters, "Path") or "/"
    return Resource(arn.policy_arn(account, path, text(parameters, "PolicyName")), account)


def policy(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """
    The policy that ``PolicyArn`` names.

    One that comes with the service, or of an account that is not the caller's, is decided on by the caller's own policies
    alone: nobody else could permit it. What may be done with it at all, the operation says.
    """
    # INVARIANT: the operation acts on a policy whose ARN is exactly this one.
    account, policy_arn = caller.principal.account, text(parameters, "PolicyArn")
    found = managed_policy(view, policy_arn)
    return Resource(policy_arn, account, found.tags if found is not None and found.account == account else ())


ROWS: Final = (
    Row("CreatePolicy", policy_to_be, managed_policies.create_policy),
    Row("GetPolicy", policy, managed_policies.get_policy),
    Row("ListPolicies", everything, managed_policies.list_policies),
    Row("DeletePolicy", policy, managed_policies.delete_policy),
    Row("TagPolicy", policy, managed_policies.tag_policy),
    Row("UntagPolicy", policy, managed_policies.untag_policy),
    Row("ListPolicyTags", policy, managed_policies.list_policy_tags),
    Row("ListEntitiesForPolicy", policy, policy_entities.list_entities_for_policy),
    Row("CreatePolicyVersion", policy, policy_versions.create_policy_version),
    Row("GetPolicyVersion", policy, policy_versions.get_policy_version),
    Row("ListPolicyVersions", policy, policy_versions.list_policy_versions),
    Row("DeletePolicyVersion", policy, policy_versions.delete_policy_version),
    Row("SetDefaultPolicyVersion", policy, policy_versions.set_default_policy_version),
)

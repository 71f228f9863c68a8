# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: instance profiles."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from daypass import arn
from daypass.access import Caller
from daypass.api.resources import Resource, everything
from daypass.api.row import Row
from daypass.api.table.roles import role_alone
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.iam import instance_profiles
from daypass.store import View

_SERVICE_OF_INSTANCES: Final = "ec2.amazonaws.com"


def instance_profile_to_be(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The profile that CreateInstanceProfile would make."""
    account, path = caller.principal.account, optional_text(parameters, "Path") or "/"
    return Resource(arn.instance_profile_arn(account, path, text(parameters, "InstanceProfileName")), account)


def instance_profile(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The profile that ``InstanceProfileName`` names. A denial names it without its path, as one that is not there."""
    account, name = caller.principal.account, text(parameters, "InstanceProfileName")
    found = view.instance_profiles.with_name(account, name)
    shown = arn.instance_profile_arn(account, "/", name)
    return Resource(shown, account) if found is None else Resource(found.arn, account, found.tags, shown)


def passed_role(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """
    The role that AddRoleToInstanceProfile passes, to EC2 and for any instance of the account (IAM API,
    AddRoleToInstanceProfile; IAM User Guide, "Grant a user permissions to pass a role to an AWS service").
    """
    keys = {
        "iam:passedtoservice": _SERVICE_OF_INSTANCES,
        "iam:associatedresourcearn": f"arn:{arn.PARTITION}:ec2:*:{caller.principal.account}:instance/*",
    }
    return replace(role_alone(parameters, caller, view), keys=keys)


ROWS: Final = (
    Row("CreateInstanceProfile", instance_profile_to_be, instance_profiles.create_instance_profile),
    Row("GetInstanceProfile", instance_profile, instance_profiles.get_instance_profile),
    Row("ListInstanceProfiles", everything, instance_profiles.list_instance_profiles),
    Row("ListInstanceProfilesForRole", role_alone, instance_profiles.list_instance_profiles_for_role),
    Row("DeleteInstanceProfile", instance_profile, instance_profiles.delete_instance_profile),
    Row(
        "AddRoleToInstanceProfile",
        instance_profile,
        instance_profiles.add_role_to_instance_profile,
        also=(("iam:PassRole", passed_role),),
    ),
    Row("RemoveRoleFromInstanceProfile", instance_profile, instance_profiles.remove_role_from_instance_profile),
    Row("TagInstanceProfile", instance_profile, instance_profiles.tag_instance_profile),
    Row("UntagInstanceProfile", instance_profile, instance_profiles.untag_instance_profile),
    Row("ListInstanceProfileTags", instance_profile, instance_profiles.list_instance_profile_tags),
)

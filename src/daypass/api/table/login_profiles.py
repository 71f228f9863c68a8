# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: what users sign in to the portal with."""

from __future__ import annotations

from typing import Final

from daypass.access import Caller
from daypass.api.resources import Resource
from daypass.api.row import Row
from daypass.api.table.users import user_alone
from daypass.awsapi.parameters import Parameters
from daypass.iam import login_profiles
from daypass.principal import RoleSession
from daypass.store import View


def oneself(_parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The user who calls. Others have no password: they are decided for what they are, and told so by the operation."""
    principal = caller.principal
    if caller.user is not None:
        return Resource(caller.user.arn, principal.account, caller.user.tags)
    return Resource(principal.role_arn if isinstance(principal, RoleSession) else principal.arn, principal.account)


ROWS: Final = (
    Row("CreateLoginProfile", user_alone, login_profiles.create_login_profile),
    Row("GetLoginProfile", user_alone, login_profiles.get_login_profile),
    Row("UpdateLoginProfile", user_alone, login_profiles.update_login_profile),
    Row("DeleteLoginProfile", user_alone, login_profiles.delete_login_profile),
    Row("ChangePassword", oneself, login_profiles.change_password),
)

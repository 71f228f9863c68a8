# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: access keys of users and of the root user."""

from __future__ import annotations

from typing import Final

from daypass import arn
from daypass.access import Caller
from daypass.api.resources import Resource
from daypass.api.row import Row
from daypass.api.table.users import user_alone
from daypass.awsapi.parameters import Parameters, text
from daypass.iam import access_keys
from daypass.store import View


def owner_of_key(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """
    The user whose key ``AccessKeyId`` names, if it is one of the caller's account. A denial names the key: whose it is,
    and whether there is one, is not for everybody.
    """
    account, key_id = caller.principal.account, text(parameters, "AccessKeyId")
    shown = f"access key {key_id}"
    key = view.access_keys.with_key(key_id)
    if key is None or key.account != account:
        # Nobody's: only who may see all users learns that.
        return Resource(arn.user_arn(account, "/", "*"), account, shown=shown)
    user = None if key.user_id is None else view.users.with_key(key.user_id)
    if user is None:
        return Resource(arn.root_arn(account), account, shown=shown)
    return Resource(user.arn, account, user.tags, shown)


ROWS: Final = (
    Row("CreateAccessKey", user_alone, access_keys.create_access_key),
    Row("ListAccessKeys", user_alone, access_keys.list_access_keys),
    Row("UpdateAccessKey", user_alone, access_keys.update_access_key),
    Row("DeleteAccessKey", user_alone, access_keys.delete_access_key),
    Row("GetAccessKeyLastUsed", owner_of_key, access_keys.get_access_key_last_used),
)

# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: what an account has set, and what there is in it."""

from __future__ import annotations

from typing import Final

from daypass.access import Caller
from daypass.api.resources import Resource, everything
from daypass.api.row import Row
from daypass.awsapi.parameters import Parameters
from daypass.iam import account_settings, account_summary, authorization_details, credential_report
from daypass.store import View


def properties_read(_parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """No resource; ``iam:AccountPropertyNamespaces`` has every namespace there is."""
    keys = {"iam:accountpropertynamespaces": (account_settings.ROLE_MANAGER,)}
    return Resource("*", caller.principal.account, keys=keys)


def properties_set(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """No resource; ``iam:AccountPropertyNamespaces`` has those that properties are set in."""
    properties = account_settings.account_properties(parameters)
    namespaces = tuple(sorted({key.partition("/")[0] for key in properties}))
    keys = {"iam:accountpropertynamespaces": namespaces} if namespaces else {}
    return Resource("*", caller.principal.account, keys=keys)


ROWS: Final = (
    Row("CreateAccountAlias", everything, account_settings.create_account_alias),
    Row("DeleteAccountAlias", everything, account_settings.delete_account_alias),
    Row("ListAccountAliases", everything, account_settings.list_account_aliases),
    Row("GetAccountPasswordPolicy", everything, account_settings.get_account_password_policy),
    Row("UpdateAccountPasswordPolicy", everything, account_settings.update_account_password_policy),
    Row("DeleteAccountPasswordPolicy", everything, account_settings.delete_account_password_policy),
    Row("SetSecurityTokenServicePreferences", everything, account_settings.set_token_version),
    Row("GetAccountProperties", properties_read, account_settings.get_account_properties),
    Row("PutAccountProperties", properties_set, account_settings.put_account_properties),
    Row("GetAccountSummary", everything, account_summary.get_account_summary),
    Row("GetAccountAuthorizationDetails", everything, authorization_details.get_account_authorization_details),
    Row("GenerateCredentialReport", everything, credential_report.generate_credential_report),
    Row("GetCredentialReport", everything, credential_report.get_credential_report),
)

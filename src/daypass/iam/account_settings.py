# SPDX-License-Identifier: Apache-2.0
"""
What an account has set (IAM API): its alias, its password policy, the version of its tokens, its properties.

CreateAccountAlias, DeleteAccountAlias, ListAccountAliases, GetAccountPasswordPolicy, UpdateAccountPasswordPolicy,
DeleteAccountPasswordPolicy, SetSecurityTokenServicePreferences, GetAccountProperties, PutAccountProperties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.arn import is_account_id
from daypass.awsapi.parameters import Parameters, optional_boolean, optional_integer, text
from daypass.errors import EntityError, Reason, RequestError
from daypass.iam.paging import page
from daypass.iam.service import Iam
from daypass.store import AccountSettings, PasswordPolicy, View

ROLE_MANAGER: Final = "RoleManager"
"""The one namespace of account properties that IAM has."""
_ROLE_MANAGER_ENABLED: Final = "RoleManager/Enabled"


def settings_of(view: View, account: str) -> AccountSettings:
    """What an account has set; all is as in a new account where it has set nothing."""
    return view.account_settings.with_key(account) or AccountSettings(account)


async def create_account_alias(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Give the account an alias, in place of the one it has. No two accounts have the same (IAM User Guide)."""
    account, alias = permitted.caller.principal.account, text(parameters, "AccountAlias")
    if is_account_id(alias):
        raise EntityError(Reason.INVALID_INPUT, "An account alias cannot be twelve digits, which is an account ID.")
    async with iam.store.transaction() as transaction:
        if any(settings.alias == alias for settings in transaction.view.account_settings.of("")):
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, f"The account alias {alias} already exists.")
        await transaction.put(replace(settings_of(transaction.view, account), alias=alias))
    return {}


async def delete_account_alias(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Take the account's alias away."""
    account, alias = permitted.caller.principal.account, text(parameters, "AccountAlias")
    async with iam.store.transaction() as transaction:
        settings = settings_of(transaction.view, account)
        if settings.alias != alias:
            raise EntityError(Reason.NO_SUCH_ENTITY, f"The account alias {alias} cannot be found.")
        await transaction.put(replace(settings, alias=None))
    return {}


async def list_account_aliases(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The account's alias: a list of one, or of none."""
    alias = settings_of(iam.store.view(), permitted.caller.principal.account).alias
    chosen, more = page([] if alias is None else [alias], parameters, key=str)
    return {"AccountAliases": list(chosen), **more}


async def get_account_password_policy(iam: Iam, permitted: Permitted, _parameters: Parameters) -> dict[str, object]:
    """The password policy, when one has been set."""
    account = permitted.caller.principal.account
    policy = settings_of(iam.store.view(), account).password_policy
    if policy is None:
        message = f"The Password Policy with domain name {account} cannot be found."
        raise EntityError(Reason.NO_SUCH_ENTITY, message)
    optional = {
        "MaxPasswordAge": policy.max_age_days,
        "PasswordReusePrevention": policy.reuse_prevention,
        "HardExpiry": policy.hard_expiry,
    }
    return {
        "PasswordPolicy": {
            "MinimumPasswordLength": policy.minimum_length,
            "RequireSymbols": policy.require_symbols,
            "RequireNumbers": policy.require_numbers,
            "RequireUppercaseCharacters": policy.require_uppercase,
            "RequireLowercaseCharacters": policy.require_lowercase,
            "AllowUsersToChangePassword": policy.allow_users_to_change,
            "ExpirePasswords": policy.max_age_days is not None,
            **{name: value for name, value in optional.items() if value is not None},
        }
    }


async def update_account_password_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Set the whole policy: what is not sent goes back to its default, whatever it was (IAM API). No password changes."""
    policy = PasswordPolicy(
        minimum_length=optional_integer(parameters, "MinimumPasswordLength") or PasswordPolicy().minimum_length,
        require_symbols=optional_boolean(parameters, "RequireSymbols") or False,
        require_numbers=optional_boolean(parameters, "RequireNumbers") or False,
        require_uppercase=optional_boolean(parameters, "RequireUppercaseCharacters") or False,
        require_lowercase=optional_boolean(parameters, "RequireLowercaseCharacters") or False,
        allow_users_to_change=optional_boolean(parameters, "AllowUsersToChangePassword") or False,
        max_age_days=optional_integer(parameters, "MaxPasswordAge"),
        reuse_prevention=optional_integer(parameters, "PasswordReusePrevention"),
        hard_expiry=optional_boolean(parameters, "HardExpiry"),
    )
    async with iam.store.transaction() as transaction:
        settings = settings_of(transaction.view, permitted.caller.principal.account)
        await transaction.put(replace(settings, password_policy=policy))
    return {}


async def delete_account_password_policy(iam: Iam, permitted: Permitted, _parameters: Parameters) -> dict[str, object]:
    """Back to the policy of a new account."""
    async with iam.store.transaction() as transaction:
        settings = settings_of(transaction.view, permitted.caller.principal.account)
        if settings.password_policy is None:
            message = "The account policy with name PasswordPolicy cannot be found."
            raise EntityError(Reason.NO_SUCH_ENTITY, message)
        await transaction.put(replace(settings, password_policy=None))
    return {}


async def set_token_version(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """
    Set the version of session tokens, which GetAccountSummary shows (SetSecurityTokenServicePreferences).

    Version 1 tokens are not valid in Regions that have to be enabled first. There are no such Regions here, so that both
    versions are the tokens that there are.
    """
    async with iam.store.transaction() as transaction:
        settings = settings_of(transaction.view, permitted.caller.principal.account)
        await transaction.put(replace(settings, token_version=text(parameters, "GlobalEndpointTokenVersion")))
    return {}


async def get_account_properties(iam: Iam, permitted: Permitted, _parameters: Parameters) -> dict[str, object]:
    """The properties of the account: Role Manager is off until somebody says otherwise."""
    settings = settings_of(iam.store.view(), permitted.caller.principal.account)
    return {"Properties": {_ROLE_MANAGER_ENABLED: "false", **dict(settings.properties)}}


async def put_account_properties(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Set properties of one namespace. Role Manager is not offered, so that it can only be kept off."""
    properties = _checked(account_properties(parameters))
    async with iam.store.transaction() as transaction:
        settings = settings_of(transaction.view, permitted.caller.principal.account)
        changed = {**dict(settings.properties), **properties}
        await transaction.put(replace(settings, properties=tuple(changed.items())))
    return {}


def account_properties(parameters: Parameters) -> Mapping[str, str]:
    """The properties that are sent, by key."""
    value = parameters["Properties"]
    if not isinstance(value, dict):
        raise TypeError("Properties is not a map")
    return {str(key): str(inner) for key, inner in value.items()}


def _checked(properties: Mapping[str, str]) -> Mapping[str, str]:
    """The properties, when they can be had. Raises EntityError, or RequestError for what is not offered."""
    for key in properties:
        namespace, slash, name = key.partition("/")
        if not (slash and namespace and name) or "/" in name:
            raise EntityError(Reason.INVALID_INPUT, f"Property key must be in format Namespace/PropertyName: {key}")
    namespaces = sorted({key.partition("/")[0] for key in properties})
    if len(namespaces) != 1:
        raise EntityError(Reason.INVALID_INPUT, "All properties must belong to the same namespace")
    if namespaces != [ROLE_MANAGER]:
        raise EntityError(Reason.INVALID_INPUT, f"Unsupported namespace: {namespaces[0]}")
    for key, value in properties.items():
        if key != _ROLE_MANAGER_ENABLED:
            raise RequestError(Reason.UNSUPPORTED_PARAMETER, f"The account property {key} is not supported.")
        if value not in ("true", "false"):
            raise EntityError(Reason.INVALID_INPUT, "Enabled must be 'true' or 'false'")
        if value == "true":
            raise RequestError(Reason.UNSUPPORTED_PARAMETER, f"Role Manager ({key} true) is not supported.")
    return properties

# SPDX-License-Identifier: Apache-2.0
"""What an account sets: alias, password policy, token version, properties; and the lists of features that are to come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from daypass.store import Account, AccountSettings
from iam.kitchen import document, statement
from iam.people import asked, denial, done, person, refused
from in_process import ACCOUNT, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
DEFAULTS = {
    "MinimumPasswordLength": 6,
    "RequireSymbols": False,
    "RequireNumbers": False,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
    "AllowUsersToChangePassword": False,
    "ExpirePasswords": False,
}
EVERY_RULE = {
    "MinimumPasswordLength": 14,
    "RequireSymbols": True,
    "RequireNumbers": True,
    "RequireUppercaseCharacters": True,
    "RequireLowercaseCharacters": True,
    "AllowUsersToChangePassword": True,
    "MaxPasswordAge": 90,
    "PasswordReusePrevention": 24,
    "HardExpiry": True,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test leaves the account as it found it."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def as_new(iam: Service) -> AsyncIterator[None]:
    """The account as it is when it has set nothing, and no other with settings."""
    yield
    async with iam.app.store.transaction() as transaction:
        for settings in list(transaction.view.account_settings.of("")):
            await transaction.delete(settings)


# Aliases


async def test_an_account_has_one_alias_and_another_takes_its_place(iam: Service) -> None:
    assert await done(iam, "ListAccountAliases") == {"AccountAliases": [], "IsTruncated": False}
    await done(iam, "CreateAccountAlias", AccountAlias="first")
    await done(iam, "CreateAccountAlias", AccountAlias="second-1")
    assert await done(iam, "ListAccountAliases") == {"AccountAliases": ["second-1"], "IsTruncated": False}
    await done(iam, "DeleteAccountAlias", AccountAlias="second-1")
    assert (await done(iam, "ListAccountAliases"))["AccountAliases"] == []


async def test_an_alias_that_any_account_has_is_taken(iam: Service) -> None:
    async with iam.app.store.transaction() as transaction:
        await transaction.put(Account("210987654321", 1))
        await transaction.put(AccountSettings("210987654321", alias="taken"))
    await done(iam, "CreateAccountAlias", AccountAlias="ours")
    for alias in ("taken", "ours"):
        assert await refused(iam, "CreateAccountAlias", AccountAlias=alias) == (
            "EntityAlreadyExists",
            f"The account alias {alias} already exists.",
        )
    assert await refused(iam, "DeleteAccountAlias", AccountAlias="taken") == (
        "NoSuchEntity",
        "The account alias taken cannot be found.",
    )


@pytest.mark.parametrize("alias", ["ab", "a" * 64, "-abc", "abc-", "a--b", "Abc", "a_b"])
async def test_an_alias_is_of_awss_form(iam: Service, alias: str) -> None:
    assert (await refused(iam, "CreateAccountAlias", AccountAlias=alias))[0] == "ValidationError"


@pytest.mark.parametrize("alias", ["abc", "a" * 63, "12345678901", "a-b"])
async def test_an_alias_at_the_boundary_is_accepted(iam: Service, alias: str) -> None:
    await done(iam, "CreateAccountAlias", AccountAlias=alias)


async def test_an_alias_is_no_account_id(iam: Service) -> None:
    assert (await refused(iam, "CreateAccountAlias", AccountAlias=ACCOUNT))[0] == "InvalidInput"


# The password policy


async def test_an_account_without_a_policy_has_none_to_show_or_delete(iam: Service) -> None:
    assert await refused(iam, "GetAccountPasswordPolicy") == (
        "NoSuchEntity",
        f"The Password Policy with domain name {ACCOUNT} cannot be found.",
    )
    assert await refused(iam, "DeleteAccountPasswordPolicy") == (
        "NoSuchEntity",
        "The account policy with name PasswordPolicy cannot be found.",
    )


async def test_a_policy_comes_back_as_it_was_set_and_says_whether_passwords_expire(iam: Service) -> None:
    await done(iam, "UpdateAccountPasswordPolicy", **EVERY_RULE)
    shown = (await done(iam, "GetAccountPasswordPolicy"))["PasswordPolicy"]
    assert shown == {**EVERY_RULE, "ExpirePasswords": True}


async def test_what_is_not_sent_goes_back_to_its_default(iam: Service) -> None:
    await done(iam, "UpdateAccountPasswordPolicy", **EVERY_RULE)
    await done(iam, "UpdateAccountPasswordPolicy")
    assert (await done(iam, "GetAccountPasswordPolicy"))["PasswordPolicy"] == DEFAULTS
    await done(iam, "DeleteAccountPasswordPolicy")
    assert (await refused(iam, "GetAccountPasswordPolicy"))[0] == "NoSuchEntity"


@pytest.mark.parametrize(
    ("rule", "lowest", "highest"),
    [("MinimumPasswordLength", 6, 128), ("MaxPasswordAge", 1, 1095), ("PasswordReusePrevention", 1, 24)],
)
async def test_numbers_of_the_policy_have_bounds(iam: Service, rule: str, lowest: int, highest: int) -> None:
    for number in (lowest, highest):
        await done(iam, "UpdateAccountPasswordPolicy", **{rule: number})
        assert (await done(iam, "GetAccountPasswordPolicy"))["PasswordPolicy"][rule] == number
    for number in (lowest - 1, highest + 1):
        assert (await refused(iam, "UpdateAccountPasswordPolicy", **{rule: number}))[0] == "ValidationError"


# Tokens and properties


async def test_the_token_version_is_shown_in_the_summary(iam: Service) -> None:
    async def version() -> int:
        summary = (await done(iam, "GetAccountSummary"))["SummaryMap"]
        return int(summary["GlobalEndpointTokenVersion"])

    assert await version() == 1
    await done(iam, "SetSecurityTokenServicePreferences", GlobalEndpointTokenVersion="v2Token")
    assert await version() == 2
    await done(iam, "SetSecurityTokenServicePreferences", GlobalEndpointTokenVersion="v1Token")
    assert await version() == 1
    wrong = await refused(iam, "SetSecurityTokenServicePreferences", GlobalEndpointTokenVersion="v3Token")
    assert wrong[0] == "ValidationError"


async def test_role_manager_is_off_and_stays_off(iam: Service) -> None:
    off = {"Properties": {"RoleManager/Enabled": "false"}}
    assert await done(iam, "GetAccountProperties") == off
    await done(iam, "PutAccountProperties", Properties={"RoleManager/Enabled": "false"})
    assert await done(iam, "GetAccountProperties") == off
    code, message = await refused(iam, "PutAccountProperties", Properties={"RoleManager/Enabled": "true"})
    assert code == "ValidationError"
    assert "RoleManager/Enabled" in message
    assert await done(iam, "GetAccountProperties") == off


@pytest.mark.parametrize(
    ("properties", "code", "words"),
    [
        ({"RoleManager/Enabled": "yes"}, "InvalidInput", "'true' or 'false'"),
        ({"RoleManager/Other": "true"}, "ValidationError", "RoleManager/Other"),
        ({"RoleManager": "true"}, "InvalidInput", "Namespace/PropertyName"),
        ({"RoleManager/": "true"}, "InvalidInput", "Namespace/PropertyName"),
        ({"RoleManager/A/B": "true"}, "InvalidInput", "Namespace/PropertyName"),
        ({"Other/Enabled": "true"}, "InvalidInput", "Unsupported namespace: Other"),
        ({"Other/Enabled": "true", "RoleManager/Enabled": "false"}, "InvalidInput", "same namespace"),
    ],
)
async def test_properties_that_there_are_none_of_are_refused(
    iam: Service, properties: dict[str, str], code: str, words: str
) -> None:
    refusal = await refused(iam, "PutAccountProperties", Properties=properties)
    assert refusal[0] == code
    assert words in refusal[1]


async def test_the_namespaces_of_properties_are_a_condition_key(iam: Service) -> None:
    of_role_manager = statement("Allow", ["iam:GetAccountProperties", "iam:PutAccountProperties"])
    condition = {"ForAllValues:StringEquals": {"iam:AccountPropertyNamespaces": "RoleManager"}}
    present = {"Null": {"iam:AccountPropertyNamespaces": "false"}}
    key = await person(iam, "props", {**of_role_manager, "Condition": {**condition, **present}})
    await done(iam, "GetAccountProperties", key)
    await done(iam, "PutAccountProperties", key, Properties={"RoleManager/Enabled": "false"})
    assert (await refused(iam, "PutAccountProperties", key, Properties={"Other/Enabled": "true"}))[0] == "AccessDenied"


# Who may

OPERATIONS: list[tuple[str, dict[str, Any]]] = [
    ("CreateAccountAlias", {"AccountAlias": "allowed"}),
    ("ListAccountAliases", {}),
    ("DeleteAccountAlias", {"AccountAlias": "allowed"}),
    ("UpdateAccountPasswordPolicy", {}),
    ("GetAccountPasswordPolicy", {}),
    ("DeleteAccountPasswordPolicy", {}),
    ("SetSecurityTokenServicePreferences", {"GlobalEndpointTokenVersion": "v2Token"}),
    ("GetAccountProperties", {}),
    ("PutAccountProperties", {"Properties": {"RoleManager/Enabled": "false"}}),
    ("GetAccountSummary", {}),
    ("GetAccountAuthorizationDetails", {}),
    ("GenerateCredentialReport", {}),
    ("GetCredentialReport", {}),
]


async def test_each_operation_asks_for_its_own_permission(iam: Service) -> None:
    key = await person(iam, "clerk")
    for operation, parameters in OPERATIONS:
        denied = ("AccessDenied", denial("clerk", operation, "*").replace(" on resource: *", ""))
        assert await refused(iam, operation, key, **parameters) == denied
        policy = document(statement("Allow", f"iam:{operation}"))
        await done(iam, "PutUserPolicy", UserName="clerk", PolicyName="main", PolicyDocument=policy)
        assert (await asked(iam, operation, key, **parameters)).status == 200, operation


# What is to come


@pytest.mark.parametrize("operation", ["GenerateOrganizationsAccessReport", "GetOrganizationsAccessReport"])
async def test_reports_of_an_organisation_are_refused_by_name(iam: Service, operation: str) -> None:
    code, message = await refused(iam, operation)
    assert code == "NotImplemented"
    assert operation in message

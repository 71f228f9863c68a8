# SPDX-License-Identifier: Apache-2.0
"""
The table of condition keys against every place that sets one: present when its row says so, absent otherwise, and no other.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import daypass
from daypass.access import RequestFacts
from daypass.access.authenticate import Caller
from daypass.access.authorize import _context
from daypass.access.context import KEYS, resource_keys
from daypass.access.own_side import own_side
from daypass.access.trust import _keys as proof_keys
from daypass.identity import ContextValue, Identity
from daypass.principal import FederatedUser, RoleSession, Root, User
from daypass.sessions import Session
from daypass.store import Membership, Organization, OrganizationalUnit, Role, View

ACCOUNT = "123456789012"
FACTS = RequestFacts(1_800_000_000.0, "192.0.2.1", secure=True, user_agent="agent", referer="here")
BARE = RequestFacts(1_800_000_000.0, None, secure=False)
USER = User(ACCOUNT, "/", "alice", "AIDAEXAMPLE")
TAGS = (("Team", "red"),)
ROLE = Role(ACCOUNT, "/team/", "Dev", "AROAEXAMPLE", None, 3600, "{}", (), 0, TAGS)
UNTAGGED = Role(ACCOUNT, "/", "Dev", "AROAEXAMPLE", None, 3600, "{}", (), 0)
PLAIN = Session(ACCOUNT, "AROAEXAMPLE", "web", 1_800_000_000, 1_800_003_600)
SESSION = Session(
    ACCOUNT,
    "AROAEXAMPLE",
    "web",
    1_800_000_000,
    1_800_003_600,
    provider_arn=f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example.org",
    tags=(("Cost", "7"),),
    source_identity="alice",
    mfa_at=1_799_999_990,
)
IDENTITY = Identity(
    account=ACCOUNT,
    provider_arn=f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example.org",
    provider="https://idp.example.org",
    subject="alice",
    audience="app",
    context={"idp.example.org:sub": "alice", "idp.example.org:amr": ("mfa",)},
)
TAGGED = replace(IDENTITY, session_tags={"Team": "red"}, transitive_tag_keys=("Team",), source_identity="alice")
AS_ROLE = RoleSession(ACCOUNT, "/team/", "Dev", "AROAEXAMPLE", "web")


NOWHERE = View()
ORGANIZED = View().changed(
    1,
    {
        "organization": {"o-1": Organization("o-1", "r-1", "999999999999", 0)},
        "organizational_unit": {"ou-1": OrganizationalUnit("ou-1", "r-1", "unit", 0)},
        "membership": {ACCOUNT: Membership(ACCOUNT, "member", "ou-1")},
    },
)


def signed(
    principal: Any, session: Session | None = None, role: Role | None = None, view: View = NOWHERE
) -> dict[str, ContextValue]:
    mfa_at = None if view is NOWHERE else 1_799_999_999
    caller = Caller(principal, "AKIAEXAMPLE", "eu-west-1", session, role, mfa_at=mfa_at)
    resource = resource_keys(ACCOUNT, TAGS, iam=True)
    return dict(_context(caller, own_side(caller, view), FACTS, view, ACCOUNT, resource).entries)


SITUATIONS: dict[str, dict[str, ContextValue]] = {
    "root": signed(Root(ACCOUNT)),
    "user": signed(USER),
    "role": signed(AS_ROLE, SESSION, ROLE),
    "plain role": signed(AS_ROLE, PLAIN, UNTAGGED),
    "federated": signed(FederatedUser(ACCOUNT, "bob", USER), PLAIN),
    "root task": signed(Root(ACCOUNT, for_a_task=True), replace(PLAIN, kind="root", role_id="", session_name="")),
    "member with code": signed(USER, view=ORGANIZED),
    "proof": proof_keys(TAGGED, ROLE, "web", FACTS, NOWHERE),
    "bare proof": proof_keys(IDENTITY, UNTAGGED, "web", BARE, NOWHERE),
}
SIGNED = {"root", "user", "role", "plain role", "federated", "root task", "member with code"}
EVERYBODY = {*SIGNED, "proof", "bare proof"}
NOT_BARE = EVERYBODY - {"bare proof"}
TEMPORARY = {"role", "plain role", "federated", "root task"}
MEMBERS = {"member with code"}
PRESENCE: dict[str, set[str]] = {
    "aws:currenttime": EVERYBODY,
    "aws:epochtime": EVERYBODY,
    "aws:securetransport": EVERYBODY,
    "aws:viaawsservice": EVERYBODY,
    "aws:resourceaccount": EVERYBODY,
    "aws:requestedregion": EVERYBODY,
    "aws:useragent": NOT_BARE,
    "aws:referer": NOT_BARE,
    "aws:sourceip": NOT_BARE,
    "aws:principalarn": SIGNED,
    "aws:principalaccount": SIGNED,
    "aws:principaltype": SIGNED,
    "aws:principalisawsservice": SIGNED,
    "aws:userid": SIGNED,
    "aws:username": {"user", "member with code"},
    "aws:principaltag/team": {"role"},
    "aws:principaltag/cost": {"role"},
    "aws:federatedprovider": {"role"},
    "aws:sourceidentity": {"role"},
    "aws:multifactorauthage": {"role", "member with code"},
    "aws:tokenissuetime": TEMPORARY,
    "aws:multifactorauthpresent": TEMPORARY | {"member with code"},
    "aws:assumedroot": {"root task"},
    "aws:principalorgid": MEMBERS,
    "aws:principalorgpaths": MEMBERS,
    "aws:resourceorgid": MEMBERS,
    "aws:resourceorgpaths": MEMBERS,
    "aws:resourcetag/team": NOT_BARE,
    "iam:resourcetag/team": NOT_BARE,
    "aws:requesttag/team": {"proof"},
    "aws:tagkeys": {"proof"},
    "sts:rolesessionname": {"proof", "bare proof"},
    "sts:sourceidentity": {"proof"},
    "sts:transitivetagkeys": {"proof"},
}
FROM_PARAMETERS = {
    "sts:externalid",
    "sts:identitytokenaudience",
    "sts:signingalgorithm",
    "sts:durationseconds",
    "sts:taskpolicyarn",
    "iam:permissionsboundary",
    "iam:policyarn",
    "iam:passedtoservice",
    "iam:associatedresourcearn",
    "iam:awsservicename",
    "iam:servicespecificcredentialservicename",
    "iam:servicespecificcredentialagedays",
    "iam:delegationduration",
    "iam:notificationchannel",
    "iam:templatearn",
    "iam:delegationrequestowner",
    "iam:accountpropertynamespaces",
}
"""Keys that only the parameters of an operation bring."""
LISTS = {"aws:tagkeys", "sts:transitivetagkeys", "aws:principalorgpaths", "aws:resourceorgpaths"}


def row_of(key: str) -> str:
    """The name that the key has in the table."""
    return key if key in KEYS else re.sub(r"/.*", "/*", key)


def test_the_presence_of_every_key_of_the_table_is_checked() -> None:
    rows = {row_of(key) for key in PRESENCE}
    assert rows <= set(KEYS)
    assert set(KEYS) - rows <= FROM_PARAMETERS


@pytest.mark.parametrize("key", PRESENCE)
def test_a_key_is_there_for_whom_its_rule_says_and_for_nobody_else(key: str) -> None:
    assert {name for name, keys in SITUATIONS.items() if key in keys} == PRESENCE[key]


@pytest.mark.parametrize("name", SITUATIONS)
def test_no_key_outside_the_table_is_set_and_none_is_empty(name: str) -> None:
    keys = SITUATIONS[name]
    ours = {key for key in keys if not key.startswith("idp.example.org:")}
    assert sorted(ours - set(PRESENCE)) == []
    assert [key for key, value in keys.items() if value in ("", ())] == []
    assert {key for key in ours if isinstance(keys[key], tuple)} <= LISTS


def test_the_claims_of_a_proof_are_keys_of_its_provider_as_they_are() -> None:
    keys = SITUATIONS["proof"]
    assert {key: keys[key] for key in keys if key.startswith("idp.")} == IDENTITY.context


ELSEWHERE = {"lint", "resources", "actions"}
"""Rooms that speak of keys without setting them, and action maps, whose keys have tables of their own (docs/s3-actions.md)."""


def test_no_other_key_is_spelled_anywhere_in_the_sources() -> None:
    spelled = re.compile(r"(aws|iam|sts):(?!assume|set|tag)[a-z]+(/[a-z*]*)?")  # which leaves out actions of STS
    source = Path(daypass.__file__).parent
    found = {
        node.value
        for path in source.rglob("*.py")
        if not ELSEWHERE & set(path.relative_to(source).parts)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and spelled.fullmatch(node.value)
    }
    assert sorted(key for key in found if key not in KEYS and f"{key}*" not in KEYS) == []
    assert {"aws:principaltag/", "sts:rolesessionname"} <= found


VALUES = [
    ("root", "aws:principalarn", f"arn:aws:iam::{ACCOUNT}:root"),
    ("root", "aws:principaltype", "Account"),
    ("root", "aws:userid", ACCOUNT),
    ("user", "aws:principalarn", USER.arn),
    ("user", "aws:principaltype", "User"),
    ("user", "aws:userid", "AIDAEXAMPLE"),
    ("user", "aws:username", "alice"),
    ("role", "aws:principalarn", f"arn:aws:iam::{ACCOUNT}:role/team/Dev"),
    ("role", "aws:principaltype", "AssumedRole"),
    ("role", "aws:userid", "AROAEXAMPLE:web"),
    ("role", "aws:multifactorauthpresent", "true"),
    ("plain role", "aws:multifactorauthpresent", "false"),
    ("federated", "aws:principalarn", f"arn:aws:sts::{ACCOUNT}:federated-user/bob"),
    ("federated", "aws:principaltype", "FederatedUser"),
    ("federated", "aws:userid", f"{ACCOUNT}:bob"),
    ("user", "aws:principalaccount", ACCOUNT),
    ("user", "aws:principalisawsservice", "false"),
    ("user", "aws:currenttime", "2027-01-15T08:00:00Z"),
    ("user", "aws:epochtime", "1800000000"),
    ("user", "aws:securetransport", "true"),
    ("bare proof", "aws:securetransport", "false"),
    ("proof", "aws:tagkeys", ("Team",)),
    ("proof", "sts:transitivetagkeys", ("Team",)),
    ("proof", "sts:rolesessionname", "web"),
]


@pytest.mark.parametrize(("name", "key", "value"), VALUES)
def test_what_a_key_says(name: str, key: str, value: ContextValue) -> None:
    assert SITUATIONS[name][key] == value

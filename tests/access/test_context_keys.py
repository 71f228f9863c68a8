# SPDX-License-Identifier: Apache-2.0
"""Condition keys: each has a row in the table, and none is set that has not."""

from __future__ import annotations

import re

from daypass.access import RequestFacts
from daypass.access.context import (
    KEYS,
    caller_keys,
    mfa_keys,
    principal_keys,
    request_keys,
    request_tag_keys,
    resource_keys,
    session_keys,
)
from daypass.principal import FederatedUser, RoleSession, Root, User
from daypass.sessions import Session

ACCOUNT = "123456789012"
USER = User(ACCOUNT, "/", "alice", "AIDAEXAMPLE")
ROLE = RoleSession(ACCOUNT, "/team/", "Dev", "AROAEXAMPLE", "web")
SESSION = Session(
    ACCOUNT,
    "AROAEXAMPLE",
    "web",
    1_800_000_000,
    1_800_003_600,
    provider_arn="arn:aws:iam::123456789012:oidc-provider/idp.example.org",
    tags=(("team", "red"),),
    source_identity="alice",
    mfa_at=1_799_999_990,
)


def known(key: str) -> bool:
    return key in KEYS or re.sub(r"/.*", "/*", key) in KEYS


def test_no_key_is_set_that_has_no_row() -> None:
    facts = RequestFacts(0.0, "192.0.2.1", secure=True, user_agent="a", referer="b")
    tags = (("Team", "red"),)
    for keys in (
        request_keys(facts),
        *(principal_keys(principal) for principal in (Root(ACCOUNT), USER, ROLE, FederatedUser(ACCOUNT, "bob", USER))),
        session_keys(SESSION, tags),
        mfa_keys(1_799_999_990, 1_800_000_000),
        request_tag_keys({"Team": "red"}),
        resource_keys(ACCOUNT, tags, iam=True),
    ):
        assert [key for key in keys if not known(key)] == []
        assert all(key == key.lower() for key in keys)


def test_a_key_that_does_not_apply_is_absent_not_empty() -> None:
    keys = request_keys(RequestFacts(0.0, None, secure=False))
    assert sorted(keys) == ["aws:currenttime", "aws:epochtime", "aws:securetransport", "aws:viaawsservice"]
    assert "aws:username" not in principal_keys(Root(ACCOUNT))
    assert "aws:username" not in principal_keys(ROLE)
    assert request_tag_keys({}) == {}


def test_a_role_sessions_principal_arn_is_the_roles_with_its_path() -> None:
    assert principal_keys(ROLE)["aws:principalarn"] == "arn:aws:iam::123456789012:role/team/Dev"
    assert principal_keys(ROLE)["aws:userid"] == "AROAEXAMPLE:web"
    assert principal_keys(USER)["aws:username"] == "alice"


def test_a_sessions_tag_overrides_the_roles_whatever_the_case() -> None:
    keys = session_keys(SESSION, (("TEAM", "blue"), ("Cost", "7")))
    assert keys["aws:principaltag/team"] == "red"
    assert keys["aws:principaltag/cost"] == "7"


def test_a_session_says_when_it_was_issued_and_that_it_has_no_mfa_until_some_was_shown() -> None:
    keys = session_keys(SESSION, ())
    assert keys["aws:tokenissuetime"] == "2027-01-15T08:00:00Z"
    assert keys["aws:multifactorauthpresent"] == "false"


def test_a_second_factor_that_was_shown_has_an_age() -> None:
    keys = mfa_keys(1_799_999_990, 1_800_000_000)
    assert keys["aws:multifactorauthpresent"] == "true"
    assert keys["aws:multifactorauthage"] == "10"


def test_the_keys_of_a_caller_follow_the_tags_that_its_role_has_now() -> None:
    before = caller_keys(ROLE, SESSION, (("cost", "7"),))
    assert before["aws:principaltag/cost"] == "7"
    assert caller_keys(ROLE, SESSION, (("cost", "8"),))["aws:principaltag/cost"] == "8"
    assert "aws:principaltag/cost" not in caller_keys(ROLE, SESSION, ())
    assert before == {**principal_keys(ROLE), **session_keys(SESSION, (("cost", "7"),))}


def test_the_keys_of_a_caller_with_long_term_credentials_have_nothing_of_a_session() -> None:
    assert caller_keys(USER, None, (("Cost", "7"),)) == {**principal_keys(USER), "aws:principaltag/cost": "7"}

# SPDX-License-Identifier: Apache-2.0
"""A role trusts whom its trust policy names, for what the proof asks, and nobody else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from daypass.access import RequestFacts, trust
from daypass.errors import AccessDeniedError, Reason
from daypass.identity import Identity
from daypass.store import Role, View

ACCOUNT = "123456789012"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/idp.example.org"
FACTS = RequestFacts(1_800_000_000.0, "192.0.2.1", secure=True, user_agent="test")
IDENTITY = Identity(
    account=ACCOUNT,
    provider_arn=PROVIDER,
    provider="https://idp.example.org",
    subject="alice",
    audience="my-app",
    context={"idp.example.org:sub": "alice", "idp.example.org:aud": "my-app", "idp.example.org:amr": ("mfa", "pwd")},
)


def role(
    condition: Mapping[str, Any] | None = None,
    action: object = "sts:AssumeRoleWithWebIdentity",
    principal: object = PROVIDER,
) -> Role:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": principal},
        "Action": action,
        "Condition": condition or {},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    return Role(ACCOUNT, "/", "Web", "AROAEXAMPLE", None, 3600, policy, (), 0)


def assume(identity: Identity, asked: Role | None, session_name: str = "web") -> Role:
    action: Final = "sts:AssumeRoleWithWebIdentity"
    trusted = trust(identity, asked, action=action, session_name=session_name, facts=FACTS, view=View())
    assert (trusted.provider_arn, trusted.subject) == (identity.provider_arn, identity.subject)
    return trusted.role


def refused(identity: Identity, asked: Role | None) -> str:
    with pytest.raises(AccessDeniedError) as caught:
        assume(identity, asked)
    assert caught.value.reason is Reason.NOT_TRUSTED
    return str(caught.value)


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"StringEquals": {"idp.example.org:aud": "my-app", "idp.example.org:sub": "alice"}},
        {"StringLike": {"idp.example.org:sub": "al*"}},
        {"ForAnyValue:StringEquals": {"idp.example.org:amr": "mfa"}},
        {"StringEquals": {"sts:RoleSessionName": "web"}},
        {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
        {"Bool": {"aws:SecureTransport": "true"}},
        {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}},
    ],
)
def test_conditions_that_hold_are_trusted(condition: Mapping[str, Any]) -> None:
    asked = role(condition)
    assert assume(IDENTITY, asked) is asked


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"idp.example.org:aud": "other"}},
        {"StringEquals": {"idp.example.org:sub": "bob"}},
        {"StringEquals": {"other.example.org:sub": "alice"}},
        {"StringEquals": {"idp.example.org:email": "alice@example.org"}},
        {"StringEquals": {"idp.example.org:amr": "mfa"}},
        {"StringEquals": {"sts:RoleSessionName": "other"}},
        {"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:root"}},
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    ],
)
def test_conditions_that_do_not_hold_are_refused(condition: Mapping[str, Any]) -> None:
    refused(IDENTITY, role(condition))


@pytest.mark.parametrize(
    "principal",
    [
        "arn:aws:iam::123456789012:oidc-provider/idp.example.org/",
        "arn:aws:iam::123456789012:oidc-provider/idp.example.or",
        "arn:aws:iam::210987654321:oidc-provider/idp.example.org",
        "arn:aws:iam::123456789012:saml-provider/idp.example.org",
        "cognito-idp.example.org",
    ],
)
def test_another_provider_is_refused(principal: str) -> None:
    refused(IDENTITY, role(principal=principal))


@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:TagSession"])
def test_a_policy_for_another_action_is_refused(action: str) -> None:
    refused(IDENTITY, role(action=action))


def test_a_role_that_does_not_exist_and_one_that_does_not_trust_are_refused_alike() -> None:
    denied = role({"StringEquals": {"idp.example.org:sub": "bob"}})
    assert (
        refused(IDENTITY, None)
        == refused(IDENTITY, denied)
        == "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    )


def test_a_provider_of_another_account_is_refused_whatever_the_policy_says() -> None:
    refused(replace(IDENTITY, account="210987654321"), role())


def test_session_tags_need_the_permission_to_tag() -> None:
    tagged = replace(IDENTITY, session_tags={"Team": "red"}, transitive_tag_keys=("Team",))
    assert refused(tagged, role()) == "Not authorized to perform sts:TagSession"
    both = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]
    assume(tagged, role(action=both))
    assume(tagged, role({"StringEquals": {"aws:RequestTag/Team": "red"}}, both))
    assume(tagged, role({"ForAllValues:StringEquals": {"sts:TransitiveTagKeys": "Team"}}, both))
    refused(tagged, role({"StringEquals": {"aws:RequestTag/Team": "blue"}}, both))


def test_a_source_identity_needs_the_permission_to_set_it() -> None:
    named = replace(IDENTITY, source_identity="alice")
    assert refused(named, role()) == "Not authorized to perform sts:SetSourceIdentity"
    both = ["sts:AssumeRoleWithWebIdentity", "sts:SetSourceIdentity"]
    assume(named, role({"StringEquals": {"sts:SourceIdentity": "alice"}}, both))
    refused(named, role({"StringEquals": {"sts:SourceIdentity": "bob"}}, both))


@given(name=st.sampled_from(["sts:rolesessionname", "aws:sourceip", "aws:currenttime", "aws:resourceaccount"]))
def test_no_claim_writes_over_a_key_of_ours(name: str) -> None:
    liar = replace(IDENTITY, context={**IDENTITY.context, name: "lie"})
    refused(liar, role({"StringEquals": {name: "lie"}}))

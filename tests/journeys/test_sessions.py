# SPDX-License-Identifier: Apache-2.0
"""Sessions in use: when they end, and what bounds them while they last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from daypass.clock import MovableClock, system_clock
from fakes.oidc_provider import FakeOidcProvider
from journeys.background import Background, ServerWithClock, server_with_clock
from journeys.refusals import refusal, refused
from journeys.roles import ACCOUNT, Issuer, allow, deny, document, register, role_arn, statement, unique
from journeys.wire import client_clock, get_caller_identity
from running import Keys, Server


@pytest.fixture
def service(loop: Background, tmp_path: Path) -> Iterator[ServerWithClock]:
    with server_with_clock(loop, tmp_path, MovableClock(float(int(system_clock())))) as running:
        yield running


def test_a_session_is_good_to_its_last_second_and_not_a_moment_longer(
    service: ServerWithClock, fake: FakeOidcProvider
) -> None:
    issuer = register(service.client("iam", service.root), service.url, fake)
    began = service.clock()
    keys = issuer.session(issuer.role(), DurationSeconds=900)

    def status_and_code(seconds: float) -> tuple[int, str | None]:
        service.clock.instant = began + seconds
        with client_clock(service.clock()):
            return get_caller_identity(service.url).signed(keys).send().refusal

    assert status_and_code(899.999) == (200, None)
    assert status_and_code(900) == (403, "ExpiredToken")
    assert status_and_code(0) == (200, None), "the clock was set back"


def test_only_who_knows_the_secret_learns_that_a_session_has_expired(
    service: ServerWithClock, fake: FakeOidcProvider
) -> None:
    issuer = register(service.client("iam", service.root), service.url, fake)
    keys = issuer.session(issuer.role(), DurationSeconds=900)
    found = Keys(keys.access_key_id, "0" * 40, keys.session_token)
    service.clock.advance(900)
    with client_clock(service.clock()):
        assert get_caller_identity(service.url).signed(found).send().refusal == (403, "SignatureDoesNotMatch")


def test_a_session_ends_with_its_role_and_does_not_come_back_with_the_name(server: Server, issuer: Issuer) -> None:
    role = issuer.role()
    trust = issuer.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    sts = server.client("sts", issuer.session(role))
    assert sts.get_caller_identity()["Arn"].endswith(f"{role}/session")
    issuer.iam.delete_role(RoleName=role)
    assert refused(sts.get_caller_identity) == ("InvalidClientTokenId", 403)
    issuer.iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    assert refused(sts.get_caller_identity) == ("InvalidClientTokenId", 403)


def test_what_the_role_may_changes_for_sessions_that_are_under_way(server: Server, issuer: Issuer) -> None:
    role = issuer.role()
    iam = server.client("iam", issuer.session(role))
    for _ in range(3):
        assert refused(iam.list_roles) == ("AccessDenied", 403)
        issuer.iam.put_role_policy(RoleName=role, PolicyName="main", PolicyDocument=allow("iam:ListRoles"))
        assert iam.list_roles()["Roles"]
        issuer.iam.delete_role_policy(RoleName=role, PolicyName="main")


def test_the_tags_of_the_role_change_for_sessions_that_are_under_way(server: Server, issuer: Issuer) -> None:
    by_tag = {"StringEquals": {"aws:PrincipalTag/Team": "platform"}}
    role = issuer.role(document(statement("Allow", "iam:ListRoles", Condition=by_tag)))
    iam = server.client("iam", issuer.session(role))
    assert refused(iam.list_roles) == ("AccessDenied", 403)
    issuer.iam.tag_role(RoleName=role, Tags=[{"Key": "Team", "Value": "platform"}])
    assert iam.list_roles()["Roles"]


def test_a_session_policy_narrows_and_never_widens(server: Server, issuer: Issuer) -> None:
    role = issuer.role(allow("iam:ListRoles", "iam:GetRole"))
    answer = issuer.assume(role, Policy=allow("iam:ListRoles", "iam:DeleteRole"))
    assert answer["PackedPolicySize"] > 0
    iam = server.client("iam", Keys.of(answer["Credentials"]))
    assert iam.list_roles()["Roles"]
    by_session = refusal(iam.get_role, RoleName=role)
    by_role = refusal(iam.delete_role, RoleName=role)
    user = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session is not authorized to perform:"
    assert by_session.message == (
        f"{user} iam:GetRole on resource: {role_arn(role)} because no session policy allows the iam:GetRole action"
    )
    assert by_role.message == (
        f"{user} iam:DeleteRole on resource: {role_arn(role)} "
        "because no identity-based policy allows the iam:DeleteRole action"
    )
    assert {(by_session.code, by_session.status), (by_role.code, by_role.status)} == {("AccessDenied", 403)}


def test_a_denial_decodes_to_its_reasons_for_who_may_know(server: Server, issuer: Issuer) -> None:
    role = issuer.role(allow("iam:ListRoles"))
    session = issuer.session(role)
    denied = refusal(server.client("iam", session).get_role, RoleName=role)
    assert refused(server.client("sts", session).decode_authorization_message, EncodedMessage=denied.encoded) == (
        "AccessDenied",
        403,
    )
    root = server.client("sts", server.root())
    told = json.loads(root.decode_authorization_message(EncodedMessage=denied.encoded)["DecodedMessage"])
    assert (told["allowed"], told["context"]["action"]) == (False, "iam:GetRole")
    assert told["explanation"]["counterfactual"] == ["allow in identity"]


def test_a_denial_wins_wherever_it_stands(server: Server, issuer: Issuer) -> None:
    role = issuer.role(allow("iam:*"))
    issuer.iam.put_role_policy(RoleName=role, PolicyName="but", PolicyDocument=deny("iam:List*"))
    in_role = server.client("iam", issuer.session(role))
    but_not = document(statement("Allow", "*"), statement("Deny", "iam:GetRole"))
    in_session = server.client("iam", issuer.session(role, Policy=but_not))
    denied_by_role = refusal(in_role.list_roles)
    denied_by_session = refusal(in_session.get_role, RoleName=role)
    assert in_role.get_role(RoleName=role)["Role"]["RoleName"] == role
    assert denied_by_role.message.endswith("with an explicit deny in an identity-based policy")
    assert denied_by_session.message.endswith("with an explicit deny in a session policy")


def test_nobody_can_be_denied_to_ask_who_they_are(server: Server, issuer: Issuer) -> None:
    keys = issuer.session(issuer.role(deny("*")), Policy=deny("*"))
    assert server.client("sts", keys).get_caller_identity()["Account"] == ACCOUNT


def test_a_permission_on_one_role_is_none_on_another(server: Server, issuer: Issuer) -> None:
    mine, other = issuer.role(), issuer.role()
    issuer.iam.put_role_policy(
        RoleName=mine, PolicyName="self", PolicyDocument=allow("iam:GetRole", resource=role_arn(mine))
    )
    iam = server.client("iam", issuer.session(mine))
    assert iam.get_role(RoleName=mine)["Role"]["Arn"] == role_arn(mine)
    assert refused(iam.get_role, RoleName=other) == ("AccessDenied", 403)
    assert refused(iam.get_role, RoleName=unique("nobody")) == ("AccessDenied", 403)


@pytest.mark.parametrize("size", [1024, 4096])
def test_a_token_is_as_long_as_it_was_asked_to_be_and_works(server: Server, issuer: Issuer, size: int) -> None:
    answer = issuer.assume(issuer.role(), MinimumSessionTokenSize=size)
    assert size <= len(answer["Credentials"]["SessionToken"]) == answer["SessionTokenSize"]
    assert server.client("sts", Keys.of(answer["Credentials"])).get_caller_identity()["Account"] == ACCOUNT

# SPDX-License-Identifier: Apache-2.0
"""
Golden cases of the decision: the matrix of section 9 in all of its columns, the grants of 7.2, and rules B to H.
"""

from __future__ import annotations

from typing import Any

import pytest

from daypass.policy import Cause, Grant, Kind, Layer, Layers, Level, Outcome, decide
from daypass.principal import Anonymous, FederatedCaller, FederatedUser, Principal, RoleSession, Service, User
from policy.deciding import DENY, SILENT, TRUST_STATEMENT, layer, levels, rcp, resource
from policy.making import ALICE, AWAY, BOB, FED, HOME, ROLE, ROOT, SESSION, decided, named, policy, request, statement

YES, NO, DENIED = Outcome.ALLOWED, Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY
NARROWED = {"ArnEquals": {"aws:PrincipalArn": [ALICE.arn, ROLE, FED.arn]}}
ARNS = {ALICE: ALICE.arn, SESSION: ROLE, FED: FED.arn}

# The matrix of section 9: same account, identity policy silent. Row, caller, principal, condition; then the columns
# "identity none", "+ boundary silent", "+ session policy silent" (None: the caller has no session policies).
MATRIX: list[tuple[str, Principal, Any, Any, tuple[Outcome, Outcome, Outcome | None]]] = [
    ("user ARN", ALICE, {"AWS": ALICE.arn}, {}, (YES, YES, None)),
    ("role ARN", SESSION, {"AWS": ROLE}, {}, (YES, NO, NO)),
    ("role session ARN", SESSION, {"AWS": SESSION.arn}, {}, (YES, YES, YES)),
    ("federated-user ARN", FED, {"AWS": FED.arn}, {}, (YES, YES, YES)),
    ("everyone, a user", ALICE, "*", {}, (YES, YES, None)),
    ("everyone, a session", SESSION, "*", {}, (YES, YES, YES)),
    ("everyone, a federated user", FED, "*", {}, (YES, YES, YES)),
    ("everyone by PrincipalArn, a user", ALICE, {"AWS": "*"}, NARROWED, (YES, YES, None)),
    ("everyone by PrincipalArn, a session", SESSION, {"AWS": "*"}, NARROWED, (YES, YES, YES)),
    ("everyone by PrincipalArn, a federated user", FED, "*", NARROWED, (YES, YES, YES)),
    ("account, a user", ALICE, {"AWS": HOME}, {}, (NO, NO, None)),
    ("account, a session", SESSION, {"AWS": HOME}, {}, (NO, NO, NO)),
    ("account, a federated user", FED, {"AWS": HOME}, {}, (NO, NO, NO)),
]


@pytest.mark.parametrize(("row", "who", "entry", "condition", "columns"), MATRIX, ids=lambda value: str(value)[:40])
def test_every_cell_of_the_matrix_of_a_resource_policy_and_a_silent_identity_policy(
    row: str, who: Principal, entry: Any, condition: Any, columns: tuple[Outcome, ...]
) -> None:
    made = named(statement(Principal=entry, Condition=condition), kind=Kind.RESOURCE)
    given: dict[str, Any] = {"identity": (layer("none", Kind.IDENTITY),), "resource": made}
    asked = request(who=who, context={"aws:PrincipalArn": ARNS[who]})
    boundary, session = layer("none", Kind.BOUNDARY), (layer("none", Kind.SESSION),)
    assert decided(asked, **given).outcome is columns[0], row
    assert decided(asked, **given, boundary=boundary).outcome is columns[1], row
    if columns[2] is not None:
        assert decided(asked, **given, session=session).outcome is columns[2], row
    for guard in denying(who):
        assert decided(asked, **given | guard).outcome is DENIED, row


def denying(who: Principal) -> list[dict[str, Any]]:
    """An explicit deny in each layer that applies to the caller."""
    guards: list[dict[str, Any]] = [
        {"identity": (layer("deny", Kind.IDENTITY),)},
        {"boundary": layer("deny", Kind.BOUNDARY)},
        {"scps": levels("allow", "deny")},
        {"rcps": rcp()},
        {"vpc_endpoint": layer("deny", Kind.VPC_ENDPOINT)},
        {"resource": named(statement(Principal="*"), DENY | {"Principal": "*"}, kind=Kind.RESOURCE)},
    ]
    return guards if isinstance(who, User) else [*guards, {"session": (layer("deny", Kind.SESSION),)}]


def test_the_row_of_the_parent_user_in_the_matrix() -> None:
    given: dict[str, Any] = {"resource": resource({"AWS": ALICE.arn}), "session": (layer("allow", Kind.SESSION),)}
    assert decided(request(who=FED), **given).outcome is YES
    assert decided(request(who=FED), **given, boundary=layer("none", Kind.BOUNDARY)).outcome is NO
    assert decided(request(who=FED), **given | {"session": (layer("none", Kind.SESSION),)}).outcome is NO
    for guard in denying(FED):
        assert decided(request(who=FED), **given | guard).outcome is DENIED


# 7.2: the class of the grant, as a decision tells it.
WEB = FederatedCaller(f"arn:aws:iam::{HOME}:oidc-provider/idp.example")
SNS = Service("sns.amazonaws.com")
U, L, D, N = Grant.UNLIMITED, Grant.LIMITED, Grant.DELEGATED, Grant.NONE
GRANTS: list[tuple[Any, Principal, Grant]] = [
    *[
        (entry, who, U)
        for entry in ("*", {"AWS": "*"})
        for who in (ALICE, SESSION, FED, ROOT, BOB, SNS, WEB, Anonymous())
    ],
    *[({"AWS": HOME}, who, D) for who in (ALICE, SESSION, FED)],
    *[({"AWS": f"arn:aws:iam::{HOME}:root"}, who, D) for who in (ALICE, SESSION, FED)],
    *[({"AWS": entry}, ROOT, U) for entry in (HOME, f"arn:aws:iam::{HOME}:root")],
    *[({"AWS": entry}, ALICE, U) for entry in (ALICE.arn, ALICE.unique_id)],
    *[({"AWS": entry}, FED, L) for entry in (ALICE.arn, ALICE.unique_id)],
    *[({"AWS": entry}, SESSION, L) for entry in (ROLE, SESSION.role_id)],
    ({"AWS": SESSION.arn}, SESSION, U),
    ({"AWS": SESSION.arn}, RoleSession(HOME, "/ops/", "Dev", SESSION.role_id, "desktop"), N),
    ({"AWS": FED.arn}, FED, U),
    ({"AWS": FED.arn}, FederatedUser(HOME, "other", ALICE), N),
    ({"Service": "sns.amazonaws.com"}, SNS, U),
    ({"Service": "sns.amazonaws.com"}, Service("s3.amazonaws.com"), N),
    ({"Federated": WEB.provider}, WEB, U),
    ({"Federated": WEB.provider}, FederatedCaller(WEB.provider + "/"), N),
]


@pytest.mark.parametrize(("entry", "who", "grant"), GRANTS)
def test_how_a_principal_is_named_is_the_grant_of_the_decision(entry: Any, who: Principal, grant: Grant) -> None:
    assert decided(request(who=who), resource=resource(entry)).grant is grant


def test_the_best_of_several_grants_counts() -> None:
    made = named(*[statement(Principal={"AWS": entry}) for entry in (HOME, SESSION.arn, ROLE)], kind=Kind.RESOURCE)
    assert decided(request(who=SESSION), resource=made).grant is U


# B: to whom a layer applies


@pytest.mark.parametrize("who", [ALICE, SESSION, FED, ROOT])
def test_a_service_control_policy_binds_every_caller_of_a_member_account(who: Principal) -> None:
    given: dict[str, Any] = {"identity": (layer("allow", Kind.IDENTITY),), "resource": resource("*")}
    assert decided(request(who=who), **given).allowed
    assert decided(request(who=who), **given, scps=levels("none")).cause == Cause(Layer.SCP, False, "level0")
    assert decided(request(who=who), **given, scps=levels("deny")).outcome is DENIED


@pytest.mark.parametrize("who", [SNS, WEB, Anonymous()])
def test_a_service_control_policy_does_not_bind_callers_without_an_account(who: Principal) -> None:
    assert decided(request(who=who), resource=resource("*"), scps=levels("deny")).allowed


def test_a_session_policy_binds_sessions_and_federated_users_only() -> None:
    given: dict[str, Any] = {"identity": (layer("allow", Kind.IDENTITY),), "session": (layer("none", Kind.SESSION),)}
    assert decided(request(who=ALICE), **given).allowed
    assert not decided(request(who=SESSION), **given).allowed
    assert not decided(request(who=FED), **given).allowed


def test_the_boundary_of_the_parent_user_binds_its_federated_users() -> None:
    given: dict[str, Any] = {"identity": (layer("allow", Kind.IDENTITY),), "session": (layer("allow", Kind.SESSION),)}
    assert decided(request(who=FED), **given).allowed
    assert decided(request(who=FED), **given, boundary=layer("none", Kind.BOUNDARY)).cause == Cause(
        Layer.BOUNDARY, False
    )


# E to H


def test_in_one_account_the_identity_or_the_resource_policy_suffices() -> None:
    allowing, silent = (layer("allow", Kind.IDENTITY),), (layer("none", Kind.IDENTITY),)
    assert decided(request(), identity=allowing).allowed
    assert decided(
        request(), identity=allowing, resource=named(SILENT | {"Principal": "*"}, kind=Kind.RESOURCE)
    ).allowed
    assert decided(request(), identity=silent, resource=resource({"AWS": ALICE.arn})).allowed
    assert not decided(request(), identity=silent).allowed


@pytest.mark.parametrize("entry", [{"AWS": ALICE.arn}, {"AWS": HOME}, "*"])
def test_where_trust_must_be_explicit_an_identity_policy_alone_does_not_suffice(entry: Any) -> None:
    given: dict[str, Any] = {"identity": (layer("allow", Kind.IDENTITY),), "explicit_trust_required": True}
    assert decided(request("kms:Decrypt"), **given).outcome is NO
    assert decided(request("kms:Decrypt"), **given, resource=resource({"AWS": AWAY})).outcome is NO
    assert decided(request("kms:Decrypt"), **given, resource=resource(entry)).outcome is YES


def test_a_role_assumes_itself_only_when_its_trust_policy_says_so() -> None:
    asked = request("sts:AssumeRole", ROLE, SESSION)
    given: dict[str, Any] = {"identity": (layer("allow", Kind.IDENTITY),), "explicit_trust_required": True}
    for entry, expected in (({"AWS": BOB.arn}, NO), ({"AWS": ROLE}, YES), ({"AWS": HOME}, YES)):
        trust = named(TRUST_STATEMENT | {"Principal": entry}, kind=Kind.TRUST)
        assert decided(asked, **given, resource=trust).outcome is expected


def test_tagging_a_session_and_naming_its_source_are_permissions_of_their_own() -> None:
    trust = named(TRUST_STATEMENT | {"Principal": {"AWS": ALICE.arn}}, kind=Kind.TRUST)
    layers = Layers(resource=trust, explicit_trust_required=True)
    outcomes = {
        action: decide(request(action, ROLE, ALICE), layers).outcome
        for action in ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext")
    }
    assert outcomes.pop("sts:AssumeRole") is YES
    assert set(outcomes.values()) == {NO}


def test_getfederationtoken_is_for_the_identity_policy_to_decide_and_root_may() -> None:
    target = f"arn:aws:sts::{HOME}:federated-user/fed"
    asked = request("sts:GetFederationToken", target, long_term=True)
    assert decided(asked).outcome is NO
    assert decided(asked, identity=(named(statement(Action="sts:GetFederationToken", Resource=target)),)).outcome is YES
    assert decided(request("sts:GetFederationToken", target, ROOT, long_term=True)).outcome is YES


# 2.4 and 8


def test_condition_values_are_compared_as_text_and_never_resolved_to_ids() -> None:
    made = statement(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": ALICE.arn}})
    found = policy(made, kind=Kind.RESOURCE)
    assert found.principal_arns == ()
    namesake = User(HOME, "/team/", "alice", "AIDANEWALICENEWALICE1")
    narrowed = named(made, kind=Kind.RESOURCE, ids={ALICE.arn: ALICE.unique_id})
    assert decided(request(who=namesake, context={"aws:PrincipalArn": ALICE.arn}), resource=narrowed).allowed


@pytest.mark.parametrize("kind", [Kind.BOUNDARY, Kind.SCP])
@pytest.mark.parametrize("pattern", ["arn:aws:sqs", "arn:aws:sqs:*", "arn:aws:sqs:us-east-1"])
def test_an_incomplete_arn_is_padded_in_boundaries_and_service_control_policies_too(kind: Kind, pattern: str) -> None:
    guard = named(statement(Resource=pattern), kind=kind)
    guards: dict[Kind, dict[str, Any]] = {
        Kind.BOUNDARY: {"boundary": guard},
        Kind.SCP: {"scps": (Level("root", (guard,)),)},
    }
    given: dict[str, Any] = {"identity": (layer("allow", Kind.IDENTITY),)} | guards[kind]
    assert decided(request(resource="arn:aws:sqs:us-east-1:111111111111:q:x"), **given).allowed
    assert not decided(request(resource="arn:aws:sns:us-east-1:111111111111:q"), **given).allowed

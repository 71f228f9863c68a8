# SPDX-License-Identifier: Apache-2.0
"""
The decision: section 9, its matrix, its truth table, the causes (9.2), and the rules of the operations.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from daypass.policy import (
    Cause,
    Decision,
    Grant,
    Kind,
    Layer,
    Layers,
    Level,
    NamedPolicy,
    Outcome,
    PolicySet,
    decide,
    explain,
)
from daypass.principal import Anonymous, FederatedCaller, FederatedUser, Principal, Root, Service
from policy.deciding import ALLOW, DENY, SAYS, SILENT, TRUST_STATEMENT, layer, levels, rcp, resource
from policy.making import (
    ALICE,
    ALLOW_ALL,
    AWAY,
    BOB,
    DENY_ALL,
    FED,
    HOME,
    ROLE,
    ROOT,
    SESSION,
    decided,
    named,
    policy,
    request,
    statement,
)
from policy.recompute import recompute

TASK = Root(HOME, for_a_task=True)

# 9.1


def test_the_layers_of_one_account_without_a_resource_policy() -> None:
    for identity, boundary, session, scp in itertools.product(SAYS, [None, *SAYS], [None, *SAYS], [None, *SAYS]):
        found = decided(
            request(who=SESSION),
            identity=(layer(identity, Kind.IDENTITY),),
            boundary=layer(boundary, Kind.BOUNDARY) if boundary else None,
            session=(layer(session, Kind.SESSION),) if session else None,
            scps=levels("allow", scp) if scp else None,
        )
        given = (identity, boundary, session, scp)
        if "deny" in given:
            assert found.outcome is Outcome.EXPLICIT_DENY
        elif identity == "allow" and "none" not in given:
            assert found.outcome is Outcome.ALLOWED
        else:
            assert found.outcome is Outcome.IMPLICIT_DENY


# The matrix of the User Guide: identity policy silent, same account. Columns: nothing else; boundary silent; session silent.
ALLOWED, IMPLICIT = Outcome.ALLOWED, Outcome.IMPLICIT_DENY
MATRIX: list[tuple[str, Principal, Any, tuple[Outcome, Outcome, Outcome | None]]] = [
    ("user ARN", ALICE, {"AWS": ALICE.arn}, (ALLOWED, ALLOWED, None)),
    ("role ARN", SESSION, {"AWS": ROLE}, (ALLOWED, IMPLICIT, IMPLICIT)),
    ("role session ARN", SESSION, {"AWS": SESSION.arn}, (ALLOWED, ALLOWED, ALLOWED)),
    ("federated-user ARN", FED, {"AWS": FED.arn}, (ALLOWED, ALLOWED, ALLOWED)),
    ("everyone", ALICE, "*", (ALLOWED, ALLOWED, None)),
    ("everyone", SESSION, "*", (ALLOWED, ALLOWED, ALLOWED)),
    ("account", ALICE, {"AWS": HOME}, (IMPLICIT, IMPLICIT, None)),
    ("account", SESSION, {"AWS": HOME}, (IMPLICIT, IMPLICIT, IMPLICIT)),
]


@pytest.mark.parametrize(("grant", "who", "entry", "expected"), MATRIX)
def test_what_a_resource_policy_alone_grants(
    grant: str, who: Principal, entry: Any, expected: tuple[Outcome, Outcome, Outcome | None]
) -> None:
    given = {"identity": (layer("none", Kind.IDENTITY),), "resource": resource(entry)}
    boundary, session = layer("none", Kind.BOUNDARY), (layer("none", Kind.SESSION),)
    found = [
        decided(request(who=who), **given).outcome,
        decided(request(who=who), **given, boundary=boundary).outcome,
        decided(request(who=who), **given, session=session).outcome if expected[2] else None,
    ]
    assert tuple(found) == expected
    for guard in ("boundary", "identity", "resource"):
        denied = given | {guard: _denying(guard, entry)}
        assert decided(request(who=who), **denied).outcome is Outcome.EXPLICIT_DENY


def _denying(guard: str, entry: Any) -> Any:
    if guard == "identity":
        return (layer("deny", Kind.IDENTITY),)
    if guard == "boundary":
        return layer("deny", Kind.BOUNDARY)
    return named(statement(Principal=entry), statement("Deny", Principal="*"), kind=Kind.RESOURCE)


def test_a_grant_to_the_parent_user_needs_a_session_policy_that_allows() -> None:
    given = {"resource": resource({"AWS": ALICE.arn})}
    assert decided(request(who=FED), **given).outcome is IMPLICIT
    for says, expected in (("allow", ALLOWED), ("none", IMPLICIT)):
        session = (layer(says, Kind.SESSION),)
        assert decided(request(who=FED), **given, session=session).outcome is expected
        silent = decided(request(who=FED), **given, session=session, boundary=layer("none", Kind.BOUNDARY))
        assert silent.outcome is IMPLICIT


def test_everyone_narrowed_by_principalarn_is_still_unlimited() -> None:
    made = statement(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE}})
    narrowed = named(made, kind=Kind.RESOURCE)
    asked = request(who=SESSION, context={"aws:PrincipalArn": ROLE})
    assert decided(asked, resource=narrowed, boundary=layer("none", Kind.BOUNDARY)).outcome is ALLOWED


# across accounts


@pytest.mark.parametrize("entry", ["*", {"AWS": BOB.arn}, {"AWS": AWAY}])
def test_across_accounts_both_sides_must_allow(entry: Any) -> None:
    identity = (layer("allow", Kind.IDENTITY),)
    asked = request(who=BOB)
    assert decided(asked, identity=identity, resource=resource(entry)).outcome is ALLOWED
    assert decided(asked, identity=identity).outcome is IMPLICIT
    assert decided(asked, resource=resource(entry)).outcome is IMPLICIT
    for guard in ({"boundary": layer("none", Kind.BOUNDARY)}, {"scps": levels("none")}):
        assert decided(asked, identity=identity, resource=resource(entry), **guard).outcome is IMPLICIT


def test_a_session_arn_gives_no_bypass_across_accounts() -> None:
    asked = request(who=SESSION, account=AWAY)
    given = {"resource": resource({"AWS": SESSION.arn})}
    assert decided(asked, **given).outcome is IMPLICIT
    assert decided(asked, **given, identity=(layer("allow", Kind.IDENTITY),)).outcome is ALLOWED
    session = (layer("none", Kind.SESSION),)
    assert decided(asked, **given, identity=(layer("allow", Kind.IDENTITY),), session=session).outcome is IMPLICIT


# root


def test_root_is_not_limited_by_its_account_but_by_the_organisation_and_by_denies() -> None:
    asked = request(who=ROOT)
    assert decided(asked).outcome is ALLOWED
    ignored = {"identity": (layer("deny", Kind.IDENTITY),), "boundary": layer("deny", Kind.BOUNDARY)}
    assert decided(asked, **ignored).outcome is ALLOWED
    assert decided(asked, scps=levels("none")).outcome is IMPLICIT
    assert decided(asked, scps=levels("deny")).outcome is Outcome.EXPLICIT_DENY
    assert decided(asked, resource=resource({"AWS": HOME}, effect="Deny")).outcome is Outcome.EXPLICIT_DENY
    assert decided(request(who=ROOT, account=AWAY)).outcome is IMPLICIT
    assert decided(request(who=ROOT, account=AWAY), resource=resource({"AWS": HOME})).outcome is ALLOWED


# root, for a task


def test_root_in_a_session_for_a_task_has_its_task_policy_alone() -> None:
    asked = request(who=TASK)
    assert decided(asked).cause == Cause(Layer.SESSION, False)
    assert decided(asked, session=()).outcome is IMPLICIT
    assert decided(asked, session=(layer("allow", Kind.SESSION),)).outcome is ALLOWED
    assert decided(asked, session=(layer("deny", Kind.SESSION),)).outcome is Outcome.EXPLICIT_DENY
    ignored = {"identity": (layer("allow", Kind.IDENTITY),), "boundary": layer("allow", Kind.BOUNDARY)}
    assert decided(asked, session=(layer("none", Kind.SESSION),), **ignored).outcome is IMPLICIT


@pytest.mark.parametrize("entry", ["*", {"AWS": "*"}, {"AWS": HOME}, {"AWS": f"arn:aws:iam::{HOME}:root"}])
@pytest.mark.parametrize("account", [HOME, AWAY])
@pytest.mark.parametrize("explicit_trust_required", [False, True])
def test_no_resource_policy_gives_root_in_a_session_for_a_task_more_than_its_task_policy(
    entry: Any, account: str, explicit_trust_required: bool
) -> None:
    asked = request(who=TASK, account=account)
    given: dict[str, Any] = {"resource": resource(entry), "explicit_trust_required": explicit_trust_required}
    silent = (layer("none", Kind.SESSION),)
    assert decided(asked, **given, session=silent).cause == Cause(Layer.SESSION, False)
    assert decided(asked, **given, session=(layer("allow", Kind.SESSION),)).outcome is ALLOWED
    explanation = explain(asked, Layers(**given, session=silent))
    assert explanation.counterfactual == ("allow in session",)
    assert recompute([row.to_dict() for row in explanation.layers]) == "implicitDeny"


def test_the_organisation_binds_root_in_a_session_for_a_task() -> None:
    asked, session = request(who=TASK), (layer("allow", Kind.SESSION),)
    assert decided(asked, session=session, scps=levels("none")).outcome is IMPLICIT
    assert decided(asked, session=session, scps=levels("deny")).outcome is Outcome.EXPLICIT_DENY


# federated users


def test_a_federated_user_needs_a_session_policy() -> None:
    identity = (layer("allow", Kind.IDENTITY),)
    assert decided(request(who=FED), identity=identity).outcome is IMPLICIT
    assert decided(request(who=FED), identity=identity, session=()).outcome is IMPLICIT
    assert decided(request(who=FED), identity=identity, session=(layer("allow", Kind.SESSION),)).outcome is ALLOWED
    assert decided(request(who=FED), session=(layer("allow", Kind.SESSION),)).outcome is IMPLICIT


def test_a_federated_user_of_root_has_its_session_policy_alone() -> None:
    who = FederatedUser(HOME, "fed", ROOT)
    assert decided(request(who=who)).outcome is IMPLICIT
    assert decided(request(who=who), session=(layer("allow", Kind.SESSION),)).outcome is ALLOWED


def test_an_empty_set_of_session_policies_allows_nothing() -> None:
    given = {"identity": (layer("allow", Kind.IDENTITY),)}
    assert decided(request(who=SESSION), **given, session=None).outcome is ALLOWED
    assert decided(request(who=SESSION), **given, session=()).outcome is IMPLICIT


# callers without an account


@pytest.mark.parametrize(
    ("who", "entry"),
    [
        (Service("sns.amazonaws.com"), {"Service": "sns.amazonaws.com"}),
        (Anonymous(), "*"),
        (FederatedCaller("arn:aws:iam::1:saml-provider/x"), {"Federated": "arn:aws:iam::1:saml-provider/x"}),
    ],
)
def test_callers_without_an_account_need_the_resources_policy(who: Principal, entry: Any) -> None:
    ignored: dict[str, Any] = {"identity": (layer("allow", Kind.IDENTITY),), "scps": levels("deny")}
    assert decided(request(who=who), **ignored).outcome is IMPLICIT
    assert decided(request(who=who), **ignored, resource=resource(entry)).outcome is ALLOWED
    assert decided(request(who=who), **ignored, resource=resource({"AWS": HOME})).outcome is IMPLICIT


# role trust


def assume(who: Principal, entry: Any, account: str = HOME, identity: str = "none", kind: Kind = Kind.TRUST) -> Outcome:
    trust = named(TRUST_STATEMENT | {"Principal": entry}, kind=kind)
    layers = Layers(identity=(layer(identity, Kind.IDENTITY),), resource=trust, explicit_trust_required=True)
    return decide(request("sts:AssumeRole", f"arn:aws:iam::{account}:role/R", who, account), layers).outcome


def test_a_role_that_names_the_caller_needs_no_identity_policy_in_its_account() -> None:
    assert assume(ALICE, {"AWS": ALICE.arn}) is ALLOWED
    assert assume(SESSION, {"AWS": ROLE}) is ALLOWED
    assert assume(SESSION, {"AWS": SESSION.arn}) is ALLOWED


def test_a_role_that_names_the_account_needs_an_identity_policy() -> None:
    assert assume(ALICE, {"AWS": HOME}) is IMPLICIT
    assert assume(ALICE, {"AWS": HOME}, identity="allow") is ALLOWED


def test_a_role_that_names_somebody_else_is_not_assumed_whatever_the_identity_policy_says() -> None:
    assert assume(ALICE, {"AWS": BOB.arn}, identity="allow") is IMPLICIT
    assert assume(SESSION, {"Service": "ec2.amazonaws.com"}, identity="allow") is IMPLICIT


def test_assuming_a_role_of_another_account_needs_both() -> None:
    assert assume(ALICE, {"AWS": ALICE.arn}, AWAY) is IMPLICIT
    assert assume(ALICE, {"AWS": ALICE.arn}, AWAY, "allow") is ALLOWED
    assert assume(ALICE, {"AWS": HOME}, AWAY, "allow") is ALLOWED


# A: rules of operations


def test_getcalleridentity_is_allowed_even_against_explicit_denies() -> None:
    everything: dict[str, Any] = {"identity": (layer("deny", Kind.IDENTITY),), "scps": levels("deny")}
    for who in (ALICE, SESSION, ROOT, FED, Service("x")):
        assert decided(request("STS:getCallerIdentity", "*", who), **everything).allowed
    nobody: tuple[Principal, ...] = (Anonymous(), FederatedCaller("x"))
    for caller in nobody:
        assert not decided(request("sts:GetCallerIdentity", "*", caller)).allowed


def test_getsessiontoken_cannot_be_controlled_with_long_term_credentials() -> None:
    given = {"identity": (layer("deny", Kind.IDENTITY),)}
    asked = request("sts:GetSessionToken", "*", ALICE, long_term=True)
    assert decided(asked, **given).allowed
    assert not decided(request("sts:GetSessionToken", "*", ALICE), **given).allowed
    assert not decided(request("sts:GetSessionToken", "*", SESSION, long_term=True), **given).allowed


def test_other_operations_of_sts_are_for_the_policies_to_decide() -> None:
    for action in ("sts:TagSession", "sts:GetFederationToken", "sts:GetCallerIdentityX"):
        assert decided(request(action, "*"), identity=(layer("allow", Kind.IDENTITY),)).allowed
        assert not decided(request(action, "*", long_term=True), identity=(layer("deny", Kind.IDENTITY),)).allowed


def test_root_may_not_assume_roles() -> None:
    trust = named(TRUST_STATEMENT | {"Principal": {"AWS": "*"}}, kind=Kind.TRUST)
    found = decided(request("sts:assumerole", "arn:aws:iam::1:role/R", ROOT), resource=trust)
    assert found == Decision(IMPLICIT, Cause(Layer.OPERATION, False))


# organisation and endpoint


def test_every_level_must_allow_for_itself() -> None:
    given = {"identity": (layer("allow", Kind.IDENTITY),)}
    assert decided(request(), **given, scps=levels("allow", "allow")).outcome is ALLOWED
    found = decided(request(), **given, scps=levels("allow", "none", "allow"))
    assert found.cause == Cause(Layer.SCP, False, "level1")
    assert decided(request(), **given, scps=(Level("empty"),)).outcome is IMPLICIT
    assert decided(request(), **given, scps=()).outcome is ALLOWED


def test_a_service_linked_role_is_left_alone_by_the_organisation() -> None:
    given: dict[str, Any] = {"identity": (layer("allow", Kind.IDENTITY),), "scps": levels("deny"), "rcps": rcp()}
    assert decided(request(who=SESSION), **given, service_linked_role=True).outcome is ALLOWED
    assert decided(request(who=SESSION), **given).outcome is Outcome.EXPLICIT_DENY


@pytest.mark.parametrize("who", [ALICE, ROOT, BOB, Anonymous(), Service("x")])
def test_a_resource_control_policy_denies_every_kind_of_caller(who: Principal) -> None:
    given: dict[str, Any] = {"identity": (layer("allow", Kind.IDENTITY),), "resource": resource("*")}
    assert decided(request(who=who), **given).outcome is ALLOWED
    found = decided(request(who=who), **given, rcps=rcp())
    assert found.cause == Cause(Layer.RCP, True, "root", "rcp", "", 0)


def test_a_resource_control_policy_speaks_only_about_its_services() -> None:
    given: dict[str, Any] = {"identity": (layer("allow", Kind.IDENTITY),), "rcps": rcp("dynamodb:*")}
    assert decided(request("dynamodb:GetItem"), **given).outcome is ALLOWED
    more = frozenset({"dynamodb"})
    assert decided(request("dynamodb:GetItem"), **given, rcp_services=more).outcome is Outcome.EXPLICIT_DENY


def test_full_access_is_implied_at_every_level_of_resource_control_policies() -> None:
    given: dict[str, Any] = {"identity": (layer("allow", Kind.IDENTITY),), "rcps": rcp("s3:Nothing")}
    assert decided(request(), **given).outcome is ALLOWED


def test_an_endpoint_policy_must_allow_and_its_principal_is_matched() -> None:
    identity = (layer("allow", Kind.IDENTITY),)
    for made, expected in (
        (statement(), ALLOWED),
        (statement(Principal={"AWS": HOME}), ALLOWED),
        (statement(Principal={"AWS": AWAY}), IMPLICIT),
        (SILENT, IMPLICIT),
        (statement("Deny", Principal={"AWS": ALICE.arn}), Outcome.EXPLICIT_DENY),
    ):
        endpoint = named(made, kind=Kind.VPC_ENDPOINT)
        assert decided(request(), identity=identity, vpc_endpoint=endpoint).outcome is expected


# forms


def test_a_decision_is_not_a_truth_value() -> None:
    found = decided(request(), identity=(layer("allow", Kind.IDENTITY),))
    with pytest.raises(TypeError):
        bool(found)
    assert found.allowed
    assert found.grant is Grant.NONE


def test_no_policies_at_all_deny() -> None:
    assert decided(request()) == Decision(IMPLICIT, Cause(Layer.IDENTITY, False))


def test_a_set_of_policies_decides_as_a_tuple_does() -> None:
    allowing = [named(ALLOW_ALL | {"Action": f"svc{i}:*"}, name=f"p{i}") for i in range(30)]
    made = (*allowing, named(DENY_ALL | {"Action": "x:*"}))
    for action in ("svc7:Get", "svc29:Get", "x:Get", "other:Get"):
        for _ in range(2):
            assert decided(request(action), identity=PolicySet(made)) == decided(request(action), identity=made)


def test_a_set_forgets_actions_when_a_caller_invents_too_many() -> None:
    made = PolicySet([named(ALLOW_ALL)])
    for i in range(300):
        assert decided(request(f"s3:Invented{i}"), identity=made).allowed
    assert len(made._shelves) <= 256


def test_a_deny_in_a_later_policy_counts() -> None:
    made = (named(ALLOW), named(SILENT), named(DENY))
    assert decided(request(), identity=made).outcome is Outcome.EXPLICIT_DENY


def test_a_malformed_resource_is_covered_only_by_everything() -> None:
    assert decided(request(resource="nonsense"), identity=(named(ALLOW),)).allowed
    narrower = NamedPolicy("p", policy(statement(Resource="arn:*:*:*:*:*")))
    assert not decided(request(resource="nonsense"), identity=(narrower,)).allowed

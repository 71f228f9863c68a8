# SPDX-License-Identifier: Apache-2.0
"""
Rules about documents that had no test of their own (sections 2, 4, 6), and defaults where AWS is ambiguous (section 16).
"""

from __future__ import annotations

from typing import Any

import pytest

from daypass.errors import Reason
from daypass.policy import Kind, Layers, Level, NamedPolicy, decide, denial_message, limits
from daypass.policy.simulate import simulate
from daypass.principal import FederatedCaller
from policy.making import ALICE, AWAY, BOB, HOME, OBJECT, applies, document, named, policy, reason, request, statement

R = Reason
ALL_BUT_TRUST = [kind for kind in Kind if kind is not Kind.TRUST]


@pytest.mark.parametrize("kind", ALL_BUT_TRUST)
@pytest.mark.parametrize("element", ["Action", "Resource", "Principal"])
def test_an_element_and_its_not_form_exclude_each_other_in_every_kind(kind: Kind, element: str) -> None:
    made = statement("Deny", Principal="*") | {f"Not{element}": "*"}
    assert reason(document(made), kind) is R.POLICY_SYNTAX


@pytest.mark.parametrize("kind", Kind)
def test_a_name_that_stands_twice_is_refused_in_every_kind(kind: Kind) -> None:
    inner = document(statement()).replace('"Effect"', '"Effect": "Deny", "Effect"')
    outer = document(statement())[:-1] + ', "Statement": []}'
    condition = document(statement(Condition={"Bool": {"a": "b"}})).replace('"a":', '"a": "c", "a":')
    for text in (inner, outer, condition):
        assert reason(text, kind) is R.POLICY_SYNTAX


@pytest.mark.parametrize("kind", Kind)
def test_null_has_no_ifexists_in_any_kind(kind: Kind) -> None:
    made = {
        "Effect": "Deny",
        "Principal": {"AWS": HOME},
        "Action": "sts:*",
        "Condition": {"NullIfExists": {"a": "true"}},
    }
    assert reason(document(made), kind) is R.POLICY_SYNTAX


@pytest.mark.parametrize("name", ["effect", "EFFECT", "statement", "action", "Principals"])
def test_names_of_elements_have_one_spelling(name: str) -> None:
    for text in (document(statement() | {name: "Allow"}), document(statement())[:-1] + f', "{name}": []}}'):
        assert reason(text) is R.POLICY_SYNTAX


def test_a_document_without_version_is_of_2008_and_has_no_variables() -> None:
    made = statement(Resource="arn:aws:s3:::b/${*}", Principal="*")
    found = policy(made, kind=Kind.RESOURCE, version=None)
    assert found.version == "2008-10-17"
    for version in (None, "2008-10-17"):
        assert applies(made, request(resource="arn:aws:s3:::b/${anything}"), version=version)
        assert not applies(made, request(resource="arn:aws:s3:::b/*"), version=version)
    assert applies(statement(Resource="arn:aws:s3:::b/${*}"), request(resource="arn:aws:s3:::b/*"))


def test_variables_have_no_meaning_in_sids_principals_and_operators() -> None:
    assert reason(document(statement(Sid="${aws:username}"))) is R.POLICY_SID_CHARACTERS
    for entry in ("${aws:PrincipalAccount}", f"arn:aws:iam::{HOME}:${{aws:username}}"):
        assert reason(document(statement(Principal={"AWS": entry})), Kind.RESOURCE) is R.POLICY_PRINCIPAL_INVALID
    assert reason(document(statement(Condition={"${op}": {"k": "v"}}))) is R.POLICY_SYNTAX
    made = statement(Condition={"StringEquals": {"${k}": "v"}})
    assert not applies(made, request(context={"k": "x", "x": "v"}))
    user = f"arn:aws:iam::{HOME}:user/${{aws:username}}"
    asked = request(context={"aws:username": "alice"})
    found = named(statement(Principal={"AWS": user}), kind=Kind.RESOURCE)
    assert not decide(asked, Layers(resource=found)).allowed


def test_a_missing_value_takes_the_default_and_without_one_the_resource_does_not_match() -> None:
    with_default = statement(Resource="arn:aws:s3:::b/${aws:PrincipalTag/team, 'k'}")
    without = statement(Resource="arn:aws:s3:::b/${aws:PrincipalTag/team}")
    assert applies(with_default)
    assert not applies(without)
    assert not applies(with_default, request(context={"aws:PrincipalTag/team": "other"}))
    assert not applies(statement(Resource="arn:aws:s3:::b/${aws:PrincipalTag/team}*"))


def test_a_user_name_in_a_resource_keeps_its_case() -> None:
    arn = f"arn:aws:iam::{HOME}:user/alice"
    assert applies(statement(Resource=arn), request("iam:GetUser", arn))
    assert not applies(statement(Resource=arn), request("iam:GetUser", arn.replace("alice", "Alice")))


def test_a_list_of_buckets_is_asked_for_with_the_arn_of_all_buckets_taken_literally() -> None:
    asked = request("s3:ListAllMyBuckets", "arn:aws:s3:::*")
    assert applies(statement(Resource="arn:aws:s3:::*"), asked)
    assert not applies(statement(Resource="arn:aws:s3:::b"), asked)
    assert not applies(statement(Resource="arn:aws:s3:::b*"), asked)


@pytest.mark.parametrize("kind", [Kind.RESOURCE, Kind.VPC_ENDPOINT])
def test_notprincipal_is_for_denies_only(kind: Kind) -> None:
    made: dict[str, Any] = {"NotPrincipal": {"AWS": ALICE.arn}}
    assert policy(statement("Deny", **made), kind=kind).statements
    assert reason(document(statement("Allow", **made)), kind) is R.POLICY_NOT_PRINCIPAL_ALLOWS


def test_callers_of_another_account_read_the_bare_sentence() -> None:
    asked = request(who=BOB)
    message = denial_message(asked, decide(asked, Layers()))
    assert message == f'User: {BOB.arn} is not authorized to perform: s3:GetObject on resource: "{OBJECT}"'
    own = request()
    assert denial_message(own, decide(own, Layers())).endswith(
        "because no identity-based policy allows the s3:GetObject action"
    )


# Defaults where AWS is ambiguous, that no other file pins


def test_the_size_of_a_service_control_policy_is_the_smaller_figure_ambiguous_default() -> None:
    assert limits.SCP == 5_120


def test_the_names_of_types_of_policy_in_evaldecisiondetails_ambiguous_default() -> None:
    layers = Layers(
        identity=(named(statement()),),
        boundary=named(statement(), kind=Kind.BOUNDARY),
        resource=named(statement(Principal={"AWS": AWAY}), kind=Kind.RESOURCE),
    )
    details = simulate([request(who=BOB)], layers).total.details
    assert details is not None
    assert set(details) == {"IAM Policy", "Resource Policy", "Permissions Boundary Policy"}


@pytest.mark.parametrize("kind", [Kind.RESOURCE, Kind.TRUST, Kind.VPC_ENDPOINT])
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_canonical_user_is_refused_rather_than_given_a_class_ambiguous_default(kind: Kind, effect: str) -> None:
    made = statement(effect, Principal={"CanonicalUser": "79a59df900b949e55d96a1e698fbaced"}, Action="sts:AssumeRole")
    if kind is Kind.TRUST:
        del made["Resource"]
    assert reason(document(made), kind) is R.POLICY_PRINCIPAL_INVALID


def test_a_year_of_four_digits_in_a_condition_is_seconds_ambiguous_default() -> None:
    made = statement(Condition={"DateLessThan": {"aws:CurrentTime": "2020"}})
    assert applies(made, request(context={"aws:CurrentTime": "1970-01-01T00:33:39Z"}))
    assert not applies(made, request(context={"aws:CurrentTime": "1970-01-01T00:33:40Z"}))


# Rules of section 9 and 10 about who is asked


def test_a_resource_control_policy_may_name_any_action_of_its_service_and_denies_external_callers_too() -> None:
    made = statement("Deny", Principal="*", Action="sts:AssumeRoleWithWebIdentity", Resource="*")
    role = f"arn:aws:iam::{HOME}:role/R"
    provider = f"arn:aws:iam::{HOME}:oidc-provider/idp.example"
    trust = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"}
    layers = Layers(
        resource=named(trust, kind=Kind.TRUST),
        explicit_trust_required=True,
        rcps=(Level("root", (NamedPolicy("rcp", policy(made, kind=Kind.RCP)),)),),
    )
    asked = request("sts:AssumeRoleWithWebIdentity", role, FederatedCaller(provider))
    assert decide(asked, layers).outcome.value == "explicitDeny"
    assert decide(asked, Layers(resource=layers.resource, explicit_trust_required=True)).allowed


def test_s3_writes_the_resource_in_quotes_and_names_none_for_all_buckets() -> None:
    asked = request(action="s3:ListAllMyBuckets", resource="arn:aws:s3:::*")
    assert denial_message(asked, decide(asked, Layers())) == (
        f"User: {ALICE.arn} is not authorized to perform: s3:ListAllMyBuckets "
        "because no identity-based policy allows the s3:ListAllMyBuckets action"
    )
    asked = request(action="sqs:SendMessage", resource="arn:aws:sqs:us-east-1:123456789012:q")
    assert " on resource: arn:aws:sqs:us-east-1:123456789012:q because" in denial_message(
        asked, decide(asked, Layers())
    )

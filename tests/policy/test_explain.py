# SPDX-License-Identifier: Apache-2.0
"""
Explanations (section 14) and the sentence that a denied caller reads (section 13).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from daypass.policy import Kind, Layers, Level, decide, denial_message, explain
from daypass.principal import Anonymous, FederatedCaller, Principal, Service
from policy.making import ALICE, AWAY, BOB, FED, HOME, ROLE, ROOT, SESSION, decided, named, request, statement
from policy.recompute import recompute

SILENT = statement(Action="nobody:Asks")


def explained(asked: Any = None, **layers: Any) -> dict[str, Any]:
    shown = explain(asked or request(), Layers(**layers)).to_dict()
    assert json.loads(json.dumps(shown)) == shown
    assert recompute(shown["layers"]) == shown["decision"]
    return shown


def only(asked: Any = None, **elements: Any) -> dict[str, Any]:
    """The trace of the one statement."""
    traces: list[dict[str, Any]] = explained(asked, identity=(named(statement(**elements)),))["statements"]
    return traces[0]


def test_an_explanation_has_the_shape_that_it_is_specified_to_have() -> None:
    made = statement(
        Sid="Own",
        Action="s3:Get*",
        Resource="arn:aws:s3:::b/${aws:username}/*",
        Condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}},
    )
    deny = statement("Deny", Sid="D1", Action="s3:*")
    scps = (
        Level("root", (named(statement(), kind=Kind.SCP),)),
        Level("ou-1", (named(SILENT, SILENT, deny, kind=Kind.SCP, name="p-123"),)),
    )
    asked = request(context={"aws:username": "alice", "aws:PrincipalTag/team": "red"})
    shown = explained(asked, identity=(named(made, name="inline:p1"),), scps=scps)
    assert {k: v for k, v in shown.items() if k not in ("statements",)} == {
        "decision": "explicitDeny",
        "cause": {"layer": "scp", "kind": "explicit", "level": "ou-1", "policy": "p-123", "sid": "D1", "statement": 2},
        "same_account": True,
        "grant_class": "NONE",
        "counterfactual": ["remove scp:p-123#D1", "allow in scp:ou-1", "allow in identity"],
        "layers": [
            {"layer": "scp", "level": "root", "result": "allow", "allow": ["scp:p#0"], "deny": []},
            {"layer": "scp", "level": "ou-1", "result": "deny", "allow": [], "deny": ["scp:p-123#2"]},
            {"layer": "resource", "result": "none", "needs": "nothing", "grant": "NONE", "allow": [], "deny": []},
            {"layer": "identity", "result": "none", "allow": [], "deny": []},
        ],
        "missing_context": ["aws:MultiFactorAuthPresent"],
        "warnings": [],
    }
    assert shown["statements"][-1] == {
        "ref": "identity:inline:p1#0",
        "sid": "Own",
        "effect": "Allow",
        "applies": False,
        "action": {"match": True, "by": "s3:Get*", "why": None},
        "resource": {
            "match": False,
            "negated": False,
            "entries": [
                {
                    "pattern": "arn:aws:s3:::b/${aws:username}/*",
                    "resolved": "arn:aws:s3:::b/alice/*",
                    "match": False,
                    "why": "RESOURCE_PART",
                }
            ],
        },
        "principal": None,
        "conditions": [
            {
                "op": "StringEquals",
                "key": "aws:PrincipalTag/team",
                "present": True,
                "values": ["red"],
                "policy": ["blue"],
                "result": False,
                "why": "VALUE",
            },
            {
                "op": "Bool",
                "key": "aws:MultiFactorAuthPresent",
                "present": False,
                "values": [],
                "policy": ["true"],
                "result": False,
                "why": "MISSING_KEY",
            },
        ],
    }


QUEUE = "arn:aws:sqs:us-east-1:111111111111:q"


@pytest.mark.parametrize(
    ("pattern", "resource", "why"),
    [
        ("*", QUEUE, None),
        (QUEUE, QUEUE, None),
        ("arn:aws:sqs:us-*:1*:q*", QUEUE, None),
        ("arn:aws-cn:sqs:*:*:q", QUEUE, "PARTITION"),
        ("x:aws:sqs:*:*:q", QUEUE, "PARTITION"),
        ("arn:aws:sns:*:*:q", QUEUE, "SERVICE"),
        ("arn:aws:sqs:eu-west-1:*:q", QUEUE, "REGION"),
        ("arn:aws:sqs:us-east-1:222222222222:q", QUEUE, "ACCOUNT"),
        ("arn:aws:sqs:us-east-1:111111111111:p", QUEUE, "RESOURCE_PART"),
        ("arn:aws:sqs:*:*:${gone}", QUEUE, "UNRESOLVED_VARIABLE"),
        ("arn:aws:sqs:${gone}:*:q", QUEUE, "UNRESOLVED_VARIABLE"),
        (QUEUE, "*", "RESOURCE_STAR"),
    ],
)
def test_why_a_resource_does_not_match(pattern: str, resource: str, why: str | None) -> None:
    entries = only(request(resource=resource), Resource=pattern)["resource"]["entries"]
    assert [entry["why"] for entry in entries] == [why]
    assert entries[0]["match"] is (why is None)


def test_why_a_short_arn_in_a_resource_policy_does_not_match() -> None:
    made = named(statement(Principal="*", Resource="arn:aws:sqs"), kind=Kind.RESOURCE)
    trace = explained(request(resource=QUEUE), resource=made)["statements"][0]
    assert trace["resource"]["entries"][0]["why"] == "INCOMPLETE_ARN"


def test_notresource_is_shown_as_its_entries_and_its_result() -> None:
    shown = only(NotResource=["arn:aws:s3:::other", "arn:aws:s3:::x/${gone}"])["resource"]
    assert (shown["negated"], shown["match"]) == (True, False)
    assert only(NotResource="arn:aws:s3:::other")["resource"]["match"] is True
    assert only(NotResource="arn:aws:s3:::b/k")["resource"]["match"] is False


def test_a_statement_without_resource_has_no_comparison_of_it() -> None:
    trust = named({"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "sts:AssumeRole"}, kind=Kind.TRUST)
    trace = explained(request("sts:AssumeRole", ROLE), resource=trust)["statements"][0]
    assert (trace["ref"], trace["applies"], trace["resource"]) == ("trust:p#0", True, None)


def test_why_an_action_does_not_match() -> None:
    assert only(Action="sqs:*")["action"] == {"match": False, "by": None, "why": "ACTION"}
    assert only(NotAction=["sqs:*", "s3:G*"])["action"] == {"match": False, "by": "s3:G*", "why": "ACTION"}
    assert only(NotAction="sqs:*")["action"] == {"match": True, "by": None, "why": None}


@pytest.mark.parametrize(
    ("operator", "values", "context", "why"),
    [
        ("StringEquals", "a", {"k": "a"}, None),
        ("StringEquals", "a", {"k": "b"}, "VALUE"),
        ("StringEquals", "a", {}, "MISSING_KEY"),
        ("StringNotEquals", "a", {}, "MISSING_KEY_TRUE"),
        ("StringEquals", "a", {"k": ("a",)}, "NEEDS_SET_OPERATOR"),
        ("ForAnyValue:StringEquals", "a", {"k": ("b",)}, "VALUE"),
        ("NumericEquals", "1", {"k": "one"}, "TYPE_ERROR"),
        ("NumericEquals", "one", {"k": "1"}, "TYPE_ERROR"),
        ("Bool", "${v}", {"k": "true", "v": "x"}, "TYPE_ERROR"),
        ("Null", "true", {"k": "a"}, "VALUE"),
        ("Null", "true", {}, None),
    ],
)
def test_why_a_condition_does_not_hold(operator: str, values: str, context: Any, why: str | None) -> None:
    trace = only(request(context=context), Condition={operator: {"k": values}})["conditions"][0]
    assert trace["why"] == why
    assert trace["result"] is (why in (None, "MISSING_KEY_TRUE"))


def test_a_variable_is_shown_with_its_value_and_stays_as_written_without() -> None:
    made = {"StringEquals": {"k": ["${aws:username}", "${gone}"]}}
    trace = only(request(context={"k": "x", "aws:username": "alice"}), Condition=made)["conditions"][0]
    assert trace["policy"] == ["alice", "${gone}"]


def test_why_a_principal_does_not_match() -> None:
    made = named(
        statement(Principal={"AWS": BOB.arn}),
        statement(),
        statement(Principal={"AWS": HOME}),
        statement("Deny", NotPrincipal={"AWS": ALICE.arn}),
        kind=Kind.RESOURCE,
    )
    boundary = named(SILENT, kind=Kind.BOUNDARY)
    shown = [trace["principal"] for trace in explained(resource=made, boundary=boundary)["statements"][:4]]
    assert shown == [
        {"match": False, "grant": "NONE", "why": "PRINCIPAL"},
        {"match": False, "grant": "NONE", "why": "NO_PRINCIPAL"},
        {"match": True, "grant": "DELEGATED", "why": None},
        {"match": True, "grant": "UNLIMITED", "why": "BOUNDARY_NOTPRINCIPAL"},
    ]
    endpoint = explained(vpc_endpoint=named(statement(), kind=Kind.VPC_ENDPOINT))
    assert endpoint["statements"][0]["principal"] is None


def test_a_notprincipal_that_lists_part_of_the_chain_is_warned_about() -> None:
    for entries, warnings in (([ALICE.arn], ["NOTPRINCIPAL_PARTIAL_CHAIN"]), ([ALICE.arn, HOME], []), ([BOB.arn], [])):
        made = named(statement("Deny", NotPrincipal={"AWS": entries}), kind=Kind.RESOURCE)
        assert explained(resource=made)["warnings"] == warnings


NONE_BOUNDARY = named(SILENT, kind=Kind.BOUNDARY)
NONE_SESSION = (named(SILENT, kind=Kind.SESSION),)
FULL = (named(statement()),)


def granting(entry: Any, kind: Kind = Kind.RESOURCE) -> Any:
    made = {"Effect": "Allow", "Principal": entry, "Action": "sts:AssumeRole"}
    return named(statement(Principal=entry) if kind is Kind.RESOURCE else made, kind=kind)


@pytest.mark.parametrize(
    ("who", "account", "layers", "changes"),
    [
        (ALICE, HOME, {"identity": FULL}, []),
        (ALICE, HOME, {}, ["allow in identity"]),
        (ALICE, HOME, {"boundary": NONE_BOUNDARY}, ["allow in identity", "allow in boundary"]),
        (ALICE, HOME, {"identity": FULL, "boundary": NONE_BOUNDARY}, ["allow in boundary"]),
        (SESSION, HOME, {"resource": granting({"AWS": ROLE}), "session": NONE_SESSION}, ["allow in session"]),
        (FED, HOME, {"identity": FULL}, ["allow in session"]),
        (BOB, HOME, {}, ["allow in resource", "allow in identity"]),
        (BOB, HOME, {"resource": granting("*")}, ["allow in identity"]),
        (Anonymous(), HOME, {"resource": granting({"AWS": HOME})}, ["allow in resource"]),
        (ALICE, HOME, {"identity": FULL, "explicit_trust_required": True}, ["allow in resource"]),
        (ROOT, AWAY, {}, ["allow in resource"]),
        (ALICE, HOME, {"identity": FULL, "vpc_endpoint": named(SILENT, kind=Kind.VPC_ENDPOINT)}, ["allow in vpce"]),
        (
            Anonymous(),
            HOME,
            {"resource": granting("*"), "vpc_endpoint": named(SILENT, kind=Kind.VPC_ENDPOINT)},
            ["allow in vpce"],
        ),
        (
            ALICE,
            HOME,
            {"resource": granting({"AWS": ALICE.arn}), "identity": (named(statement("Deny", Sid="No"), name="x"),)},
            ["remove identity:x#No"],
        ),
        (
            ALICE,
            HOME,
            {"identity": FULL, "boundary": named(statement(), statement("Deny"), kind=Kind.BOUNDARY)},
            ["remove boundary:p#1"],
        ),
    ],
)
def test_the_counterfactual_lists_all_that_must_change(
    who: Principal, account: str, layers: Any, changes: list[str]
) -> None:
    shown = explained(request(who=who, account=account), **layers)
    assert shown["counterfactual"] == changes
    assert (shown["decision"] == "allowed") is not bool(changes)


def test_what_no_policy_decides_is_explained_by_the_operation() -> None:
    shown = explained(request("sts:GetCallerIdentity", "*"))
    assert shown["layers"] == [{"layer": "operation", "result": "allow", "allow": [], "deny": []}]
    assert shown["cause"] is None
    shown = explained(request("sts:AssumeRole", ROLE, ROOT))
    assert shown["cause"]["layer"] == "operation"
    assert shown["counterfactual"] == ["call as a user or a role session"]


def test_resource_control_policies_are_explained_by_level() -> None:
    made = named(statement("Deny", Principal="*", Action="s3:Put*"), kind=Kind.RCP)
    shown = explained(identity=FULL, rcps=(Level("root", (made,)), Level("unit")))
    assert [(x["level"], x["result"]) for x in shown["layers"] if x["layer"] == "rcp"] == [
        ("root", "allow"),
        ("unit", "allow"),
    ]


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_two_levels_of_one_name_are_two_levels(effect: str) -> None:
    full = named(statement(), kind=Kind.SCP, name="full")
    other = named(statement(effect, Action="s3:Put*"), kind=Kind.SCP, name="other")
    layers = Layers(identity=FULL, scps=(Level("unit", (full,)), Level("unit", (other,))))
    for asked in (request(), request("s3:PutObject")):
        explanation = explain(asked, layers)
        assert explanation.decision == decide(asked, layers)
        assert recompute(explanation.to_dict()["layers"]) == explanation.decision.outcome.value
    shown = explained(identity=FULL, scps=layers.scps)
    assert shown["decision"] == "implicitDeny"
    assert [(x["result"], x["allow"]) for x in shown["layers"] if x["layer"] == "scp"] == [
        ("allow", ["scp:full#0"]),
        ("none", []),
    ]
    assert [x["ref"] for x in shown["statements"]] == ["scp:full#0", "scp:other#0", "identity:p#0"]


def test_two_resource_control_levels_of_one_name_are_each_shown_once() -> None:
    made = [
        named(statement("Deny", Principal="*", Action=a), kind=Kind.RCP, name=a[3:6]) for a in ("s3:Put*", "s3:Get*")
    ]
    shown = explained(identity=FULL, rcps=tuple(Level("unit", (one,)) for one in made))
    assert [(x["result"], x["deny"]) for x in shown["layers"] if x["layer"] == "rcp"] == [
        ("allow", []),
        ("deny", ["rcp:Get#0"]),
    ]


# 13


def message(asked: Any, same_organization: bool = False, **layers: Any) -> str:
    return denial_message(asked, decided(asked, **layers), same_organization=same_organization)


START = f'User: {ALICE.arn} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k"'


@pytest.mark.parametrize(
    ("layers", "implicit", "explicit"),
    [
        ("identity", "identity-based policy", "an identity-based policy"),
        ("boundary", "permissions boundary", "a permissions boundary"),
        ("scps", "service control policy", "a service control policy"),
        ("vpc_endpoint", "VPC endpoint policy", "a VPC endpoint policy"),
    ],
)
def test_the_sentence_names_the_type_of_policy(layers: str, implicit: str, explicit: str) -> None:
    for made, ending in (
        (SILENT, f" because no {implicit} allows the s3:GetObject action"),
        (statement("Deny"), f" with an explicit deny in {explicit}"),
    ):
        kind = {
            "identity": Kind.IDENTITY,
            "boundary": Kind.BOUNDARY,
            "scps": Kind.SCP,
            "vpc_endpoint": Kind.VPC_ENDPOINT,
        }[layers]
        one = named(made, kind=kind)
        given: dict[str, Any] = {"identity": FULL} | {layers: one}
        if layers in ("identity", "scps"):
            given[layers] = (one,) if layers == "identity" else (Level("root", (one,)),)
        assert message(request(), **given) == START + ending


def test_the_sentence_for_session_resource_and_trust_policies() -> None:
    asked = request(who=SESSION)
    assert message(asked, identity=FULL, session=NONE_SESSION).endswith(
        "because no session policy allows the s3:GetObject action"
    )
    denies = (named(statement("Deny"), kind=Kind.SESSION),)
    assert message(asked, identity=FULL, session=denies).endswith("with an explicit deny in a session policy")
    resource = named(statement("Deny", Principal="*"), kind=Kind.RESOURCE)
    assert message(asked, resource=resource).endswith("with an explicit deny in a resource-based policy")
    rcps = (Level("root", (named(statement("Deny", Principal="*", Action="s3:*"), kind=Kind.RCP),)),)
    assert message(asked, rcps=rcps).endswith("with an explicit deny in a resource control policy")
    assume = request("sts:AssumeRole", ROLE)
    trust = granting({"AWS": BOB.arn}, Kind.TRUST)
    given: dict[str, Any] = {"identity": FULL, "explicit_trust_required": True}
    assert message(assume, resource=trust, **given).endswith(
        "because no role trust policy allows the sts:AssumeRole action"
    )
    denial = named({"Effect": "Deny", "Principal": {"AWS": HOME}, "Action": "sts:*"}, kind=Kind.TRUST)
    assert message(assume, resource=denial, **given).endswith("with an explicit deny in the role trust policy")


def test_the_resource_is_left_out_where_there_is_none() -> None:
    found = message(request("iam:ListUsers", "*"))
    assert found == (
        f"User: {ALICE.arn} is not authorized to perform: iam:ListUsers "
        "because no identity-based policy allows the iam:ListUsers action"
    )


def test_callers_of_other_accounts_are_not_told_which_policy_it_was() -> None:
    asked = request(who=BOB)
    assert message(asked) == START.replace(ALICE.arn, BOB.arn)
    assert message(asked, True).endswith("because no resource-based policy allows the s3:GetObject action")


@pytest.mark.parametrize(
    ("who", "name"),
    [
        (Service("sns.amazonaws.com"), "sns.amazonaws.com"),
        (FederatedCaller("arn:x"), "arn:x"),
        (Anonymous(), "anonymous"),
    ],
)
def test_callers_without_an_account_get_the_bare_sentence(who: Principal, name: str) -> None:
    assert message(request(who=who), True) == START.replace(ALICE.arn, name)


def test_root_is_told_that_it_may_not_assume_roles() -> None:
    assert message(request("sts:AssumeRole", ROLE, ROOT)) == "Roles may not be assumed by root accounts."


def test_there_is_no_sentence_for_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="denies"):
        message(request(), identity=FULL)

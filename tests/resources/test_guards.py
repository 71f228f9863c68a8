# SPDX-License-Identifier: Apache-2.0
"""A guard only takes away: a policy of nothing but denials, and a public access block, never allow what was not allowed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from daypass.policy import Context, Kind, Layers, NamedPolicy, Request, compile_policy, decide
from daypass.principal import Anonymous, Principal, RoleSession, Root, Service, User
from daypass.resources.rules import named_policy
from daypass.store import ResourcePolicy
from resources.lake import ARN, OBJECT, OTHER, OWNER, document, identity

ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]
PRINCIPALS: list[Principal] = [
    Root(OWNER),
    Root(OTHER),
    User(OWNER, "/", "u", "AIDA1"),
    User(OTHER, "/", "u", "AIDA2"),
    RoleSession(OWNER, "/", "r", "AROA1", "s"),
    Service("logs.amazonaws.com"),
    Anonymous(),
]

names = st.sampled_from(["*", {"AWS": OWNER}, {"AWS": [OTHER, "*"]}, {"AWS": f"arn:aws:iam::{OTHER}:user/u"}])
conditions = st.sampled_from(
    [None, {"Bool": {"aws:SecureTransport": "false"}}, {"StringNotEquals": {"aws:PrincipalAccount": OWNER}}]
)


@st.composite
def statements(draw: st.DrawFn, effects: tuple[str, ...]) -> dict[str, Any]:
    """One statement of a bucket policy."""
    effect = draw(st.sampled_from(effects))
    element = "NotPrincipal" if effect == "Deny" and draw(st.booleans()) else "Principal"
    made: dict[str, Any] = {
        "Effect": effect,
        element: draw(names),
        draw(st.sampled_from(["Action", "NotAction"])): draw(st.sampled_from(["s3:*", *ACTIONS])),
        draw(st.sampled_from(["Resource", "NotResource"])): draw(st.sampled_from([ARN, f"{ARN}/*", OBJECT])),
    }
    condition = draw(conditions)
    return made if condition is None else {**made, "Condition": condition}


def stored(*made: dict[str, Any]) -> ResourcePolicy:
    return ResourcePolicy(OWNER, ARN, document(*made), (), 1, 1)


def allowed(principal: Principal, action: str, own: str, policy: NamedPolicy | None) -> bool:
    keys = {} if not isinstance(principal, Root | User) else {"aws:principalaccount": principal.account}
    context = Context({"aws:securetransport": "true", **keys})
    arn = ARN if action == "s3:ListBucket" else OBJECT
    mine = (NamedPolicy("own", compile_policy(own, Kind.IDENTITY)),)
    return decide(Request(action, arn, OWNER, principal, context), Layers(identity=mine, resource=policy)).allowed


callers = {
    "principal": st.sampled_from(PRINCIPALS),
    "action": st.sampled_from(ACTIONS),
    "own": st.sampled_from([identity("Allow", "s3:*"), identity("Allow", "s3:GetObject"), identity("Deny", "*")]),
}


@given(made=st.lists(statements(("Deny",)), min_size=1, max_size=4), **callers)
def test_a_policy_of_denials_alone_never_adds_an_allowed_action(
    made: list[dict[str, Any]], principal: Principal, action: str, own: str
) -> None:
    if allowed(principal, action, own, named_policy(stored(*made))):
        assert allowed(principal, action, own, None)


@given(made=st.lists(statements(("Allow", "Deny")), min_size=1, max_size=4), **callers)
def test_a_policy_without_its_grants_never_allows_more_than_with_them_or_than_none(
    made: list[dict[str, Any]], principal: Principal, action: str, own: str
) -> None:
    policy = stored(*made)
    if allowed(principal, action, own, named_policy(policy, without_grants=True)):
        assert allowed(principal, action, own, named_policy(policy))
        assert allowed(principal, action, own, None)


@given(
    made=st.lists(statements(("Allow", "Deny")), min_size=1, max_size=3),
    more=st.lists(statements(("Deny",)), min_size=1, max_size=3),
    **callers,
)
def test_denials_added_to_a_policy_never_add_an_allowed_action(
    made: list[dict[str, Any]], more: list[dict[str, Any]], principal: Principal, action: str, own: str
) -> None:
    if allowed(principal, action, own, named_policy(stored(*made, *more))):
        assert allowed(principal, action, own, named_policy(stored(*made)))


def test_a_policy_without_its_grants_keeps_the_places_of_its_denials() -> None:
    made = json.loads(document())["Statement"]
    made += [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": ARN},
        {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ARN},
    ]
    left = named_policy(stored(*made), without_grants=True).policy.statements
    assert [(one.index, one.label) for one in left] == [(1, "No")]

# SPDX-License-Identifier: Apache-2.0
"""
Adding a guard never adds an allowed action (invariant 6), with the layers as ``authorize`` gathers them from records: a
service control policy, a resource control policy, a boundary, a session policy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from daypass.access.authenticate import Caller
from daypass.access.authorize import layers_of
from daypass.access.organization import EVERYWHERE
from daypass.access.own_side import own_side
from daypass.access.resource import Resource
from daypass.policy import Context, Kind, NamedPolicy, Request, compile_policy, decide
from daypass.principal import RoleSession, Root
from daypass.principal import User as UserPrincipal
from daypass.sessions import Session
from daypass.store import (
    ManagedPolicy,
    Membership,
    Organization,
    OrganizationalUnit,
    OrganizationPolicy,
    PolicyVersion,
    ResourcePolicy,
    Role,
    User,
    View,
)
from policy.scenarios import ACTIONS, AWAY, FULL, HOME, RESOURCES, contexts, documents, pick, several

slow = settings(deadline=None, database=None, max_examples=150, suppress_health_check=list(HealthCheck))

ORGANIZATION = Organization("o-guarded000", "r-grd0", "999999999999", 1, EVERYWHERE)
UNITS = (
    OrganizationalUnit("ou-grd0-00000001", "r-grd0", "Work", 1, EVERYWHERE),
    OrganizationalUnit("ou-grd0-00000002", "ou-grd0-00000001", "Prod", 1, EVERYWHERE),
)
MEMBERS = tuple(Membership(account, account, UNITS[1].unique_id, None, EVERYWHERE) for account in (HOME, AWAY))
BOUNDARY = f"arn:aws:iam::{HOME}:policy/Bound"


@dataclass(frozen=True)
class Situation:
    """A caller, what it asks for, and the store that decides."""

    user: User
    role: Role
    session: Session | None
    kind: str
    view: View
    resource: Resource
    requests: tuple[Request, ...]

    def allowed(self) -> list[bool]:
        """For each request whether it is allowed."""
        caller = self.caller()
        layers = layers_of(caller, self.resource, self.view)
        return [decide(replace(request, principal=caller.principal), layers).allowed for request in self.requests]

    def caller(self) -> Caller:
        user, role = self.user, self.role
        if self.kind == "root":
            return Caller(Root(HOME), "AKIA", "us-east-1")
        if self.kind == "user":
            principal = UserPrincipal(HOME, user.path, user.name, user.unique_id)
            return Caller(principal, "AKIA", "us-east-1", user=user)
        session = RoleSession(HOME, role.path, role.name, role.unique_id, "alice")
        return Caller(session, "ASIA", "us-east-1", self.session, role)

    def after(self, **changes: Any) -> Situation:
        """The same with some of it changed."""
        return Situation(**{**self.__dict__, **changes})


def stored(view: View, *records: Any) -> View:
    """The view after these were put."""
    changes: dict[str, dict[str, Any]] = {}
    for record in records:
        changes.setdefault(record.kind, {})[record.key] = record
    return view.changed(view.revision + 1, changes)


def managed(text: str) -> ManagedPolicy:
    return ManagedPolicy(HOME, "/", "Bound", "ANPABOUND", None, 1, 1, 1, 2, (PolicyVersion(1, text, 1),))


@st.composite
def rcps(draw: Any) -> str:
    """A resource control policy: it denies."""
    actions = pick(draw, ["s3:*"], ["s3:Get*", "sqs:*"], ["sts:AssumeRole"], ["s3:PutObject"])
    made: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": actions, "Resource": "*"}
    condition = pick(draw, None, {"StringNotEquals": {"aws:username": "alice"}}, {"Null": {"s:gone": "true"}})
    if condition is not None:
        made["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": made})


@st.composite
def organization_policies(draw: Any) -> list[OrganizationPolicy]:
    """Three service control policies and a resource control policy."""
    texts = [FULL if pick(draw, True, True, False) else draw(documents(Kind.SCP)) for _ in range(3)]
    found = [OrganizationPolicy(f"p-{number:010d}", "SCP", "s", "", text, 1) for number, text in enumerate(texts)]
    return [*found, OrganizationPolicy("p-0000000009", "RCP", "r", "", draw(rcps()), 1)]


@st.composite
def situations(draw: Any) -> Situation:
    inline = tuple((f"p{number}", draw(documents(Kind.IDENTITY))) for number in range(pick(draw, 1, 2)))
    user = User(HOME, "/team/", "alice", "AIDAALICEALICEALICE01", 1, (), inline)
    role = Role(HOME, "/ops/", "Dev", "AROADEVDEVDEVDEVDEV01", None, 3600, "{}", (), 1, (), inline)
    own = None
    if pick(draw, True, False):
        own = NamedPolicy("resource", compile_policy(draw(documents(Kind.RESOURCE)), Kind.RESOURCE))
    account = pick(draw, HOME, HOME, AWAY)
    arn = pick(draw, *RESOURCES)
    context = draw(contexts())
    placeholder = Root(HOME)
    requests = tuple(Request(action, arn, account, placeholder, context) for action in several(draw, ACTIONS, 2, 4))
    session = Session(HOME, role.unique_id, "alice", 1, 2)
    return Situation(
        user, role, session, pick(draw, "user", "session", "root"), View(), Resource(arn, account, policy=own), requests
    )


def widened(before: Situation, after: Situation) -> list[Request]:
    """The requests that were not allowed before, and are after."""
    pairs = zip(before.requests, before.allowed(), after.allowed(), strict=True)
    return [request for request, was, now in pairs if now and not was]


@slow
@given(situations(), documents(Kind.BOUNDARY))
def test_a_boundary_adds_nothing(situation: Situation, text: str) -> None:
    bounded = situation.after(
        user=replace(situation.user, permissions_boundary=BOUNDARY),
        role=replace(situation.role, permissions_boundary=BOUNDARY),
        view=stored(situation.view, managed(text)),
    )
    assert widened(situation, bounded) == []
    assert widened(situation, bounded.after(view=View())) == []  # a boundary that is not there


@slow
@given(situations(), documents(Kind.SESSION))
def test_a_session_policy_adds_nothing(situation: Situation, text: str) -> None:
    assert situation.session is not None
    limited = situation.after(session=replace(situation.session, policy=text))
    assert widened(situation, limited) == []
    named = replace(situation.session, policy_arns=(BOUNDARY,), policy_ids=("ANPABOUND",), policy_versions=(1,))
    for view in (stored(situation.view, managed(text)), situation.view):
        assert widened(situation, situation.after(session=named, view=view)) == []


@slow
@given(situations(), organization_policies(), st.data())
def test_an_organisation_adds_nothing_whatever_its_policies_are(
    situation: Situation, policies: list[OrganizationPolicy], data: st.DataObject
) -> None:
    ids = [policy.unique_id for policy in policies]

    def some() -> tuple[str, ...]:
        return tuple(dict.fromkeys([*data.draw(st.lists(st.sampled_from([*ids, "p-gone000000"]), max_size=3))]))

    organized = stored(
        situation.view,
        replace(ORGANIZATION, root_policies=(*EVERYWHERE, *some())),
        *(replace(unit, policies=some()) for unit in UNITS),
        *(replace(member, policies=(*EVERYWHERE, *some())) for member in MEMBERS),
        *policies,
    )
    assert widened(situation, situation.after(view=organized)) == []


@slow
@given(situations(), organization_policies(), st.integers(0, 3))
def test_a_policy_that_denies_adds_nothing_at_any_level(
    situation: Situation, policies: list[OrganizationPolicy], level: int
) -> None:
    """One that allows may widen an allow list, as it is meant to."""
    before = stored(situation.view, ORGANIZATION, *UNITS, *MEMBERS, *policies)
    for policy in policies:
        listed = json.loads(policy.document)["Statement"]
        if any(one["Effect"] == "Allow" for one in (listed if isinstance(listed, list) else [listed])):
            continue
        attached = (*EVERYWHERE, policy.unique_id)
        levels: tuple[tuple[Any, ...], ...] = (
            (replace(ORGANIZATION, root_policies=attached),),
            (replace(UNITS[0], policies=attached),),
            (replace(UNITS[1], policies=attached),),
            tuple(replace(member, policies=attached) for member in MEMBERS),
        )
        changed = levels[level]
        after = stored(before, *changed)
        assert widened(situation.after(view=before), situation.after(view=after)) == []


@slow
@given(situations())
def test_an_organisation_that_limits_nothing_changes_nothing(situation: Situation) -> None:
    organized = stored(situation.view, ORGANIZATION, *UNITS, *MEMBERS)
    assert situation.after(view=organized).allowed() == situation.allowed()


def as_authorized(situation: Situation, request: Request) -> Request:
    """The request with what the caller brings, as ``authorize`` puts it together: nobody else brings keys of these names."""
    caller = situation.caller()
    own = own_side(caller, situation.view).keys
    others = {
        name: value
        for name, value in request.context.entries.items()
        if not name.startswith(("aws:principal", "aws:user")) or name == "aws:useragent"
    }
    return replace(request, principal=caller.principal, context=Context({**others, **own}))


@slow
@given(situations())
def test_the_short_way_to_a_yes_says_yes_to_nothing_that_the_long_way_denies(situation: Situation) -> None:
    caller = situation.caller()
    own = own_side(caller, situation.view)
    for request in situation.requests:
        if own.permits(request.action, situation.resource):
            assert decide(
                as_authorized(situation, request), layers_of(caller, situation.resource, situation.view)
            ).allowed


def test_the_short_way_is_taken_for_who_the_caller_is_and_for_nothing_else() -> None:
    def permitted(
        condition: dict[str, Any] | None, arn: str = "arn:aws:s3:::b/k", action: str = "s3:GetObject"
    ) -> bool:
        statement: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": arn}
        if condition is not None:
            statement["Condition"] = condition
        text = json.dumps({"Version": "2012-10-17", "Statement": statement})
        role = Role(HOME, "/ops/", "Dev", "AROADEVDEVDEVDEVDEV01", None, 3600, "{}", (), 1, (), (("p", text),))
        principal = RoleSession(HOME, role.path, role.name, role.unique_id, "alice")
        session = Session(HOME, role.unique_id, "alice", 1, 2, tags=(("team", "b"),))
        own = own_side(Caller(principal, "ASIA", "us-east-1", session, role), View())
        return own.permits(action, Resource("arn:aws:s3:::b/k", HOME))

    assert permitted(None)
    assert permitted(None, "arn:aws:s3:::${aws:PrincipalTag/team}/*")
    assert permitted({"StringEquals": {"aws:PrincipalTag/team": "b"}})
    assert not permitted({"StringEquals": {"aws:PrincipalTag/team": "c"}})
    assert not permitted({"StringNotEquals": {"s3:prefix": "x"}}), "what the request brings is not known yet"
    assert not permitted({"DateGreaterThan": {"aws:CurrentTime": "2000-01-01T00:00:00Z"}})
    assert not permitted({"Bool": {"aws:MultiFactorAuthPresent": "false"}}), (
        "a second factor may be shown with the request"
    )
    assert not permitted(None, action="sts:AssumeRole"), "rules of the operation come first"


def test_the_short_way_is_not_taken_where_anything_else_bounds_the_caller() -> None:
    role = Role(HOME, "/ops/", "Dev", "AROADEVDEVDEVDEVDEV01", None, 3600, "{}", (), 1, (), (("p", FULL),))
    session, here = Session(HOME, role.unique_id, "alice", 1, 2), Resource("arn:aws:s3:::b/k", HOME)
    plain = Situation(User(HOME, "/", "u", "AIDAU", 1), role, session, "session", View(), here, ())
    named = NamedPolicy("resource", compile_policy(FULL.replace("Effect", 'Principal":"*","Effect'), Kind.RESOURCE))

    def taken(situation: Situation) -> bool:
        return own_side(situation.caller(), situation.view).permits("s3:GetObject", situation.resource)

    assert taken(plain)
    assert not taken(plain.after(kind="root"))
    assert not taken(plain.after(role=replace(role, permissions_boundary=BOUNDARY), view=stored(View(), managed(FULL))))
    assert not taken(plain.after(session=replace(session, policy=FULL)))
    assert not taken(plain.after(view=stored(View(), ORGANIZATION, *UNITS, *MEMBERS)))
    assert not taken(plain.after(view=stored(View(), ResourcePolicy(HOME, "arn:aws:s3:::c", FULL, (), 1, 1))))
    assert not taken(plain.after(resource=replace(here, account=AWAY)))
    assert not taken(plain.after(resource=replace(here, policy=named)))
    assert not taken(plain.after(resource=replace(here, trust_required=True)))
    assert not taken(plain.after(resource=replace(here, owner_policy=FULL)))

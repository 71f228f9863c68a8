# SPDX-License-Identifier: Apache-2.0
"""
Principal and NotPrincipal: the table of 7.2, unique ids (2.4), NotPrincipal (7.3).
"""

from __future__ import annotations

from typing import Any

import pytest

from daypass.policy import Grant, Kind, Layers, decide
from daypass.policy.principals import compile_principals
from daypass.principal import Anonymous, FederatedCaller, FederatedUser, Principal, RoleSession, Service, User
from policy.making import ALICE, AWAY, BOB, FED, HOME, ROLE, ROOT, SESSION, decided, named, request, statement

U, L, D, N = Grant.UNLIMITED, Grant.LIMITED, Grant.DELEGATED, Grant.NONE
PROVIDER = f"arn:aws:iam::{HOME}:oidc-provider/idp.example"
WEB = FederatedCaller(PROVIDER)
SNS = Service("sns.amazonaws.com")
ROOT_FED = FederatedUser(HOME, "fed", ROOT)
EVERYBODY = (ALICE, SESSION, ROOT, FED, ROOT_FED, BOB, SNS, WEB, Anonymous())

# entry, then the class for: alice, session, root, federated user, root's federated user, bob, service, web, anonymous
TABLE: list[tuple[Any, tuple[Grant, ...]]] = [
    ("*", (U, U, U, U, U, U, U, U, U)),
    ({"AWS": "*"}, (U, U, U, U, U, U, U, U, U)),
    ({"AWS": HOME}, (D, D, U, D, D, N, N, N, N)),
    ({"AWS": f"arn:aws:iam::{HOME}:root"}, (D, D, U, D, D, N, N, N, N)),
    ({"AWS": f"arn:aws-cn:iam::{HOME}:root"}, (D, D, U, D, D, N, N, N, N)),
    ({"AWS": AWAY}, (N, N, N, N, N, D, N, N, N)),
    ({"AWS": ALICE.arn}, (U, N, N, L, N, N, N, N, N)),
    ({"AWS": ALICE.unique_id}, (U, N, N, L, N, N, N, N, N)),
    ({"AWS": ALICE.arn.replace("alice", "Alice")}, (N, N, N, N, N, N, N, N, N)),
    ({"AWS": ROLE}, (N, L, N, N, N, N, N, N, N)),
    ({"AWS": SESSION.role_id}, (N, L, N, N, N, N, N, N, N)),
    ({"AWS": f"arn:aws:iam::{HOME}:role/other/path/Dev"}, (N, L, N, N, N, N, N, N, N)),
    ({"AWS": f"arn:aws:iam::{AWAY}:role/ops/Dev"}, (N, N, N, N, N, N, N, N, N)),
    ({"AWS": SESSION.arn}, (N, U, N, N, N, N, N, N, N)),
    ({"AWS": FED.arn}, (N, N, N, U, U, N, N, N, N)),
    ({"AWS": [HOME, ROLE, SESSION.arn]}, (D, U, U, D, D, N, N, N, N)),
    ({"AWS": [HOME, ROLE]}, (D, L, U, D, D, N, N, N, N)),
    ({"Service": "sns.amazonaws.com"}, (N, N, N, N, N, N, U, N, N)),
    ({"Service": "SNS.amazonaws.com"}, (N, N, N, N, N, N, N, N, N)),
    ({"Federated": PROVIDER}, (N, N, N, N, N, N, N, U, N)),
    ({"Federated": PROVIDER + "/x"}, (N, N, N, N, N, N, N, N, N)),
    ({"AWS": BOB.arn, "Service": "sns.amazonaws.com"}, (N, N, N, N, N, U, U, N, N)),
]


@pytest.mark.parametrize(("entries", "classes"), TABLE)
def test_how_an_entry_names_a_principal_decides_the_class(entries: Any, classes: tuple[Grant, ...]) -> None:
    listed = (
        {"*": ("*",)} if entries == "*" else {k: (v,) if isinstance(v, str) else tuple(v) for k, v in entries.items()}
    )
    element = compile_principals(listed, negated=False)
    assert tuple(element.grant(who, None) for who in EVERYBODY) == classes


def test_an_entry_with_a_wildcard_inside_names_nobody() -> None:
    element = compile_principals({"AWS": (f"arn:aws:iam::{HOME}:user/*", f"arn:aws:iam::{HOME}:*")}, negated=False)
    assert {element.grant(who, None) for who in EVERYBODY} == {Grant.NONE}


def test_users_and_roles_are_compared_by_the_ids_that_were_resolved() -> None:
    element = compile_principals({"AWS": (ALICE.arn, ROLE)}, negated=False)
    ids = {ALICE.arn: ALICE.unique_id, ROLE: SESSION.role_id}
    assert element.grant(ALICE, ids) is U
    assert element.grant(FED, ids) is L
    assert element.grant(SESSION, ids) is L
    namesake = User(HOME, "/team/", "alice", "AIDANEWALICENEWALICE1")
    remade = RoleSession(HOME, "/ops/", "Dev", "AROANEWDEVNEWDEVNEW01", "laptop")
    assert element.grant(namesake, ids) is N
    assert element.grant(remade, ids) is N
    for nobody in ({}, {ALICE.arn: None, ROLE: None}):
        assert element.grant(ALICE, nobody) is N
        assert element.grant(SESSION, nobody) is N


def test_a_moved_user_is_still_the_one_that_was_resolved() -> None:
    element = compile_principals({"AWS": (ALICE.arn,)}, negated=False)
    moved = User(HOME, "/elsewhere/", "alice2", ALICE.unique_id)
    assert element.grant(moved, {ALICE.arn: ALICE.unique_id}) is U


def resource_policy(entries: Any, effect: str = "Allow", element: str = "Principal") -> Any:
    return named(statement(effect, **{element: entries}), kind=Kind.RESOURCE)


NOT_LISTED = [
    ({"AWS": ALICE.arn}, ALICE, False),
    ({"AWS": ALICE.arn}, SESSION, True),
    ({"AWS": ALICE.arn}, BOB, True),
    ({"AWS": HOME}, ALICE, False),
    ({"AWS": HOME}, Anonymous(), True),
    ({"AWS": ROLE}, SESSION, False),
    ({"AWS": SESSION.arn}, SESSION, False),
    ({"Service": "sns.amazonaws.com"}, SNS, False),
    ("*", Anonymous(), False),
]


@pytest.mark.parametrize(("entries", "who", "denied"), NOT_LISTED)
def test_notprincipal_denies_whoever_is_not_listed(entries: Any, who: Principal, denied: bool) -> None:
    outcome = decided(request(who=who), resource=resource_policy(entries, "Deny", "NotPrincipal")).outcome.value
    assert (outcome == "explicitDeny") is denied


@pytest.mark.parametrize("who", [ALICE, SESSION])
def test_notprincipal_with_a_boundary_denies_whomever_it_lists(who: Principal) -> None:
    layers = Layers(
        resource=resource_policy({"AWS": [HOME, ALICE.arn, ROLE, SESSION.arn]}, "Deny", "NotPrincipal"),
        boundary=named(statement(), kind=Kind.BOUNDARY),
    )
    assert decide(request(who=who), layers).outcome.value == "explicitDeny"
    assert decide(request(who=FED), layers).outcome.value != "explicitDeny"


LINKS = [
    (ALICE, [ALICE.arn], False),
    (ALICE, [HOME], False),
    (ALICE, [HOME, ALICE.arn], True),
    (SESSION, [HOME, ROLE], False),
    (SESSION, [ROLE, SESSION.arn], False),
    (SESSION, [HOME, SESSION.arn], False),
    (SESSION, [HOME, ROLE, SESSION.arn], True),
    (FED, [HOME, FED.arn], True),
    (FED, [HOME], False),
    (ROOT, [HOME], True),
    (ROOT, [AWAY], False),
    (ALICE, ["*"], True),
    (Anonymous(), [HOME], False),
]


@pytest.mark.parametrize(("who", "entries", "exempt"), LINKS)
def test_notprincipal_any_entry_suffices_unless_all_links_are_asked_for_ambiguous_default(
    who: Principal, entries: list[str], exempt: bool
) -> None:
    made = resource_policy({"AWS": entries}, "Deny", "NotPrincipal")
    by_default = decide(request(who=who), Layers(resource=made)).outcome.value != "explicitDeny"
    all_links = decide(request(who=who), Layers(resource=made, not_principal_all_links=True)).outcome.value
    assert by_default is (not isinstance(who, Anonymous) and entries != [AWAY])
    assert (all_links != "explicitDeny") is exempt


def test_all_links_of_a_service_are_the_service() -> None:
    made = resource_policy({"Service": "sns.amazonaws.com"}, "Deny", "NotPrincipal")
    layers = Layers(resource=made, not_principal_all_links=True)
    assert decide(request(who=SNS), layers).outcome.value == "implicitDeny"
    assert decide(request(who=ALICE), layers).outcome.value == "explicitDeny"


def test_a_statement_of_a_resource_policy_without_principal_never_applies() -> None:
    for effect in ("Allow", "Deny"):
        made = named(statement(effect), kind=Kind.RESOURCE)
        assert decided(request(), resource=made).outcome.value == "implicitDeny"


def test_a_deny_for_an_account_denies_every_principal_of_it() -> None:
    made = resource_policy({"AWS": HOME}, "Deny")
    for who in (ALICE, SESSION, ROOT, FED):
        assert decided(request(who=who), resource=made).outcome.value == "explicitDeny"
    assert decided(request(who=BOB), resource=made).outcome.value == "implicitDeny"

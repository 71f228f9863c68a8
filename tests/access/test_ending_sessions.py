# SPDX-License-Identifier: Apache-2.0
"""
A session ends with the next request after whatever it came from has ended, or after it was revoked; every other goes on.

Through the door, in one process; tests/journeys/test_ending_sessions.py does it with two.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec.structs import replace

from access.sessions_made import ANN, DEV, PROVIDER, Made, by_web_identity, issue, let_in, master_key, of_user, populate
from daypass.credentials import new_access_key_id
from daypass.sealing import ACCEPTED_AFTER_RETIREMENT_SECONDS
from daypass.sessions import revocation, ring
from daypass.sessions.revocation import LONGEST_SESSION_SECONDS, Selection
from daypass.store import AccessKey, Membership, OidcProvider, Role, Transaction
from iam.kitchen import document, statement
from in_process import ACCOUNT, Service, service


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Service]:
    async with service(tmp_path) as found:
        yield found


@pytest.fixture
async def key(running: Service) -> AccessKey:
    """The key of the user that ``populate`` makes."""
    return await populate(running)


async def revoke(running: Service, selection: Selection, before: float | None = None) -> None:
    now = running.clock()
    await revocation.revoke(running.app.store, selection, before=int(now if before is None else before), now=now)


Change = Callable[[Transaction], Awaitable[object]]


async def change(running: Service, what: Change) -> None:
    async with running.app.store.transaction() as transaction:
        await what(transaction)


R = TypeVar("R")

# Revoked

ROLE = revocation.of_role(ACCOUNT, DEV)
USER = revocation.of_user(ACCOUNT, ANN)
ALICE = revocation.of_provider(ACCOUNT, PROVIDER, "alice")
ALL_OF_PROVIDER = revocation.of_provider(ACCOUNT, PROVIDER)
ALL = revocation.of_account(ACCOUNT)
FIRST = {"origin_provider": PROVIDER, "origin_subject": "alice"}

KINDS: dict[str, tuple[Callable[[Service, AccessKey], Made], frozenset[Selection]]] = {
    "a role's": (lambda running, key: issue(running), frozenset((ROLE, ALL))),
    "a role's, by a proof": (
        lambda running, key: by_web_identity(running),
        frozenset((ROLE, ALICE, ALL_OF_PROVIDER, ALL)),
    ),
    "a role's, by another's proof": (
        lambda running, key: by_web_identity(running, subject="bob"),
        frozenset((ROLE, ALL_OF_PROVIDER, ALL)),
    ),
    "a role's, begun by a user": (
        lambda running, key: issue(running, user_id=ANN),
        frozenset((ROLE, USER, ALL)),
    ),
    "a role's, after one by a proof": (
        lambda running, key: issue(running, parents=(new_access_key_id("ASIA", ACCOUNT),), **FIRST),
        frozenset((ROLE, ALICE, ALL_OF_PROVIDER, ALL)),
    ),
    "a user's": (lambda running, key: of_user(running, key), frozenset((USER, ALL))),
    "a federated user's": (
        lambda running, key: of_user(running, key, kind="federated", session_name="bob"),
        frozenset((USER, ALL)),
    ),
    "root's": (lambda running, key: of_user(running, key, user_id="", key_id=""), frozenset((ALL,))),
}


async def of_every_kind(running: Service, key: AccessKey) -> dict[str, Made]:
    """A session of every kind, all of them let in."""
    made = {kind: make(running, key) for kind, (make, _) in KINDS.items()}
    assert [kind for kind, one in made.items() if not await let_in(running, one)] == []
    return made


async def refused(running: Service, made: dict[str, Made]) -> set[str]:
    """The kinds whose session is not let in."""
    return {kind for kind, one in made.items() if not await let_in(running, one)}


@pytest.mark.parametrize("selection", [ROLE, USER, ALICE, ALL_OF_PROVIDER, ALL], ids=lambda one: one.scope)
async def test_a_revocation_ends_the_sessions_it_names_and_no_other(
    running: Service, key: AccessKey, selection: Selection
) -> None:
    made = await of_every_kind(running, key)
    await revoke(running, selection)
    assert await refused(running, made) == {kind for kind, (_, ends) in KINDS.items() if selection in ends}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_session_is_ended_alone_by_its_access_key_id(running: Service, key: AccessKey, kind: str) -> None:
    made = await of_every_kind(running, key)
    await revoke(running, revocation.with_access_key(ACCOUNT, made[kind].access_key_id))
    assert await refused(running, made) == {kind}


async def test_a_session_that_is_issued_after_a_revocation_is_good(running: Service, key: AccessKey) -> None:
    before = issue(running)
    running.clock.advance(0.9)
    await revoke(running, ROLE)
    same_second = issue(running)
    running.clock.advance(0.1)
    after = issue(running)
    assert not await let_in(running, before)
    assert not await let_in(running, same_second), "whole seconds: whichever came first"
    assert await let_in(running, after)


async def test_a_revocation_up_to_an_earlier_instant_leaves_the_sessions_since(
    running: Service, key: AccessKey
) -> None:
    old = issue(running)
    running.clock.advance(100)
    new = issue(running)
    await revoke(running, ROLE, before=running.clock() - 1)
    assert not await let_in(running, old)
    assert await let_in(running, new)


async def test_a_session_that_was_made_from_a_revoked_one_ends_with_it(running: Service, key: AccessKey) -> None:
    first = issue(running)
    second = issue(running, parents=(first.access_key_id,))
    third = issue(running, parents=(first.access_key_id, second.access_key_id))
    other = issue(running)
    await revoke(running, revocation.with_access_key(ACCOUNT, first.access_key_id))
    assert [await let_in(running, one) for one in (first, second, third, other)] == [False, False, False, True]


async def test_what_a_revocation_ended_stays_ended_when_it_is_removed(running: Service, key: AccessKey) -> None:
    longest = issue(running, expires_at=int(running.clock()) + LONGEST_SESSION_SECONDS)
    await revoke(running, ROLE)
    running.clock.advance(LONGEST_SESSION_SECONDS - 1)
    assert not await let_in(running, longest)
    running.clock.advance(1)
    await revoke(running, USER)
    assert len(running.app.store.view().revocations) == 1
    assert (await running.call("sts", "GetCallerIdentity", longest.credentials)).code == "ExpiredToken"


# Ended with what it came from


async def _delete_role(transaction: Transaction) -> None:
    await transaction.delete(_there(transaction.view.roles.with_key(DEV)))


async def _delete_user(transaction: Transaction) -> None:
    await transaction.delete(_there(transaction.view.users.with_key(ANN)))


async def _remove_provider(transaction: Transaction) -> None:
    await transaction.delete(_provider(transaction))


async def _register_provider_anew(transaction: Transaction) -> None:
    provider = _provider(transaction)
    await transaction.delete(provider)
    await transaction.put(replace(provider, created_at=provider.created_at + 86_401))


async def _close_account(transaction: Transaction) -> None:
    await transaction.put(Membership(ACCOUNT, "closed", closed_at=1))


def _provider(transaction: Transaction) -> OidcProvider:
    return _there(transaction.view.oidc_providers.with_name(ACCOUNT, PROVIDER.partition("/")[2]))


def _there(found: R | None) -> R:
    assert found is not None
    return found


ENDINGS: dict[str, tuple[Change, frozenset[str]]] = {
    "role deleted": (_delete_role, frozenset(kind for kind in KINDS if kind.startswith("a role's"))),
    "user deleted": (_delete_user, frozenset(("a role's, begun by a user", "a user's", "a federated user's"))),
    "provider removed": (_remove_provider, frozenset(kind for kind in KINDS if "proof" in kind)),
    "provider registered anew": (_register_provider_anew, frozenset(kind for kind in KINDS if "proof" in kind)),
    "account closed": (_close_account, frozenset(KINDS)),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_session_ends_with_what_it_came_from_and_with_nothing_else(
    running: Service, key: AccessKey, ending: str
) -> None:
    made = await of_every_kind(running, key)
    what, ends = ENDINGS[ending]
    await change(running, what)
    assert await refused(running, made) == ends


@pytest.mark.parametrize("kind", ["a user's", "a federated user's"])
async def test_a_session_ends_with_the_key_it_was_asked_for_with(running: Service, key: AccessKey, kind: str) -> None:
    made = KINDS[kind][0](running, key)
    assert await let_in(running, made)

    async def set_status(status: str) -> None:
        await change(running, lambda transaction: transaction.put(replace(key, status=status)))

    await set_status("Inactive")
    assert not await let_in(running, made)
    await set_status("Active")
    assert await let_in(running, made), "an inactive key comes back, and so does what it asked for"
    await change(running, lambda transaction: transaction.delete(key))
    assert not await let_in(running, made)


async def test_a_role_or_user_of_the_same_name_does_not_bring_a_session_back(running: Service, key: AccessKey) -> None:
    made = issue(running)
    await change(running, _delete_role)
    await change(
        running, lambda transaction: transaction.put(Role(ACCOUNT, "/", "Dev", "AROANEW", None, 3600, "{}", (), 1))
    )
    assert not await let_in(running, made)


# aws:TokenIssueTime


async def test_a_policy_on_the_time_of_issue_ends_what_older_sessions_may(running: Service, key: AccessKey) -> None:
    old = issue(running)
    running.clock.advance(10)
    new = issue(running)
    cut = {"DateLessThan": {"aws:TokenIssueTime": "2027-01-15T08:00:05Z"}}
    policy = document(statement("Allow", "iam:ListRoles"))

    async def may_list(made: Made) -> bool:
        return (await running.call("iam", "ListRoles", made.credentials)).status == 200

    async def put(name: str, text: str) -> None:
        answer = await running.call("iam", "PutRolePolicy", RoleName="Dev", PolicyName=name, PolicyDocument=text)
        assert answer.status == 200

    await put("read", policy)
    assert [await may_list(old), await may_list(new)] == [True, True]
    await put("AWSRevokeOlderSessions", document({**statement("Deny", "*"), "Condition": cut}))
    assert [await may_list(old), await may_list(new)] == [False, True]
    assert await let_in(running, old), "it is denied, not unknown: who it is can still be asked"


# The key ring


async def test_a_session_of_a_dropped_key_is_refused_by_the_next_request_and_others_go_on(
    running: Service, key: AccessKey
) -> None:
    store, master = running.app.store, master_key(running)
    [first] = store.view().key_ring
    of_first = issue(running)
    await ring.rotate(store, master, now=running.clock(), after=0)
    of_second = issue(running)
    assert [await let_in(running, one) for one in (of_first, of_second)] == [True, True]
    await ring.drop(store, master, first.key_id, now=running.clock())
    assert [await let_in(running, one) for one in (of_first, of_second)] == [False, True]
    assert await let_in(running, issue(running))


async def test_sessions_go_on_through_a_rotation_for_as_long_as_they_last(running: Service, key: AccessKey) -> None:
    store, master = running.app.store, master_key(running)
    longest = issue(running, expires_at=int(running.clock()) + ACCEPTED_AFTER_RETIREMENT_SECONDS)
    await ring.rotate(store, master, now=running.clock())
    for seconds in (0, ring.ACTIVATION_SECONDS - 0.5, 0.5, 3600):
        running.clock.advance(seconds)
        assert await let_in(running, longest)
        assert await let_in(running, issue(running))
    running.clock.instant = longest.session.expires_at - 1
    assert await let_in(running, longest)

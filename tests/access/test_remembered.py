# SPDX-License-Identifier: Apache-2.0
"""What is made of a caller is made once for a view, and never found by another caller or by a later view."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from access.sessions_made import issue, let_in, populate
from daypass.access import Resource
from daypass.access.authenticate import Caller
from daypass.access.authorize import layers_of
from daypass.access.mentioned import is_mentioned, may_be_mentioned
from daypass.access.own_side import own_side
from daypass.access.remembered import MOST, remember, remembered
from daypass.principal import RoleSession
from daypass.store import Organization, ResourcePolicy, Role, View
from in_process import ACCOUNT, Service, service

TAGS = "s3:existingobjecttag/"
OBJECT = Resource("arn:aws:s3:::lake/key", ACCOUNT)
ALLOW = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
ASKING = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:GetObject","Resource":"*",'
    '"Condition":{"StringEquals":{"s3:ExistingObjectTag/secret":"yes"}}}}'
)


def caller_with(*documents: str) -> Caller:
    role = Role(ACCOUNT, "/", "Dev", "AROADEV", None, 3600, "{}", (), 1)
    role = replace(role, inline_policies=tuple((str(number), text) for number, text in enumerate(documents)))
    principal = RoleSession(ACCOUNT, "/", "Dev", role.unique_id, "web")
    return Caller(principal, "ASIAEXAMPLE", "us-east-1", role=role)


def view_with(*records: ResourcePolicy | Organization) -> View:
    changes = {record.kind: {record.key: record} for record in records}
    return View().changed(1, changes)


def test_it_is_made_once_for_a_caller_and_a_view() -> None:
    made: list[tuple[str, View]] = []

    @remembered
    def shown(caller: Caller, view: View) -> str:
        made.append((caller.access_key_id, view))
        return caller.access_key_id

    caller, equal, view, later = caller_with(ALLOW), caller_with(ALLOW), View(), View()
    assert {shown(one, view) for one in (caller, caller, equal, equal)} == {"ASIAEXAMPLE"}
    assert len(made) == 2, "an equal caller is another object"
    shown(caller, later)
    assert len(made) == 3


def test_no_more_is_remembered_than_the_bound() -> None:
    view = View()
    for number in range(MOST + 1):
        remember(view, number, number)
    assert view.caller_memory == {MOST: MOST}


def test_a_view_that_follows_remembers_nothing() -> None:
    view = View()
    remember(view, "key", "value")
    assert view.changed(1, {}).caller_memory == {}


def test_policies_of_the_role_as_it_was_are_not_found_by_the_role_as_it_is() -> None:
    view, before, after = View(), caller_with(ALLOW), caller_with(ASKING)
    keys = [[named.policy.context_keys for named in layers_of(one, OBJECT, view).identity] for one in (before, after)]
    assert keys == [[()], [("s3:ExistingObjectTag/secret",)]]


def test_a_key_that_an_own_policy_asks_for_is_mentioned() -> None:
    asking, silent = caller_with(ALLOW, ASKING), caller_with(ALLOW)
    view = View()
    assert is_mentioned(TAGS, asking, OBJECT, view)
    assert may_be_mentioned(TAGS, asking, view)
    assert not is_mentioned(TAGS, silent, OBJECT, view)
    assert not may_be_mentioned(TAGS, silent, view)


ORGANIZATION = Organization("o-example0000", "r-exam", "999999999999", 1)
POLICY = ResourcePolicy(ACCOUNT, "arn:aws:s3:::lake", ALLOW, (), 1, 1)


@pytest.mark.parametrize("record", [ORGANIZATION, POLICY], ids=["an organisation", "a policy of a resource"])
def test_whoever_is_not_alone_may_be_bound_by_others(record: Organization | ResourcePolicy) -> None:
    caller = caller_with(ALLOW)
    assert own_side(caller, View()).alone
    assert not own_side(caller, view_with(record)).alone
    assert may_be_mentioned(TAGS, caller, view_with(record))


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Service]:
    async with service(tmp_path) as found:
        await populate(found)
        yield found


async def test_a_session_that_was_let_in_a_second_ago_is_refused_from_the_instant_of_its_expiry(
    running: Service,
) -> None:
    made = issue(running)
    assert await let_in(running, made)
    running.clock.advance(3599)
    assert (await running.call("sts", "GetCallerIdentity", made.credentials)).status == 200
    running.clock.advance(1)
    answer = await running.call("sts", "GetCallerIdentity", made.credentials)
    assert (answer.status, answer.code) == (403, "ExpiredToken")

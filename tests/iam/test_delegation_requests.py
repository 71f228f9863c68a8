# SPDX-License-Identifier: Apache-2.0
"""Requests for temporary delegation: what is asked for, who sees it, and how many there are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from daypass.credentials import access_key_label
from daypass.iam import delegation_requests
from daypass.sealing import MasterKey
from daypass.store import AccessKey, User
from iam.delegating import (
    DAY,
    MASTER,
    PARTNER,
    POLICY,
    TEMPLATE,
    TOPIC,
    at,
    delegating,
    made,
    permissions,
    request,
    shown,
)
from iam.kitchen import statement
from iam.people import ALLOW_ALL, done, person, refused, user_arn
from in_process import ACCOUNT, NOW, Service

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOVES = ("AssociateDelegationRequest", "UpdateDelegationRequest", "AcceptDelegationRequest", "RejectDelegationRequest")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes requests of its own."""
    async with delegating(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(autouse=True)
def standing_clock(iam: Service) -> Iterator[None]:
    """A test that moves the clock leaves it as it was."""
    yield
    iam.clock.instant = NOW


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def partner(iam: Service) -> Credentials:
    """Who asks for delegation: a user of the other account."""
    key = Credentials("AKIAQNZKJ3PARTNER234", "partners-secret-partners-secret-partners")
    wrapped = MasterKey.parse(MASTER).wrap(str(key.secret_key).encode(), access_key_label(str(key.access_key)))
    user = User(PARTNER, "/", "partner", "AIDAPARTNERPARTNER123", 1, inline_policies=(("all", ALLOW_ALL),))
    async with iam.app.store.transaction() as transaction:
        await transaction.put(user)
        await transaction.put(AccessKey(str(key.access_key), PARTNER, user.unique_id, wrapped, "Active", 1))
    await done(iam, "CreatePolicy", key, PolicyName="template", PolicyDocument=POLICY)
    return key


async def test_a_request_is_shown_with_the_policy_that_its_template_makes(iam: Service) -> None:
    more: dict[str, Any] = {
        "RequestMessage": "Please.",
        "RedirectUrl": "https://example.org/done",
        "OnlySendByOwner": True,
    }
    sent = request(**more)
    answer = await done(iam, "CreateDelegationRequest", **sent)
    assert sorted(answer) == ["DelegationRequestId"]  # there is no console to link to
    found = await shown(iam, answer)
    policy = json.loads(found.pop("PermissionPolicy"))
    assert policy["Statement"] == [statement("Allow", "s3:GetObject", "arn:aws:s3:::logs/*")]
    assert found == {
        "DelegationRequestId": answer["DelegationRequestId"],
        "OwnerAccountId": ACCOUNT,
        "Description": "Reads the logs.",
        "RequestMessage": "Please.",
        "Permissions": sent["Permissions"],
        "RolePermissionRestrictionArns": [],
        "State": "UNASSIGNED",
        "ExpirationTime": at(DAY),
        "RequestorId": ACCOUNT,
        "RequestorName": ACCOUNT,
        "CreateDate": at(0),
        "SessionDuration": 3600,
        "RedirectUrl": "https://example.org/done",
        "OnlySendByOwner": True,
        "UpdatedTime": at(0),
    }


async def test_a_request_without_an_account_is_seen_by_all_and_owned_by_the_first_who_takes_it(
    iam: Service, partner: Credentials
) -> None:
    sent = request(f"arn:aws:iam::{PARTNER}:policy/template")
    del sent["OwnerAccountId"]
    named = await done(iam, "CreateDelegationRequest", partner, **sent)
    for credentials in ((), (partner,)):
        found = (await done(iam, "GetDelegationRequest", *credentials, **named))["DelegationRequest"]
        assert ("OwnerAccountId" in found, found["RequestorId"]) == (False, PARTNER)
    await done(iam, "AssociateDelegationRequest", **named)
    found = await shown(iam, named)
    assert (found["OwnerAccountId"], found["OwnerId"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
    gone = ("NoSuchEntity", f"The delegation request with id {named['DelegationRequestId']} cannot be found.")
    for operation in ("GetDelegationRequest", *MOVES, "SendDelegationToken"):
        assert await refused(iam, operation, partner, **named) == gone, operation
    assert (await done(iam, "ListDelegationRequests", partner))["DelegationRequests"] == []


async def test_a_request_for_an_account_is_for_no_other(iam: Service, partner: Credentials) -> None:
    named = await made(iam)
    gone = ("NoSuchEntity", f"The delegation request with id {named['DelegationRequestId']} cannot be found.")
    assert await refused(iam, "AssociateDelegationRequest", partner, **named) == gone
    summary = f"arn:aws:iam::{ACCOUNT}:delegation-request/{named['DelegationRequestId']}"
    assert await refused(iam, "GetHumanReadableSummary", partner, EntityArn=summary) == gone
    unknown = await refused(iam, "CreateDelegationRequest", **request(OwnerAccountId="999999999999"))
    assert unknown == ("InvalidInput", "The account 999999999999 cannot be found.")


async def test_a_workflow_has_one_request_of_a_requestor_in_whatever_account(
    iam: Service, partner: Credentials
) -> None:
    sent = request(OwnerAccountId=PARTNER)
    await done(iam, "CreateDelegationRequest", **sent)
    again = await refused(iam, "CreateDelegationRequest", **{**sent, "OwnerAccountId": ACCOUNT})
    assert again[0] == "EntityAlreadyExists"
    theirs = request(f"arn:aws:iam::{PARTNER}:policy/template", RequestorWorkflowId=sent["RequestorWorkflowId"])
    await done(iam, "CreateDelegationRequest", partner, **theirs)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Permissions": {"Parameters": [{"Name": "bucket", "Values": ["x"]}]}}, "InvalidInput"),
        (permissions(PolicyTemplateArn=TEMPLATE + "s"), "NoSuchEntity"),
        (permissions(PolicyTemplateArn=TEMPLATE.replace(ACCOUNT, PARTNER)), "NoSuchEntity"),
        (permissions(PolicyTemplateArn=f"arn:aws:iam::{ACCOUNT}:role/template"), "InvalidInput"),
        (permissions(Parameters=[{"Values": ["x"]}]), "InvalidInput"),
        (permissions(Parameters=[]), "InvalidInput"),
        ({"NotificationChannel": "mailto:someone"}, "InvalidInput"),
        ({"NotificationChannel": f"arn:aws:sqs:us-east-1:{PARTNER}:queue"}, "InvalidInput"),
        ({"SessionDuration": 299}, "ValidationError"),
        ({"SessionDuration": 43_201}, "ValidationError"),
    ],
    ids=[
        "no template",
        "no such template",
        "another account's template",
        "no template at all",
        "a parameter without a name",
        "no parameters",
        "no topic",
        "a queue",
        "short",
        "long",
    ],
)
async def test_a_request_that_is_not_in_order_is_refused(iam: Service, more: dict[str, Any], code: str) -> None:
    before = iam.app.store.view().revision
    assert (await refused(iam, "CreateDelegationRequest", **request(**more)))[0] == code
    assert iam.app.store.view().revision == before


async def test_the_type_of_a_parameter_is_string_when_it_is_not_said(iam: Service) -> None:
    named = await made(iam, **permissions(Parameters=[{"Name": "bucket", "Values": ["x"]}]))
    assert (await shown(iam, named))["Permissions"]["Parameters"][0]["Type"] == "string"


async def test_what_is_listed_is_owned_and_comes_in_pages(iam: Service) -> None:
    keys = {name: await person(iam, name, statement("Allow", "iam:*DelegationRequest*")) for name in ("lea", "leo")}
    owned: dict[str, list[str]] = {}
    for name, key in keys.items():
        mine = [await made(iam) for _ in range(2)]
        for named in mine:
            await done(iam, "AssociateDelegationRequest", key, **named)
        owned[name] = sorted(named["DelegationRequestId"] for named in mine)
    unowned = (await made(iam))["DelegationRequestId"]
    of_lea = {"OwnerId": user_arn("lea")}
    first = await done(iam, "ListDelegationRequests", **of_lea, MaxItems=1)
    rest = await done(iam, "ListDelegationRequests", **of_lea, Marker=first["Marker"])
    found = [one["DelegationRequestId"] for page in (first, rest) for one in page["DelegationRequests"]]
    assert (found, first["isTruncated"], rest["isTruncated"]) == (owned["lea"], True, False)
    whole = {one["DelegationRequestId"] for one in (await done(iam, "ListDelegationRequests"))["DelegationRequests"]}
    assert set(owned["lea"]) | set(owned["leo"]) <= whole
    assert unowned not in whole


async def test_a_list_may_be_permitted_for_one_owner(iam: Service) -> None:
    condition = {"ArnEquals": {"iam:DelegationRequestOwner": "${aws:PrincipalArn}"}}
    key = await person(iam, "own", {**statement("Allow", "iam:ListDelegationRequests"), "Condition": condition})
    await done(iam, "ListDelegationRequests", key, OwnerId=user_arn("own"))
    for parameters in ({}, {"OwnerId": user_arn("else")}):
        assert (await refused(iam, "ListDelegationRequests", key, **parameters))[0] == "AccessDenied"


async def test_creating_may_depend_on_the_template_the_topic_and_the_duration(iam: Service) -> None:
    condition = {
        "ArnEquals": {"iam:TemplateArn": TEMPLATE},
        "StringEquals": {"iam:NotificationChannel": TOPIC},
        "NumericLessThanEquals": {"iam:DelegationDuration": "3600"},
    }
    creating = statement("Allow", "iam:CreateDelegationRequest", f"arn:aws:iam::{ACCOUNT}:delegation-request/*")
    key = await person(iam, "creator", {**creating, "Condition": condition})
    await done(iam, "CreateDelegationRequest", key, **request())
    other_topic = TOPIC.replace("delegations", "others")
    for more in (
        {"SessionDuration": 3601},
        {"NotificationChannel": other_topic},
        permissions(PolicyTemplateArn=TEMPLATE + "s"),
    ):
        assert (await refused(iam, "CreateDelegationRequest", key, **request(**more)))[0] == "AccessDenied"


async def test_whether_a_caller_could_do_it_all_is_known_of_root_only(iam: Service) -> None:
    named = await made(iam)
    user = await person(iam, "checked", statement("Allow", "iam:GetDelegationRequest"))
    expected = {(): "ALLOWED", (user,): "UNSURE"}
    for credentials, result in expected.items():
        answer = await done(iam, "GetDelegationRequest", *credentials, **named, DelegationPermissionCheck=True)
        assert (answer["PermissionCheckStatus"], answer["PermissionCheckResult"]) == ("COMPLETE", result)
    assert "PermissionCheckStatus" not in await done(iam, "GetDelegationRequest", **named)


async def test_there_is_no_summary_and_it_says_so(iam: Service) -> None:
    named = await made(iam)
    arn = f"arn:aws:iam::{ACCOUNT}:delegation-request/{named['DelegationRequestId']}"
    found = await done(iam, "GetHumanReadableSummary", EntityArn=arn, Locale="de")
    assert found == {"SummaryState": "NOT_SUPPORTED", "Locale": "de"}
    assert (await done(iam, "GetHumanReadableSummary", EntityArn=arn))["Locale"] == "en"
    role = f"arn:aws:iam::{ACCOUNT}:role/some-role"
    assert (await refused(iam, "GetHumanReadableSummary", EntityArn=role))[0] == "InvalidInput"
    unknown = f"arn:aws:iam::{ACCOUNT}:delegation-request/{'x' * 36}"
    assert (await refused(iam, "GetHumanReadableSummary", EntityArn=unknown))[0] == "NoSuchEntity"


async def test_expired_requests_make_room_when_there_are_too_many(
    iam: Service, partner: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {"template": f"arn:aws:iam::{PARTNER}:policy/template", "OwnerAccountId": PARTNER}

    def count() -> int:
        return len(iam.app.store.view().delegation_requests.of(PARTNER))

    monkeypatch.setattr(delegation_requests, "DELEGATION_REQUESTS_PER_ACCOUNT", count() + 1)
    await done(iam, "CreateDelegationRequest", partner, **request(**theirs))
    beyond = await refused(iam, "CreateDelegationRequest", partner, **request(**theirs))
    assert beyond == ("LimitExceeded", f"Cannot exceed quota for DelegationRequestsPerAccount: {count()}")
    iam.clock.advance(8 * DAY)
    await done(iam, "CreateDelegationRequest", partner, **request(**theirs))
    assert count() == 1

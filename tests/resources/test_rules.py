# SPDX-License-Identifier: Apache-2.0
"""What a resource's policy may say, in S3's words for buckets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daypass.errors import AccessDeniedError, DaypassError, EntityError, PolicyError, Reason
from daypass.resources import check_policy, put_policy, shown_policy
from daypass.resources.limits import BUCKET_POLICY, RESOURCE_ARN
from daypass.store import PublicAccess
from resources.lake import ARN, NOW, OTHER, OWNER, Lake, document, identity, statement

QUEUE = f"arn:aws:sqs:us-east-1:{OWNER}:jobs"


def without(name: str) -> str:
    """A policy whose one statement lacks an element."""
    whole = statement()
    del whole[name]
    return document(whole)


def patterns(count: int) -> list[str]:
    """Actions with wildcards before their end, each another."""
    return [f"s3:{'*' * (1 + number)}Object" for number in range(count)]


REFUSED: list[tuple[str, str, Reason, str]] = [
    ("empty", "", Reason.POLICY_SYNTAX, "Policies must be valid JSON and the first byte must be '{'"),
    ("a list", "[]", Reason.POLICY_SYNTAX, "Policies must be valid JSON and the first byte must be '{'"),
    ("a blank first", " {}", Reason.POLICY_SYNTAX, "Policies must be valid JSON and the first byte must be '{'"),
    ("cut off", '{"Version":', Reason.POLICY_SYNTAX, "This policy contains invalid Json"),
    ("no statement", "{}", Reason.POLICY_SYNTAX, "Missing required field Statement"),
    ("no statements", '{"Statement":[]}', Reason.POLICY_SYNTAX, "Could not parse the policy: Statement is empty!"),
    ("text statement", '{"Statement":["x"]}', Reason.POLICY_SYNTAX, "Invalid policy syntax."),
    (
        "version",
        document(statement(), version="2012"),
        Reason.POLICY_VERSION,
        "The policy must contain a valid version string",
    ),
    ("no effect", without("Effect"), Reason.POLICY_EFFECT, "Missing required field Effect"),
    ("effect", document(statement("allow")), Reason.POLICY_EFFECT, "Invalid effect: allow"),
    ("no principal", without("Principal"), Reason.POLICY_WITHOUT_PRINCIPAL, "Missing required field Principal"),
    ("no action", without("Action"), Reason.POLICY_WITHOUT_ACTIONS, "Missing required field Action"),
    ("no resource", without("Resource"), Reason.POLICY_WITHOUT_RESOURCES, "Missing required field Resource"),
    ("no actions", document(statement(action=[])), Reason.POLICY_WITHOUT_ACTIONS, "Missing required field Action"),
    (
        "no resources",
        document(statement(resource=[])),
        Reason.POLICY_WITHOUT_RESOURCES,
        "Missing required field Resource",
    ),
    ("unknown element", document(statement(Resources="x")), Reason.POLICY_SYNTAX, "Invalid policy syntax."),
    (
        "empty principal",
        document(statement(principal={})),
        Reason.POLICY_WITHOUT_PRINCIPAL,
        "Missing required field Principal",
    ),
    (
        "nobody",
        document(statement(principal={"AWS": "x"})),
        Reason.POLICY_PRINCIPAL_INVALID,
        "Invalid principal in policy",
    ),
    (
        "a user who is not there",
        document(statement(principal={"AWS": f"arn:aws:iam::{OWNER}:user/ghost"})),
        Reason.POLICY_PRINCIPAL_INVALID,
        "Invalid principal in policy",
    ),
    (
        "an id that nobody has",
        document(statement(principal={"AWS": "AIDA00000000000000000"})),
        Reason.POLICY_PRINCIPAL_INVALID,
        "Invalid principal in policy",
    ),
    (
        "a canonical user",
        document(statement(principal={"CanonicalUser": "a" * 64})),
        Reason.POLICY_PRINCIPAL_INVALID,
        "Invalid principal in policy",
    ),
    (
        "no such action",
        document(statement(action="s3:GetObjekt")),
        Reason.POLICY_ACTION_INVALID,
        "Policy has invalid action",
    ),
    ("other service", document(statement(action="sqs:*")), Reason.POLICY_ACTION_INVALID, "Policy has invalid action"),
    ("no service", document(statement(action="GetObject")), Reason.POLICY_ACTION_INVALID, "Policy has invalid action"),
    ("no match", document(statement(action="s3:Gat*")), Reason.POLICY_ACTION_INVALID, "Policy has invalid action"),
    ("everything", document(statement(resource="*")), Reason.POLICY_RESOURCE_INVALID, "Policy has invalid resource"),
    (
        "another",
        document(statement(resource=f"{ARN}2/*")),
        Reason.POLICY_RESOURCE_INVALID,
        "Policy has invalid resource",
    ),
    ("wider", document(statement(resource=f"{ARN}*")), Reason.POLICY_RESOURCE_INVALID, "Policy has invalid resource"),
    ("no ARN", document(statement(resource="data/*")), Reason.POLICY_RESOURCE_INVALID, "Policy has invalid resource"),
    (
        "one of two",
        document(statement(resource=[f"{ARN}/*", "arn:aws:s3:::other/*"])),
        Reason.POLICY_RESOURCE_INVALID,
        "Policy has invalid resource",
    ),
    (
        "an object's action on the bucket",
        document(statement(resource=ARN)),
        Reason.POLICY_RESOURCE_INVALID,
        "Action does not apply to any resource(s) in statement",
    ),
    (
        "a bucket's action on objects",
        document(statement(action=["s3:GetObject", "s3:ListBucket"])),
        Reason.POLICY_RESOURCE_INVALID,
        "Action does not apply to any resource(s) in statement",
    ),
    (
        "an action on no bucket",
        document(statement(action="s3:ListAllMyBuckets", resource=[ARN, f"{ARN}/*"])),
        Reason.POLICY_RESOURCE_INVALID,
        "Action does not apply to any resource(s) in statement",
    ),
]


@pytest.mark.parametrize(("text", "reason", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_a_bucket_policy_that_is_wrong_is_refused_in_s3s_words(
    lake: Lake, text: str, reason: Reason, message: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        check_policy(ARN, text, lake.store.view())
    assert (caught.value.reason, str(caught.value)) == (reason, message)


@pytest.mark.parametrize(
    "whole",
    [
        statement(),
        statement(action="*", resource=ARN),
        statement(action="s3:*", resource=ARN),
        statement(action="S3:getobject"),
        statement(action="s3:Get*", resource=[ARN]),
        statement(action=["s3:GetObject", "s3:ListBucket"], resource=[ARN, f"{ARN}/*"]),
        statement(resource=f"{ARN}/${{aws:username}}/*"),
        statement(principal={"AWS": [OWNER, f"arn:aws:iam::{OTHER}:root"], "Service": "logs.amazonaws.com"}),
        {"Effect": "Deny", "NotPrincipal": {"AWS": OWNER}, "NotAction": "s3:GetObject", "NotResource": f"{ARN}/open/*"},
    ],
)
async def test_a_bucket_policy_that_is_right_is_taken(lake: Lake, whole: dict[str, Any]) -> None:
    assert check_policy(ARN, document(whole), lake.store.view()).principals == ()


@pytest.mark.parametrize("too_much", [0, 1])
async def test_a_bucket_policy_may_have_50_patterns_and_any_number_of_prefixes(lake: Lake, too_much: int) -> None:
    prefixes = ["s3:GetObject*", "s3:Get*", "s3:*", "*", *["s3:*object"] * 60]
    text = document(statement(action=patterns(50 + too_much) + prefixes))
    if not too_much:
        check_policy(ARN, text, lake.store.view())
        return
    with pytest.raises(PolicyError) as caught:
        check_policy(ARN, text, lake.store.view())
    assert caught.value.reason is Reason.POLICY_TOO_LARGE


@pytest.mark.parametrize("too_much", [0, 1])
async def test_a_bucket_policy_may_have_20_kb_white_space_counted(lake: Lake, too_much: int) -> None:
    text = document(statement())
    text += " " * (BUCKET_POLICY + too_much - len(text))
    if not too_much:
        check_policy(ARN, text, lake.store.view())
        return
    with pytest.raises(PolicyError) as caught:
        check_policy(ARN, text, lake.store.view())
    assert caught.value.reason is Reason.POLICY_TOO_LARGE


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "data",
        "*",
        "arn:aws:s3:::",
        "arn:aws:s3:::data/object",
        "arn:aws:s3:::da*a",
        "arn:aws:s3:::da ta",
        "arn:aws:s3:::da\nta",
        "arn:aws-cn:s3:::data",
        f"arn:aws:iam::{OWNER}:role/r",
        f"arn:aws:sts::{OWNER}:assumed-role/r/s",
        "arn:aws:sqs:us-east-1:1:jobs",
        "arn:aws:s3:::" + "x" * RESOURCE_ARN,
    ],
)
async def test_what_is_no_arn_of_a_resource_of_ours_gets_no_policy(lake: Lake, arn: str) -> None:
    with pytest.raises(EntityError) as caught:
        await put_policy(lake.store, arn, document(statement()), owner=OWNER, now=NOW)
    assert caught.value.reason is Reason.INVALID_INPUT
    assert not lake.store.view().resource_policies


@pytest.mark.parametrize(
    ("whole", "reason"),
    [
        (statement(action="s3:GetObject", resource=QUEUE), Reason.POLICY_ACTION_INVALID),
        (statement(action="sqs:SendMessage", resource=f"{QUEUE}2"), Reason.POLICY_RESOURCE_INVALID),
        ({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE}, Reason.POLICY_WITHOUT_PRINCIPAL),
    ],
)
async def test_a_queues_policy_speaks_of_the_queue_and_of_its_service(
    lake: Lake, whole: dict[str, Any], reason: Reason
) -> None:
    with pytest.raises(PolicyError) as caught:
        check_policy(QUEUE, document(whole), lake.store.view())
    assert caught.value.reason is reason


@pytest.mark.parametrize("resource", ["*", QUEUE, [QUEUE]])
async def test_a_queues_policy_may_name_it_or_everything(lake: Lake, resource: Any) -> None:
    check_policy(QUEUE, document(statement(action="sqs:*", resource=resource)), lake.store.view())


async def test_a_public_policy_is_refused_where_they_are_blocked_and_another_is_not(lake: Lake) -> None:
    await lake.block(PublicAccess(block_public_policy=True))
    await lake.policy(statement(principal={"AWS": OTHER}))
    with pytest.raises(AccessDeniedError) as caught:
        await lake.policy(statement())
    assert caught.value.reason is Reason.PUBLIC_ACCESS_BLOCKED
    await lake.block(PublicAccess(True, True, False, True))
    await lake.policy(statement())


async def test_a_policy_is_shown_as_sent_until_a_principal_of_it_is_gone(lake: Lake) -> None:
    user = await lake.user(OWNER, "alice", identity("Allow", "*"))
    assert user.user is not None
    sent = json.dumps(json.loads(document(statement(principal={"AWS": user.principal.arn}))), indent=3) + "\n"
    policy = await put_policy(lake.store, ARN, sent, owner=OWNER, now=NOW)
    assert shown_policy(policy, lake.store.view()) == sent
    await lake.delete(user)
    shown = json.loads(shown_policy(policy, lake.store.view()))
    assert shown["Statement"][0]["Principal"] == {"AWS": user.user.unique_id}


async def test_the_policy_of_a_resource_whose_owner_is_no_account_is_refused(lake: Lake) -> None:
    with pytest.raises(DaypassError) as caught:
        await put_policy(
            lake.store,
            "arn:aws:s3:::new",
            document(statement(resource="arn:aws:s3:::new/*")),
            owner="999999999999",
            now=NOW,
        )
    assert caught.value.reason is Reason.NO_SUCH_ENTITY

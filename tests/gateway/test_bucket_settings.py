# SPDX-License-Identifier: Apache-2.0
"""The operations of S3 that are answered here, read by botocore; and that nothing is answered without permission for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import pytest_asyncio
from botocore.parsers import create_parser
from msgspec.structs import replace

from daypass.access import Permitted
from daypass.access.authenticate import Caller
from daypass.api.wire_errors import WIRE_ERRORS
from daypass.errors import AccessDeniedError, DaypassError, EntityError, PolicyError, Reason, RequestError
from daypass.gateway.bucket_settings import BODY_LIMITS, OPERATIONS, Answered, BucketSettings
from daypass.resources import set_owner
from daypass.resources.ownership import NOTHING_PUBLIC
from daypass.store import Managed, PublicAccess, Store
from resources.lake import ARN, BUCKET, DEFAULT, NOW, OTHER, OWNER, Lake, document, filled, identity, root, statement

S3 = botocore.session.get_session().get_service_model("s3")
EVERYTHING = identity("Allow", "*")
ACTIONS = {
    "PutBucketPolicy": "s3:PutBucketPolicy",
    "GetBucketPolicy": "s3:GetBucketPolicy",
    "DeleteBucketPolicy": "s3:DeleteBucketPolicy",
    "GetBucketPolicyStatus": "s3:GetBucketPolicyStatus",
    "PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
BLOCK = (
    b'<PublicAccessBlockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls>"
    b"<BlockPublicPolicy>TRUE</BlockPublicPolicy></PublicAccessBlockConfiguration>"
)


class Desk(Lake):
    """A lake, and the settings of its buckets."""

    @property
    def settings(self) -> BucketSettings:
        return BucketSettings(self.store)

    async def call(
        self, operation: str, caller: Caller | None = None, body: bytes = b"", bucket: str = BUCKET, **headers: str
    ) -> dict[str, Any]:
        """Permit and answer; what botocore makes of the answer."""
        permitted = self.ask(caller or root(OWNER), ACTIONS[operation], f"arn:aws:s3:::{bucket}")
        return parsed(operation, await self.answered(operation, permitted, body, bucket, **headers))

    async def answered(
        self, operation: str, permitted: Permitted, body: bytes = b"", bucket: str = BUCKET, **headers: str
    ) -> Answered:
        given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        answer = await self.settings.answer(
            operation, bucket, permitted, default_account=DEFAULT, backend="lake", headers=given, body=body
        )
        assert answer is not None
        return answer


def parsed(operation: str, answer: Answered) -> dict[str, Any]:
    response = {
        "status_code": answer.status,
        "headers": {name.decode(): value.decode() for name, value in answer.headers},
        "body": answer.body,
    }
    shape: Any = S3.operation_model(operation).output_shape
    found = create_parser(S3.metadata["protocol"]).parse(response, shape)
    return {"status": answer.status, **{k: v for k, v in found.items() if k != "ResponseMetadata"}}


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = await Store.open(None, tmp_path / "data")
    try:
        yield Desk((await filled(store)).store)
    finally:
        await store.close()


def policy(*statements: dict[str, Any]) -> bytes:
    return document(*statements).encode()


async def refused(desk: Desk, reason: Reason, operation: str, *arguments: Any, **more: Any) -> DaypassError:
    with pytest.raises(DaypassError) as caught:
        await desk.call(operation, *arguments, **more)
    assert caught.value.reason is reason
    return caught.value


def test_every_operation_is_one_of_s3s_and_has_its_iam_action() -> None:
    assert set(ACTIONS) == OPERATIONS
    assert set(S3.operation_names) >= OPERATIONS
    assert {name for name in OPERATIONS if S3.operation_model(name).http["method"] == "PUT"} == set(BODY_LIMITS)


async def test_a_policy_is_put_shown_as_sent_and_deleted(desk: Desk) -> None:
    sent = policy(statement(principal={"AWS": OTHER})).replace(b"{", b"{\n ", 1)
    assert await desk.call("PutBucketPolicy", body=sent) == {"status": 204}
    found = await desk.call("GetBucketPolicy")
    assert (found["status"], found["Policy"]) == (200, sent.decode())
    assert await desk.call("DeleteBucketPolicy") == {"status": 204}
    error = await refused(desk, Reason.NO_SUCH_BUCKET_POLICY, "GetBucketPolicy")
    assert str(error) == "The bucket policy does not exist"
    assert await desk.call("DeleteBucketPolicy") == {"status": 204}, "there is none, and that is what was asked for"


async def test_a_policy_that_is_replaced_was_made_when_the_first_was(desk: Desk) -> None:
    await desk.call("PutBucketPolicy", body=policy(statement()))
    await desk.call("PutBucketPolicy", body=policy(statement("Deny")))
    found = desk.store.view().resource_policies.with_key(ARN)
    assert found is not None
    assert (found.document, found.account, found.created_at) == (policy(statement("Deny")).decode(), OWNER, NOW)


@pytest.mark.parametrize(("principal", "public"), [("*", True), ({"AWS": OTHER}, False)])
async def test_the_status_says_whether_the_policy_is_public(desk: Desk, principal: Any, public: bool) -> None:
    await refused(desk, Reason.NO_SUCH_BUCKET_POLICY, "GetBucketPolicyStatus")
    await desk.call("PutBucketPolicy", body=policy(statement(principal=principal)))
    assert await desk.call("GetBucketPolicyStatus") == {"status": 200, "PolicyStatus": {"IsPublic": public}}


async def test_a_public_access_block_is_put_shown_and_deleted(desk: Desk) -> None:
    assert await desk.call("PutPublicAccessBlock", body=BLOCK) == {"status": 200}
    assert await desk.call("GetPublicAccessBlock") == {
        "status": 200,
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "IgnorePublicAcls": False,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": False,
        },
    }
    assert await desk.call("DeletePublicAccessBlock") == {"status": 204}
    error = await refused(desk, Reason.NO_SUCH_PUBLIC_ACCESS_BLOCK, "GetPublicAccessBlock")
    assert str(error) == "The public access block configuration was not found"
    assert await desk.call("DeletePublicAccessBlock") == {"status": 204}


async def test_what_botocore_sends_is_read(desk: Desk) -> None:
    from botocore.serialize import create_serializer

    serializer = create_serializer(S3.metadata["protocol"])
    wanted = {"BlockPublicAcls": False, "RestrictPublicBuckets": True}
    model = S3.operation_model("PutPublicAccessBlock")
    request = serializer.serialize_to_request({"Bucket": BUCKET, "PublicAccessBlockConfiguration": wanted}, model)
    await desk.call("PutPublicAccessBlock", body=request["body"])
    bucket = desk.store.view().buckets.with_key(BUCKET)
    assert bucket is not None
    assert bucket.public_access == PublicAccess(restrict_public_buckets=True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<PublicAccessBlockConfiguration/>",
        BLOCK[:-5],
        BLOCK.replace(b"Configuration", b"Settings"),
        BLOCK.replace(b"2006-03-01", b"2006-03-02"),
        BLOCK.replace(b">TRUE<", b">yes<"),
        BLOCK.replace(b">TRUE<", b"><"),
        BLOCK.replace(b"IgnorePublicAcls", b"BlockPublicAcls"),
        BLOCK.replace(b"IgnorePublicAcls", b"BlockEverything"),
        BLOCK.replace(b">TRUE<", b"><a/>true<"),
        BLOCK.replace(b"</BlockPublicAcls>", b"</BlockPublicAcls>no"),
        b"<!DOCTYPE x>" + BLOCK,
        BLOCK + b" " * BODY_LIMITS["PutPublicAccessBlock"],
    ],
)
async def test_a_block_that_cannot_be_read_is_malformed_and_changes_nothing(desk: Desk, body: bytes) -> None:
    before = desk.store.view().revision
    with pytest.raises(RequestError) as caught:
        await desk.call("PutPublicAccessBlock", body=body)
    assert caught.value.reason is Reason.MALFORMED_XML
    assert desk.store.view().revision == before


@pytest.mark.parametrize("body", [b"", b"\xff", b"{}", policy(statement(resource="*")), b"[" * 60_000])
async def test_a_policy_that_is_none_is_refused_and_changes_nothing(desk: Desk, body: bytes) -> None:
    before = desk.store.view().revision
    with pytest.raises(PolicyError) as caught:
        await desk.call("PutBucketPolicy", body=body)
    assert caught.value.reason.name.startswith("POLICY_")
    assert desk.store.view().revision == before


async def test_a_blocked_public_policy_is_refused_until_the_block_is_gone(desk: Desk) -> None:
    await desk.call("PutPublicAccessBlock", body=BLOCK)
    await refused(desk, Reason.PUBLIC_ACCESS_BLOCKED, "PutBucketPolicy", body=policy(statement()))
    await desk.call("PutBucketPolicy", body=policy(statement(principal={"AWS": OTHER})))
    await desk.call("DeletePublicAccessBlock")
    await desk.call("PutBucketPolicy", body=policy(statement()))


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
async def test_permission_for_anything_else_answers_nothing(desk: Desk, operation: str) -> None:
    before = desk.store.view().revision
    right = ACTIONS[operation]
    wrong = [
        desk.ask(root(OWNER), "s3:ListBucket", ARN),
        desk.ask(root(DEFAULT), right, "arn:aws:s3:::other"),
        desk.ask(root(OWNER), right, f"{ARN}/object"),
    ]
    for permitted in wrong:
        with pytest.raises(AccessDeniedError) as caught:
            await desk.answered(operation, permitted, BLOCK)
        assert caught.value.reason is Reason.NOT_AUTHORIZED
    assert desk.store.view().revision == before


async def test_other_operations_are_not_answered_here(desk: Desk) -> None:
    permitted = desk.ask(root(OWNER), "s3:GetBucketAcl", ARN)
    assert await desk.settings.answer("GetBucketAcl", BUCKET, permitted, default_account=DEFAULT) is None


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
async def test_another_account_may_not_touch_the_policy_whatever_it_grants(desk: Desk, operation: str) -> None:
    everything = {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "s3:*", "Resource": ARN}
    await desk.policy(everything)
    if operation in ("PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy"):
        await refused(desk, Reason.NOT_THE_BUCKET_OWNER, operation, root(OTHER), body=policy(everything))
        assert (WIRE_ERRORS[Reason.NOT_THE_BUCKET_OWNER].code, WIRE_ERRORS[Reason.NOT_THE_BUCKET_OWNER].status) == (
            "MethodNotAllowed",
            405,
        )
    elif operation != "GetPublicAccessBlock":
        await desk.call(operation, root(OTHER), body=BLOCK)


async def test_without_a_grant_another_account_is_denied(desk: Desk) -> None:
    for operation in sorted(OPERATIONS):
        await refused(desk, Reason.NOT_AUTHORIZED, operation, root(OTHER))


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
async def test_an_owner_that_is_not_the_expected_one_is_denied(desk: Desk, operation: str) -> None:
    await desk.policy(statement(principal={"AWS": OTHER}))
    await desk.block(PublicAccess())
    body = BLOCK if operation == "PutPublicAccessBlock" else policy(statement("Deny"))
    await refused(desk, Reason.NOT_AUTHORIZED, operation, body=body, x_amz_expected_bucket_owner=OTHER)
    assert (await desk.call(operation, body=body, x_amz_expected_bucket_owner=OWNER))["status"] in (200, 204)


async def test_a_policy_that_locks_its_writer_out_needs_to_be_confirmed(desk: Desk) -> None:
    writer = await desk.user(OWNER, "writer", EVERYTHING)
    mine = {"AWS": OWNER}
    body = policy(statement("Deny", mine, "s3:PutBucketPolicy", ARN))
    await refused(desk, Reason.LOCKOUT_UNCONFIRMED, "PutBucketPolicy", writer, body=body)
    confirm = "x_amz_confirm_remove_self_bucket_access"
    await refused(desk, Reason.LOCKOUT_UNCONFIRMED, "PutBucketPolicy", writer, body=body, **{confirm: "false"})
    assert desk.store.view().resource_policies.with_key(ARN) is None
    await desk.call("PutBucketPolicy", writer, body=body, **{confirm: "true"})
    await refused(desk, Reason.NOT_AUTHORIZED, "PutBucketPolicy", writer, body=body)
    await desk.call("PutBucketPolicy", body=body)
    await desk.call("DeleteBucketPolicy")


async def test_a_write_is_refused_when_the_policy_is_another_than_permission_was_given_by(desk: Desk) -> None:
    writer = await desk.user(OWNER, "writer", EVERYTHING)
    for operation in ("PutBucketPolicy", "DeleteBucketPolicy", "PutPublicAccessBlock", "DeletePublicAccessBlock"):
        await desk.call("DeleteBucketPolicy")
        permitted = desk.ask(writer, ACTIONS[operation], ARN)
        await desk.policy(statement("Deny", action="s3:*", resource=ARN))
        with pytest.raises(EntityError) as caught:
            await desk.answered(operation, permitted, BLOCK if "Block" in operation else policy(statement()))
        assert caught.value.reason is Reason.ENTITY_MODIFIED_MEANWHILE


async def test_a_write_is_refused_when_the_bucket_has_become_anothers(desk: Desk) -> None:
    permitted = desk.ask(root(OWNER), "s3:PutBucketPolicy", ARN)
    await set_owner(desk.store, ARN, OTHER, now=NOW)
    with pytest.raises(EntityError) as caught:
        await desk.answered("PutBucketPolicy", permitted, policy(statement()))
    assert caught.value.reason is Reason.ENTITY_MODIFIED_MEANWHILE


async def test_settings_of_a_bucket_that_nobody_recorded_are_the_backends_accounts(desk: Desk) -> None:
    body = policy(statement(resource="arn:aws:s3:::old/*"))
    await refused(desk, Reason.NOT_AUTHORIZED, "PutBucketPolicy", root(OWNER), body=body, bucket="old")
    await desk.call("PutBucketPolicy", root(DEFAULT), body=body, bucket="old")
    bucket = desk.store.view().buckets.with_key("old")
    assert bucket is not None
    assert (bucket.account, bucket.backend, bucket.public_access) == (DEFAULT, "lake", None)


async def test_the_gateway_tells_of_buckets_that_are_made_and_deleted(desk: Desk) -> None:
    await desk.settings.created("new", OTHER, "lake", NOW)
    bucket = desk.store.view().buckets.with_key("new")
    assert bucket is not None
    assert (bucket.account, bucket.public_access) == (OTHER, NOTHING_PUBLIC)
    with pytest.raises(EntityError) as caught:
        await desk.settings.created("new", OWNER, "lake", NOW)
    assert caught.value.reason is Reason.BUCKET_ALREADY_EXISTS
    await desk.settings.deleted("new", desk.store.view())
    assert desk.store.view().buckets.with_key("new") is None


async def test_a_bucket_that_was_made_while_its_namesake_was_deleted_keeps_its_owner(desk: Desk) -> None:
    before = desk.store.view()
    await desk.settings.created("old", OTHER, "lake", NOW)
    made = desk.store.view().buckets.with_key("old")
    await desk.settings.deleted("old", before)
    assert desk.store.view().buckets.with_key("old") == made


async def test_a_policy_shows_a_deleted_principal_by_its_id(desk: Desk) -> None:
    reader = await desk.user(OTHER, "reader")
    assert reader.user is not None
    await desk.call("PutBucketPolicy", body=policy(statement(principal={"AWS": reader.principal.arn})))
    await desk.delete(reader)
    assert reader.user.unique_id in (await desk.call("GetBucketPolicy"))["Policy"]
    await refused(
        desk,
        Reason.POLICY_PRINCIPAL_INVALID,
        "PutBucketPolicy",
        body=policy(statement(principal={"AWS": reader.principal.arn})),
    )


async def test_what_a_state_file_manages_is_read_here_and_not_written(desk: Desk) -> None:
    await desk.policy(statement())
    await desk.block(PublicAccess(restrict_public_buckets=True))
    async with desk.store.transaction() as transaction:
        for aspect in ("policy", "public-access-block"):
            await transaction.put(Managed(aspect, ARN))
    before = desk.store.view().revision
    for operation in sorted(OPERATIONS):
        body = BLOCK if operation == "PutPublicAccessBlock" else policy(statement())
        if operation.startswith("Get"):
            assert (await desk.call(operation))["status"] == 200
        else:
            error = await refused(desk, Reason.MANAGED_BY_FILE, operation, body=body)
            assert f"of {ARN} is managed by the state file of this service; change it there." in str(error)
    assert desk.store.view().revision == before


def test_wire_errors_are_s3s() -> None:
    codes = {
        Reason.NO_SUCH_BUCKET_POLICY: ("NoSuchBucketPolicy", 404),
        Reason.NO_SUCH_PUBLIC_ACCESS_BLOCK: ("NoSuchPublicAccessBlockConfiguration", 404),
        Reason.BUCKET_ALREADY_EXISTS: ("BucketAlreadyExists", 409),
        Reason.BUCKET_ALREADY_OWNED_BY_YOU: ("BucketAlreadyOwnedByYou", 409),
        Reason.MALFORMED_XML: ("MalformedXML", 400),
        Reason.PUBLIC_ACCESS_BLOCKED: ("AccessDenied", 403),
        Reason.LOCKOUT_UNCONFIRMED: ("AccessDenied", 403),
        Reason.MANAGED_BY_FILE: ("AccessDenied", 403),
    }
    assert {reason: (WIRE_ERRORS[reason].code, WIRE_ERRORS[reason].status) for reason in codes} == codes
    modelled = S3.shape_names
    assert {"BucketAlreadyExists", "BucketAlreadyOwnedByYou"} <= set(modelled)


async def test_a_bucket_of_the_same_name_at_another_backend_has_no_settings_and_gets_none(desk: Desk) -> None:
    await desk.policy(statement())
    await desk.block(PublicAccess())
    before = desk.store.view().revision
    reasons = []
    for operation in sorted(OPERATIONS):
        body = BLOCK if operation == "PutPublicAccessBlock" else policy(statement())
        permitted = desk.ask(root(OWNER), ACTIONS[operation], ARN)
        permitted = replace(permitted, caller=root(DEFAULT))
        with pytest.raises(EntityError) as caught:
            await desk.settings.answer(
                operation, BUCKET, permitted, default_account=DEFAULT, elsewhere=frozenset({"lake"}), body=body
            )
        reasons.append((operation, caught.value.reason))
    assert reasons == [
        ("DeleteBucketPolicy", Reason.BUCKET_ALREADY_EXISTS),
        ("DeletePublicAccessBlock", Reason.BUCKET_ALREADY_EXISTS),
        ("GetBucketPolicy", Reason.NO_SUCH_BUCKET_POLICY),
        ("GetBucketPolicyStatus", Reason.NO_SUCH_BUCKET_POLICY),
        ("GetPublicAccessBlock", Reason.NO_SUCH_PUBLIC_ACCESS_BLOCK),
        ("PutBucketPolicy", Reason.BUCKET_ALREADY_EXISTS),
        ("PutPublicAccessBlock", Reason.BUCKET_ALREADY_EXISTS),
    ]
    assert desk.store.view().revision == before

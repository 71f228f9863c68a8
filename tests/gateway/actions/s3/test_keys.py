# SPDX-License-Identifier: Apache-2.0
"""The condition keys of a request: there when their parameter, header or element is, and else absent."""

from __future__ import annotations

import pytest

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.s3 import keys_at_time
from daypass.gateway.actions.s3.keys import GENERAL
from daypass.gateway.asking import Needed
from daypass.identity import ContextValue
from daypass.policy import Layers, decide
from gateway.actions.s3.requests import asked
from policy.making import named, request, statement

OBJECT, BUCKET = "/bucket/key", "/bucket"


def own_keys(
    method: str,
    path: str,
    query: str = "",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    action: str | None = None,
) -> dict[str, ContextValue]:
    """The keys of the permission for an action (the first), without those of every action."""
    found = asked(method, path, query, headers or {}, body)
    needed = next(one for one in found.needed if action in (None, one.action))
    return {name: value for name, value in needed.keys.items() if name not in GENERAL}


def test_every_permission_says_how_the_request_was_signed() -> None:
    (needed,) = asked("GET", OBJECT, headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}).needed
    assert needed.keys == {
        "s3:authtype": "REST-HEADER",
        "s3:signatureversion": "AWS4-HMAC-SHA256",
        "s3:x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    }


def test_a_presigned_request_says_so_and_has_an_unsigned_payload_unless_it_declares_one() -> None:
    (needed,) = asked("GET", OBJECT, "X-Amz-Algorithm=AWS4-HMAC-SHA256").needed
    assert needed.keys["s3:authtype"] == "REST-QUERY-STRING"
    assert needed.keys["s3:x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    (needed,) = asked("GET", OBJECT, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=abc").needed
    assert needed.keys["s3:x-amz-content-sha256"] == "abc"


CASES: dict[str, tuple[tuple[str, str, str, dict[str, str]], dict[str, ContextValue]]] = {
    "nothing asked": (("GET", BUCKET, "list-type=2", {}), {}),
    "an empty prefix": (("GET", BUCKET, "prefix=&delimiter=%2F", {}), {"s3:prefix": "", "s3:delimiter": "/"}),
    "a prefix": (
        ("GET", BUCKET, "list-type=2&prefix=a%2Fb%2B%20c&max-keys=10", {}),
        {"s3:prefix": "a/b+ c", "s3:max-keys": "10"},
    ),
    "a prefix of versions": (("GET", BUCKET, "versions&prefix=a", {}), {"s3:prefix": "a"}),
    "a prefix of uploads is no key": (("GET", BUCKET, "uploads&prefix=a&delimiter=b", {}), {}),
    "a version": (("GET", OBJECT, "versionId=a%2Bb", {}), {"s3:versionid": "a+b"}),
    "annotations": (
        ("GET", OBJECT, "annotation&annotation-prefix=p&max-annotation-results=3", {}),
        {"s3:annotation-prefix": "p", "s3:max-annotation-results": "3"},
    ),
    "a put": (("PUT", OBJECT, "", {}), {"s3:objectcreationoperation": "true"}),
    "a part": (("PUT", OBJECT, "partNumber=1&uploadId=u", {}), {"s3:objectcreationoperation": "false"}),
    "headers": (
        (
            "PUT",
            OBJECT,
            "",
            {
                "x-amz-acl": "public-read",
                "x-amz-grant-read": "id=a",
                "x-amz-server-side-encryption": "aws:kms",
                "x-amz-server-side-encryption-aws-kms-key-id": "k",
                "x-amz-storage-class": " GLACIER ",
                "x-amz-website-redirect-location": "/there",
                "if-none-match": "*",
                "x-amz-meta-other": "x",
            },
        ),
        {
            "s3:x-amz-acl": "public-read",
            "s3:x-amz-grant-read": "id=a",
            "s3:x-amz-server-side-encryption": "aws:kms",
            "s3:x-amz-server-side-encryption-aws-kms-key-id": "k",
            "s3:x-amz-storage-class": "GLACIER",
            "s3:x-amz-website-redirect-location": "/there",
            "s3:if-none-match": "*",
            "s3:objectcreationoperation": "true",
        },
    ),
    "locks": (
        (
            "PUT",
            OBJECT,
            "",
            {
                "x-amz-object-lock-mode": "GOVERNANCE",
                "x-amz-object-lock-retain-until-date": "2030-01-01T00:00:00.000Z",
                "x-amz-object-lock-legal-hold": "ON",
                "x-amz-object-lock-event-hold": "ON",
                "x-amz-object-lock-event-hold-duration-years": "2",
            },
        ),
        {
            "s3:object-lock-mode": "GOVERNANCE",
            "s3:object-lock-retain-until-date": "2030-01-01T00:00:00.000Z",
            "s3:object-lock-legal-hold": "ON",
            "s3:object-lock-event-hold": "ON",
            "s3:object-lock-event-hold-duration-days": "730",
            "s3:objectcreationoperation": "true",
        },
    ),
    "tags": (
        ("PUT", OBJECT, "", {"x-amz-tagging": "Team=a+b%2Bc&empty="}),
        {
            "s3:requestobjecttag/team": "a b+c",
            "s3:requestobjecttag/empty": "",
            "s3:requestobjecttagkeys": ("Team", "empty"),
            "s3:objectcreationoperation": "true",
        },
    ),
    "tags that differ in case": (
        ("PUT", OBJECT, "", {"x-amz-tagging": "a=1&A=2"}),
        {
            "s3:requestobjecttag/a": ("1", "2"),
            "s3:requestobjecttagkeys": ("a", "A"),
            "s3:objectcreationoperation": "true",
        },
    ),
    "a deletion if it matches": (("DELETE", OBJECT, "", {"if-match": '"e"'}), {"s3:if-match": '"e"'}),
}


@pytest.mark.parametrize(("made", "expected"), CASES.values(), ids=CASES)
def test_a_key_is_there_when_the_request_has_it(
    made: tuple[str, str, str, dict[str, str]], expected: dict[str, ContextValue]
) -> None:
    assert own_keys(*made) == expected


def test_a_permission_has_only_the_keys_of_its_action() -> None:
    headers = {"x-amz-tagging": "a=b", "x-amz-acl": "private", "x-amz-storage-class": "STANDARD"}
    assert own_keys("PUT", OBJECT, headers=headers, action="s3:PutObjectTagging") == {
        "s3:requestobjecttag/a": "b",
        "s3:requestobjecttagkeys": ("a",),
    }
    assert own_keys("PUT", OBJECT, headers=headers, action="s3:PutObjectAcl") == {
        "s3:x-amz-acl": "private",
        "s3:x-amz-storage-class": "STANDARD",
    }


def test_the_source_of_a_copy_is_a_key_of_the_destination_and_written_in_one_way() -> None:
    for value in ("/source/a%20b", "source/a b", "source%2Fa%20b?versionId=v"):
        headers = {"x-amz-copy-source": value, "x-amz-metadata-directive": "REPLACE"}
        assert own_keys("PUT", OBJECT, headers=headers, action="s3:PutObject") == {
            "s3:x-amz-copy-source": "source/a b",
            "s3:x-amz-metadata-directive": "REPLACE",
            "s3:objectcreationoperation": "true",
        }
    assert own_keys("PUT", OBJECT, headers={"x-amz-copy-source": "source/a?versionId=v"}) == {"s3:versionid": "v"}


BODIES: dict[str, tuple[str, str, str, dict[str, ContextValue]]] = {
    "tags": (
        OBJECT,
        "tagging",
        '<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet><Tag><Key>A</Key><Value>b &amp; c</Value></Tag>'
        "<Tag><Value/><Key>d</Key></Tag></TagSet></Tagging>",
        {
            "s3:requestobjecttag/a": "b & c",
            "s3:requestobjecttag/d": "",
            "s3:requestobjecttagkeys": ("A", "d"),
        },
    ),
    "no tags": (OBJECT, "tagging", "<Tagging><TagSet/></Tagging>", {}),
    "retention": (
        OBJECT,
        "retention",
        "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate></Retention>",
        {"s3:object-lock-mode": "COMPLIANCE", "s3:object-lock-retain-until-date": "2030-01-01T00:00:00Z"},
    ),
    "event hold": (
        OBJECT,
        "retention",
        "<Retention><EventHold>ON</EventHold><EventHoldDuration><Years>1</Years></EventHoldDuration></Retention>",
        {"s3:object-lock-event-hold": "ON", "s3:object-lock-event-hold-duration-days": "365"},
    ),
    "no retention": (OBJECT, "retention", "", {}),
    "an empty retention": (OBJECT, "retention", "<Retention/>", {}),
    "no fields of an inventory": (BUCKET, "inventory&id=a", "<InventoryConfiguration/>", {}),
    "legal hold": (
        OBJECT,
        "legal-hold",
        "<LegalHold><Status>OFF</Status></LegalHold>",
        {"s3:object-lock-legal-hold": "OFF"},
    ),
    "location": (
        BUCKET,
        "",
        "<CreateBucketConfiguration>\n <LocationConstraint>eu-west-1</LocationConstraint>\n</CreateBucketConfiguration>",
        {"s3:locationconstraint": "eu-west-1"},
    ),
    "no location": (BUCKET, "", " \n", {}),
    "tags of a bucket": (
        BUCKET,
        "",
        "<CreateBucketConfiguration><Tags><Tag><Key>Team</Key><Value>a</Value></Tag></Tags></CreateBucketConfiguration>",
        {"aws:requesttag/team": "a", "aws:tagkeys": ("Team",)},
    ),
    "inventory": (
        BUCKET,
        "inventory&id=a",
        "<InventoryConfiguration><Id>a</Id><OptionalFields><Field>Size</Field><Field>ETag</Field></OptionalFields>"
        "</InventoryConfiguration>",
        {"s3:inventoryaccessibleoptionalfields": ("Size", "ETag")},
    ),
    "encryption": (
        OBJECT,
        "encryption",
        "<ObjectEncryption><SSE-KMS><KMSKeyArn>arn</KMSKeyArn></SSE-KMS></ObjectEncryption>",
        {"s3:x-amz-server-side-encryption": "aws:kms", "s3:x-amz-server-side-encryption-aws-kms-key-id": "arn"},
    ),
}


@pytest.mark.parametrize(("path", "query", "body", "expected"), BODIES.values(), ids=BODIES)
def test_a_key_is_there_when_the_body_has_it(
    path: str, query: str, body: str, expected: dict[str, ContextValue]
) -> None:
    assert own_keys("PUT", path, query, body=body.encode()) == expected


REFUSED = {
    "not XML": (OBJECT, "tagging", "a=b"),
    "no body": (OBJECT, "tagging", ""),
    "another element": (OBJECT, "tagging", "<TagSet/>"),
    "another namespace": (OBJECT, "tagging", '<Tagging xmlns="urn:a"><TagSet/></Tagging>'),
    "a namespace inside": (OBJECT, "tagging", '<Tagging><TagSet xmlns="urn:a"/></Tagging>'),
    "attributes": (OBJECT, "tagging", '<Tagging><TagSet a="b"/></Tagging>'),
    "no set": (OBJECT, "tagging", "<Tagging/>"),
    "two sets": (OBJECT, "tagging", "<Tagging><TagSet/><TagSet/></Tagging>"),
    "two keys": (
        OBJECT,
        "tagging",
        "<Tagging><TagSet><Tag><Key>a</Key><Key>b</Key><Value/></Tag></TagSet></Tagging>",
    ),
    "no value": (OBJECT, "tagging", "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>"),
    "an element in a key": (
        OBJECT,
        "tagging",
        "<Tagging><TagSet><Tag><Key><a/></Key><Value/></Tag></TagSet></Tagging>",
    ),
    "an empty key": (OBJECT, "tagging", "<Tagging><TagSet><Tag><Key/><Value/></Tag></TagSet></Tagging>"),
    "the same tag twice": (
        OBJECT,
        "tagging",
        f"<Tagging><TagSet>{'<Tag><Key>a</Key><Value>b</Value></Tag>' * 2}</TagSet></Tagging>",
    ),
    "eleven tags": (
        OBJECT,
        "tagging",
        f"<Tagging><TagSet>{''.join(f'<Tag><Key>{n}</Key><Value/></Tag>' for n in range(11))}</TagSet></Tagging>",
    ),
    "a document type": (OBJECT, "tagging", "<!DOCTYPE Tagging><Tagging><TagSet/></Tagging>"),
    "an entity": (
        OBJECT,
        "tagging",
        '<!DOCTYPE a [<!ENTITY e "x">]><Tagging><TagSet>&e;</TagSet></Tagging>',
    ),
    "a comment": (OBJECT, "tagging", "<Tagging><TagSet/><!-- --></Tagging>"),
    "an instruction": (OBJECT, "tagging", "<Tagging><TagSet/><?a b?></Tagging>"),
    "text between elements": (OBJECT, "tagging", "<Tagging>a<TagSet/></Tagging>"),
    "larger than its bound": (OBJECT, "tagging", f"<Tagging><TagSet/>{' ' * 128 * 1024}</Tagging>"),
    "no tag in a set": (OBJECT, "tagging", "<Tagging><TagSet><Key>a</Key></TagSet></Tagging>"),
    "a hold for no number of days": (
        OBJECT,
        "retention",
        "<Retention><EventHoldDuration><Days>-1</Days></EventHoldDuration></Retention>",
    ),
    "no encryption": (OBJECT, "encryption", "<ObjectEncryption/>"),
    "two modes": (OBJECT, "retention", "<Retention><Mode>A</Mode><Mode>B</Mode></Retention>"),
    "an unknown element of a retention": (OBJECT, "retention", "<Retention><mode>A</mode></Retention>"),
    "a date that is none": (
        OBJECT,
        "retention",
        "<Retention><RetainUntilDate>tomorrow</RetainUntilDate></Retention>",
    ),
    "a directory bucket": (
        BUCKET,
        "",
        "<CreateBucketConfiguration><Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>",
    ),
    "two locations": (
        BUCKET,
        "",
        f"<CreateBucketConfiguration>{'<LocationConstraint>a</LocationConstraint>' * 2}</CreateBucketConfiguration>",
    ),
    "two roles": (
        BUCKET,
        "replication",
        "<ReplicationConfiguration><Role>a</Role><Role>b</Role></ReplicationConfiguration>",
    ),
}


@pytest.mark.parametrize(("path", "query", "body"), REFUSED.values(), ids=REFUSED)
def test_a_body_that_two_readers_may_read_differently_is_refused(path: str, query: str, body: str) -> None:
    with pytest.raises(RequestError) as refused:
        asked("PUT", path, query, body=body.encode())
    assert refused.value.reason is Reason.MALFORMED_REQUEST


def test_a_body_that_was_not_read_is_no_empty_body() -> None:
    for path, query in ((OBJECT, "tagging"), (BUCKET, ""), (OBJECT, "retention")):
        with pytest.raises(RequestError) as refused:
            asked("PUT", path, query, body=None)
        assert refused.value.reason is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize("coding", ["gzip", "aws-chunked,gzip", "deflate"])
def test_a_body_that_is_read_is_not_compressed(coding: str) -> None:
    body = b"<Tagging><TagSet/></Tagging>"
    with pytest.raises(RequestError) as refused:
        asked("PUT", OBJECT, "tagging", {"content-encoding": coding}, body)
    assert refused.value.reason is Reason.MALFORMED_REQUEST
    assert asked("PUT", OBJECT, "tagging", {"content-encoding": "aws-chunked"}, body).name == "PutObjectTagging"


@pytest.mark.parametrize("inner", ["<Type>SELECT</Type>", "<OutputLocation/>", "<SelectParameters/>"])
def test_a_restore_that_writes_elsewhere_is_refused(inner: str) -> None:
    assert asked("POST", OBJECT, "restore", body=b"<RestoreRequest><Days>1</Days></RestoreRequest>").needed
    assert asked("POST", OBJECT, "restore").needed
    with pytest.raises(RequestError) as refused:
        asked("POST", OBJECT, "restore", body=f"<RestoreRequest>{inner}</RestoreRequest>".encode())
    assert refused.value.reason is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize(
    "value", ["a=b&a=c", "=b", "a=b;c=d", "a=%FF", "a=%", "a=ü", "&".join(f"{n}=" for n in range(11))]
)
def test_tags_in_a_header_that_are_no_set_of_tags_are_refused(value: str) -> None:
    with pytest.raises(RequestError) as refused:
        asked("PUT", OBJECT, headers={"x-amz-tagging": value})
    assert refused.value.reason is Reason.MALFORMED_REQUEST


def test_the_age_of_a_signature_and_the_days_of_a_retention_are_told_by_the_time() -> None:
    needed = Needed("s3:PutObject", "arn:aws:s3:::b/k", {"s3:object-lock-retain-until-date": "1970-01-03T00:00:00Z"})
    at = keys_at_time(needed, now=86_400.0, signed_at=86_398.5)
    assert at["s3:signatureage"] == "1500"
    assert at["s3:object-lock-remaining-retention-days"] == "1"
    assert keys_at_time(needed, now=86_399.0, signed_at=86_399.0)["s3:object-lock-remaining-retention-days"] == "2"
    assert keys_at_time(needed, now=86_399.0, signed_at=86_500.0)["s3:signatureage"] == "0"
    assert "s3:object-lock-remaining-retention-days" not in keys_at_time(Needed("a", "b"), now=1.0, signed_at=1.0)


@pytest.mark.parametrize(
    ("query", "allowed"), [("", False), ("prefix=", False), ("prefix=home%2Fa", True), ("prefix=hom", False)]
)
def test_a_condition_on_the_prefix_holds_only_for_a_request_that_has_it(query: str, allowed: bool) -> None:
    (needed,) = asked("GET", BUCKET, query).needed
    layers = Layers(identity=(named(statement(Condition={"StringLike": {"s3:prefix": "home/*"}})),))
    made = request(needed.action, needed.resource, context=dict(needed.keys))
    assert decide(made, layers).allowed is allowed

# SPDX-License-Identifier: Apache-2.0
"""DeleteObjects: every key is decided apart, and what goes to the backend is what was decided."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from daypass.errors import Reason, RequestError, UnavailableError
from daypass.gateway.actions.s3 import S3Actions, deletion_result, deletion_without
from daypass.gateway.actions.s3.deletions import Deletion, Deletions, read_deletion
from daypass.gateway.asking import AskedOperation
from gateway.actions.s3.requests import asked, incoming, model, written

NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
BYPASS = {"x-amz-bypass-governance-retention": "true"}


def body(*objects: str, rest: str = "") -> bytes:
    inner = "".join(f"<Object>{one}</Object>" for one in objects)
    return f"<Delete {NAMESPACE}>{inner}{rest}</Delete>".encode()


def deletion(content: bytes, headers: dict[str, str] | None = None) -> AskedOperation:
    return asked("POST", "/bucket", "delete", headers or {}, content)


def test_each_key_needs_a_permission_of_its_own_in_the_order_of_the_body() -> None:
    found = deletion(body("<Key>a</Key>", "<VersionId>v</VersionId><Key>b c</Key>", "<Key>a</Key><ETag>e</ETag>"))
    assert found.needed == ()
    assert not found.read_only
    assert [(one.action, one.resource) for one in found.each] == [
        ("s3:DeleteObject", "arn:aws:s3:::bucket/a"),
        ("s3:DeleteObjectVersion", "arn:aws:s3:::bucket/b c"),
        ("s3:DeleteObject", "arn:aws:s3:::bucket/a"),
    ]
    assert [set(one.keys) - {"s3:authtype", "s3:signatureversion"} for one in found.each] == [
        set(),
        {"s3:versionid"},
        {"s3:if-match"},
    ]
    assert found.each[1].keys["s3:versionid"] == "v"


def test_a_bypass_is_needed_on_every_object_once() -> None:
    content = body("<Key>a</Key>", "<Key>b</Key>", "<Key>a</Key>")
    assert [(one.action, one.resource) for one in deletion(content, BYPASS).needed] == [
        ("s3:BypassGovernanceRetention", "arn:aws:s3:::bucket/a"),
        ("s3:BypassGovernanceRetention", "arn:aws:s3:::bucket/b"),
    ]
    assert deletion(content, {"x-amz-bypass-governance-retention": "false"}).needed == ()


def test_a_thousand_keys_are_taken_and_one_more_is_not() -> None:
    full = ["<Key>" + "&lt;" * 1024 + "</Key><VersionId>null</VersionId><ETag>e</ETag>"] * 1000
    assert len(deletion(body(*["<Key>k</Key><Size>1</Size>"] * 1000)).each) == 1000
    with pytest.raises(RequestError) as refused:
        deletion(body(*["<Key>k</Key>"] * 1001))
    assert refused.value.reason is Reason.MALFORMED_REQUEST
    assert len(body(*full[:400])) < 2 * 1024 * 1024
    assert len(deletion(body(*full[:400])).each) == 400


REFUSED = {
    "nothing": b"",
    "no XML": b"delete",
    "another element": b"<Deletes/>",
    "no object": body(),
    "an object without a key": body("<VersionId>v</VersionId>"),
    "an empty object": body(""),
    "two keys": body("<Key>a</Key><Key>b</Key>"),
    "two versions": body("<Key>a</Key><VersionId>b</VersionId><VersionId>c</VersionId>"),
    "an empty key": body("<Key></Key>"),
    "an empty version": body("<Key>a</Key><VersionId/>"),
    "a key in small letters": body("<Key>a</Key><key>b</key>"),
    "an element in a key": body("<Key>a<b/></Key>"),
    "text in an object": body("x<Key>a</Key>"),
    "an unknown element": body("<Key>a</Key>", rest="<Other/>"),
    "quiet twice": body("<Key>a</Key>", rest="<Quiet>true</Quiet><Quiet>false</Quiet>"),
    "quiet that is no truth": body("<Key>a</Key>", rest="<Quiet>1</Quiet>"),
    "another namespace": b'<Delete xmlns="urn:a"><Object><Key>a</Key></Object></Delete>',
    "a prefixed key": body("<Key>a</Key>")
    .replace(b"<Key>", b'<x:Key xmlns:x="urn:x">')
    .replace(b"</Key>", b"</x:Key>"),
    "an attribute": body("<Key>a</Key>").replace(b"<Key>", b'<Key a="b">'),
    "a parent": body("<Key>public/../secret</Key>"),
    "an empty segment": body("<Key>public//secret</Key>"),
    "a long key": body(f"<Key>{'k' * 1025}</Key>"),
    "a line break": body("<Key>a&#10;b</Key>"),
    "a document type": b"<!DOCTYPE Delete>" + body("<Key>a</Key>"),
    "an entity": b'<!DOCTYPE d [<!ENTITY e "secret">]>' + body("<Key>&e;</Key>"),
    "a comment": body("<Key>a<!-- -->b</Key>"),
    "a CDATA section": body("<Key><![CDATA[a]]></Key>"),
    "an instruction": body("<Key>a<?b c?></Key>"),
    "UTF-16": body("<Key>a</Key>").decode().encode("utf-16"),
    "another encoding": b'<?xml version="1.0" encoding="iso-8859-1"?>' + body("<Key>a</Key>"),
    "too long": body("<Key>a</Key>") + b" " * 2 * 1024 * 1024,
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_a_body_that_is_not_of_that_shape_is_refused(content: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        deletion(content)
    assert refused.value.reason is Reason.MALFORMED_REQUEST


def test_a_deletion_whose_body_was_not_read_is_refused() -> None:
    with pytest.raises(RequestError) as refused:
        S3Actions().operation(incoming("POST", "/bucket", "delete", body=None))
    assert refused.value.reason is Reason.MALFORMED_REQUEST


def test_a_deletion_that_is_compressed_is_refused() -> None:
    with pytest.raises(RequestError) as refused:
        deletion(body("<Key>a</Key>"), {"content-encoding": "gzip"})
    assert refused.value.reason is Reason.MALFORMED_REQUEST


def test_the_body_without_the_denied_has_the_others_as_they_were() -> None:
    content = body(
        "<Key>a &amp; b</Key>",
        "<Key>denied</Key>",
        "<Key> ü </Key><VersionId>v</VersionId>",
        rest="<Quiet>true</Quiet>",
    )
    left = read_deletion(deletion_without(content, {1}))
    assert left == Deletions((Deletion("a & b"), Deletion(" ü ", "v")), quiet=True)


KEY = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="/.\ufffe\uffff"),
    min_size=1,
    max_size=20,
)


ID = st.from_regex("[A-Za-z0-9_~+=-]{1,20}", fullmatch=True)


@given(st.lists(st.tuples(KEY, st.none() | ID), min_size=1, max_size=6), st.sets(st.integers(0, 5)))
def test_what_the_backend_is_asked_is_what_was_permitted(items: list[tuple[str, str | None]], denied: set[int]) -> None:
    root = etree.Element("Delete")
    for key, version in items:
        element = etree.SubElement(root, "Object")
        etree.SubElement(element, "Key").text = key
        if version is not None:
            etree.SubElement(element, "VersionId").text = version
    content = etree.tostring(root, encoding="utf-8")
    assert [(item.key, item.version) for item in read_deletion(content).items] == items
    kept = [item for place, item in enumerate(items) if place not in denied]
    if kept:
        found = read_deletion(deletion_without(content, denied)).items
        assert [(item.key, item.version) for item in found] == kept


def parsed(result: bytes) -> dict[str, Any]:
    """The result as botocore reads it."""
    shape: Any = model().operation_model("DeleteObjects").output_shape
    read: dict[str, Any] = create_parser("rest-xml").parse({"status_code": 200, "headers": {}, "body": result}, shape)
    return read


def test_the_denied_stand_in_the_backends_result_as_errors() -> None:
    backend = (
        b"<?xml version='1.0' encoding='UTF-8'?><DeleteResult><Deleted><Key>a &lt;</Key><VersionId>v</VersionId></Deleted>"
        b"<Error><Key>b</Key><Code>InternalError</Code><Message>no</Message></Error></DeleteResult>"
    )
    result = parsed(deletion_result(backend, [("c & d", None, "not <allowed>"), ("e", "w", "neither")]))
    assert result["Deleted"] == [{"Key": "a <", "VersionId": "v"}]
    assert result["Errors"] == [
        {"Key": "b", "Code": "InternalError", "Message": "no"},
        {"Key": "c & d", "Code": "AccessDenied", "Message": "not <allowed>"},
        {"Key": "e", "VersionId": "w", "Code": "AccessDenied", "Message": "neither"},
    ]


def test_the_result_of_a_deletion_that_is_wholly_denied_has_only_errors() -> None:
    result = parsed(deletion_result(None, [("a", None, "no")]))
    assert result["Errors"] == [{"Key": "a", "Code": "AccessDenied", "Message": "no"}]
    assert "Deleted" not in result


@pytest.mark.parametrize(
    "backend",
    [
        b"",
        b"<Error><Code>SlowDown</Code></Error>",
        b"<DeleteResult><Other/></DeleteResult>",
        b"<!DOCTYPE a><DeleteResult/>",
        b"<DeleteResult><Deleted><Key><a/></Key></Deleted></DeleteResult>",
    ],
)
def test_a_backends_answer_that_is_no_result_is_not_passed_on(backend: bytes) -> None:
    with pytest.raises(UnavailableError) as refused:
        deletion_result(backend, [("a", None, "no")])
    assert refused.value.reason is Reason.INTERNAL_FAILURE


def test_a_deletion_that_botocore_writes_is_read_whole() -> None:
    objects = [{"Key": "a b"}, {"Key": "ü&<", "VersionId": "v"}]
    request = written("DeleteObjects", {"Bucket": "bucket-1", "Delete": {"Objects": objects, "Quiet": False}}, "path")
    assert read_deletion(request.body) == Deletions((Deletion("a b"), Deletion("ü&<", "v")), quiet=False)

# SPDX-License-Identifier: Apache-2.0
"""Buckets and keys: decoded once, from the bytes that go on, and the same object for every reader."""

from __future__ import annotations

import pytest

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.s3 import S3Actions, owner_of
from daypass.gateway.actions.s3.names import ALL_BUCKETS, Source, read_copy_source
from daypass.policy import Layers, decide
from gateway.actions.s3.requests import asked, incoming, permissions
from policy.making import named, request, statement

KEYS = {
    "plain": ("/bucket/key", "key"),
    "folder": ("/bucket/a/b/c.txt", "a/b/c.txt"),
    "folder marker": ("/bucket/a/", "a/"),
    "space": ("/bucket/a%20b", "a b"),
    "plus": ("/bucket/a%2Bb", "a+b"),
    "decoded once": ("/bucket/a%2520b", "a%20b"),
    "escaped escape of a slash": ("/bucket/a%252Fb", "a%2Fb"),
    "escaped slash": ("/bucket/a%2Fb", "a/b"),
    "umlaut": ("/bucket/%C3%BC", "ü"),
    "raw UTF-8": ("/bucket/ü", "ü"),
    "outside the first plane": ("/bucket/%F0%9F%98%80", "😀"),
    "star": ("/bucket/*", "*"),
    "question mark": ("/bucket/%3F", "?"),
    "policy variable": ("/bucket/$%7Baws:username%7D", "${aws:username}"),
    "colons": ("/bucket/a:b::c", "a:b::c"),
    "dots that are no segment": ("/bucket/.../a..b/.c/d.", ".../a..b/.c/d."),
    "of an operation's name": ("/bucket/WriteGetObjectResponse", "WriteGetObjectResponse"),
    "query in the key": ("/bucket/a%3Facl", "a?acl"),
    "1,024 bytes": ("/bucket/" + "k" * 1024, "k" * 1024),
    "1,024 bytes of two each": ("/bucket/" + "%C3%BC" * 512, "ü" * 512),
}


@pytest.mark.parametrize(("path", "key"), KEYS.values(), ids=KEYS)
def test_a_key_is_the_path_decoded_once(path: str, key: str) -> None:
    assert permissions(asked("GET", path)) == [("s3:GetObject", f"bucket/{key}")]


@pytest.mark.parametrize(("path", "key"), KEYS.values(), ids=KEYS)
def test_a_key_is_the_whole_path_where_the_host_names_the_bucket(path: str, key: str) -> None:
    found = asked("GET", path.removeprefix("/bucket"), bucket="other-bucket")
    assert permissions(found) == [("s3:GetObject", f"other-bucket/{key}")]
    assert found.owner_arn == "arn:aws:s3:::other-bucket"


REFUSED = {
    "no slash": "bucket/key",
    "dot segment": "/bucket/a/./b",
    "parent": "/bucket/../other/key",
    "parent at the end": "/bucket/a/..",
    "escaped parent": "/bucket/%2e%2E/other",
    "parent behind an escaped slash": "/bucket/a%2F..%2Fb",
    "only a dot": "/bucket/.",
    "NUL": "/bucket/a%00b",
    "line break": "/bucket/a%0Ab",
    "delete": "/bucket/a%7Fb",
    "not UTF-8": b"/bucket/\xff",
    "escaped, not UTF-8": "/bucket/%FF",
    "overlong slash": "/bucket/a%C0%AFb",
    "surrogate": "/bucket/%ED%A0%80",
    "broken escape": "/bucket/a%2",
    "no hexadecimal escape": "/bucket/a%zz",
    "1,025 bytes": "/bucket/" + "k" * 1025,
    "1,025 bytes in fewer characters": "/bucket/" + "%C3%BC" * 512 + "k",
    "escaped slash in the bucket": "/bucket%2Fkey",
    "escaped bucket": "/b%75cket/key",
    "capital bucket": "/Bucket/key",
    "underscore": "/my_bucket/key",
    "tenant": "/tenant:bucket/key",
    "two letters": "/ab/key",
    "64 letters": "/" + "a" * 64 + "/key",
    "two dots": "/a..b/key",
    "hyphen first": "/-bucket/key",
    "dot last": "/bucket./key",
    "address": "/192.168.5.4/key",
    "access point alias": "/some-name-s3alias/key",
    "directory bucket": "/name--use1-az4--x-s3/key",
    "access point ARN": "/arn:aws:s3:us-east-1:123456789012:accesspoint/a/object/b",
    "no bucket": "//key",
    "empty first segment of the key": "/bucket//key",
    "empty segment": "/bucket/a//b",
    "empty segment by an escape": "/bucket/a/%2Fb",
}


@pytest.mark.parametrize("path", REFUSED.values(), ids=REFUSED)
def test_a_path_that_is_not_read_by_all_alike_is_refused(path: str | bytes) -> None:
    with pytest.raises(RequestError) as refused:
        asked("GET", path)
    assert refused.value.reason is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize("bucket", ["", "ab", "Bucket", "a..b", "192.168.5.4", "bücket", "a/b", "name--x-s3"])
def test_a_bucket_that_the_host_names_is_checked_too(bucket: str) -> None:
    with pytest.raises(RequestError) as refused:
        asked("GET", "/key", bucket=bucket)
    assert refused.value.reason is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize("bucket", ["abc", "a" * 63, "1.2.3", "0-0", "a.b-c.d"])
def test_a_bucket_of_three_to_63_letters_digits_dots_and_hyphens_is_one(bucket: str) -> None:
    assert permissions(asked("HEAD", f"/{bucket}")) == [("s3:ListBucket", bucket)]
    assert permissions(asked("HEAD", f"/{bucket}/")) == [("s3:ListBucket", bucket)]
    assert permissions(asked("HEAD", "/", bucket=bucket)) == [("s3:ListBucket", bucket)]


def test_empty_segments_are_kept_where_the_backend_keeps_them_apart() -> None:
    actions = S3Actions(empty_segments=True)
    assert permissions(actions.operation(incoming("GET", "/bucket//a//b"))) == [("s3:GetObject", "bucket//a//b")]


@pytest.mark.parametrize("key", ["*", "a*", "?ey", "k?y", "${aws:username}", "*/secret"])
def test_a_wildcard_in_a_key_covers_nothing_but_itself(key: str) -> None:
    path = "/bucket/" + key.replace("?", "%3F").replace("{", "%7B").replace("}", "%7D")
    resource = asked("GET", path).needed[0].resource

    def allowed(pattern: str) -> bool:
        layers = Layers(identity=(named(statement(Resource=f"arn:aws:s3:::{pattern}")),))
        return decide(request("s3:GetObject", resource), layers).allowed

    assert not allowed("bucket/key")
    assert not allowed("bucket/alice/secret")
    assert not allowed("bucket/a1")
    assert allowed("bucket/*")


def test_all_buckets_are_listed_by_whom_a_star_or_the_arn_of_all_allows_to() -> None:
    resource = asked("GET", "/").needed[0].resource
    for pattern, expected in {"*": True, "arn:aws:s3:::*": True, "arn:aws:s3:::bucket": False}.items():
        layers = Layers(identity=(named(statement(Resource=pattern)),))
        assert decide(request("s3:ListAllMyBuckets", resource), layers).allowed is expected


SOURCES = {
    "plain": (b"source/key", Source("source", "key", None)),
    "leading slash": (b"/source/key", Source("source", "key", None)),
    "escaped": (b"source/a%20%2Bb", Source("source", "a +b", None)),
    "escaped whole": (b"source%2Fa%2Fb", Source("source", "a/b", None)),
    "decoded once": (b"source/a%2520", Source("source", "a%20", None)),
    "version": (b"/source/key?versionId=abc", Source("source", "key", "abc")),
    "version null": (b"source/key?versionId=null", Source("source", "key", "null")),
    "escaped version": (b"source/key?versionId=a%2Bb", Source("source", "key", "a+b")),
    "escaped question mark": (b"source/key%3F", Source("source", "key?", None)),
}


@pytest.mark.parametrize(("value", "source"), SOURCES.values(), ids=SOURCES)
def test_the_source_of_a_copy_is_bucket_key_and_version(value: bytes, source: Source) -> None:
    assert read_copy_source(value, empty_segments=False) == source


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"/",
        b"source",
        b"source/",
        b"//source/key",
        b"source//key",
        b"source/../other/key",
        b"source/%2e%2e/key",
        b"source/a%2F..%2Fb",
        b"source/a+b",
        b"source/a#b",
        b"source/a\\b",
        b"source/\xc3\xbc",
        b"source/%FF",
        b"source/a%",
        b"source/a%00",
        b"source/" + b"k" * 1025,
        b"Source/key",
        b"source/key?",
        b"source/key?versionId=",
        b"source/key?versionid=a",
        b"source/key?acl",
        b"source/key?versionId=a&versionId=b",
        b"source/key?versionId=a&acl",
        b"source/key%3FversionId=a",
        b"source/key%3FversionId%3Da",
        b"arn:aws:s3:us-east-1:123456789012:accesspoint/name/object/key",
        b"arn:aws:s3:::source/key",
        b"/arn%3Aaws%3As3:::source/key",
        b"https://source.s3.amazonaws.com/key",
        b"name-s3alias/key",
    ],
)
def test_a_source_that_is_not_one_object_for_all_readers_is_refused(value: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        read_copy_source(value, empty_segments=False)
    assert refused.value.reason is Reason.MALFORMED_REQUEST


def test_the_owner_of_a_resource_is_its_bucket() -> None:
    assert owner_of("arn:aws:s3:::bucket/key/with/slashes") == "arn:aws:s3:::bucket"
    assert owner_of("arn:aws:s3:::bucket") == "arn:aws:s3:::bucket"
    assert owner_of(ALL_BUCKETS) == ""
    assert owner_of("arn:aws:iam::123456789012:role/r") == ""

# SPDX-License-Identifier: Apache-2.0
"""What the fields of a form ask for: by the same table as the headers of a PUT, or not at all."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.s3 import S3Actions
from daypass.gateway.asking import AskedOperation, Incoming
from daypass.gateway.form_fields import equivalent_put, onward_fields, with_filename

TAGS = "<Tagging><TagSet><Tag><Key>team</Key><Value>a&amp;b =</Value></Tag></TagSet></Tagging>"
CREDENTIAL = {
    "policy": "e30=",
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": "AKIA/20300101/us-east-1/s3/aws4_request",
    "x-amz-date": "20300101T000000Z",
    "x-amz-signature": "0" * 64,
    "x-amz-security-token": "token",
}


def asked(fields: Mapping[str, str]) -> AskedOperation:
    raw = equivalent_put({"key": "a/b.jpg", **CREDENTIAL, **fields}, "photos")
    return S3Actions().operation(Incoming(raw, (), "us-east-1", "123456789012"))


def refusal(fields: Mapping[str, str]) -> Reason:
    with pytest.raises(RequestError) as caught:
        asked(fields)
    return caught.value.reason


@pytest.mark.parametrize("key", ["a/b.jpg", "ü +%2F?#&.jpg", "a%2Fb", "a b"])
def test_the_object_is_the_one_that_the_key_names_literally(key: str) -> None:
    operation = asked({"key": key})
    assert operation.name == "PutObject"
    assert [(one.action, one.resource) for one in operation.needed] == [("s3:PutObject", f"arn:aws:s3:::photos/{key}")]


@pytest.mark.parametrize("key", ["../x", "a/../b", "/a", "a//b", "a\nb", "a\0b", "k" * 1025])
def test_a_key_that_backends_may_read_differently_is_refused(key: str) -> None:
    assert refusal({"key": key}) is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize(
    ("fields", "actions", "keys"),
    [
        ({"acl": "public-read"}, ["s3:PutObject", "s3:PutObjectAcl"], {"s3:x-amz-acl": "public-read"}),
        ({"x-amz-acl": "private"}, ["s3:PutObject", "s3:PutObjectAcl"], {"s3:x-amz-acl": "private"}),
        ({"tagging": TAGS}, ["s3:PutObject", "s3:PutObjectTagging"], {"s3:requestobjecttag/team": "a&b ="}),
        ({"x-amz-storage-class": "STANDARD_IA"}, ["s3:PutObject"], {"s3:x-amz-storage-class": "STANDARD_IA"}),
        (
            {"x-amz-server-side-encryption": "aws:kms"},
            ["s3:PutObject"],
            {"s3:x-amz-server-side-encryption": "aws:kms"},
        ),
        (
            {"x-amz-website-redirect-location": "/x"},
            ["s3:PutObject"],
            {"s3:x-amz-website-redirect-location": "/x"},
        ),
        ({"x-amz-object-lock-mode": "GOVERNANCE"}, ["s3:PutObject", "s3:PutObjectRetention"], {}),
        ({"x-amz-meta-colour": "blue", "Content-Type".lower(): "image/jpeg"}, ["s3:PutObject"], {}),
        ({"success_action_redirect": "https://x/", "success_action_status": "201"}, ["s3:PutObject"], {}),
        ({"x-ignore-me": "any\nthing", "bucket": "photos"}, ["s3:PutObject"], {}),
    ],
)
def test_a_field_needs_what_the_header_of_a_put_needs(
    fields: Mapping[str, str], actions: list[str], keys: Mapping[str, str]
) -> None:
    operation = asked(fields)
    assert [one.action for one in operation.needed] == actions
    assert {name: operation.needed[0].keys.get(name) for name in keys} == keys


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"submit": "Upload"}, Reason.UNKNOWN_PARAMETER),
        ({"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, Reason.UNKNOWN_PARAMETER),
        ({"x-amz-expected-bucket-owner": "123456789012"}, Reason.UNKNOWN_PARAMETER),
        ({"x-amz-bypass-governance-retention": "true"}, Reason.UNKNOWN_PARAMETER),
        ({"x-amz-no-such-thing": "1"}, Reason.UNKNOWN_PARAMETER),
        ({"x-minio-force-delete": "true"}, Reason.UNKNOWN_PARAMETER),
        ({"if-none-match": "*"}, Reason.UNKNOWN_PARAMETER),
        ({'x-amz-meta-a";filename="x': "1"}, Reason.UNKNOWN_PARAMETER),
        ({"acl": "private", "x-amz-acl": "public-read"}, Reason.DUPLICATE_PARAMETER),
        ({"tagging": TAGS, "x-amz-tagging": "team=b"}, Reason.DUPLICATE_PARAMETER),
        ({"acl": " public-read"}, Reason.POST_FORM_MALFORMED),
        ({"acl": "public-read\n"}, Reason.POST_FORM_MALFORMED),
        ({"x-amz-meta-a": "b\r\nx-amz-acl: public-read"}, Reason.POST_FORM_MALFORMED),
        ({"success_action_redirect": "https://x/\r\nSet-Cookie: a=b"}, Reason.POST_FORM_MALFORMED),
        ({"tagging": "<Tagging/>"}, Reason.MALFORMED_REQUEST),
        ({"tagging": "team=a"}, Reason.MALFORMED_REQUEST),
    ],
)
def test_a_field_that_has_no_equivalent_or_two_is_refused(fields: Mapping[str, str], reason: Reason) -> None:
    assert refusal(fields) is reason


def test_the_credential_the_bucket_and_what_is_ignored_do_not_go_on() -> None:
    fields = {
        "key": "k",
        **CREDENTIAL,
        "bucket": "photos",
        "x-ignore-a": "1",
        "content-type": "text/css",
        "acl": "private",
    }
    assert onward_fields(fields) == [("key", "k"), ("Content-Type", "text/css"), ("acl", "private")]


def test_the_name_of_the_file_stands_in_whichever_field_asks_for_it() -> None:
    fields = [("key", "user/${filename}"), ("x-amz-meta-name", "${filename}${filename}"), ("acl", "private")]
    assert with_filename(fields, "a b.jpg") == [
        ("key", "user/a b.jpg"),
        ("x-amz-meta-name", "a b.jpga b.jpg"),
        ("acl", "private"),
    ]


@pytest.mark.parametrize(
    ("value", "filename"),
    [
        ("${filename}", "${filename}"),
        ("user/x", "a${filename}"),
        ("${file${filename}name}", ""),
        ("$${filename}", "{filename}"),
    ],
)
def test_a_name_that_a_backend_would_replace_again_is_refused(value: str, filename: str) -> None:
    with pytest.raises(RequestError) as caught:
        with_filename([("key", value)], filename)
    assert caught.value.reason is Reason.POST_FORM_MALFORMED

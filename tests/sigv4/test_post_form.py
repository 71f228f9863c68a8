# SPDX-License-Identifier: Apache-2.0
"""Uploads by a form: AWS's example, botocore's forms, and policies that allow less or more than they say."""

from __future__ import annotations

import base64
import datetime
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

import pytest
from botocore.auth import S3SigV4PostAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from daypass.errors import AuthenticationError, DaypassError, Reason
from daypass.sigv4 import (
    SigningKeyCache,
    UnverifiedPostForm,
    VerifiedPostForm,
    derive_signing_key,
    read_post_form,
    refuse_unknown_post_key,
    verify_post_form,
)
from sigv4.signing import KEY_ID, SECRET

NOW = 1440938160.0  # 2015-08-30T12:36:00Z
CREDENTIAL = f"{KEY_ID}/20150830/us-east-1/s3/aws4_request"
EXPIRATION = "2015-08-30T13:36:00.000Z"
DEFAULTS = {
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": CREDENTIAL,
    "x-amz-date": "20150830T123600Z",
}


@dataclass(frozen=True)
class Form:
    """A form whose policy allows exactly what it says, unless told otherwise."""

    fields: Mapping[str, str] = field(default_factory=lambda: {"key": "user/eric/photo.jpg", "acl": "private"})
    conditions: tuple[Any, ...] | None = None
    extra: tuple[Any, ...] = ()
    document: Any = None
    text: bytes | None = None
    policy: str | None = None
    expiration: Any = EXPIRATION
    bucket: str = "photos"
    secret: bytes = SECRET
    signature: str | None = None
    after: Mapping[str, str | None] = field(default_factory=dict)

    def all_fields(self) -> list[tuple[str, str]]:
        said = {**self.fields, **DEFAULTS}
        conditions = self.conditions
        if conditions is None:
            conditions = ({"bucket": self.bucket}, *({name: value} for name, value in said.items()), *self.extra)
        document = self.document or {"expiration": self.expiration, "conditions": list(conditions)}
        policy = self.policy or base64.b64encode(self.text or json.dumps(document).encode()).decode()
        key = derive_signing_key(self.secret, "20150830", "us-east-1", "s3")
        signature = self.signature or hmac.new(key, policy.encode(), "sha256").hexdigest()
        said |= {"policy": policy, "x-amz-signature": signature}
        changed = {**said, **self.after}
        return [(name, value) for name, value in changed.items() if value is not None]

    def read(self) -> UnverifiedPostForm:
        form = read_post_form(self.all_fields())
        assert form is not None
        return form

    def verify(self, **changes: Any) -> VerifiedPostForm:
        expected: dict[str, Any] = {
            "secret": SECRET,
            "bucket": "photos",
            "services": {"s3"},
            "regions": {"us-east-1"},
            "now": NOW,
        }
        return verify_post_form(self.read(), **(expected | changes))

    def refused(self, **changes: Any) -> Reason:
        with pytest.raises(DaypassError) as caught:
            self.verify(**changes)
        return caught.value.reason


def test_a_form_that_its_policy_allows_verifies() -> None:
    verified = Form(extra=(["content-length-range", 1, 1_048_576],)).verify()
    assert (verified.access_key_id, verified.session_token, verified.service) == (KEY_ID, None, "s3")
    assert (verified.bucket, verified.fields["key"]) == ("photos", "user/eric/photo.jpg")
    assert verified.length_range == (1, 1_048_576)
    assert (verified.signed_at, verified.expires_at) == (int(NOW), int(NOW) + 3600)


def test_awss_example_of_a_policy_verifies() -> None:
    """S3 API, "Example: Browser-Based Upload using HTTP POST": the policy and its signature."""
    policy = (
        '{ "expiration": "2015-12-30T12:00:00.000Z",\r\n'
        '  "conditions": [\r\n'
        '    {"bucket": "sigv4examplebucket"},\r\n'
        '    ["starts-with", "$key", "user/user1/"],\r\n'
        '    {"acl": "public-read"},\r\n'
        '    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},\r\n'
        '    ["starts-with", "$Content-Type", "image/"],\r\n'
        '    {"x-amz-meta-uuid": "14365123651274"},\r\n'
        '    {"x-amz-server-side-encryption": "AES256"},\r\n'
        '    ["starts-with", "$x-amz-meta-tag", ""],\r\n'
        "\r\n"
        '    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},\r\n'
        '    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},\r\n'
        '    {"x-amz-date": "20151229T000000Z" }\r\n'
        "  ]\r\n"
        "}"
    )
    form = read_post_form(
        [
            ("key", "user/user1/photo.jpg"),
            ("acl", "public-read"),
            ("success_action_redirect", "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"),
            ("Content-Type", "image/jpeg"),
            ("x-amz-meta-uuid", "14365123651274"),
            ("x-amz-server-side-encryption", "AES256"),
            ("X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Date", "20151229T000000Z"),
            ("x-amz-meta-tag", ""),
            ("Policy", base64.b64encode(policy.encode()).decode()),
            ("X-Amz-Signature", "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"),
        ]
    )
    assert form is not None
    verified = verify_post_form(
        form,
        secret=b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        bucket="sigv4examplebucket",
        services={"s3"},
        now=1451347200.0,
    )
    assert verified.length_range is None


@pytest.mark.parametrize("token", [None, "session-token"])
def test_what_botocore_makes_verifies(token: str | None) -> None:
    fields = {"key": "user/${filename}", "acl": "private"}
    policy = {
        "expiration": "2015-08-30T13:36:00Z",
        "conditions": [{"bucket": "photos"}, ["starts-with", "$key", "user/"], {"acl": "private"}],
    }
    request = AWSRequest("POST", "http://s3.example.org/photos")
    request.context.update({"s3-presign-post-fields": fields, "s3-presign-post-policy": policy})
    moment = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        S3SigV4PostAuth(BotocoreCredentials(KEY_ID, SECRET.decode(), token), "s3", "us-east-1").add_auth(request)
    sent = {**request.context["s3-presign-post-fields"], "key": "user/a b.txt"}
    form = read_post_form(list(sent.items()))
    assert form is not None
    keys = SigningKeyCache()
    verified = verify_post_form(form, secret=keys.of(SECRET), bucket="photos", services={"s3"}, now=NOW)
    assert (verified.session_token, verified.length_range) == (token, None)


# The credential


def test_a_form_without_a_credential_is_none() -> None:
    assert read_post_form([("key", "a"), ("acl", "public-read")]) is None
    assert read_post_form([]) is None


@pytest.mark.parametrize("name", ["policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_form_with_part_of_a_credential_is_refused(name: str, value: str | None) -> None:
    assert Form(after={name: value}).refused() is Reason.AUTHORIZATION_INCOMPLETE


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        ({"x-amz-algorithm": "AWS4-ECDSA-P256-SHA256"}, Reason.SIGNATURE_ALGORITHM_UNSUPPORTED),
        ({"x-amz-credential": "x"}, Reason.CREDENTIAL_MALFORMED),
        ({"x-amz-credential": CREDENTIAL + "/"}, Reason.CREDENTIAL_MALFORMED),
        ({"x-amz-date": "2015-08-30T12:36:00Z"}, Reason.SIGNATURE_DATE_MALFORMED),
        ({"x-amz-date": "20150831T123600Z"}, Reason.CREDENTIAL_DATE_MISMATCH),
        ({"x-amz-signature": "0" * 63}, Reason.SIGNATURE_MALFORMED),
        ({"x-amz-signature": "0" * 64}, Reason.SIGNATURE_DOES_NOT_MATCH),
        ({"x-amz-security-token": ""}, Reason.SESSION_TOKEN_MALFORMED),
        ({"x-amz-security-token": "t"}, Reason.POST_POLICY_UNCOVERED),
        ({"X-Amz-Date": "20150830T123600Z"}, Reason.POST_FORM_MALFORMED),
        ({"Key": "user/eric/photo.jpg"}, Reason.POST_FORM_MALFORMED),
        ({"key": None}, Reason.POST_FORM_MALFORMED),
        ({"key": ""}, Reason.POST_FORM_MALFORMED),
        ({"a": "\ud800"}, Reason.POST_FORM_MALFORMED),
        ({"\u212aey": "user/eric/photo.jpg"}, Reason.POST_FORM_MALFORMED),
        ({"": "x"}, Reason.POST_FORM_MALFORMED),
        ({"a b": "x"}, Reason.POST_FORM_MALFORMED),
        ({"a\0": "x"}, Reason.POST_FORM_MALFORMED),
        ({"a": "x" * 20_480}, Reason.SIGNED_REQUEST_TOO_LARGE),
        ({f"x-ignore-{index}": "" for index in range(100)}, Reason.SIGNED_REQUEST_TOO_LARGE),
        ({"bucket": "other"}, Reason.POST_POLICY_CONDITION),
    ],
)
def test_a_form_whose_fields_are_not_what_was_signed_is_refused(
    after: Mapping[str, str | None], reason: Reason
) -> None:
    assert Form(after=after).refused() is reason


def test_a_form_of_signature_version_2_is_refused() -> None:
    with pytest.raises(AuthenticationError) as caught:
        read_post_form([("AWSAccessKeyId", "A"), ("signature", "x"), ("key", "a")])
    assert caught.value.reason is Reason.SIGNATURE_ALGORITHM_UNSUPPORTED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"secret": b"another"}, Reason.SIGNATURE_DOES_NOT_MATCH),
        ({"services": {"s3tables"}}, Reason.CREDENTIAL_SERVICE_MISMATCH),
        ({"services": set()}, Reason.CREDENTIAL_SERVICE_MISMATCH),
        ({"regions": {"eu-west-1"}}, Reason.CREDENTIAL_REGION_MISMATCH),
        ({"bucket": "other"}, Reason.POST_POLICY_CONDITION),
        ({"now": NOW - 900.5}, Reason.SIGNATURE_NOT_YET_CURRENT),
        ({"now": NOW + 3600.5}, Reason.POST_POLICY_EXPIRED),
        ({"now": NOW + 604_800.5}, Reason.SIGNATURE_EXPIRED),
    ],
)
def test_a_form_for_elsewhere_or_another_time_is_refused(changes: Mapping[str, Any], reason: Reason) -> None:
    assert Form().refused(**changes) is reason


@pytest.mark.parametrize("offset", [-900.0, 0.0, 3600.0])
def test_a_form_is_good_from_its_date_to_its_expiration_bounds_included(offset: float) -> None:
    Form().verify(now=NOW + offset)


def test_a_policy_that_outlives_its_signing_key_is_good_for_a_week() -> None:
    form = Form(expiration="2016-01-01T00:00:00Z")
    form.verify(now=NOW + 604_800)
    assert form.refused(now=NOW + 604_801) is Reason.SIGNATURE_EXPIRED


# The conditions


def test_every_field_needs_a_condition_but_the_exempt_ones() -> None:
    assert Form(after={"success_action_redirect": "https://evil.example"}).refused() is Reason.POST_POLICY_UNCOVERED
    assert Form(after={"x-amz-meta-a": ""}).refused() is Reason.POST_POLICY_UNCOVERED
    assert Form(after={"x-ignored": ""}).refused() is Reason.POST_POLICY_UNCOVERED
    Form(after={"x-ignore-a": "anything", "file": "x"}).verify()


def test_a_policy_that_names_no_bucket_is_good_for_none() -> None:
    said = {**Form().fields, **DEFAULTS}
    conditions = tuple({name: value} for name, value in said.items())
    assert Form(conditions=conditions).refused() is Reason.POST_POLICY_UNCOVERED
    assert Form(conditions=conditions, after={"bucket": "photos"}).refused() is Reason.POST_POLICY_UNCOVERED


@pytest.mark.parametrize("condition", [["eq", "$acl", "public"], {"acl": "public"}, ["starts-with", "$acl", "privat3"]])
def test_a_condition_that_does_not_hold_is_refused(condition: Any) -> None:
    assert Form(extra=(condition,)).refused() is Reason.POST_POLICY_CONDITION


@pytest.mark.parametrize("condition", [["eq", "$tagging", ""], ["starts-with", "$tagging", ""], {"tagging": ""}])
def test_a_condition_for_a_field_that_is_absent_does_not_hold(condition: Any) -> None:
    assert Form(extra=(condition,)).refused() is Reason.POST_POLICY_CONDITION


@pytest.mark.parametrize(
    "condition",
    [["eq", "$acl", "private"], ["eq", "$ACL", "private"], {"Acl": "private"}, ["starts-with", "$acl", ""]],
)
def test_a_condition_that_holds_is_accepted_whatever_the_letters_of_its_field(condition: Any) -> None:
    Form(extra=(condition,)).verify()


def test_a_key_outside_what_the_policy_allows_is_refused() -> None:
    said = {**DEFAULTS, "acl": "private"}
    conditions = ({"bucket": "photos"}, ["starts-with", "$key", "user/eric/"], *({k: v} for k, v in said.items()))
    Form(conditions=conditions).verify()
    for key in ("user/erica/x", "User/eric/x", "/user/eric/x", "user/eric", "x"):
        assert Form(conditions=conditions, after={"key": key}).refused() is Reason.POST_POLICY_CONDITION


def test_a_list_of_content_types_has_to_match_in_every_part() -> None:
    def form(value: str) -> Form:
        said = {**Form().fields, **DEFAULTS}
        conditions = (
            {"bucket": "photos"},
            *({k: v} for k, v in said.items()),
            ["starts-with", "$Content-Type", "image/"],
        )
        return Form(conditions=conditions, after={"Content-Type": value})

    form("image/jpg,image/png").verify()
    assert form("image/jpg,text/html").refused() is Reason.POST_POLICY_CONDITION


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ((["content-length-range", 0, 0],), (0, 0)),
        ((["content-length-range", "1", "10"],), (1, 10)),
        ((["content-length-range", 0, 10], ["content-length-range", 5, 20]), (5, 10)),
    ],
)
def test_ranges_of_lengths_are_handed_back_narrowed(ranges: tuple[Any, ...], expected: tuple[int, int]) -> None:
    assert Form(extra=ranges).verify().length_range == expected


def test_ranges_of_lengths_that_leave_nothing_do_not_hold() -> None:
    both = (["content-length-range", 0, 10], ["content-length-range", 11, 20])
    assert Form(extra=both).refused() is Reason.POST_POLICY_CONDITION


@pytest.mark.parametrize(
    "condition",
    [
        *([], {}, "eq", None, 1, True, ["eq"], ["eq", "$acl"], ["eq", "$acl", "private", "x"]),
        *(["EQ", "$acl", "private"], ["ends-with", "$acl", "e"], ["", "$acl", ""], [["eq"], "$acl", "private"]),
        *(["eq", "acl", "private"], ["eq", "$", "private"], ["eq", 1, "private"], ["eq", "$acl", 1], {"acl": None}),
        *({"acl": ["private"]}, {"": "x"}, {"a b": "x"}, ["eq", "$acl", {"a": 1}]),
        *(["content-length-range", 1], ["content-length-range", 2, 1], ["content-length-range", -1, 1]),
        *(["content-length-range", 0, 1.5], ["content-length-range", True, 1], ["content-length-range", "01", "1"]),
        *(["content-length-range", None, 1], ["content-length-range", 0, 10**15], ["Content-Length-Range", 0, 1]),
    ],
)
def test_a_condition_that_is_not_known_refuses_the_policy(condition: Any) -> None:
    assert Form(extra=(condition,)).refused() is Reason.POST_POLICY_MALFORMED


@pytest.mark.parametrize(
    "document",
    [
        {"expiration": EXPIRATION},
        {"conditions": []},
        {"expiration": EXPIRATION, "conditions": [], "version": 1},
        {"Expiration": EXPIRATION, "conditions": []},
        {"expiration": EXPIRATION, "conditions": {}},
        {"expiration": EXPIRATION, "conditions": None},
        {"expiration": EXPIRATION, "conditions": [["eq", "$acl", "a"]] * 201},
        *(
            {"expiration": value, "conditions": []}
            for value in (
                None,
                1,
                "",
                "2015-08-30",
                "2015-08-30T13:36:00",
                "2015-08-30T13:36:00+01:00",
                "2015-02-30T00:00:00Z",
            )
        ),
        *(
            {"expiration": value, "conditions": []}
            for value in ("0000-01-01T00:00:00Z", "2015-08-30T24:01:00Z", "٢015-08-30T13:36:00Z")
        ),
    ],
)
def test_a_policy_of_another_form_is_refused(document: Any) -> None:
    assert Form(document=document).refused() is Reason.POST_POLICY_MALFORMED


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"null",
        b"{",
        b'{"expiration":"%b","expiration":"%b","conditions":[]}' % (EXPIRATION.encode(), EXPIRATION.encode()),
        b'{"expiration":"%b","conditions":[],"conditions":[]}' % EXPIRATION.encode(),
        b'{"expiration":"%b","conditions":[{"acl":"private","acl":"public-read"}]}' % EXPIRATION.encode(),
        b'{"expiration":"%b","conditions":[{"acl":"\\ud800"}]}' % EXPIRATION.encode(),
        b'{"expiration":"%b","conditions":[["content-length-range",0,NaN]]}' % EXPIRATION.encode(),
        b'{"expiration":"%b","conditions":' % EXPIRATION.encode() + b"[" * 2000 + b"]" * 2000 + b"}",
        b'{"expiration":"%b","conditions":[]} x' % EXPIRATION.encode(),
        b"\xff\xfe",
    ],
)
def test_json_that_readers_may_read_differently_is_refused(text: bytes) -> None:
    assert Form(text=text).refused() is Reason.POST_POLICY_MALFORMED


@pytest.mark.parametrize("policy", ["!", "e30", "e30=\n", "\ne30=", "e3 0=", "e31=", "e30==", "e30-", "é", "==="])
def test_a_policy_that_is_not_strict_base64_is_refused(policy: str) -> None:
    assert Form(policy=policy).refused() is Reason.POST_POLICY_MALFORMED


def test_a_policy_signed_for_something_else_is_refused() -> None:
    key = derive_signing_key(SECRET, "20150830", "us-east-1", "s3")
    another = hmac.new(key, b"AWS4-HMAC-SHA256\n...", "sha256").hexdigest()
    assert Form(signature=another).refused() is Reason.SIGNATURE_DOES_NOT_MATCH


# An unknown key


def refuse(form: Form, secret: bytes = b"d" * 40, **changes: Any) -> Reason:
    expected: dict[str, Any] = {"bucket": "photos", "services": {"s3"}, "now": NOW, "secret": secret}
    with pytest.raises(AuthenticationError) as caught:
        refuse_unknown_post_key(form.read(), **(expected | changes))
    return caught.value.reason


def test_an_unknown_key_is_refused_as_a_wrong_secret_is() -> None:
    assert refuse(Form()) is Form().refused(secret=b"another") is Reason.SIGNATURE_DOES_NOT_MATCH
    assert refuse(Form(), now=NOW + 3601) is Reason.POST_POLICY_EXPIRED
    assert refuse(Form(), SECRET) is Reason.SIGNATURE_DOES_NOT_MATCH


def test_a_form_does_not_print_its_fields() -> None:
    form = replace(Form(), extra=({"x-amz-security-token": "tok"},), after={"x-amz-security-token": "tok"})
    assert form.verify().session_token == "tok"
    assert "tok" not in repr(form.read()) + repr(form.verify())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=3), json_values)
def test_arbitrary_policies_raise_nothing_else(conditions: list[Any], expiration: Any) -> None:
    with pytest.raises(DaypassError):
        Form(conditions=(*conditions,), expiration=expiration).verify()
    with pytest.raises(DaypassError):
        Form(conditions=(*conditions,)).verify()


@given(
    st.lists(st.tuples(st.sampled_from([*DEFAULTS, "policy", "x-amz-signature", "key", "a"]) | st.text(), st.text()))
)
def test_arbitrary_fields_raise_nothing_else(fields: list[tuple[str, str]]) -> None:
    try:
        form = read_post_form(fields)
    except DaypassError:
        return
    if form is not None:
        with pytest.raises(DaypassError):
            verify_post_form(form, secret=SECRET, bucket="b", services={"s3"}, now=NOW)

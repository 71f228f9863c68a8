# SPDX-License-Identifier: Apache-2.0
"""Forms that are signed here: verified by the other side of this package, and by botocore as the judge of the signature."""

from __future__ import annotations

import base64
import datetime
import json
from unittest import mock

import pytest
from botocore.auth import S3SigV4PostAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from daypass.credentials import Secret
from daypass.errors import AuthenticationError, Reason
from daypass.sigv4 import RequestSigner, VerifiedPostForm, read_post_form, verify_post_form
from sigv4.signing import KEY_ID, SECRET

NOW = 1440938160.0
FIELDS = [("key", 'user/ü $\\"\n.jpg'), ("acl", "private"), ("Content-Type", "image/jpeg")]
Fields = list[tuple[str, str]]


def signed(fields: Fields, token: str | None = None) -> Fields:
    secret = None if token is None else Secret(token)
    signer = RequestSigner(KEY_ID, Secret(SECRET.decode()), region="us-east-1", service="s3", session_token=secret)
    added = signer.sign_form(fields, bucket="photos", lengths=(1, 9), now=NOW, expires_at=NOW + 60)
    return [*fields, *added]


def verified(fields: Fields, bucket: str = "photos", now: float = NOW) -> VerifiedPostForm:
    form = read_post_form(fields)
    assert form is not None
    return verify_post_form(form, secret=SECRET, bucket=bucket, services={"s3"}, regions={"us-east-1"}, now=now)


@pytest.mark.parametrize("token", [None, "session-token/+=="])
def test_a_form_signed_here_verifies(token: str | None) -> None:
    form = verified(signed(FIELDS, token))
    assert (form.length_range, form.expires_at, form.session_token) == ((1, 9), NOW + 60, token)


@pytest.mark.parametrize("place", range(len(FIELDS)))
def test_a_form_signed_here_allows_no_other_value(place: int) -> None:
    fields = signed(FIELDS)
    fields[place] = (fields[place][0], fields[place][1] + "x")
    with pytest.raises(AuthenticationError) as caught:
        verified(fields)
    assert caught.value.reason is Reason.POST_POLICY_CONDITION


def test_a_form_signed_here_is_for_its_bucket_and_its_time() -> None:
    for bucket, now, reason in (
        ("other", NOW, Reason.POST_POLICY_CONDITION),
        ("photos", NOW + 61, Reason.POST_POLICY_EXPIRED),
    ):
        with pytest.raises(AuthenticationError) as caught:
            verified(signed(FIELDS), bucket, now)
        assert caught.value.reason is reason


@given(
    st.text(st.characters(codec="utf-8"), max_size=40), st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
)
def test_whatever_stands_in_a_field_verifies(value: str, key: str) -> None:
    assert verified(signed([("key", key), ("x-amz-meta-a", value)])).fields["key"] == key


def test_botocore_signs_the_same_policy_the_same_way() -> None:
    ours = dict(signed(FIELDS))
    policy = json.loads(base64.b64decode(ours["policy"]))
    request = AWSRequest(method="POST", url="https://photos.s3.example.org/")
    theirs: dict[str, str] = {}
    added = ("x-amz-algorithm", "x-amz-credential", "x-amz-date")
    bare = [one for one in policy["conditions"] if not (isinstance(one, list) and str(one[1])[1:] in added)]
    request.context["s3-presign-post-fields"] = theirs
    request.context["s3-presign-post-policy"] = {**policy, "conditions": bare}
    with mock.patch(
        "botocore.auth.get_current_datetime", return_value=datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    ):
        S3SigV4PostAuth(Credentials(KEY_ID, SECRET.decode()), "s3", "us-east-1").add_auth(request)
    assert {name: theirs[name] for name in added} == {name: ours[name] for name in added}
    assert verified([*FIELDS, *theirs.items()]).length_range == (1, 9)

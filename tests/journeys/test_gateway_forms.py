# SPDX-License-Identifier: Apache-2.0
"""Uploads by a form through a real gateway to a real backend, with forms that boto3 makes (``generate_presigned_post``)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import boto3
import pytest
from botocore.config import Config

from real.s3_backends import S3Backend, juicefs_gateway
from real.s3_wire import WireAnswer, exchange
from running import Keys, Server, make_client, running_server

BUCKET = "forms"
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
CONFIGURATION = """
gateway:
  backends:
    - name: lake
      service: s3
      upstream: {url}
      region: us-east-1
      account: "123456789012"
      sign_as: {{access_key_id: {key}, secret_access_key: {{file: {secret}}}}}
"""
TAGGING = "<Tagging><TagSet><Tag><Key>team</Key><Value>a</Value></Tag></TagSet></Tagging>"
MAY_PUT = {"Effect": "Allow", "Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"], "Resource": "*"}
LOCKED = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/user/locked/*"}
FORMS_ONLY = {
    "Effect": "Deny",
    "Action": "s3:PutObject",
    "Resource": "*",
    "Condition": {"StringNotEquals": {"s3:authType": "POST"}},
}


@dataclass(frozen=True)
class Stage:
    """A gateway that runs, the backend behind it, and the key of a user who may put objects by forms only."""

    server: Server
    backend: S3Backend
    user: Keys

    @property
    def url(self) -> str:
        return str(self.server.announced["gateway"])

    def form(self, key: str, keys: Keys | None = None, **asked: Any) -> Mapping[str, str]:
        """The fields of a form that boto3 makes."""
        pair = keys or self.user
        session: Any = boto3.Session(pair.access_key_id, pair.secret_access_key, pair.session_token)
        # Left alone, boto3 still signs forms with version 2.
        signer = session.client("s3", "us-east-1", endpoint_url=self.url, config=Config(signature_version="s3v4"))
        made = signer.generate_presigned_post(BUCKET, key, **asked)
        return dict(made["fields"])

    def stored(self, key: str) -> bytes | None:
        """What the backend has."""
        client = self.backend.client()
        try:
            return bytes(client.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        except client.exceptions.NoSuchKey:
            return None

    def post(self, fields: Mapping[str, str], data: bytes, filename: str = "photo.jpg") -> WireAnswer:
        body = form_of(fields, data, filename)
        return self.send(body)

    def send(self, body: bytes, **more: str) -> WireAnswer:
        """A form as it stands."""
        headers = {
            "Host": urlsplit(self.url).netloc,
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Content-Length": str(len(body)),
            **more,
        }
        return exchange(self.url, "POST", f"/{BUCKET}", headers, body)


def form_of(fields: Mapping[str, str], data: bytes, filename: str) -> bytes:
    """As browsers write it."""
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    file = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
    head = "".join(parts) + file + "Content-Type: image/jpeg\r\n\r\n"
    return head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def code(answer: WireAnswer) -> str:
    return ElementTree.fromstring(answer.body).findtext("Code") or ""


@pytest.fixture(scope="module")
def stage(_no_aws_configuration: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("forms")
    with juicefs_gateway(folder) as backend:
        secret = folder / "secret"
        secret.write_text(backend.keys.secret_access_key, encoding="utf-8")
        secret.chmod(0o600)
        configuration = folder / "daypass.yaml"
        text = CONFIGURATION.format(url=backend.url, key=backend.keys.access_key_id, secret=secret)
        configuration.write_text(text, encoding="utf-8")
        backend.client().create_bucket(Bucket=BUCKET)
        with running_server(folder / "daypass", config=configuration, gateway_listen="127.0.0.1:0") as server:
            iam = server.client("iam", server.root())
            iam.create_user(UserName="uploader")
            document = {"Version": "2012-10-17", "Statement": [MAY_PUT, LOCKED, FORMS_ONLY]}
            iam.put_user_policy(UserName="uploader", PolicyName="put", PolicyDocument=json.dumps(document))
            key = iam.create_access_key(UserName="uploader")["AccessKey"]
            yield Stage(server, backend, Keys(key["AccessKeyId"], key["SecretAccessKey"]))
            assert server.alarms() == []


@pytest.fixture
def key() -> str:
    return f"user/{uuid.uuid4()}"


@pytest.mark.parametrize("size", [0, 1, 5 * 1024 * 1024])
def test_a_file_sent_by_a_form_is_stored_as_it_was(stage: Stage, key: str, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    answer = stage.post(stage.form(key), data)
    assert answer.status == 204, answer
    assert stage.stored(key) == data


def test_a_file_whose_data_looks_like_a_boundary_is_stored_as_it_was(stage: Stage, key: str) -> None:
    data = f"\r\n--{BOUNDARY[:-1]}--\r\n".encode()
    assert stage.post(stage.form(key), data).status == 204
    assert stage.stored(key) == data


def test_a_session_token_in_the_form_is_good_and_does_not_reach_the_backend(stage: Stage, key: str) -> None:
    sts = stage.server.client("sts", stage.user)
    session = Keys.of(sts.get_session_token()["Credentials"])
    assert stage.post(stage.form(key, session), b"by a session").status == 204
    assert stage.stored(key) == b"by a session"


def test_the_name_of_the_file_becomes_part_of_the_key(stage: Stage, key: str) -> None:
    fields = stage.form(key + "/${filename}")
    assert stage.post(fields, b"named", "C:\\pictures\\Grüße 1+2.jpg").status == 204
    assert stage.stored(f"{key}/Grüße 1+2.jpg") == b"named"


def test_fields_are_kept_with_the_object(stage: Stage, key: str) -> None:
    extra = {"Content-Type": "image/jpeg", "x-amz-meta-colour": "blue", "success_action_status": "201"}
    conditions = [{name: value} for name, value in extra.items()]
    answer = stage.post(stage.form(key, Fields=extra, Conditions=conditions), b"kept")
    assert answer.status == 201
    assert ElementTree.fromstring(answer.body).findtext("{*}Key") == key
    head = stage.backend.client().head_object(Bucket=BUCKET, Key=key)
    assert (head["ContentType"], head["Metadata"]) == ("image/jpeg", {"colour": "blue"})


def test_the_type_of_the_file_itself_is_not_kept(stage: Stage, key: str) -> None:
    assert stage.post(stage.form(key), b"<script>").status == 204
    assert stage.backend.client().head_object(Bucket=BUCKET, Key=key)["ContentType"] != "image/jpeg"


def test_the_page_to_go_to_is_the_one_that_was_signed(stage: Stage, key: str) -> None:
    page = "https://app.example.org/done"
    fields = stage.form(key, Fields={"success_action_redirect": page}, Conditions=[{"success_action_redirect": page}])
    answer = stage.post(fields, b"go")
    assert answer.status == 303
    assert answer.headers["location"].startswith(page + "?")
    assert stage.post({**fields, "success_action_redirect": "https://evil.example.org/"}, b"go").status == 403


@pytest.mark.parametrize(("size", "expected"), [(9, "EntityTooSmall"), (10, None), (20, None), (21, "EntityTooLarge")])
def test_the_length_is_held_to_the_policy_to_the_byte(stage: Stage, key: str, size: int, expected: str | None) -> None:
    answer = stage.post(stage.form(key, Conditions=[["content-length-range", 10, 20]]), b"x" * size)
    assert (code(answer) if answer.status >= 400 else None) == expected
    assert (stage.stored(key) is None) is (expected is not None)


def test_a_key_outside_the_prefix_that_was_signed_is_refused(stage: Stage, key: str) -> None:
    fields = {**stage.form(key + "/${filename}"), "key": "other/photo.jpg"}
    answer = stage.post(fields, b"no")
    assert (answer.status, code(answer)) == (403, "AccessDenied")
    assert stage.stored("other/photo.jpg") is None


def test_a_policy_that_has_expired_is_refused(stage: Stage, key: str) -> None:
    answer = stage.post(stage.form(key, ExpiresIn=-60), b"late")
    assert (answer.status, code(answer)) == (403, "AccessDenied")
    assert stage.stored(key) is None


@pytest.mark.parametrize(
    ("change", "status", "expected"),
    [
        ({"x-amz-meta-more": "1"}, 403, "AccessDenied"),
        ({"x-amz-signature": "0" * 64}, 403, "SignatureDoesNotMatch"),
        ({"acl": "public-read"}, 403, "AccessDenied"),
    ],
)
def test_a_form_that_was_altered_is_refused(
    stage: Stage, key: str, change: Mapping[str, str], status: int, expected: str
) -> None:
    answer = stage.post({**stage.form(key), **change}, b"altered")
    assert (answer.status, code(answer)) == (status, expected)
    assert stage.stored(key) is None


def test_what_the_policy_of_the_form_allows_and_iam_denies_is_refused_and_recorded(stage: Stage) -> None:
    answer = stage.post(stage.form("user/locked/x"), b"denied")
    assert (answer.status, code(answer)) == (403, "AccessDenied")
    assert b"explicit deny" in answer.body
    assert stage.stored("user/locked/x") is None


def test_the_key_of_a_form_is_good_for_forms_only_where_its_policy_says_so(stage: Stage, key: str) -> None:
    client = make_client(stage.url, "s3", stage.user)
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"by a header")
    assert stage.post(stage.form(key), b"by a form").status == 204


def test_a_form_that_ends_without_its_boundary_stores_nothing(stage: Stage, key: str) -> None:
    body = form_of(stage.form(key), b"x" * 300_000, "x")[:-4]
    answer = stage.send(body)
    assert (answer.status, code(answer)) == (400, "MalformedPOSTRequest")
    assert stage.stored(key) is None


def test_what_the_fields_ask_for_is_asked_of_iam_and_kept_by_the_backend(stage: Stage, key: str) -> None:
    extra = {"acl": "private", "x-amz-storage-class": "STANDARD", "Cache-Control": "max-age=60", "tagging": TAGGING}
    fields = stage.form(key, Fields=extra, Conditions=[{name: value} for name, value in extra.items()])
    assert stage.post(fields, b"kept").status == 204
    assert stage.backend.client().head_object(Bucket=BUCKET, Key=key)["CacheControl"] == "max-age=60"


def test_a_field_that_needs_more_than_the_signer_may_is_refused(stage: Stage, key: str) -> None:
    extra = {"x-amz-object-lock-legal-hold": "ON"}
    answer = stage.post(stage.form(key, Fields=extra, Conditions=[extra]), b"held")
    assert (answer.status, code(answer)) == (403, "AccessDenied")
    assert b"s3:PutObjectLegalHold" in answer.body
    assert stage.stored(key) is None

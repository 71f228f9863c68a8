# SPDX-License-Identifier: Apache-2.0
"""Uploads by a form through the whole door, with a backend that keeps what it was sent, byte for byte."""

from __future__ import annotations

import asyncio
import email.parser
import email.policy
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from botocore.credentials import Credentials

from audit.trails import recorded
from daypass.credentials import Secret
from daypass.doorway.connection import EXTENSION
from daypass.sigv4 import RequestSigner, read_post_form, verify_post_form
from daypass.store import AccountPublicAccess, PublicAccess
from fakes.backend import Backend, answers
from in_process import ACCOUNT, NOW, ROOT, Answer, Service, service

B = "----WebKitFormBoundaryA1"
SECRET = "the-backends-secret"
NO_CONTENT = b'HTTP/1.1 204 No Content\r\nETag: "1"\r\n\r\n'
CONFIGURATION = """
gateway:
  backends:
    - {{name: lake, service: s3, upstream: "{url}", region: us-east-1, account: "123456789012", max_body_bytes: 1000000,
        match: {{host: lake.example}}, sign_as: {{access_key_id: backend, secret_access_key: {{file: {secret}}}}}}}
    - {{name: bare, service: s3, upstream: "{url}", region: us-east-1, account: "123456789012",
        match: {{host: bare.example}}}}
"""
Fields = list[tuple[str, str]]


class Leaving:
    """The connection of a client that goes away when it has its answer."""

    lost: Callable[[], None]

    def stream(self, idle_seconds: float) -> None:
        pass

    def abort(self) -> None:
        pass

    def may_wait(self) -> bool:
        return True

    def on_lost(self, callback: Callable[[], None]) -> None:
        self.lost = callback

    async def leave(self) -> None:
        self.lost()
        await asyncio.Event().wait()


@dataclass
class Door:
    """The gateway in this process, and the backend behind it."""

    service: Service
    backend: Backend
    folder: Path

    async def post(
        self,
        body: bytes,
        *,
        path: bytes = b"/photos",
        query: bytes = b"",
        host: bytes = b"lake.example",
        headers: Sequence[tuple[bytes, bytes]] = (),
        length: int | None = -1,
        chunk: int = 1000,
        connection: Leaving | None = None,
    ) -> Answer:
        """One request. ``length``: as the head says it, None for none, -1 for the true one."""
        raw = [(b"host", host), (b"content-type", f"multipart/form-data; boundary={B}".encode()), *headers]
        if length is None:
            raw.append((b"transfer-encoding", b"chunked"))
        else:
            raw.append((b"content-length", str(len(body) if length < 0 else length).encode()))
        scope = {
            "type": "http",
            "method": "POST",
            "raw_path": path,
            "query_string": query,
            "headers": raw,
            "client": ("127.0.0.1", 5000),
            "scheme": "http",
            "extensions": {} if connection is None else {EXTENSION: connection},
        }
        pieces = [body[at : at + chunk] for at in range(0, len(body), chunk)]
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            if connection is not None and sent:
                await connection.leave()
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.service.app.enforcement.gateway(scope, receive, send)
        return Answer(sent[0]["status"], dict(sent[0]["headers"]), b"".join(one.get("body", b"") for one in sent[1:]))

    def fields(
        self,
        key: str = "user/a.jpg",
        more: Mapping[str, str] | None = None,
        *,
        lengths: tuple[int, int] = (0, 10**6),
        keys: Credentials = ROOT,
    ) -> Fields:
        """A form as it should be, signed."""
        token = None if keys.token is None else Secret(keys.token)
        signer = RequestSigner(
            keys.access_key, Secret(keys.secret_key), region="us-east-1", service="s3", session_token=token
        )
        fields = [("key", key), *(more or {}).items()]
        now = self.service.clock()
        return [*fields, *signer.sign_form(fields, bucket="photos", lengths=lengths, now=now, expires_at=now + 60)]


@dataclass(frozen=True)
class Form:
    """A form as the backend reads it, by Python's own parser."""

    fields: Mapping[str, str]
    file: bytes
    filename: str | None
    file_type: str


def read(head: bytes, body: bytes) -> Form:
    content_type = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-type:"))
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(content_type + b"\r\n\r\n" + body)
    parts = [*message.iter_parts()]
    names = [str(part.get_param("name", header="content-disposition")) for part in parts]
    assert len(set(names)) == len(names)
    assert names[-1] == "file"
    contents = [part.get_payload(decode=True) for part in parts]
    assert all(isinstance(one, bytes) for one in contents)
    fields = {name: one.decode() for name, one in zip(names[:-1], contents, strict=False) if isinstance(one, bytes)}
    data = contents[-1]
    assert isinstance(data, bytes)
    return Form(fields, data, parts[-1].get_filename(), parts[-1].get_content_type())


def form(fields: Fields, data: bytes = b"data", *, filename: str = "photo.jpg", end: bytes = b"--\r\n") -> bytes:
    parts = [f'--{B}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields]
    file = f'--{B}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: text/html\r\n\r\n'
    return ("".join(parts) + file).encode() + data + f"\r\n--{B}".encode() + end


def code(answer: Answer) -> str | None:
    return ElementTree.fromstring(answer.body).findtext("Code") if answer.body else None


@pytest.fixture(scope="module")
def _backend() -> Iterator[Backend]:
    with Backend() as running:
        yield running


@pytest.fixture
async def door(_backend: Backend, tmp_path: Path) -> AsyncIterator[Door]:
    _backend.forget()
    _backend.behave = answers(NO_CONTENT)
    secret, file = tmp_path / "secret", tmp_path / "daypass.yaml"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    file.write_text(CONFIGURATION.format(url=_backend.url, secret=secret))
    async with service(tmp_path / "data", config=file) as running:
        yield Door(running, _backend, tmp_path / "data")


def sent(door: Door) -> Form:
    """The one form that the backend has whole."""
    (complete,) = door.backend.complete
    assert complete.target == b"/photos"
    return read(complete.head, complete.body)


@pytest.mark.parametrize("data", [b"", b"x", b"\r\n", b"\r\n--" + B.encode()[:-1] + b"--\r\n", b"y" * 500_000])
@pytest.mark.parametrize("end", [b"--", b"--\r\n"])
@pytest.mark.parametrize("chunk", [999, 1 << 20])
async def test_the_file_goes_on_as_it_was(door: Door, data: bytes, end: bytes, chunk: int) -> None:
    answer = await door.post(form(door.fields(), data, end=end), chunk=chunk)
    assert (answer.status, answer.headers[b"etag"]) == (204, b'"1"')
    assert sent(door).file == data


async def test_the_form_that_goes_on_is_signed_for_the_backend_and_bears_nothing_of_the_callers(door: Door) -> None:
    fields = door.fields(more={"acl": "private", "content-type": "image/jpeg", "x-ignore-a": "b"})
    assert (await door.post(form(fields), headers=[(b"x-amz-acl", b"public-read"), (b"cookie", b"a=b")])).status == 204
    found = sent(door)
    (complete,) = door.backend.complete
    for spoken in (
        ROOT.access_key.encode(),
        dict(fields)["x-amz-signature"].encode(),
        B.encode(),
        b"photo.jpg",
        b"text/html",
    ):
        assert spoken not in complete.body
    assert ROOT.access_key.encode() in complete.head  # x-daypass-access-key-id
    assert [complete.all(name) for name in (b"x-amz-acl", b"cookie", b"authorization")] == [[], [], []]
    assert complete.all(b"x-daypass-principal") == [b"arn:aws:iam::123456789012:root"]
    assert (found.filename, found.file_type) == ("file", "application/octet-stream")
    theirs = read_post_form([*found.fields.items()])
    assert theirs is not None
    verified = verify_post_form(theirs, secret=SECRET.encode(), bucket="photos", services={"s3"}, now=NOW)
    assert verified.access_key_id == "backend"
    assert verified.length_range == (4, 6)
    assert {name: verified.fields.get(name) for name in ("key", "acl", "content-type", "x-ignore-a", "bucket")} == {
        "key": "user/a.jpg", "acl": "private", "content-type": "image/jpeg", "x-ignore-a": None, "bucket": None,
    }  # fmt: skip


async def test_a_session_token_is_good_in_a_form_and_ends_here(door: Door) -> None:
    made = await door.service.call("sts", "GetFederationToken", Name="alice", Policy=json.dumps(ALL))
    keys = credentials(made)
    assert (await door.post(form(door.fields(keys=keys)))).status == 204
    assert str(keys.token).encode() not in door.backend.complete[0].body + door.backend.complete[0].head
    assert (await door.post(form(door.fields(keys=Credentials(keys.access_key, keys.secret_key))))).status == 403


def credentials(made: Answer) -> Credentials:
    """The keys in an answer."""
    return Credentials(made.text("AccessKeyId") or "", made.text("SecretAccessKey") or "", made.text("SessionToken"))


ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


async def test_the_host_may_name_the_bucket(door: Door) -> None:
    assert (await door.post(form(door.fields()), host=b"photos.lake.example", path=b"/")).status == 204
    assert sent(door).fields["key"] == "user/a.jpg"


async def test_a_form_for_another_bucket_than_was_signed_is_refused(door: Door) -> None:
    for path, host in ((b"/other", b"lake.example"), (b"/", b"other.lake.example")):
        assert (await door.post(form(door.fields()), path=path, host=host)).status == 403
    assert door.backend.complete == []


@pytest.mark.parametrize(
    ("size", "end", "expected"),
    [
        (9, b"--", "EntityTooSmall"),
        (9, b"--\r\n", "EntityTooSmall"),
        (10, b"--", None),
        (10, b"--\r\n", None),
        (20, b"--", None),
        (20, b"--\r\n", None),
        (21, b"--", "EntityTooLarge"),
        (21, b"--\r\n", "EntityTooLarge"),
    ],
)
async def test_the_length_of_the_file_is_held_to_the_byte_however_the_form_ends(
    door: Door, size: int, end: bytes, expected: str | None
) -> None:
    answer = await door.post(form(door.fields(lengths=(10, 20)), b"x" * size, end=end))
    assert code(answer) == expected
    assert len(door.backend.complete) == (expected is None)


async def test_what_is_longer_than_the_backend_takes_is_refused_before_anything_is_sent(door: Door) -> None:
    fields = door.fields(lengths=(0, 10**9))
    assert code(await door.post(form(fields, b"x" * 1_000_003))) == "EntityTooLarge"
    assert door.backend.opened == 0


SECOND = f'\r\n--{B}\r\nContent-Disposition: form-data; name="key"\r\n\r\nother/x'.encode()
SPOILED = {
    "a field behind the file": lambda fields: form(fields, b"x" * 5000 + SECOND),
    "no end": lambda fields: form(fields, b"x" * 5000, end=b""),
    "half an end": lambda fields: form(fields, b"x" * 5000, end=b"-"),
    "text behind the end": lambda fields: form(fields, b"x" * 5000, end=b"--\r\nx"),
    "an end in the middle": lambda fields: form(fields, f"a\r\n--{B}--\r\n".encode() + b"x" * 5000),
}


@pytest.mark.parametrize("spoiled", sorted(SPOILED))
async def test_a_form_that_does_not_end_with_its_file_is_never_whole_for_the_backend(door: Door, spoiled: str) -> None:
    answer = await door.post(SPOILED[spoiled](door.fields()))
    assert code(answer) == "MalformedPOSTRequest"
    await asyncio.to_thread(door.backend.wait_until, lambda: door.backend.open == 0)
    assert door.backend.complete == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"headers": [(b"authorization", b"AWS4-HMAC-SHA256 Credential=x")]}, "AuthorizationHeaderMalformed"),
        ({"headers": [(b"x-amz-security-token", b"token")]}, "AuthorizationHeaderMalformed"),
        ({"query": b"X-Amz-Signature=00"}, "AuthorizationHeaderMalformed"),
        ({"query": b"x-amz-algorithm=AWS4-HMAC-SHA256"}, "AuthorizationHeaderMalformed"),
        ({"query": b"uploads="}, "InvalidArgument"),
        ({"query": b"%58-amz-signature=00"}, "InvalidArgument"),
        ({"headers": [(b"content-type", b"text/plain")]}, "MalformedPOSTRequest"),
        ({"length": None}, "MissingContentLength"),
        ({"length": 10**12}, "EntityTooLarge"),
        ({"host": b"bare.example"}, "NotImplemented"),
        ({"path": b"/Photos"}, "InvalidRequest"),
    ],
)
async def test_a_form_with_something_besides_is_refused_and_nothing_sent(
    door: Door, given: Mapping[str, Any], expected: str
) -> None:
    assert code(await door.post(form(door.fields()), **given)) == expected
    assert door.backend.opened == 0


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda fields: [], "AccessDenied"),
        (lambda fields: [("key", "x")], "AccessDenied"),
        (lambda fields: [*fields, ("key", "other")], "MalformedPOSTRequest"),
        (lambda fields: [*fields, ("KEY", "other")], "MalformedPOSTRequest"),
        (lambda fields: [*fields, ("acl", "public-read")], "AccessDenied"),
        (lambda fields: [("key", "user/${filename}"), *fields[1:]], "AccessDenied"),
        (lambda fields: [pair for pair in fields if pair[0] != "policy"], "AuthorizationHeaderMalformed"),
        (lambda fields: [*fields, ("x-ignore-a", "x" * 20_480)], "MaxPostPreDataLengthExceededError"),
    ],
)
async def test_a_form_that_is_not_what_was_signed_is_refused_and_nothing_sent(
    door: Door, edit: Any, expected: str
) -> None:
    assert code(await door.post(form(edit(door.fields())))) == expected
    assert door.backend.opened == 0


async def test_the_name_of_the_file_is_verified_as_part_of_the_key(door: Door) -> None:
    fields = [
        (name, value.replace("a.jpg", "${filename}") if name == "key" else value) for name, value in door.fields()
    ]
    assert code(await door.post(form(fields, filename="b.jpg"))) == "AccessDenied"
    assert (await door.post(form(fields, filename="C:\\pictures\\a.jpg"))).status == 204
    assert sent(door).fields["key"] == "user/a.jpg"


@pytest.mark.parametrize("filename", ["..", ".", "${filename}", ""])
async def test_a_name_of_a_file_that_makes_another_key_is_refused(door: Door, filename: str) -> None:
    signed = door.fields(key=f"user/{filename}/x")
    replaced = [(name, "user/${filename}/x" if name == "key" else value) for name, value in signed]
    assert (await door.post(form(replaced, filename=filename))).status == 400
    assert door.backend.opened == 0


async def test_a_public_acl_is_refused_where_it_is_blocked(door: Door) -> None:
    async with door.service.app.store.transaction() as transaction:
        await transaction.put(AccountPublicAccess(ACCOUNT, PublicAccess(True, True, True, True)))
    assert code(await door.post(form(door.fields(more={"acl": "public-read"})))) == "AccessDenied"
    assert (await door.post(form(door.fields(more={"acl": "private"})))).status == 204


async def test_an_unknown_key_and_a_wrong_secret_are_told_as_for_headers(door: Door) -> None:
    unknown = Credentials("AKIAQNZKJ3EXAMPLE999", ROOT.secret_key)
    wrong = Credentials(ROOT.access_key, "wrong")
    assert code(await door.post(form(door.fields(keys=unknown)))) == "InvalidAccessKeyId"
    assert code(await door.post(form(door.fields(keys=wrong)))) == "SignatureDoesNotMatch"


async def test_a_form_is_good_until_its_policy_expires(door: Door) -> None:
    fields = door.fields()
    door.service.clock.advance(60)
    assert (await door.post(form(fields))).status == 204
    door.service.clock.advance(1)
    assert code(await door.post(form(fields))) == "AccessDenied"


async def test_a_multipart_post_that_names_no_bucket_or_an_object_is_no_form(door: Door) -> None:
    for path in (b"/", b"/photos/user/a.jpg"):
        assert code(await door.post(form(door.fields()), path=path)) == "AccessDenied"
    assert door.backend.opened == 0


async def test_a_form_is_recorded_by_its_own_name_with_the_object(door: Door) -> None:
    allowed = await door.post(form(door.fields(), b"x" * 5000))
    refused = await door.post(form(door.fields(lengths=(0, 1)), b"x" * 5000))
    found = {one["requestID"]: one for one in await recorded(door.service, door.folder)}
    for answer, error in ((allowed, None), (refused, "EntityTooLarge")):
        record = found[answer.headers[b"x-daypass-request-id"].decode()]
        assert (record["eventSource"], record["eventName"], record["readOnly"]) == (
            "s3.amazonaws.com",
            "PostObject",
            False,
        )
        assert [one["ARN"] for one in record["resources"]] == ["arn:aws:s3:::photos/user/a.jpg"]
        assert record.get("errorCode") == error
        assert record["userIdentity"]["accessKeyId"] == ROOT.access_key


async def test_a_key_or_session_that_has_ended_is_told_as_one_that_never_was(door: Door) -> None:
    call = door.service.call
    await call("iam", "CreateUser", UserName="ann")
    await call("iam", "PutUserPolicy", UserName="ann", PolicyName="all", PolicyDocument=json.dumps(ALL))
    keys = credentials(await call("iam", "CreateAccessKey", UserName="ann"))
    session = credentials(await call("sts", "GetSessionToken", keys))
    for good in (keys, session):
        assert (await door.post(form(door.fields(keys=good)))).status == 204
    await call("iam", "UpdateAccessKey", UserName="ann", AccessKeyId=keys.access_key, Status="Inactive")
    for ended in (keys, session):
        assert code(await door.post(form(door.fields(keys=ended)))) == "InvalidAccessKeyId"


async def test_a_policy_is_looked_at_for_an_unknown_key_as_for_a_known_one(door: Door) -> None:
    unknown = Credentials("AKIAQNZKJ3EXAMPLE999", ROOT.secret_key)
    forms = [form(door.fields(keys=keys)) for keys in (ROOT, unknown)]
    door.service.clock.advance(61)
    answers = [await door.post(one) for one in forms]
    assert [(answer.status, code(answer)) for answer in answers] == [(403, "AccessDenied")] * 2


async def test_no_more_is_sent_than_was_announced_whatever_comes(door: Door) -> None:
    body = form(door.fields(), b"x" * 5000)
    assert code(await door.post(body, length=len(body) - 10)) == "MalformedPOSTRequest"
    await asyncio.to_thread(door.backend.wait_until, lambda: door.backend.open == 0)
    assert door.backend.complete == []


async def test_a_refusal_is_recorded_when_its_client_does_not_wait_for_the_end_of_it(door: Door) -> None:
    refused = await door.post(form(door.fields(lengths=(0, 1)), b"x" * 5000), connection=Leaving())
    assert code(refused) == "EntityTooLarge"
    (record,) = [one for one in await recorded(door.service, door.folder) if one["eventName"] == "PostObject"]
    assert record["errorCode"] == "EntityTooLarge"

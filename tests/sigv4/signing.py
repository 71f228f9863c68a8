# SPDX-License-Identifier: Apache-2.0
"""Material for the tests of Signature Version 4: AWS's vectors, requests signed by botocore, and a way to change them."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from daypass.errors import AuthenticationError, Reason
from daypass.sigv4 import (
    PathStyle,
    RawRequest,
    UnverifiedAuthorization,
    VerifiedSignature,
    read_authorization,
    verify_signature,
)
from daypass.sigv4.timestamp import instant_of

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "sigv4"
SECRET = b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
OTHER_SECRET = b"0000000000000000000000000000000000000000"
KEY_ID = "AKIDEXAMPLE"
FORMS = ("header", "query")


@dataclass(frozen=True)
class Received:
    """A request with its body, and what the endpoint that receives it expects."""

    request: RawRequest
    body: bytes = b""
    service: str = "service"
    style: PathStyle = PathStyle.NORMALISED
    now: float = 1440938160.0

    def read(self) -> UnverifiedAuthorization:
        authorization = read_authorization(self.request)
        assert authorization is not None
        return authorization

    def verify(self, **changes: object) -> VerifiedSignature:
        authorization = self.read()
        expected: dict[str, object] = {
            # As the caller does: another access key id has another secret.
            "secret": SECRET if authorization.access_key_id == KEY_ID else OTHER_SECRET,
            "payload_hash": hashlib.sha256(self.body).hexdigest(),
            "services": {self.service},
            "regions": {"us-east-1"},
            "now": self.now,
            "path_style": self.style,
        }
        return verify_signature(self.request, authorization, **(expected | changes))  # type: ignore[arg-type]

    def with_request(self, **changes: object) -> Received:
        return replace(self, request=msgspec.structs.replace(self.request, **changes))

    def with_headers(self, *headers: tuple[bytes, bytes]) -> Received:
        return self.with_request(headers=headers)

    def with_header(self, name: bytes, value: bytes) -> Received:
        """Replace the value of a header, or add the header."""
        kept = [pair for pair in self.request.headers if pair[0] != name]
        return self.with_headers(*kept, (name, value))

    def without_header(self, name: bytes) -> Received:
        return self.with_headers(*[pair for pair in self.request.headers if pair[0] != name])

    def header(self, name: bytes) -> bytes:
        return dict(self.request.headers)[name]

    def with_authorization(self, old: bytes, new: bytes) -> Received:
        value = self.header(b"authorization")
        assert old in value
        return self.with_header(b"authorization", value.replace(old, new))

    def with_query(self, old: bytes, new: bytes) -> Received:
        assert old in self.request.query
        return self.with_request(query=self.request.query.replace(old, new))


@dataclass(frozen=True)
class Vector:
    """One case of the suite in one of its two forms."""

    name: str
    form: str
    received: Received
    canonical_request: bytes
    string_to_sign: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{self.name}-{self.form}"


def refused(received: Received, **changes: object) -> Reason:
    """The reason for which the request is refused; it must be."""
    with pytest.raises(AuthenticationError) as caught:
        received.verify(**changes)
    return caught.value.reason


def vector_names() -> list[str]:
    return sorted(path.name for path in VECTORS.iterdir()) if VECTORS.is_dir() else []


def require_vectors() -> None:
    if not VECTORS.is_dir():
        if os.environ.get("DAYPASS_TEST_REQUIRE_ALL") == "1":
            pytest.fail(f"{VECTORS} is missing")
        pytest.skip(f"{VECTORS} is missing")


def all_vectors() -> list[Vector]:
    return [load_vector(name, form) for name in vector_names() for form in FORMS]


def load_vector(name: str, form: str) -> Vector:
    folder = VECTORS / name
    context = json.loads((folder / "context.json").read_text())
    request, body = parse_http((folder / f"{form}-signed-request.txt").read_bytes())
    style = PathStyle.NORMALISED if context["normalize"] else PathStyle.RAW
    stages = ("canonical-request", "string-to-sign", "signature")
    texts = [(folder / f"{form}-{stage}.txt").read_bytes().strip(b"\n") for stage in stages]
    return Vector(name, form, Received(request, body, style=style), *texts)


def parse_http(text: bytes) -> tuple[RawRequest, bytes]:
    """The request and the body of a vector's file. A folded header keeps its line breaks, as a naive server would."""
    head, _, body = text.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.removesuffix(b" HTTP/1.1").partition(b" ")
    path, _, query = target.partition(b"?")
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        if line.startswith(b" "):
            headers[-1] = (headers[-1][0], headers[-1][1] + b"\n" + line)
        else:
            name, _, value = line.partition(b":")
            headers.append((name.lower(), value))
    return RawRequest(method.decode(), path, query, headers), body


def signed_by_botocore(
    method: str = "POST",
    url: str = "http://sts.example.org/",
    body: bytes = b"Action=GetCallerIdentity&Version=2011-06-15",
    *,
    headers: dict[str, str] | None = None,
    token: str | None = "session-token",
    expires: int | None = None,
    service: str = "sts",
    s3: bool = False,
) -> Received:
    """A request signed by botocore now, as its bytes arrive; presigned where ``expires`` is given, S3's way with ``s3``."""
    request = AWSRequest(method, url, data=body, headers=headers or {})
    credentials = Credentials(KEY_ID, SECRET.decode(), token)
    if expires is None:
        (S3SigV4Auth if s3 else SigV4Auth)(credentials, service, "us-east-1").add_auth(request)
    else:
        signer = S3SigV4QueryAuth if s3 else SigV4QueryAuth
        signer(credentials, service, "us-east-1", expires=expires).add_auth(request)
    scheme_and_host, _, rest = str(request.url).partition("://")[2].partition("/")
    path, _, query = f"/{rest}".partition("?")
    raw = [(b"host", scheme_and_host.encode())]
    for name, value in request.headers.items():
        raw.append((name.lower().encode(), value.encode()))
    style = PathStyle.RAW if s3 else PathStyle.NORMALISED
    received = Received(RawRequest(method, path.encode(), query.encode(), raw), body, service, style)
    return replace(received, now=float(instant_of(received.read().timestamp)))


HEADER_FORM = Received(
    RawRequest(
        "POST",
        b"/",
        b"",
        (
            (b"host", b"sts.example.org"),
            (b"content-type", b"application/x-www-form-urlencoded; charset=utf-8"),
            (b"x-amz-date", b"20150830T123600Z"),
            (b"user-agent", b"example/1.0"),
        ),
    ),
    b"Action=GetCallerIdentity&Version=2011-06-15",
    "sts",
)
"""An unsigned request; ``sign`` signs it."""


def sign(
    received: Received,
    *,
    signed: tuple[bytes, ...] | None = None,
    scope: str | None = None,
    timestamp: bytes = b"20150830T123600Z",
    payload: str | None = None,
    path: bytes | None = None,
) -> Received:
    """Sign as a client would that makes exactly the asked-for mistake. Written apart from what it tests."""
    headers = dict(received.request.headers)
    names = signed if signed is not None else tuple(sorted(name for name in headers if name != b"user-agent"))
    scope = scope or f"20150830/us-east-1/{received.service}/aws4_request"
    lines = b"".join(name + b":" + b" ".join(headers.get(name, b"").split()) + b"\n" for name in names)
    payload = payload or hashlib.sha256(received.body).hexdigest()
    query = b"&".join(
        sorted(part if b"=" in part else part + b"=" for part in received.request.query.split(b"&") if part)
    )
    parts = [received.request.method.encode(), path or received.request.path, query, lines, b";".join(names)]
    digest = hashlib.sha256(b"\n".join([*parts, payload.encode()])).hexdigest()
    key = b"AWS4" + SECRET
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = b"\n".join([b"AWS4-HMAC-SHA256", timestamp, scope.encode(), digest.encode()])
    signature = hmac.new(key, text, "sha256").hexdigest()
    value = f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={b';'.join(names).decode()}, Signature={signature}"
    return received.with_headers(*received.request.headers, (b"authorization", value.encode()))

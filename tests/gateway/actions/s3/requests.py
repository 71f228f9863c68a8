# SPDX-License-Identifier: Apache-2.0
"""Requests for S3: by hand, and as botocore writes them."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.model import OperationModel, ServiceModel, Shape

from daypass.gateway.actions.s3 import S3Actions
from daypass.gateway.asking import AskedOperation, Incoming
from daypass.sigv4 import RawRequest
from daypass.sigv4.canonical import parse_query

ACTIONS = S3Actions()
HOST = "s3.example.org"
BUCKET = "bucket-1"
KEY = "some folder/a+b ü.txt"


def incoming(
    method: str,
    path: str | bytes,
    query: str = "",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    body: bytes | None = b"",
    bucket: str | None = None,
) -> Incoming:
    """A request as the door hands it over."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    raw_headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs]
    raw = RawRequest(method, path.encode() if isinstance(path, str) else path, query.encode(), raw_headers)
    return Incoming(raw, parse_query(raw.query), "us-east-1", "123456789012", bucket, body)


def asked(
    method: str,
    path: str | bytes,
    query: str = "",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    body: bytes | None = b"",
    bucket: str | None = None,
) -> AskedOperation:
    """What such a request asks for."""
    return ACTIONS.operation(incoming(method, path, query, headers, body, bucket))


def permissions(operation: AskedOperation) -> list[tuple[str, str]]:
    """Actions and resources, in their order."""
    return [(one.action, one.resource.removeprefix("arn:aws:s3:::")) for one in operation.needed]


@functools.cache
def client(style: str) -> Any:
    session = botocore.session.Session()
    session.set_credentials("AKIAEXAMPLE", "secret")
    addressing: Any = {"addressing_style": style}
    config = Config(
        s3=addressing,
        retries={"max_attempts": 0},
        request_checksum_calculation="when_required",
        disable_request_compression=True,
    )
    made = session.create_client("s3", region_name="us-east-1", endpoint_url=f"https://{HOST}", config=config)
    made.meta.events.register("before-send.s3", _caught)
    return made


def model() -> ServiceModel:
    return client("path").meta.service_model  # type: ignore[no-any-return]


class CaughtError(Exception):
    """Carries what botocore would have sent."""

    def __init__(self, request: Any) -> None:
        super().__init__("caught")
        self.request = request


def _caught(request: Any, **_rest: Any) -> None:
    raise CaughtError(request)


def written(name: str, parameters: Mapping[str, Any], style: str) -> Incoming:
    """The request that botocore writes for an operation."""
    try:
        client(style)._make_api_call(name, dict(parameters))
    except CaughtError as caught:
        request = caught.request
    else:
        raise AssertionError("botocore sent nothing")
    url = urlsplit(request.url)
    headers = [
        (key, value.decode("latin-1") if isinstance(value, bytes) else str(value))
        for key, value in request.headers.items()
    ]
    body = request.body.read() if hasattr(request.body, "read") else request.body
    if isinstance(body, str):
        body = body.encode()
    bucket = url.netloc.removesuffix(HOST).removesuffix(".") or None
    return incoming(request.method, url.path, url.query, headers, body or b"", bucket)


_FIXED: Mapping[str, Any] = {
    "Bucket": BUCKET,
    "Key": KEY,
    "CopySource": "source-1/other%20key?versionId=v1",
    "RenameSource": "source",
    "Tagging": "a=b&c=",
    "VersionId": "v1",
    "BucketLoggingStatus": {},
    "RequestRoute": "route",
    "KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k",
}
_LEFT_OUT = frozenset({"OutputLocation", "SelectParameters", "Location", "Body"})


def sample(operation: OperationModel, *, whole: bool) -> dict[str, Any]:
    """Parameters of an operation: those that it must have, or (``whole``) every one."""
    shape: Any = operation.input_shape
    if shape is None:
        return {}
    made: dict[str, Any] = {}
    for name, member in shape.members.items():
        if name in shape.required_members or (whole and not _costs_a_handler(name)):
            made[name] = _value(name, member, whole=whole)
    return made


def _costs_a_handler(name: str) -> bool:
    """Members that botocore's handlers check or compute, or that exclude another."""
    return name.startswith(("Checksum", "ContentMD5", "SSECustomer", "CopySourceSSE", "Content")) or name == "Body"


def _value(name: str, shape: Shape, *, whole: bool) -> Any:
    kind: Any = shape
    if name in _FIXED and (shape.type_name == "string" or name == "BucketLoggingStatus"):
        return _FIXED[name]
    if shape.type_name == "structure":
        members = kind.members.items()
        wanted = [
            (inner, member)
            for inner, member in members
            if inner in kind.required_members or kind.is_tagged_union or (whole and inner not in _LEFT_OUT)
        ]
        if shape.name == "CreateBucketConfiguration":
            wanted = [(inner, member) for inner, member in wanted if inner != "Bucket"]
        if shape.name == "RestoreRequest":
            wanted = [(inner, member) for inner, member in wanted if inner != "Type"]
        return {inner: _value(inner, member, whole=whole) for inner, member in wanted}
    if shape.type_name == "list":
        return [_value("", kind.member, whole=whole)]
    if shape.type_name == "map":
        return {"some": "value"}
    plain: Mapping[str, Any] = {
        "integer": 1,
        "long": 1,
        "boolean": True,
        "float": 1.0,
        "timestamp": datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC),
        "blob": b"x",
    }
    return plain.get(shape.type_name, kind.enum[0] if getattr(kind, "enum", None) else "sample")

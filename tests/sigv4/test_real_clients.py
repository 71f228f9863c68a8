# SPDX-License-Identifier: Apache-2.0
"""
What boto3 puts on the wire for S3, as the gateway receives it: keys and parameters that are awkward, and whole uploads.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from daypass.sigv4 import (
    S3_PAYLOADS,
    STREAMING_UNSIGNED_TRAILER,
    UNSIGNED_PAYLOAD,
    PathStyle,
    RawRequest,
    VerifiedSignature,
    open_body,
    read_post_form,
    stored_content_encoding,
    verify_post_form,
)
from sigv4.chunking import decode
from sigv4.signing import KEY_ID, SECRET, Received

AWKWARD_KEYS = (
    "plain",
    "with space",
    "plus+and%percent",
    "a//b",
    "/leading",
    "trailing/",
    "é😀",
    "()!*'$&,;=:@~",
    "new\nline\ttab\x7f",
    '[brackets]{braces}|^`<>"#?\\',
)


def client(scheme: str = "https", **config: Any) -> Any:
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=f"{scheme}://s3.example.org",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET.decode(),
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, **config),
    )


def presigner() -> Any:
    """NOTE: without being told so, boto3 presigns for S3 in us-east-1 with version 2, which is refused."""
    return client(signature_version="s3v4")


class Sent(Exception):  # noqa: N818 - not an error: it carries the request out of the client before the network
    def __init__(self, request: AWSPreparedRequest) -> None:
        super().__init__()
        self.request = request


def sent_by(s3: Any, operation: str, **parameters: Any) -> tuple[Received, bytes]:
    def stop(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        raise Sent(request)

    s3.meta.events.register("before-send.s3", stop)
    with pytest.raises(Sent) as caught:
        getattr(s3, operation)(**parameters)
    request = caught.value.request
    body: Any = request.body or b""
    sent = body if isinstance(body, bytes) else b"".join(iter(lambda: body.read(1000), b""))
    return received(request.method, request.url, request.headers.items()), sent


def received(method: str, url: str, headers: Any = ()) -> Received:
    parts = urlsplit(url)
    raw = [(b"host", parts.netloc.encode())]
    for name, value in headers:
        raw.append((name.lower().encode(), value if isinstance(value, bytes) else str(value).encode()))
    path, _, query = url.partition(parts.netloc)[2].partition("?")
    incoming = Received(RawRequest(method, path.encode(), query.encode(), raw), b"", "s3", PathStyle.RAW)
    return Received(incoming.request, b"", "s3", PathStyle.RAW, float(incoming.read().signed_at))


def verify(incoming: Received) -> VerifiedSignature:
    return incoming.verify(payload_hash=None, accepted_payloads=S3_PAYLOADS)


@pytest.mark.parametrize("key", AWKWARD_KEYS)
def test_a_key_that_boto3_signs_verifies_in_every_form(key: str) -> None:
    for operation in ("get_object", "delete_object", "head_object"):
        incoming, _ = sent_by(client(), operation, Bucket="bucket", Key=key)
        verify(incoming)
    url = presigner().generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": key})
    assert verify(received("GET", url)).payload == UNSIGNED_PAYLOAD


def parameter_sets() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "list_objects_v2", {"Prefix": "a b+c/é", "Delimiter": "/", "StartAfter": "x&y=z", "EncodingType": "url"}
    yield (
        "get_object",
        {"Key": "k", "ResponseContentDisposition": 'attachment; filename="a +b&c.txt"', "VersionId": "a+b/c="},
    )
    yield "get_object", {"Key": "k", "ResponseContentType": "text/plain; charset=utf-8", "ResponseExpires": 1440938160}
    yield "list_parts", {"Key": "k", "UploadId": "id+with/slash=="}
    yield "list_objects_v2", {"ContinuationToken": "1/+==", "Prefix": ""}


@pytest.mark.parametrize(("operation", "parameters"), list(parameter_sets()))
def test_parameters_that_boto3_escapes_pass(operation: str, parameters: dict[str, Any]) -> None:
    incoming, _ = sent_by(client(), operation, Bucket="bucket", **parameters)
    verify(incoming)
    url = presigner().generate_presigned_url(operation, Params={"Bucket": "bucket", **parameters})
    verify(received("GET", url))


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("size", [0, 1, 8191, 1_048_576, 2_500_000])
def test_an_upload_of_boto3_is_read_as_it_was(scheme: str, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    for body in (data, io.BytesIO(data)):
        incoming, sent = sent_by(
            client(scheme), "put_object", Bucket="bucket", Key="k", Body=body, ContentEncoding="gzip"
        )
        verified = verify(incoming)
        opened = open_body(incoming.read(), verified, secret=SECRET)
        parts = [sent[start : start + 65_536] for start in range(0, len(sent), 65_536)]
        assert decode(opened, parts) == data
        if scheme == "https":
            assert verified.payload == STREAMING_UNSIGNED_TRAILER
            assert opened.length == size
            assert opened.checked == {"x-amz-checksum-crc32"}
            assert stored_content_encoding(incoming.header(b"content-encoding")) == b"gzip"
        else:
            assert len(verified.payload) == 64


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_every_checksum_that_boto3_computes_is_verified(algorithm: str) -> None:
    incoming, sent = sent_by(
        client(),
        "upload_part",
        Bucket="bucket",
        Key="k",
        UploadId="u",
        PartNumber=1,
        Body=b"part",
        ChecksumAlgorithm=algorithm,
    )
    opened = open_body(incoming.read(), verify(incoming), secret=SECRET)
    assert decode(opened, [sent]) == b"part"
    assert opened.checked == {f"x-amz-checksum-{algorithm.lower()}"}


def test_a_form_that_boto3_presigns_is_good() -> None:
    made = presigner().generate_presigned_post(
        "photos",
        "user/${filename}",
        Fields={"acl": "private"},
        Conditions=[{"acl": "private"}, ["content-length-range", 0, 9]],
    )
    fields = {**made["fields"], "key": "user/a.txt"}
    form = read_post_form(list(fields.items()))
    assert form is not None
    verified = verify_post_form(form, secret=SECRET, bucket="photos", services={"s3"}, now=float(form.signed_at))
    assert verified.length_range == (0, 9)

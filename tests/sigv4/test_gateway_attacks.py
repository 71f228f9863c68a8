# SPDX-License-Identifier: Apache-2.0
"""
What has been done to other gateways in front of S3, tried on ours: each row names the class and whom it happened to.

The rows are requests that somebody else than the signer made of a genuine one. What is refused in the head is refused before
the body is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from daypass.errors import DaypassError, Reason
from daypass.sigv4 import (
    S3_PAYLOADS,
    STREAMING_UNSIGNED_TRAILER,
    UNSIGNED_PAYLOAD,
    PathStyle,
    RawRequest,
    open_body,
    read_authorization,
)
from sigv4.chunking import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, Client, decode, sending
from sigv4.signing import SECRET, Received, signed_by_botocore

PUT = signed_by_botocore("PUT", "https://s3.example.org/bucket/dir/key", b"", service="s3", s3=True)
GET = signed_by_botocore("GET", "https://s3.example.org/bucket/dir/key?versionId=1", b"", service="s3", s3=True)
SHARED = signed_by_botocore("GET", "https://s3.example.org/bucket/dir/key", b"", expires=60, service="s3", s3=True)
CHUNKS = SIGNED.head()

ATTACKS: dict[str, tuple[Received, Callable[[Received], Received], Reason]] = {
    # Signature not checked for some way to send a body (MinIO CVE-2025-31489, CVE-2026-40344, CVE-2026-41145).
    "the word for unsigned chunks put in place of signed ones": (
        CHUNKS,
        lambda r: r.with_header(b"x-amz-content-sha256", STREAMING_UNSIGNED_TRAILER.encode()),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "the word for no signature put in place of a digest": (
        PUT,
        lambda r: r.with_header(b"x-amz-content-sha256", UNSIGNED_PAYLOAD.encode()),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "unsigned chunks with any key in the credential": (
        UNSIGNED_TRAILER.head(),
        lambda r: r.with_authorization(b"AKIDEXAMPLE", b"AKIDANOTHER"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "unsigned chunks with a signature of zeros": (
        UNSIGNED_TRAILER.head(),
        lambda r: r.with_header(b"authorization", r.header(b"authorization")[:-64] + b"0" * 64),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "a credential in the query beside the header": (
        PUT,
        lambda r: r.with_request(query=b"X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fs3%2Faws4_request"),
        Reason.CREDENTIAL_AMBIGUOUS,
    ),
    "a copy source added": (
        PUT,
        lambda r: r.with_header(b"x-amz-copy-source", b"/other/secret"),
        Reason.HEADER_NOT_SIGNED,
    ),
    "extraction of an archive added (Snowball)": (
        PUT,
        lambda r: r.with_header(b"x-amz-meta-snowball-auto-extract", b"true"),
        Reason.HEADER_NOT_SIGNED,
    ),
    # Service confusion (SeaweedFS CVE-2026-55873).
    "another service in the scope": (
        PUT,
        lambda r: r.with_authorization(b"/s3/aws4_request", b"/s3tables/aws4_request"),
        Reason.CREDENTIAL_SERVICE_MISMATCH,
    ),
    "another region in the scope": (
        PUT,
        lambda r: r.with_authorization(b"/us-east-1/", b"/us-east-2/"),
        Reason.CREDENTIAL_REGION_MISMATCH,
    ),
    # Replay without a look at the clock (Keystone CVE-2020-12692, lakeFS CVE-2025-68671).
    "replayed 15 minutes later": (PUT, lambda r: replace(r, now=r.now + 901), Reason.SIGNATURE_EXPIRED),
    "a shared link after its time": (SHARED, lambda r: replace(r, now=r.now + 61), Reason.PRESIGNED_EXPIRED),
    "a shared link given a longer life": (
        SHARED,
        lambda r: r.with_query(b"X-Amz-Expires=60", b"X-Amz-Expires=600"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    # A presigned URL turned into something else (Keystone CVE-2025-65073).
    "a shared link to read used to write": (
        SHARED,
        lambda r: r.with_request(method="PUT"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "a shared link for another object": (
        SHARED,
        lambda r: r.with_request(path=b"/bucket/dir/other"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "a shared link with another operation": (
        SHARED,
        lambda r: r.with_request(query=r.request.query + b"&acl"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "a shared link with an upload in chunks": (
        SHARED,
        lambda r: r.with_header(b"x-amz-content-sha256", STREAMING_UNSIGNED_TRAILER.encode()),
        Reason.HEADER_NOT_SIGNED,
    ),
    # Path confusion (s3-proxy CVE-2026-42882, SeaweedFS CVE-2026-54917).
    "dot segments": (PUT, lambda r: r.with_request(path=b"/bucket/x/../dir/key"), Reason.SIGNED_PATH_REFUSED),
    "escaped dot segments": (PUT, lambda r: r.with_request(path=b"/bucket/%2e%2e/dir/key"), Reason.SIGNED_PATH_REFUSED),
    "dot segments behind an escaped slash": (
        PUT,
        lambda r: r.with_request(path=b"/bucket/x%2F..%2Fdir/key"),
        Reason.SIGNED_PATH_REFUSED,
    ),
    "dot segments behind a repeated slash": (
        PUT,
        lambda r: r.with_request(path=b"/bucket//../dir/key"),
        Reason.SIGNED_PATH_REFUSED,
    ),
    "an escaped slash for a slash": (
        PUT,
        lambda r: r.with_request(path=b"/bucket%2Fdir/key"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "a repeated slash": (PUT, lambda r: r.with_request(path=b"//bucket/dir/key"), Reason.SIGNATURE_DOES_NOT_MATCH),
    "escaped twice": (PUT, lambda r: r.with_request(path=b"/bucket/dir%252Fkey"), Reason.SIGNATURE_DOES_NOT_MATCH),
    "a NUL that ends the key": (
        PUT,
        lambda r: r.with_request(path=b"/bucket/dir/key%00.txt"),
        Reason.SIGNED_PATH_REFUSED,
    ),
    "a line break in the key": (
        PUT,
        lambda r: r.with_request(path=b"/bucket/dir/key%0Ahost:x"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "overlong UTF-8 for a dot": (
        PUT,
        lambda r: r.with_request(path=b"/bucket/%C0%AE%C0%AE/key"),
        Reason.SIGNED_PATH_REFUSED,
    ),
    "a backslash": (PUT, lambda r: r.with_request(path=b"/bucket/..\\key"), Reason.SIGNED_PATH_REFUSED),
    # Host and forwarded hosts (Starlette CVE-2026-48710).
    "another host": (PUT, lambda r: r.with_header(b"host", b"other.s3.example.org"), Reason.SIGNATURE_DOES_NOT_MATCH),
    "a second host": (
        PUT,
        lambda r: r.with_headers(*r.request.headers, (b"host", b"other.s3.example.org")),
        Reason.SIGNED_HEADER_REPEATED,
    ),
    # Duplicates, and headers that are not signed.
    "an amz header twice": (
        CHUNKS,
        lambda r: r.with_headers(*r.request.headers, (b"x-amz-decoded-content-length", b"1")),
        Reason.SIGNED_HEADER_REPEATED,
    ),
    "a parameter twice, in the other order": (
        GET,
        lambda r: r.with_request(query=b"versionId=2&versionId=1"),
        Reason.SIGNED_QUERY_REFUSED,
    ),
    "a parameter added": (
        GET,
        lambda r: r.with_request(query=b"tagging&versionId=1"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    # What the body is held to is changed.
    "the length of the chunks": (
        CHUNKS,
        lambda r: r.with_header(b"x-amz-decoded-content-length", b"8192"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "the announced trailer": (
        SIGNED_TRAILER.head(),
        lambda r: r.with_header(b"x-amz-trailer", b"x-amz-checksum-crc32c"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "a trailer announced where none was": (
        CHUNKS,
        lambda r: r.with_header(b"x-amz-trailer", b"x-amz-checksum-crc32c"),
        Reason.HEADER_NOT_SIGNED,
    ),
    # The session token.
    "the session token left out": (
        PUT,
        lambda r: r.without_header(b"x-amz-security-token"),
        Reason.SIGNED_HEADER_ABSENT,
    ),
    "another session token": (
        PUT,
        lambda r: r.with_header(b"x-amz-security-token", b"another"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "a session token added to a long-term key's request": (
        CHUNKS,
        lambda r: r.with_header(b"x-amz-security-token", b"another"),
        Reason.SESSION_TOKEN_NOT_SIGNED,
    ),
    # Header bombs and smuggling.
    "a hundred headers more": (
        PUT,
        lambda r: r.with_headers(*r.request.headers, *((b"x-%d" % n, b"") for n in range(100))),
        Reason.SIGNED_REQUEST_TOO_LARGE,
    ),
    "a header inside a header": (
        PUT,
        lambda r: r.with_header(b"x-amz-date", r.header(b"x-amz-date") + b"\r\nx-amz-acl: public-read"),
        Reason.SIGNED_REQUEST_MALFORMED,
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_genuine_request_made_into_another_is_refused_in_the_head(name: str) -> None:
    genuine, change, reason = ATTACKS[name]
    genuine.verify(payload_hash=None, accepted_payloads=S3_PAYLOADS)
    with pytest.raises(DaypassError) as caught:
        change(genuine).verify(payload_hash=None, accepted_payloads=S3_PAYLOADS)
    assert caught.value.reason is reason


def test_a_request_without_a_credential_is_never_verified() -> None:
    bare = RawRequest(
        "PUT", b"/bucket/key", b"", [(b"host", b"h"), (b"x-amz-content-sha256", STREAMING_UNSIGNED_TRAILER.encode())]
    )
    assert read_authorization(bare) is None


@pytest.mark.parametrize("donor", [SIGNED, SIGNED_TRAILER])
def test_chunks_of_another_upload_of_the_same_signer_are_refused(donor: Client) -> None:
    other = sending(donor, key=b"/bucket/elsewhere")
    with pytest.raises(DaypassError) as caught:
        donor.upload().decode([other.sent])
    assert caught.value.reason is Reason.CHUNK_SIGNATURE_MISMATCH


def test_chunks_signed_under_another_word_are_refused() -> None:
    body = b"".join(SIGNED_TRAILER.pieces()[:-3])
    assert SIGNED.upload().refused(body + b"\r\n") is Reason.CHUNK_SIGNATURE_MISMATCH


def test_chunks_signed_with_another_key_are_refused() -> None:
    received = SIGNED.head()
    verified = received.verify(payload_hash=None, accepted_payloads=S3_PAYLOADS)
    with pytest.raises(DaypassError) as caught:
        decode(open_body(received.read(), verified, secret=SECRET + b"x"), SIGNED.pieces())
    assert caught.value.reason is Reason.CHUNK_SIGNATURE_MISMATCH


def test_a_path_is_read_as_s3_reads_it_only_where_it_is_s3() -> None:
    assert PUT.style is PathStyle.RAW
    with pytest.raises(DaypassError) as caught:
        PUT.with_request(path=b"/bucket//dir/key").verify(path_style=PathStyle.NORMALISED, payload_hash=None)
    assert caught.value.reason is Reason.SIGNED_PATH_REFUSED

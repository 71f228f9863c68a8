# SPDX-License-Identifier: Apache-2.0
"""A head that is verified before its body: what it may say of the body, and what the body is then held to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest

from daypass.errors import DaypassError, Reason
from daypass.sigv4 import (
    S3_PAYLOADS,
    STREAMING_PAYLOADS,
    STREAMING_SIGNED,
    STREAMING_SIGNED_TRAILER,
    STREAMING_UNSIGNED_TRAILER,
    UNSIGNED_PAYLOAD,
    PathStyle,
    SigningKeyCache,
    open_body,
    stored_content_encoding,
)
from sigv4.chunking import CLIENTS, SIGNED, UNSIGNED_TRAILER, decode, documented, sending
from sigv4.signing import HEADER_FORM, SECRET, Received, refused, sign, signed_by_botocore

BODY = b"the bytes of an object"
DIGEST = hashlib.sha256(BODY).hexdigest()
S3_FORM = replace(HEADER_FORM, service="s3", style=PathStyle.RAW, body=BODY)
EARLY = {"payload_hash": None, "accepted_payloads": S3_PAYLOADS}


def declaring(word: str) -> Received:
    return sign(S3_FORM.with_header(b"x-amz-content-sha256", word.encode()), payload=word)


def read_body(received: Received, parts: Sequence[bytes]) -> bytes:
    verified = received.verify(**EARLY)
    return decode(open_body(received.read(), verified, secret=SECRET), parts)


# The head


def test_a_declared_digest_is_accepted_as_declared_before_the_body_is_read() -> None:
    assert declaring(DIGEST).verify(**EARLY).payload == DIGEST
    assert declaring(DIGEST).verify(payload_hash=None).payload == DIGEST


def test_a_digest_that_was_not_signed_is_refused_though_it_is_declared() -> None:
    other = hashlib.sha256(b"other").hexdigest().encode()
    assert refused(declaring(DIGEST).with_header(b"x-amz-content-sha256", other), **EARLY) is (
        Reason.SIGNATURE_DOES_NOT_MATCH
    )


def test_a_header_request_that_declares_nothing_is_refused_before_the_body_is_read() -> None:
    received = sign(S3_FORM)
    received.verify()
    assert refused(received, **EARLY) is Reason.PAYLOAD_HASH_MISSING


@pytest.mark.parametrize("word", sorted(S3_PAYLOADS))
def test_a_word_passes_where_it_is_accepted_and_only_there(word: str) -> None:
    assert declaring(word).verify(**EARLY).payload == word
    others = S3_PAYLOADS - {word}
    assert refused(declaring(word), payload_hash=None, accepted_payloads=others) is Reason.PAYLOAD_HASH_UNSUPPORTED
    assert refused(declaring(word), payload_hash=None) is Reason.PAYLOAD_HASH_UNSUPPORTED


@pytest.mark.parametrize(
    "word",
    [
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-EVENTS",
        "STREAMING-UNSIGNED-PAYLOAD",
        "unsigned-payload",
        "UNSIGNED-PAYLOAD,UNSIGNED-PAYLOAD",
        "",
        DIGEST.upper(),
        DIGEST[:-1],
        DIGEST + "0",
        "é",
    ],
)
def test_any_other_word_is_refused_before_the_body_is_read(word: str) -> None:
    assert refused(declaring(word), **EARLY) is Reason.PAYLOAD_HASH_UNSUPPORTED


def test_a_payload_that_is_declared_twice_is_refused() -> None:
    received = declaring(UNSIGNED_PAYLOAD)
    twice = received.with_headers(*received.request.headers, (b"x-amz-content-sha256", b"UNSIGNED-PAYLOAD"))
    with pytest.raises(DaypassError) as caught:
        twice.verify(**EARLY)
    assert caught.value.reason is Reason.SIGNED_HEADER_REPEATED


PRESIGNED = signed_by_botocore("PUT", "http://s3.example.org/b/k", b"", expires=60, service="s3", s3=True)


def test_a_presigned_request_that_declares_nothing_covers_no_body() -> None:
    assert PRESIGNED.verify(**EARLY).payload == UNSIGNED_PAYLOAD
    assert refused(PRESIGNED, payload_hash=None) is Reason.PAYLOAD_HASH_UNSUPPORTED


@pytest.mark.parametrize("word", sorted(STREAMING_PAYLOADS))
def test_a_presigned_request_does_not_come_in_chunks(word: str) -> None:
    for changed in (
        PRESIGNED.with_header(b"x-amz-content-sha256", word.encode()),
        PRESIGNED.with_request(query=PRESIGNED.request.query + b"&X-Amz-Content-Sha256=" + word.encode()),
    ):
        with pytest.raises(DaypassError) as caught:
            changed.verify(**EARLY)
        assert caught.value.reason in (Reason.PAYLOAD_HASH_UNSUPPORTED, Reason.HEADER_NOT_SIGNED)


def test_the_strict_way_is_what_it_was() -> None:
    assert declaring(DIGEST).verify().payload == DIGEST
    assert refused(replace(declaring(DIGEST), body=b"other")) is Reason.PAYLOAD_HASH_MISMATCH
    for word in S3_PAYLOADS:
        assert refused(declaring(word)) is Reason.PAYLOAD_HASH_UNSUPPORTED


def test_what_the_chain_begins_with_is_carried_and_not_printed() -> None:
    verified = SIGNED.head().verify(**EARLY)
    assert verified.scope == "20150830/us-east-1/s3/aws4_request"
    assert verified.timestamp == b"20150830T123600Z"
    assert len(verified.signature) == 64
    assert verified.signature.decode() not in repr(verified)


# The body


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_body_of_the_declared_digest_is_handed_on_whole(step: int) -> None:
    parts = [BODY[start : start + step] for start in range(0, len(BODY), step)]
    assert read_body(declaring(DIGEST), parts) == BODY
    assert read_body(declaring(UNSIGNED_PAYLOAD), parts) == BODY


@pytest.mark.parametrize("body", [b"", BODY[:-1], BODY + b"x", b"X" + BODY[1:], BODY * 2])
def test_a_body_of_another_digest_is_never_whole(body: bytes) -> None:
    received = declaring(DIGEST)
    opened = open_body(received.read(), received.verify(**EARLY), secret=SECRET)
    handed_on = b"".join(bytes(piece) for part in (body[:5], body[5:]) for piece in opened.feed(part))
    assert not body or len(handed_on) < len(body)
    with pytest.raises(DaypassError) as caught:
        opened.finish()
    assert caught.value.reason is Reason.PAYLOAD_HASH_MISMATCH
    with pytest.raises(ValueError, match="finished"):
        opened.finish()


def test_an_empty_body_has_a_digest_too() -> None:
    empty = hashlib.sha256(b"").hexdigest()
    assert read_body(declaring(empty), []) == b""
    assert read_body(declaring(empty), [b""]) == b""


def test_a_word_that_is_no_digest_and_has_no_body_here_is_never_satisfied() -> None:
    word = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
    received = declaring(word)
    verified = received.verify(payload_hash=None, accepted_payloads={word})
    with pytest.raises(DaypassError):
        decode(open_body(received.read(), verified, secret=SECRET), [BODY])


def test_a_body_is_opened_for_the_authorization_that_was_verified() -> None:
    verified = SIGNED.head().verify(**EARLY)
    with pytest.raises(ValueError, match="another authorization"):
        open_body(documented().received.read(), verified, secret=SECRET)


def test_a_cached_signing_key_verifies_chunks_as_the_secret_does() -> None:
    received, keys = SIGNED.head(), SigningKeyCache()
    verified = received.verify(**EARLY, secret=keys.of(SECRET))
    assert decode(open_body(received.read(), verified, secret=keys.of(SECRET)), SIGNED.pieces()) == b"".join(
        SIGNED.chunks
    )
    assert len(keys) == 1


@pytest.mark.parametrize("word", sorted(CLIENTS))
@pytest.mark.parametrize("length", [b"", b"-1", b"+1", b"01", b"0x1", b"1.0", b"1 0", b"1_0", b"1" * 16, b"\xd9\xa1"])
def test_a_length_that_is_no_plain_number_is_refused_before_the_body(word: str, length: bytes) -> None:
    assert sending(CLIENTS[word], length=length).refused(b"") is Reason.CHUNKED_HEADERS_REFUSED


@pytest.mark.parametrize("word", sorted(STREAMING_PAYLOADS))
def test_a_body_in_chunks_without_a_length_is_refused(word: str) -> None:
    received = declaring(word)
    with pytest.raises(DaypassError) as caught:
        open_body(received.read(), received.verify(**EARLY), secret=SECRET)
    assert caught.value.reason is Reason.LENGTH_REQUIRED


@pytest.mark.parametrize(
    ("word", "announced"),
    [
        (STREAMING_SIGNED, b"x-amz-checksum-crc32"),
        (STREAMING_SIGNED, b""),
        (STREAMING_UNSIGNED_TRAILER, b""),
        (STREAMING_UNSIGNED_TRAILER, b"x-amz-acl"),
        (STREAMING_UNSIGNED_TRAILER, b"x-amz-checksum-type"),
        (STREAMING_UNSIGNED_TRAILER, b"x-amz-trailer-signature"),
        (STREAMING_UNSIGNED_TRAILER, b"x-amz-checksum-crc32,x-amz-checksum-crc32"),
        (STREAMING_UNSIGNED_TRAILER, b"x-amz-checksum-crc32,X-Amz-Checksum-Crc32"),
        (STREAMING_UNSIGNED_TRAILER, b"x-amz-checksum-crc32,"),
        (STREAMING_SIGNED_TRAILER, b"authorization"),
        (STREAMING_SIGNED_TRAILER, b"x-amz-checksum-crc32 x"),
        (
            STREAMING_SIGNED_TRAILER,
            b"x-amz-checksum-crc32,x-amz-checksum-sha1,x-amz-checksum-sha256,x-amz-checksum-md5,x-amz-checksum-sha512",
        ),
    ],
)
def test_announced_trailers_that_are_not_a_few_checksums_are_refused_before_the_body(
    word: str, announced: bytes
) -> None:
    assert replace(CLIENTS[word], announced=announced).upload().refused(b"") is Reason.CHUNKED_HEADERS_REFUSED


@pytest.mark.parametrize("word", [STREAMING_SIGNED_TRAILER, STREAMING_UNSIGNED_TRAILER])
def test_a_trailer_that_was_not_announced_at_all_is_refused_before_the_body(word: str) -> None:
    received = CLIENTS[word].head().without_header(b"x-amz-trailer").without_header(b"authorization")
    received = sign(received, scope="20150830/us-east-1/s3/aws4_request", payload=word)
    with pytest.raises(DaypassError) as caught:
        open_body(received.read(), received.verify(**EARLY), secret=SECRET)
    assert caught.value.reason is Reason.CHUNKED_HEADERS_REFUSED


@pytest.mark.parametrize("name", [b"x-amz-decoded-content-length", b"x-amz-trailer", b"x-amz-content-sha256"])
def test_what_the_body_is_held_to_must_be_signed(name: bytes) -> None:
    received = UNSIGNED_TRAILER.head().without_header(b"authorization")
    names = tuple(sorted(found for found, _ in received.request.headers if found != name))
    unsigned = sign(
        received, signed=names, scope="20150830/us-east-1/s3/aws4_request", payload=STREAMING_UNSIGNED_TRAILER
    )
    assert refused(unsigned, **EARLY) is Reason.HEADER_NOT_SIGNED


def test_a_head_is_not_good_for_chunks_under_another_word() -> None:
    received = SIGNED.head().with_header(b"x-amz-content-sha256", STREAMING_UNSIGNED_TRAILER.encode())
    assert refused(received, **EARLY) is Reason.SIGNATURE_DOES_NOT_MATCH
    verified = msgspec.structs.replace(SIGNED.head().verify(**EARLY), payload=STREAMING_UNSIGNED_TRAILER)
    with pytest.raises(DaypassError):
        open_body(SIGNED.head().read(), verified, secret=SECRET)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (b"aws-chunked", None),
        (b"AWS-Chunked", None),
        (b"", None),
        (b"gzip", b"gzip"),
        (b"aws-chunked,gzip", b"gzip"),
        (b"gzip, aws-chunked", b"gzip"),
        (b"gzip , br,aws-chunked", b"gzip,br"),
    ],
)
def test_how_the_body_travels_is_not_stored(value: bytes, stored: bytes | None) -> None:
    assert stored_content_encoding(value) == stored

# SPDX-License-Identifier: Apache-2.0
"""
AWS's own signing suite (awslabs/aws-c-auth, 38 cases in two forms) as the judge of every stage.

Where our rules are stricter than the algorithm the precise refusal is asserted, and that the stages agree all the same.
"""

from __future__ import annotations

import hashlib
import hmac

import pytest

from daypass.errors import Reason
from daypass.sigv4.canonical import canonical_path, canonical_query, canonical_request, parse_query, string_to_sign
from daypass.sigv4.key import derive_signing_key
from daypass.sigv4.presigned import without_signature
from daypass.sigv4.request import join_repeated
from sigv4.signing import SECRET, Vector, all_vectors, load_vector, refused, require_vectors, vector_names

EMPTY_HASH = hashlib.sha256(b"").hexdigest()

REFUSED = {
    # Repeated signed headers (invariant 3): which value a reader takes, the first or the last, is not the signer's choice.
    "get-header-key-duplicate": Reason.SIGNED_HEADER_REPEATED,
    "get-header-value-order": Reason.SIGNED_HEADER_REPEATED,
    # A folded header (obs-fold, RFC 9112 section 5.2) has line breaks in its value.
    "get-header-value-multiline": Reason.SIGNED_REQUEST_MALFORMED,
    # The target as sent would be routed elsewhere than the canonical path says (invariant 2).
    "get-relative-normalized": Reason.SIGNED_PATH_REFUSED,
    "get-relative-relative-normalized": Reason.SIGNED_PATH_REFUSED,
    "get-relative-relative-unnormalized": Reason.SIGNED_PATH_REFUSED,
    "get-relative-unnormalized": Reason.SIGNED_PATH_REFUSED,
    "get-slash-dot-slash-normalized": Reason.SIGNED_PATH_REFUSED,
    "get-slash-dot-slash-unnormalized": Reason.SIGNED_PATH_REFUSED,
    "get-slash-normalized": Reason.SIGNED_PATH_REFUSED,
    "get-slash-pointless-dot-normalized": Reason.SIGNED_PATH_REFUSED,
    "get-slash-pointless-dot-unnormalized": Reason.SIGNED_PATH_REFUSED,
    "get-slashes-normalized": Reason.SIGNED_PATH_REFUSED,
}
"""What ``verify_signature`` refuses in both forms; the token added after signing is refused for each form's own reason."""

TOKEN_AFTER = "post-sts-header-after"
REFUSED_TOKEN = {"header": Reason.SESSION_TOKEN_NOT_SIGNED, "query": Reason.SIGNATURE_DOES_NOT_MATCH}

VECTORS = all_vectors()
every_vector = pytest.mark.parametrize("vector", VECTORS, ids=str)


@pytest.fixture(autouse=True)
def _vectors() -> None:
    require_vectors()


def test_the_suite_has_its_38_cases_in_both_forms() -> None:
    assert len(vector_names()) == 38
    assert len(VECTORS) == 76


def computed_canonical_request(vector: Vector) -> bytes:
    """The canonical request from the raw parts, without the checks that would refuse some of them."""
    request = vector.received.request
    parameters = without_signature(parse_query(request.query))
    if vector.name == TOKEN_AFTER:
        parameters = [pair for pair in parameters if pair[0] != b"X-Amz-Security-Token"]
    names = vector.canonical_request.split(b"\n")[-2].split(b";")
    # The suite's query form signs the empty body's hash where the header form says sign_body is off; both say it last.
    payload = vector.canonical_request.split(b"\n")[-1].decode()
    assert payload == hashlib.sha256(vector.received.body).hexdigest() or payload == EMPTY_HASH
    return canonical_request(
        request.method,
        canonical_path(request.path, vector.received.style),
        canonical_query(parameters),
        join_repeated(request.headers).values,
        names,
        payload,
    )


@every_vector
def test_canonical_request_is_the_suites(vector: Vector) -> None:
    assert computed_canonical_request(vector) == vector.canonical_request


@every_vector
def test_string_to_sign_is_the_suites(vector: Vector) -> None:
    text = string_to_sign(b"20150830T123600Z", "20150830/us-east-1/service/aws4_request", vector.canonical_request)
    assert text == vector.string_to_sign


@every_vector
def test_signature_is_the_suites(vector: Vector) -> None:
    key = derive_signing_key(SECRET, "20150830", "us-east-1", "service")
    text = string_to_sign(
        b"20150830T123600Z", "20150830/us-east-1/service/aws4_request", computed_canonical_request(vector)
    )
    assert hmac.digest(key, text, "sha256").hex().encode() == vector.signature


@every_vector
def test_the_suites_request_verifies_or_is_refused_for_the_stricter_rule(vector: Vector) -> None:
    reason = REFUSED_TOKEN[vector.form] if vector.name == TOKEN_AFTER else REFUSED.get(vector.name)
    if reason is not None:
        assert refused(vector.received) is reason
        return
    verified = vector.received.verify()
    assert (verified.access_key_id, verified.service, verified.region) == ("AKIDEXAMPLE", "service", "us-east-1")
    assert verified.presigned is (vector.form == "query")
    assert verified.expires_at == (1440938160 + 3600 if vector.form == "query" else None)
    assert verified.payload == hashlib.sha256(vector.received.body).hexdigest()


@pytest.mark.parametrize("form", ["header", "query"])
def test_session_token_of_the_suite_is_read(form: str) -> None:
    verified = load_vector("get-vanilla-with-session-token", form).received.verify()
    assert verified.session_token == "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"

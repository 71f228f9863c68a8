# SPDX-License-Identifier: Apache-2.0
"""Denials in the forms of S3, AWS JSON, AWS Query and API Gateway; botocore's parsers are the judge."""

from __future__ import annotations

import functools
import json
from typing import Any

import botocore.session
import pytest
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from daypass.api.wire_errors import WIRE_ERRORS
from daypass.errors import AccessDeniedError, AuthenticationError, DaypassError, Reason, RequestError
from daypass.gateway.denials import HTTP_FORM, S3_FORM, Denial, DenialForm, denial, failure
from daypass.gateway.denials.codes import CODES, S3_CODES
from daypass.gateway.denials.troubles import NOT_OF_REQUESTS, TROUBLES, Trouble

REQUEST_ID = "3f1c9a52-8d1f-4b3e-9a51-0f6d6a1f2b7c"
JSON_FORM = DenialForm("json")
QUERY_FORM = DenialForm("query", xml_namespace="http://sns.amazonaws.com/doc/2010-03-31/")
SNS_FORM = DenialForm("query", QUERY_FORM.xml_namespace, denied_code="AuthorizationError")
FORMS = [S3_FORM, JSON_FORM, QUERY_FORM, HTTP_FORM]
SENTENCE = (
    "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: s3:GetObject on resource: "
    "arn:aws:s3:::photos/a.jpg because no identity-based policy allows the s3:GetObject action"
)
MAY_NOT = AccessDeniedError(Reason.NOT_AUTHORIZED, SENTENCE)
JUDGES = [
    ("s3", "GetObject", S3_FORM),
    ("dynamodb", "GetItem", JSON_FORM),
    ("sqs", "SendMessage", DenialForm("json", query_errors=True)),
    ("kinesis", "PutRecord", DenialForm("json", json_version="1.1")),
    ("sns", "Publish", QUERY_FORM),
]


@functools.cache
def judge(service: str) -> tuple[ServiceModel, Any]:
    model = botocore.session.get_session().get_service_model(service)
    return model, create_parser(model.metadata["protocol"])


def parsed(service: str, operation: str, answer: Denial) -> dict[str, Any]:
    """What botocore makes of an answer."""
    model, parser = judge(service)
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    response = {"body": answer.body, "headers": headers, "status_code": answer.status}
    found: dict[str, Any] = parser.parse(response, model.operation_model(operation).output_shape)
    return found


def error(reason: Reason, sentence: str = "why") -> DaypassError:
    return RequestError(reason, sentence)


def header(answer: Denial, name: bytes) -> bytes | None:
    return dict(answer.headers).get(name)


def test_every_reason_is_a_trouble_or_one_that_no_request_here_can_have() -> None:
    without = {reason for reason in Reason if reason.name.startswith(NOT_OF_REQUESTS)}
    assert without | set(TROUBLES) == set(Reason)
    assert not without & set(TROUBLES)


def test_every_start_of_a_name_that_no_request_here_can_have_is_of_some_reason() -> None:
    idle = [start for start in NOT_OF_REQUESTS if not any(reason.name.startswith(start) for reason in Reason)]
    assert idle == []


@pytest.mark.parametrize("kind", sorted(CODES))
def test_every_kind_has_a_row_for_every_trouble(kind: str) -> None:
    assert set(CODES[kind]) == set(Trouble)  # type: ignore[index]


@pytest.mark.parametrize("kind", sorted(CODES))
def test_a_failure_of_ours_is_a_5xx_and_nothing_else_but_what_cannot_be_had_now(kind: str) -> None:
    rows = CODES[kind]  # type: ignore[index]
    assert {trouble for trouble, row in rows.items() if row.status in (500, 503)} - {Trouble.TOO_MANY} == {
        Trouble.INTERNAL,
        Trouble.UNAVAILABLE,
    }


def test_query_denials_say_what_the_aws_door_says_of_the_same_credentials() -> None:
    credentials = {
        *(Trouble.UNSIGNED, Trouble.UNKNOWN_KEY, Trouble.TOKEN_INVALID, Trouble.TOKEN_EXPIRED, Trouble.DENIED),
        *(Trouble.SIGNATURE_WRONG, Trouble.CLOCK_SKEWED, Trouble.PRESIGNED_EXPIRED, Trouble.SCOPE_WRONG),
        Trouble.CREDENTIALS_MALFORMED,
    }
    for reason, trouble in TROUBLES.items():
        if trouble in credentials:
            row = CODES["query"][trouble]
            assert (row.code, row.status) == (WIRE_ERRORS[reason].code, WIRE_ERRORS[reason].status), reason


S3_DENIALS = [
    (Reason.UNSIGNED_REQUEST, "AccessDenied", 403),
    (Reason.UNKNOWN_ACCESS_KEY, "InvalidAccessKeyId", 403),
    (Reason.SIGNATURE_DOES_NOT_MATCH, "SignatureDoesNotMatch", 403),
    (Reason.SIGNATURE_EXPIRED, "RequestTimeTooSkewed", 403),
    (Reason.SIGNATURE_NOT_YET_CURRENT, "RequestTimeTooSkewed", 403),
    (Reason.PRESIGNED_EXPIRED, "AccessDenied", 403),
    (Reason.SESSION_EXPIRED, "ExpiredToken", 400),
    (Reason.SEAL_BROKEN, "InvalidToken", 400),
    (Reason.NOT_AUTHORIZED, "AccessDenied", 403),
    (Reason.AUTHORIZATION_MALFORMED, "AuthorizationHeaderMalformed", 400),
    (Reason.CREDENTIAL_REGION_MISMATCH, "AuthorizationHeaderMalformed", 400),
    (Reason.PAYLOAD_HASH_MISMATCH, "XAmzContentSHA256Mismatch", 400),
    (Reason.REQUEST_TOO_LARGE, "EntityTooLarge", 400),
    (Reason.LENGTH_REQUIRED, "MissingContentLength", 411),
    (Reason.MALFORMED_REQUEST, "InvalidRequest", 400),
    (Reason.INVALID_PARAMETER, "InvalidArgument", 400),
    (Reason.UNSUPPORTED_OPERATION, "NotImplemented", 501),
    (Reason.STORE_UNAVAILABLE, "ServiceUnavailable", 503),
    (Reason.INTERNAL_FAILURE, "InternalError", 500),
    (Reason.SIGNED_PATH_REFUSED, "InvalidURI", 400),
    (Reason.SIGNED_METHOD_UNKNOWN, "MethodNotAllowed", 405),
    (Reason.SAML_EXPIRED, "InternalError", 500),
    (Reason.CHUNK_SIGNATURE_MISMATCH, "SignatureDoesNotMatch", 403),
    (Reason.CHUNK_SIZE_REFUSED, "InvalidChunkSizeError", 403),
    (Reason.CHUNKS_TRUNCATED, "IncompleteBody", 400),
    (Reason.TRAILER_MISSING, "MalformedTrailerError", 400),
    (Reason.CHECKSUM_MISMATCH, "BadDigest", 400),
    (Reason.MALFORMED_XML, "MalformedXML", 400),
    (Reason.NO_SUCH_BUCKET, "NoSuchBucket", 404),
    (Reason.NO_SUCH_BUCKET_POLICY, "NoSuchBucketPolicy", 404),
    (Reason.POLICY_SYNTAX, "MalformedPolicy", 400),
    (Reason.POLICY_RESOURCE_INVALID, "MalformedPolicy", 400),
    (Reason.ENTITY_MODIFIED_MEANWHILE, "OperationAborted", 409),
    (Reason.BUCKET_ALREADY_OWNED_BY_YOU, "BucketAlreadyOwnedByYou", 409),
    (Reason.POST_POLICY_EXPIRED, "AccessDenied", 403),
    (Reason.BACKEND_UNAVAILABLE, "ServiceUnavailable", 503),
]


@pytest.mark.parametrize(("reason", "code", "status"), S3_DENIALS)
def test_s3_denies_with_the_code_and_status_of_s3(reason: Reason, code: str, status: int) -> None:
    answer = denial(S3_FORM, error(reason), request_id=REQUEST_ID, resource="/photos/a.jpg")
    found = parsed("s3", "GetObject", answer)
    assert (found["Error"]["Code"], answer.status, answer.code) == (code, status, code)


JSON_CODES = [
    (Reason.UNSIGNED_REQUEST, "MissingAuthenticationTokenException", 400),
    (Reason.UNKNOWN_ACCESS_KEY, "UnrecognizedClientException", 400),
    (Reason.SIGNATURE_DOES_NOT_MATCH, "InvalidSignatureException", 400),
    (Reason.SIGNATURE_EXPIRED, "InvalidSignatureException", 400),
    (Reason.SESSION_EXPIRED, "ExpiredTokenException", 400),
    (Reason.AUTHORIZATION_INCOMPLETE, "IncompleteSignatureException", 400),
    (Reason.NOT_AUTHORIZED, "AccessDeniedException", 400),
    (Reason.INVALID_PARAMETER, "ValidationException", 400),
    (Reason.JSON_DUPLICATE_MEMBER, "SerializationException", 400),
    (Reason.UNSUPPORTED_OPERATION, "UnknownOperationException", 400),
    (Reason.REQUEST_TOO_LARGE, "RequestEntityTooLargeException", 413),
    (Reason.STORE_UNAVAILABLE, "ServiceUnavailableException", 503),
]


@pytest.mark.parametrize(("reason", "code", "status"), JSON_CODES)
def test_aws_json_denies_with_the_code_and_status_of_aws(reason: Reason, code: str, status: int) -> None:
    answer = denial(JSON_FORM, error(reason), request_id=REQUEST_ID)
    assert parsed("dynamodb", "GetItem", answer)["Error"]["Code"] == code
    assert (answer.status, header(answer, b"x-amzn-errortype")) == (status, code.encode())


HTTP_SENTENCES = [
    (Reason.UNSIGNED_REQUEST, 403, "Missing Authentication Token"),
    (Reason.SESSION_EXPIRED, 403, "The security token included in the request is expired"),
    (Reason.UNKNOWN_ACCESS_KEY, 403, "The security token included in the request is invalid."),
    (Reason.UNSUPPORTED_OPERATION, 403, "Forbidden"),
    (Reason.STORE_UNAVAILABLE, 503, "Service Unavailable"),
]


@pytest.mark.parametrize(("reason", "status", "sentence"), HTTP_SENTENCES)
def test_http_denies_with_the_sentence_of_api_gateway(reason: Reason, status: int, sentence: str) -> None:
    answer = denial(HTTP_FORM, error(reason), request_id=REQUEST_ID)
    assert (answer.status, json.loads(answer.body)) == (status, {"message": sentence})


@pytest.mark.parametrize(("service", "operation", "form"), JUDGES)
def test_botocore_reads_code_sentence_and_request_id_of_a_denial(
    service: str, operation: str, form: DenialForm
) -> None:
    answer = denial(form, MAY_NOT, request_id=REQUEST_ID, resource="/photos/a.jpg")
    found = parsed(service, operation, answer)
    code = "AccessDenied" if form.kind != "json" or form.query_errors else "AccessDeniedException"
    assert (found["Error"]["Code"], found["Error"]["Message"]) == (code, SENTENCE)
    assert found["ResponseMetadata"]["RequestId"] == REQUEST_ID


@pytest.mark.parametrize(("service", "operation", "form"), JUDGES)
@pytest.mark.parametrize("reason", list(TROUBLES))
def test_botocore_reads_the_code_of_every_reason(
    service: str, operation: str, form: DenialForm, reason: Reason
) -> None:
    answer = denial(form, error(reason), request_id=REQUEST_ID)
    trouble = TROUBLES[reason]
    code = CODES["query"][trouble].code if form.query_errors else CODES[form.kind][trouble].code
    if form.kind == "s3" and reason in S3_CODES:
        code = S3_CODES[reason].code
    assert parsed(service, operation, answer)["Error"]["Code"] == code


def test_sns_has_a_code_of_its_own_for_who_may_not_and_for_nothing_else() -> None:
    assert denial(SNS_FORM, MAY_NOT, request_id=REQUEST_ID).code == "AuthorizationError"
    assert denial(SNS_FORM, error(Reason.SESSION_EXPIRED), request_id=REQUEST_ID).code == "ExpiredToken"


def test_presigned_credentials_that_cannot_be_read_have_a_code_of_their_own_in_s3() -> None:
    malformed = error(Reason.CREDENTIAL_MALFORMED)
    assert denial(S3_FORM, malformed, request_id=REQUEST_ID).code == "AuthorizationHeaderMalformed"
    presigned = denial(S3_FORM, malformed, request_id=REQUEST_ID, presigned=True)
    assert (presigned.code, presigned.status) == ("AuthorizationQueryParametersError", 400)
    assert denial(JSON_FORM, malformed, request_id=REQUEST_ID, presigned=True).code == "IncompleteSignatureException"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.kind)
def test_an_answer_to_head_has_no_body_and_the_status(form: DenialForm) -> None:
    answer = denial(form, MAY_NOT, request_id=REQUEST_ID, resource="/photos/a.jpg", head=True)
    whole = denial(form, MAY_NOT, request_id=REQUEST_ID, resource="/photos/a.jpg")
    assert (answer.body, answer.status, header(answer, b"content-length")) == (b"", whole.status, None)
    assert header(whole, b"content-length") == str(len(whole.body)).encode()


def test_botocore_makes_a_403_of_an_answer_to_head() -> None:
    answer = denial(S3_FORM, MAY_NOT, request_id=REQUEST_ID, resource="/photos/a.jpg", head=True)
    assert parsed("s3", "HeadObject", answer)["Error"]["Code"] == "403"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.kind)
def test_a_failure_tells_nothing_of_itself(form: DenialForm) -> None:
    answer = failure(form, request_id=REQUEST_ID, resource="/photos/a.jpg")
    also = denial(form, AuthenticationError(Reason.INTERNAL_FAILURE, "the disk /dev/sda"), request_id=REQUEST_ID)
    assert answer.status == also.status == 500
    assert b"/dev/sda" not in also.body


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.kind)
@pytest.mark.parametrize(
    "reason", [Reason.UNKNOWN_ACCESS_KEY, Reason.SIGNATURE_DOES_NOT_MATCH, Reason.SEAL_UNKNOWN_KEY]
)
def test_what_is_wrong_with_a_key_is_said_in_a_fixed_sentence(form: DenialForm, reason: Reason) -> None:
    one = denial(form, error(reason, "AKIAIOSFODNN7EXAMPLE"), request_id=REQUEST_ID)
    other = denial(form, error(reason, "another"), request_id=REQUEST_ID)
    assert one == other


def test_the_sentence_of_an_unknown_key_is_that_of_a_token_that_cannot_be_opened_outside_s3() -> None:
    for form in (JSON_FORM, QUERY_FORM, HTTP_FORM):
        unknown = denial(form, error(Reason.UNKNOWN_ACCESS_KEY), request_id=REQUEST_ID)
        assert unknown == denial(form, error(Reason.SEAL_BROKEN), request_id=REQUEST_ID)


@given(sentence=st.text(max_size=40), resource=st.text(max_size=40), request_id=st.text(max_size=20))
def test_whatever_an_error_says_the_answer_parses_and_no_header_breaks(
    sentence: str, resource: str, request_id: str
) -> None:
    for service, operation, form in JUDGES:
        answer = denial(form, error(Reason.MALFORMED_REQUEST, sentence), request_id=request_id, resource=resource)
        assert parsed(service, operation, answer)["Error"]["Code"]
        assert not any(set(value) & set(b"\r\n\0") or not value.isascii() for _, value in answer.headers)
    answer = denial(HTTP_FORM, error(Reason.MALFORMED_REQUEST, sentence), request_id=request_id)
    assert set(json.loads(answer.body)) == {"message"}


def test_markup_in_a_key_stays_text() -> None:
    answer = denial(S3_FORM, MAY_NOT, request_id=REQUEST_ID, resource="/b/</Resource><Code>x</Code>&")
    found = parsed("s3", "GetObject", answer)
    assert found["Error"]["Code"] == "AccessDenied"
    assert found["Error"]["Resource"] == "/b/</Resource><Code>x</Code>&"


def test_a_lone_surrogate_does_not_make_an_answer_fail() -> None:
    for form in FORMS:
        assert denial(form, error(Reason.MALFORMED_REQUEST, "a\ud800b"), request_id=REQUEST_ID).status == 400

# SPDX-License-Identifier: Apache-2.0
"""
The codes, statuses and fixed sentences of AWS's services, by trouble: a table per kind of service.

- S3: S3 API, "Error responses", "List of error codes".
- JSON: the common errors of the DynamoDB, Kinesis and SQS APIs, with the status 400 that their front end gives to nearly all.
- Query: IAM, SQS and SNS APIs, "Common Error Types".
- HTTP: API Gateway Developer Guide, "Gateway response types", and AWS re:Post, "troubleshoot HTTP 403 errors from API Gateway".

What is wrong with a signature or a token is said in AWS's own fixed sentences, which say nothing of the key. What may be told
is told in the error's sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daypass.errors import Reason
from daypass.gateway.denials.form import Kind, Row
from daypass.gateway.denials.troubles import POLICY_REASONS, Trouble

_INVALID_TOKEN: Final = "The security token included in the request is invalid."  # noqa: S105 - a sentence
_EXPIRED_TOKEN: Final = "The security token included in the request is expired"  # noqa: S105 - a sentence
_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and "
    "signing method. Consult the service documentation for details."
)
_FAILURE: Final = "The request processing has failed because of an unknown error, exception or failure."

_S3: Final[Mapping[Trouble, Row]] = {
    Trouble.UNSIGNED: Row("AccessDenied", 403, "Access Denied"),
    Trouble.UNKNOWN_KEY: Row(
        "InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."
    ),
    Trouble.TOKEN_INVALID: Row("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
    Trouble.TOKEN_EXPIRED: Row("ExpiredToken", 400, "The provided token has expired."),
    Trouble.SIGNATURE_WRONG: Row(
        "SignatureDoesNotMatch",
        403,
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    ),
    Trouble.NOT_SIGNED: Row("AccessDenied", 403),
    Trouble.CLOCK_SKEWED: Row(
        "RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large."
    ),
    Trouble.PRESIGNED_EXPIRED: Row("AccessDenied", 403, "Request has expired"),
    Trouble.CREDENTIALS_MALFORMED: Row("AuthorizationHeaderMalformed", 400),
    Trouble.SCOPE_WRONG: Row("AuthorizationHeaderMalformed", 400),
    Trouble.DENIED: Row("AccessDenied", 403),
    Trouble.URI_INVALID: Row("InvalidURI", 400),
    Trouble.MALFORMED: Row("InvalidRequest", 400),
    Trouble.PARAMETER_INVALID: Row("InvalidArgument", 400),
    Trouble.OPERATION_UNKNOWN: Row("InvalidRequest", 400),
    Trouble.ABSENT: Row("InvalidRequest", 404),
    Trouble.IN_THE_WAY: Row("InvalidRequest", 409),
    Trouble.METHOD_REFUSED: Row("MethodNotAllowed", 405, "The specified method is not allowed against this resource."),
    Trouble.METHOD_UNKNOWN: Row("MethodNotAllowed", 405, "The specified method is not allowed against this resource."),
    Trouble.UNSUPPORTED: Row("NotImplemented", 501),
    Trouble.PAYLOAD_MISMATCH: Row("XAmzContentSHA256Mismatch", 400),
    Trouble.DIGEST_WRONG: Row("BadDigest", 400),
    Trouble.BODY_INCOMPLETE: Row("IncompleteBody", 400),
    Trouble.XML_MALFORMED: Row("MalformedXML", 400),
    Trouble.TOO_SLOW: Row(
        "RequestTimeout",
        400,
        "Your socket connection to the server was not read from or written to within the timeout period.",
    ),
    Trouble.TOO_LARGE: Row("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size"),
    Trouble.HEADERS_TOO_LARGE: Row("RequestHeaderSectionTooLarge", 400),
    Trouble.LENGTH_MISSING: Row("MissingContentLength", 411, "You must provide the Content-Length HTTP header."),
    Trouble.TOO_MANY: Row("SlowDown", 503, "Please reduce your request rate."),
    Trouble.UNAVAILABLE: Row("ServiceUnavailable", 503),
    Trouble.INTERNAL: Row("InternalError", 500, "We encountered an internal error. Please try again."),
}

_JSON: Final[Mapping[Trouble, Row]] = {
    Trouble.UNSIGNED: Row("MissingAuthenticationTokenException", 400, "Missing Authentication Token"),
    Trouble.UNKNOWN_KEY: Row("UnrecognizedClientException", 400, _INVALID_TOKEN),
    Trouble.TOKEN_INVALID: Row("UnrecognizedClientException", 400, _INVALID_TOKEN),
    Trouble.TOKEN_EXPIRED: Row("ExpiredTokenException", 400, _EXPIRED_TOKEN),
    Trouble.SIGNATURE_WRONG: Row("InvalidSignatureException", 400, _MISMATCH),
    Trouble.NOT_SIGNED: Row("InvalidSignatureException", 400),
    Trouble.CLOCK_SKEWED: Row("InvalidSignatureException", 400),
    Trouble.PRESIGNED_EXPIRED: Row("InvalidSignatureException", 400),
    Trouble.CREDENTIALS_MALFORMED: Row("IncompleteSignatureException", 400),
    Trouble.SCOPE_WRONG: Row("InvalidSignatureException", 400),
    Trouble.DENIED: Row("AccessDeniedException", 400),
    Trouble.URI_INVALID: Row("IncompleteSignatureException", 400),
    Trouble.MALFORMED: Row("SerializationException", 400),
    Trouble.PARAMETER_INVALID: Row("ValidationException", 400),
    Trouble.OPERATION_UNKNOWN: Row("UnknownOperationException", 400),
    Trouble.ABSENT: Row("UnknownOperationException", 404),
    Trouble.IN_THE_WAY: Row("ValidationException", 400),
    Trouble.METHOD_REFUSED: Row("UnknownOperationException", 400),
    Trouble.METHOD_UNKNOWN: Row("UnknownOperationException", 400),
    Trouble.UNSUPPORTED: Row("UnknownOperationException", 400),
    Trouble.PAYLOAD_MISMATCH: Row("InvalidSignatureException", 400),
    Trouble.DIGEST_WRONG: Row("SerializationException", 400),
    Trouble.BODY_INCOMPLETE: Row("SerializationException", 400),
    Trouble.XML_MALFORMED: Row("SerializationException", 400),
    Trouble.TOO_SLOW: Row("RequestTimeoutException", 400),
    Trouble.TOO_LARGE: Row("RequestEntityTooLargeException", 413),
    Trouble.HEADERS_TOO_LARGE: Row("RequestEntityTooLargeException", 413),
    Trouble.LENGTH_MISSING: Row("MissingContentLengthException", 411),
    Trouble.TOO_MANY: Row("ThrottlingException", 400, "Rate exceeded"),
    Trouble.UNAVAILABLE: Row("ServiceUnavailableException", 503),
    Trouble.INTERNAL: Row("InternalFailure", 500, _FAILURE),
}

_QUERY: Final[Mapping[Trouble, Row]] = {
    Trouble.UNSIGNED: Row("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
    Trouble.UNKNOWN_KEY: Row("InvalidClientTokenId", 403, _INVALID_TOKEN),
    Trouble.TOKEN_INVALID: Row("InvalidClientTokenId", 403, _INVALID_TOKEN),
    Trouble.TOKEN_EXPIRED: Row("ExpiredToken", 403, _EXPIRED_TOKEN),
    Trouble.SIGNATURE_WRONG: Row("SignatureDoesNotMatch", 403, _MISMATCH),
    Trouble.NOT_SIGNED: Row("SignatureDoesNotMatch", 403),
    Trouble.CLOCK_SKEWED: Row("SignatureDoesNotMatch", 403),
    Trouble.PRESIGNED_EXPIRED: Row("RequestExpired", 400),
    Trouble.CREDENTIALS_MALFORMED: Row("IncompleteSignature", 400),
    Trouble.SCOPE_WRONG: Row("SignatureDoesNotMatch", 403),
    Trouble.DENIED: Row("AccessDenied", 403),
    Trouble.URI_INVALID: Row("IncompleteSignature", 400),
    Trouble.MALFORMED: Row("MalformedQueryString", 400),
    Trouble.PARAMETER_INVALID: Row("ValidationError", 400),
    Trouble.OPERATION_UNKNOWN: Row("InvalidAction", 400),
    Trouble.ABSENT: Row("InvalidAction", 404),
    Trouble.IN_THE_WAY: Row("ValidationError", 400),
    Trouble.METHOD_REFUSED: Row("InvalidAction", 400),
    Trouble.METHOD_UNKNOWN: Row("InvalidAction", 400),
    Trouble.UNSUPPORTED: Row("NotImplemented", 501),
    Trouble.PAYLOAD_MISMATCH: Row("SignatureDoesNotMatch", 403),
    Trouble.DIGEST_WRONG: Row("MalformedQueryString", 400),
    Trouble.BODY_INCOMPLETE: Row("MalformedQueryString", 400),
    Trouble.XML_MALFORMED: Row("MalformedQueryString", 400),
    Trouble.TOO_SLOW: Row("RequestTimeout", 400),
    Trouble.TOO_LARGE: Row("RequestEntityTooLarge", 413),
    Trouble.HEADERS_TOO_LARGE: Row("RequestEntityTooLarge", 413),
    Trouble.LENGTH_MISSING: Row("MissingContentLength", 411),
    Trouble.TOO_MANY: Row("Throttling", 400, "Rate exceeded"),
    Trouble.UNAVAILABLE: Row("ServiceUnavailable", 503),
    Trouble.INTERNAL: Row("InternalFailure", 500, _FAILURE),
}

_HTTP: Final[Mapping[Trouble, Row]] = {
    Trouble.UNSIGNED: Row("MissingAuthenticationTokenException", 403, "Missing Authentication Token"),
    Trouble.UNKNOWN_KEY: Row("UnrecognizedClientException", 403, _INVALID_TOKEN),
    Trouble.TOKEN_INVALID: Row("UnrecognizedClientException", 403, _INVALID_TOKEN),
    Trouble.TOKEN_EXPIRED: Row("ExpiredTokenException", 403, _EXPIRED_TOKEN),
    Trouble.SIGNATURE_WRONG: Row("InvalidSignatureException", 403, _MISMATCH),
    Trouble.NOT_SIGNED: Row("InvalidSignatureException", 403),
    Trouble.CLOCK_SKEWED: Row("InvalidSignatureException", 403),
    Trouble.PRESIGNED_EXPIRED: Row("InvalidSignatureException", 403),
    Trouble.CREDENTIALS_MALFORMED: Row("IncompleteSignatureException", 403),
    Trouble.SCOPE_WRONG: Row("InvalidSignatureException", 403),
    Trouble.DENIED: Row("AccessDeniedException", 403),
    Trouble.URI_INVALID: Row("BadRequestException", 400),
    Trouble.MALFORMED: Row("BadRequestException", 400),
    Trouble.PARAMETER_INVALID: Row("BadRequestException", 400),
    Trouble.OPERATION_UNKNOWN: Row("ForbiddenException", 403, "Forbidden"),
    Trouble.ABSENT: Row("NotFoundException", 404, "Not Found"),
    Trouble.IN_THE_WAY: Row("ConflictException", 409),
    Trouble.METHOD_REFUSED: Row("ForbiddenException", 403, "Forbidden"),
    Trouble.METHOD_UNKNOWN: Row("ForbiddenException", 403, "Forbidden"),
    Trouble.UNSUPPORTED: Row("ForbiddenException", 403, "Forbidden"),
    Trouble.PAYLOAD_MISMATCH: Row("InvalidSignatureException", 403),
    Trouble.DIGEST_WRONG: Row("BadRequestException", 400),
    Trouble.BODY_INCOMPLETE: Row("BadRequestException", 400),
    Trouble.XML_MALFORMED: Row("BadRequestException", 400),
    Trouble.TOO_SLOW: Row("RequestTimeoutException", 408),
    Trouble.TOO_LARGE: Row("RequestTooLargeException", 413, "Request Too Long"),
    Trouble.HEADERS_TOO_LARGE: Row("RequestTooLargeException", 413, "Request Too Long"),
    Trouble.LENGTH_MISSING: Row("MissingContentLengthException", 411),
    Trouble.TOO_MANY: Row("TooManyRequestsException", 429, "Too Many Requests"),
    Trouble.UNAVAILABLE: Row("ServiceUnavailableException", 503, "Service Unavailable"),
    Trouble.INTERNAL: Row("InternalServerErrorException", 500, "Internal server error"),
}

S3_CODES: Final[Mapping[Reason, Row]] = {
    Reason.PAYLOAD_HASH_MISSING: Row("MissingSecurityHeader", 400),
    Reason.CHUNK_SIZE_REFUSED: Row("InvalidChunkSizeError", 403),
    Reason.TRAILER_MALFORMED: Row("MalformedTrailerError", 400),
    Reason.TRAILER_UNANNOUNCED: Row("MalformedTrailerError", 400),
    Reason.TRAILER_MISSING: Row("MalformedTrailerError", 400),
    Reason.POST_FORM_MALFORMED: Row("MalformedPOSTRequest", 400),
    Reason.POST_FORM_TOO_LARGE: Row("MaxPostPreDataLengthExceededError", 400),
    Reason.ENTITY_TOO_SMALL: Row("EntityTooSmall", 400),
    Reason.POST_POLICY_MALFORMED: Row("InvalidPolicyDocument", 400),
    Reason.NO_SUCH_BUCKET: Row("NoSuchBucket", 404),
    Reason.NO_SUCH_BUCKET_POLICY: Row("NoSuchBucketPolicy", 404),
    Reason.NO_SUCH_PUBLIC_ACCESS_BLOCK: Row("NoSuchPublicAccessBlockConfiguration", 404),
    Reason.BUCKET_ALREADY_EXISTS: Row("BucketAlreadyExists", 409),
    Reason.BUCKET_ALREADY_OWNED_BY_YOU: Row("BucketAlreadyOwnedByYou", 409),
    Reason.ENTITY_MODIFIED_MEANWHILE: Row("OperationAborted", 409),
    **dict.fromkeys(POLICY_REASONS, Row("MalformedPolicy", 400)),
}
"""Reasons that S3 has a code of its own for: what only S3 can be asked."""

CODES: Final[Mapping[Kind, Mapping[Trouble, Row]]] = {"s3": _S3, "json": _JSON, "query": _QUERY, "http": _HTTP}
"""A row for every trouble in every kind; a test proves it."""

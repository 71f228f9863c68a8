# SPDX-License-Identifier: Apache-2.0
"""
The table of wire errors: for every reason, the code, the HTTP status and the fault that AWS's clients know
(STS API and IAM API, "Errors" of each operation and "Common Error Types").

The table is total, and a test proves it; verifiers know nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from daypass.errors import Reason

Fault = Literal["Sender", "Receiver"]


@dataclass(frozen=True, slots=True)
class WireError:
    """What clients see: the code, the HTTP status, and whose fault it is."""

    code: str
    status: int
    fault: Fault = "Sender"


VALIDATION: Final = WireError("ValidationError", 400)
MALFORMED_POLICY: Final = WireError("MalformedPolicyDocument", 400)
INVALID_INPUT: Final = WireError("InvalidInput", 400)
REJECTED_CLAIM: Final = WireError("IDPRejectedClaim", 403)
INVALID_IDENTITY_TOKEN: Final = WireError("InvalidIdentityToken", 400)
PROVIDER_COMMUNICATION: Final = WireError("IDPCommunicationError", 400)
INVALID_CLIENT_TOKEN: Final = WireError("InvalidClientTokenId", 403)
SIGNATURE_MISMATCH: Final = WireError("SignatureDoesNotMatch", 403)
INCOMPLETE_SIGNATURE: Final = WireError("IncompleteSignature", 400)
INTERNAL_FAILURE: Final = WireError("InternalFailure", 500, "Receiver")

_BY_CODE: Final[tuple[tuple[WireError, tuple[Reason, ...]], ...]] = (
    (WireError("MalformedQueryString", 400), (Reason.MALFORMED_REQUEST, Reason.PROXY_QUESTION_AMBIGUOUS)),
    (
        WireError("RequestEntityTooLarge", 413),
        (Reason.REQUEST_TOO_LARGE, Reason.SIGNED_REQUEST_TOO_LARGE, Reason.ENTITY_TOO_LARGE),
    ),
    (WireError("MissingContentLength", 411), (Reason.LENGTH_REQUIRED,)),
    (WireError("MalformedXML", 400), (Reason.MALFORMED_XML,)),
    (WireError("MissingSecurityHeader", 400), (Reason.PAYLOAD_HASH_MISSING,)),
    (WireError("InvalidChunkSizeError", 403), (Reason.CHUNK_SIZE_REFUSED,)),
    (
        WireError("IncompleteBody", 400),
        (Reason.CHUNK_MALFORMED, Reason.CHUNKS_TRUNCATED, Reason.CHUNKS_TOO_LONG, Reason.CHUNKS_LENGTH_MISMATCH),
    ),
    (WireError("InvalidRequest", 400), (Reason.CHUNKED_HEADERS_REFUSED, Reason.CHUNK_EXTENSION_REFUSED)),
    (
        WireError("MalformedTrailerError", 400),
        (Reason.TRAILER_MALFORMED, Reason.TRAILER_UNANNOUNCED, Reason.TRAILER_MISSING),
    ),
    (WireError("BadDigest", 400), (Reason.CHECKSUM_MISMATCH,)),
    (WireError("MalformedPOSTRequest", 400), (Reason.POST_FORM_MALFORMED,)),
    (WireError("MaxPostPreDataLengthExceededError", 400), (Reason.POST_FORM_TOO_LARGE,)),
    (WireError("EntityTooSmall", 400), (Reason.ENTITY_TOO_SMALL,)),
    (WireError("InvalidPolicyDocument", 400), (Reason.POST_POLICY_MALFORMED,)),
    (WireError("MissingAction", 400), (Reason.MISSING_ACTION,)),
    (WireError("InvalidAction", 400), (Reason.UNKNOWN_ACTION,)),
    (WireError("NotImplemented", 501), (Reason.UNSUPPORTED_OPERATION, Reason.BODY_NEEDED)),
    (WireError("InvalidParameterCombination", 400), (Reason.DUPLICATE_PARAMETER,)),
    (WireError("InvalidQueryParameter", 400), (Reason.UNKNOWN_PARAMETER,)),
    (
        VALIDATION,
        (
            Reason.INVALID_PARAMETER,
            Reason.UNSUPPORTED_PARAMETER,
            Reason.VERIFIED_HANDLE_INVALID,
            Reason.DURATION_EXCEEDS_ROLE,
            Reason.SESSION_TAGS_INVALID,
            Reason.TRADE_IN_TOKEN_INVALID,
            Reason.SOURCE_IDENTITY_FIXED,
            Reason.SECOND_FACTOR_INCOMPLETE,
            Reason.ISSUER_URL_INVALID,
            Reason.PROOF_IN_URL,
            Reason.SIGN_IN_FORM,
            Reason.SIGN_IN_ENDED,
            Reason.SIGN_IN_KEY_MISSING,
        ),
    ),
    (WireError("MissingAuthenticationToken", 403), (Reason.UNSIGNED_REQUEST,)),
    (
        INVALID_CLIENT_TOKEN,
        (
            Reason.UNKNOWN_ACCESS_KEY,
            Reason.TEMPORARY_KEY_ALONE,
            Reason.SESSION_TOKEN_MALFORMED,
            Reason.SEAL_MALFORMED,
            Reason.SEAL_UNKNOWN_KEY,
            Reason.SEAL_BROKEN,
        ),
    ),
    (
        INCOMPLETE_SIGNATURE,
        (
            Reason.CREDENTIAL_AMBIGUOUS,
            Reason.AUTHORIZATION_INCOMPLETE,
            Reason.AUTHORIZATION_MALFORMED,
            Reason.STRING_TO_SIGN_REFUSED,
            Reason.CREDENTIAL_MALFORMED,
            Reason.SIGNATURE_ALGORITHM_UNSUPPORTED,
            Reason.SIGNATURE_DATE_MALFORMED,
            Reason.SIGNATURE_MALFORMED,
            Reason.SIGNED_HEADERS_MALFORMED,
            Reason.SIGNED_METHOD_UNKNOWN,
            Reason.SIGNED_PATH_REFUSED,
            Reason.SIGNED_QUERY_REFUSED,
            Reason.SIGNED_REQUEST_MALFORMED,
            Reason.PRESIGNED_LIFETIME_INVALID,
            Reason.HOST_NOT_SIGNED,
            Reason.PAYLOAD_HASH_UNSUPPORTED,
        ),
    ),
    (WireError("ExpiredTradeInTokenException", 400), (Reason.TRADE_IN_TOKEN_EXPIRED,)),
    (WireError("InvalidAuthorizationMessageException", 400), (Reason.AUTHORIZATION_MESSAGE_INVALID,)),
    (WireError("RequestExpired", 400), (Reason.PRESIGNED_EXPIRED,)),
    (WireError("ExpiredToken", 403), (Reason.SESSION_EXPIRED,)),
    (
        WireError("AccessDenied", 403),
        (
            Reason.NOT_AUTHORIZED,
            Reason.NOT_TRUSTED,
            Reason.PROXY_UNKNOWN,
            Reason.KEYSTONE_CLIENT_UNKNOWN,
            Reason.VERIFIED_SERVICE_RESERVED,
            Reason.SIGNING_KEY_WITHHELD,
            Reason.PUBLIC_ACCESS_BLOCKED,
            Reason.LOCKOUT_UNCONFIRMED,
            Reason.MANAGED_BY_FILE,
            Reason.SIGN_IN_FOREIGN,
            Reason.SIGN_IN_CROSS_SITE,
            Reason.POST_POLICY_EXPIRED,
            Reason.POST_POLICY_CONDITION,
            Reason.POST_POLICY_UNCOVERED,
            Reason.CREDENTIALS_UNFIT,
            Reason.PASSWORD_INCORRECT,
            Reason.SECOND_FACTOR_UNKNOWN,
            Reason.SECOND_FACTOR_WRONG,
            Reason.SECOND_FACTOR_SPENT,
            Reason.SECOND_FACTOR_LOCKED,
        ),
    ),
    (WireError("InvalidAuthenticationCode", 403), (Reason.AUTHENTICATION_CODES_INVALID,)),
    (
        INVALID_IDENTITY_TOKEN,
        (Reason.PROVIDER_UNKNOWN, Reason.SESSION_TAGS_MALFORMED, Reason.SOURCE_IDENTITY_MALFORMED),
    ),
    (WireError("ExpiredTokenException", 400), (Reason.TOKEN_EXPIRED, Reason.SAML_EXPIRED)),
    (WireError("PackedPolicyTooLarge", 400), (Reason.PACKED_POLICY_TOO_LARGE,)),
    (WireError("OutboundWebIdentityFederationDisabledException", 403), (Reason.ISSUER_DISABLED,)),
    (WireError("JWTPayloadSizeExceededException", 400), (Reason.ISSUED_TOKEN_TOO_LARGE,)),
    (WireError("SessionDurationEscalationException", 403), (Reason.ISSUED_TOKEN_OUTLIVES_SESSION,)),
    (
        WireError("NoSuchEntity", 404),
        (
            Reason.NO_SUCH_BACKEND,
            Reason.NO_SUCH_ENTITY,
        ),
    ),
    (WireError("EntityAlreadyExists", 409), (Reason.ENTITY_ALREADY_EXISTS,)),
    (WireError("DeleteConflict", 409), (Reason.DELETE_CONFLICT,)),
    (WireError("NoSuchBucket", 404), (Reason.NO_SUCH_BUCKET,)),
    (WireError("NoSuchBucketPolicy", 404), (Reason.NO_SUCH_BUCKET_POLICY,)),
    (WireError("NoSuchPublicAccessBlockConfiguration", 404), (Reason.NO_SUCH_PUBLIC_ACCESS_BLOCK,)),
    (WireError("BucketAlreadyExists", 409), (Reason.BUCKET_ALREADY_EXISTS,)),
    (WireError("BucketAlreadyOwnedByYou", 409), (Reason.BUCKET_ALREADY_OWNED_BY_YOU,)),
    (WireError("MethodNotAllowed", 405), (Reason.NOT_THE_BUCKET_OWNER,)),
    (WireError("PolicyNotAttachable", 400), (Reason.NOT_ATTACHABLE,)),
    (WireError("UnmodifiableEntity", 400), (Reason.ENTITY_UNMODIFIABLE,)),
    (WireError("ConcurrentModification", 409), (Reason.ENTITY_MODIFIED_MEANWHILE,)),
    (WireError("NotSupportedService", 404), (Reason.SERVICE_NOT_SUPPORTED,)),
    (WireError("FeatureDisabled", 404), (Reason.FEATURE_DISABLED,)),
    (WireError("FeatureEnabled", 409), (Reason.FEATURE_ENABLED,)),
    (WireError("PasswordPolicyViolation", 400), (Reason.PASSWORD_POLICY_VIOLATION,)),
    (WireError("MalformedCertificate", 400), (Reason.CERTIFICATE_MALFORMED,)),
    (WireError("InvalidCertificate", 400), (Reason.CERTIFICATE_INVALID,)),
    (WireError("DuplicateCertificate", 409), (Reason.CERTIFICATE_DUPLICATE,)),
    (WireError("KeyPairMismatch", 400), (Reason.CERTIFICATE_KEY_MISMATCH,)),
    (WireError("InvalidPublicKey", 400), (Reason.SSH_KEY_INVALID,)),
    (WireError("DuplicateSSHPublicKey", 400), (Reason.SSH_KEY_DUPLICATE,)),
    (WireError("UnrecognizedPublicKeyEncoding", 400), (Reason.SSH_KEY_ENCODING,)),
    (WireError("InvalidUserType", 400), (Reason.USER_TYPE_INVALID,)),
    (WireError("ReportNotPresent", 410), (Reason.REPORT_NOT_PRESENT,)),
    (WireError("ReportExpired", 410), (Reason.REPORT_EXPIRED,)),
    (WireError("ReportInProgress", 404), (Reason.REPORT_IN_PROGRESS,)),
    (WireError("LimitExceeded", 409), (Reason.LIMIT_EXCEEDED,)),
    (INVALID_INPUT, (Reason.INVALID_INPUT,)),
    (WireError("PolicyEvaluation", 500, "Receiver"), (Reason.STORED_POLICY_INVALID,)),
    (
        WireError("ServiceUnavailable", 503, "Receiver"),
        (Reason.STORE_UNAVAILABLE, Reason.OUTBOX_UNAVAILABLE, Reason.BACKEND_UNAVAILABLE, Reason.DAYPASS_UNREACHABLE),
    ),
    (
        INTERNAL_FAILURE,
        (
            Reason.INTERNAL_FAILURE,
            Reason.CONFIGURATION_INVALID,
            Reason.MASTER_KEY_INVALID,
            Reason.SEALING_KEY_MISSING,
            Reason.ISSUER_KEY_MISSING,
        ),
    ),
)

_FAMILIES: Final[tuple[tuple[str, WireError], ...]] = (
    ("POLICY_", MALFORMED_POLICY),
    ("PROVIDER_", PROVIDER_COMMUNICATION),
    ("DISCOVERY_", PROVIDER_COMMUNICATION),
    ("KEY_SET_", PROVIDER_COMMUNICATION),
    ("TOKEN_", INVALID_IDENTITY_TOKEN),
    ("JSON_", INVALID_IDENTITY_TOKEN),
    ("KEY_", INVALID_IDENTITY_TOKEN),
    ("CLAIM_", INVALID_IDENTITY_TOKEN),
    ("SAML_METADATA_", INVALID_INPUT),
    ("SAML_CLAIM_", REJECTED_CLAIM),
    ("SAML_", INVALID_IDENTITY_TOKEN),
    ("SIGNATURE_", SIGNATURE_MISMATCH),
    ("CHUNK_SIGNATURE_", SIGNATURE_MISMATCH),
    ("TRAILER_SIGNATURE_", SIGNATURE_MISMATCH),
    ("SIGNED_HEADER_", SIGNATURE_MISMATCH),
    ("CREDENTIAL_", SIGNATURE_MISMATCH),
    ("PAYLOAD_HASH_", SIGNATURE_MISMATCH),
    ("HEADER_NOT_", SIGNATURE_MISMATCH),
    ("SESSION_TOKEN_NOT_", SIGNATURE_MISMATCH),
)
"""Reasons that share a first word share a code, unless they stand above. The longer words come first."""


def _table() -> Mapping[Reason, WireError]:
    table = {reason: wire for wire, reasons in _BY_CODE for reason in reasons}
    for reason in Reason:
        wire = _of_family(reason.name, _FAMILIES)
        if reason not in table and wire is not None:
            table[reason] = wire
    return table


def _of_family(name: str, families: Iterable[tuple[str, WireError]]) -> WireError | None:
    return next((wire for prefix, wire in families if name.startswith(prefix)), None)


WIRE_ERRORS: Final = _table()

# SPDX-License-Identifier: Apache-2.0
"""
What is wrong with a request, in as many words as AWS's services have codes for: every reason is one of these troubles.

The table is total, and a test proves it. Some troubles have no reason yet: they are AWS's, and ready. Reasons that no request
at this door can have (of proofs, policies, entities) are failures of ours if they come up here, and so is a reason that has no
row.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from daypass.errors import Reason


class Trouble(enum.Enum):
    """One sort of thing that is wrong with a request."""

    UNSIGNED = "no credentials"
    UNKNOWN_KEY = "an access key that is not known"
    TOKEN_INVALID = "a session token that cannot be opened"  # noqa: S105 - a description
    TOKEN_EXPIRED = "a session that has ended"  # noqa: S105 - a description
    SIGNATURE_WRONG = "a signature that does not match"
    NOT_SIGNED = "a header that must be signed and is not"
    CLOCK_SKEWED = "a signature of another time"
    PRESIGNED_EXPIRED = "a presigned URL whose time is up"
    CREDENTIALS_MALFORMED = "credentials that cannot be read"
    SCOPE_WRONG = "credentials for another day, region or service"
    DENIED = "a caller who may not"
    URI_INVALID = "a path or query that may not be signed"
    MALFORMED = "a request that cannot be read"
    PARAMETER_INVALID = "a parameter with a value that it cannot have"
    OPERATION_UNKNOWN = "an operation that the service does not have"
    ABSENT = "something that is not there"
    IN_THE_WAY = "something that is there already"
    METHOD_REFUSED = "a method that the resource does not have"
    METHOD_UNKNOWN = "a method that is not known"
    UNSUPPORTED = "something that is not supported"
    PAYLOAD_MISMATCH = "a body that is not the signed one"
    DIGEST_WRONG = "a body that is not what its own checksum says"
    BODY_INCOMPLETE = "a body that ends early or too late"
    XML_MALFORMED = "XML that cannot be read"
    TOO_SLOW = "a body that comes too slowly"
    TOO_LARGE = "a request that is too large"
    HEADERS_TOO_LARGE = "a path, a query or headers that are too large"
    LENGTH_MISSING = "a body of unknown length"
    TOO_MANY = "more requests than are taken now"
    UNAVAILABLE = "a part of the service that is out of reach"
    INTERNAL = "a failure of ours"


POLICY_REASONS: Final = tuple(reason for reason in Reason if reason.name.startswith("POLICY_"))
"""What is wrong with a policy, which PutBucketPolicy may bring."""

_ROWS: Final[tuple[tuple[Trouble, tuple[Reason, ...]], ...]] = (
    (Trouble.UNSIGNED, (Reason.UNSIGNED_REQUEST,)),
    (Trouble.UNKNOWN_KEY, (Reason.UNKNOWN_ACCESS_KEY, Reason.TEMPORARY_KEY_ALONE)),
    (
        Trouble.TOKEN_INVALID,
        (Reason.SESSION_TOKEN_MALFORMED, Reason.SEAL_MALFORMED, Reason.SEAL_UNKNOWN_KEY, Reason.SEAL_BROKEN),
    ),
    (Trouble.TOKEN_EXPIRED, (Reason.SESSION_EXPIRED,)),
    (
        Trouble.SIGNATURE_WRONG,
        (
            Reason.SIGNATURE_DOES_NOT_MATCH,
            Reason.SIGNED_HEADER_ABSENT,
            Reason.SIGNED_HEADER_REPEATED,
            Reason.CHUNK_SIGNATURE_MISMATCH,
            Reason.TRAILER_SIGNATURE_MISMATCH,
        ),
    ),
    (
        Trouble.NOT_SIGNED,
        (Reason.HEADER_NOT_SIGNED, Reason.HOST_NOT_SIGNED, Reason.SESSION_TOKEN_NOT_SIGNED),
    ),
    (Trouble.CLOCK_SKEWED, (Reason.SIGNATURE_EXPIRED, Reason.SIGNATURE_NOT_YET_CURRENT)),
    (Trouble.PRESIGNED_EXPIRED, (Reason.PRESIGNED_EXPIRED,)),
    (
        Trouble.CREDENTIALS_MALFORMED,
        (
            Reason.CREDENTIAL_AMBIGUOUS,
            Reason.AUTHORIZATION_INCOMPLETE,
            Reason.AUTHORIZATION_MALFORMED,
            Reason.STRING_TO_SIGN_REFUSED,
            Reason.SIGNATURE_ALGORITHM_UNSUPPORTED,
            Reason.SIGNATURE_DATE_MALFORMED,
            Reason.CREDENTIAL_MALFORMED,
            Reason.SIGNED_HEADERS_MALFORMED,
            Reason.SIGNATURE_MALFORMED,
            Reason.PRESIGNED_LIFETIME_INVALID,
        ),
    ),
    (
        Trouble.SCOPE_WRONG,
        (
            Reason.CREDENTIAL_TERMINATOR,
            Reason.CREDENTIAL_DATE_MISMATCH,
            Reason.CREDENTIAL_REGION_MISMATCH,
            Reason.CREDENTIAL_SERVICE_MISMATCH,
        ),
    ),
    (
        Trouble.DENIED,
        (
            Reason.NOT_AUTHORIZED,
            Reason.CREDENTIALS_UNFIT,
            Reason.PROXY_UNKNOWN,
            Reason.KEYSTONE_CLIENT_UNKNOWN,
            Reason.VERIFIED_SERVICE_RESERVED,
            Reason.SIGNING_KEY_WITHHELD,
            Reason.PUBLIC_ACCESS_BLOCKED,
            Reason.LOCKOUT_UNCONFIRMED,
            Reason.MANAGED_BY_FILE,
            Reason.POST_POLICY_EXPIRED,
            Reason.POST_POLICY_CONDITION,
            Reason.POST_POLICY_UNCOVERED,
        ),
    ),
    (Trouble.URI_INVALID, (Reason.SIGNED_PATH_REFUSED, Reason.SIGNED_QUERY_REFUSED)),
    (
        Trouble.MALFORMED,
        (
            Reason.MALFORMED_REQUEST,
            Reason.DUPLICATE_PARAMETER,
            Reason.SIGNED_REQUEST_MALFORMED,
            Reason.JSON_MALFORMED,
            Reason.JSON_DUPLICATE_MEMBER,
            Reason.PAYLOAD_HASH_MISSING,
            Reason.CHUNKED_HEADERS_REFUSED,
            Reason.CHUNK_EXTENSION_REFUSED,
            Reason.TRAILER_MALFORMED,
            Reason.TRAILER_UNANNOUNCED,
            Reason.TRAILER_MISSING,
            Reason.POST_FORM_MALFORMED,
            Reason.POST_FORM_TOO_LARGE,
            Reason.POST_POLICY_MALFORMED,
            Reason.ENTITY_TOO_SMALL,
            Reason.PROXY_QUESTION_AMBIGUOUS,
        ),
    ),
    (
        Trouble.PARAMETER_INVALID,
        (Reason.INVALID_PARAMETER, Reason.UNKNOWN_PARAMETER, Reason.VERIFIED_HANDLE_INVALID, *POLICY_REASONS),
    ),
    (Trouble.OPERATION_UNKNOWN, (Reason.UNKNOWN_ACTION, Reason.MISSING_ACTION)),
    (Trouble.METHOD_UNKNOWN, (Reason.SIGNED_METHOD_UNKNOWN,)),
    (
        Trouble.UNSUPPORTED,
        (
            Reason.UNSUPPORTED_OPERATION,
            Reason.UNSUPPORTED_PARAMETER,
            Reason.PAYLOAD_HASH_UNSUPPORTED,
            Reason.BODY_NEEDED,
        ),
    ),
    (Trouble.PAYLOAD_MISMATCH, (Reason.PAYLOAD_HASH_MISMATCH,)),
    (Trouble.DIGEST_WRONG, (Reason.CHECKSUM_MISMATCH,)),
    (
        Trouble.BODY_INCOMPLETE,
        (
            Reason.CHUNK_MALFORMED,
            Reason.CHUNK_SIZE_REFUSED,
            Reason.CHUNKS_TRUNCATED,
            Reason.CHUNKS_TOO_LONG,
            Reason.CHUNKS_LENGTH_MISMATCH,
        ),
    ),
    (Trouble.XML_MALFORMED, (Reason.MALFORMED_XML,)),
    (
        Trouble.ABSENT,
        (
            Reason.NO_SUCH_BACKEND,
            Reason.NO_SUCH_BUCKET,
            Reason.NO_SUCH_BUCKET_POLICY,
            Reason.NO_SUCH_PUBLIC_ACCESS_BLOCK,
        ),
    ),
    (
        Trouble.IN_THE_WAY,
        (Reason.BUCKET_ALREADY_EXISTS, Reason.BUCKET_ALREADY_OWNED_BY_YOU, Reason.ENTITY_MODIFIED_MEANWHILE),
    ),
    (Trouble.METHOD_REFUSED, (Reason.NOT_THE_BUCKET_OWNER,)),
    (Trouble.TOO_LARGE, (Reason.REQUEST_TOO_LARGE, Reason.ENTITY_TOO_LARGE)),
    (Trouble.HEADERS_TOO_LARGE, (Reason.SIGNED_REQUEST_TOO_LARGE,)),
    (Trouble.LENGTH_MISSING, (Reason.LENGTH_REQUIRED,)),
    (Trouble.UNAVAILABLE, (Reason.STORE_UNAVAILABLE, Reason.BACKEND_UNAVAILABLE, Reason.DAYPASS_UNREACHABLE)),
)

NOT_OF_REQUESTS: Final = (
    *("SAML_", "SIGN_IN_", "PROVIDER_", "DISCOVERY_", "KEY_", "TOKEN_", "CLAIM_", "SESSION_TAGS_"),
    *("SECOND_FACTOR_", "AUTHENTICATION_CODES_", "TRADE_IN_TOKEN_", "AUTHORIZATION_MESSAGE_", "SOURCE_IDENTITY_"),
    *("ISSUER_", "ISSUED_TOKEN_", "OUTBOX_", "MASTER_KEY_", "SEALING_KEY_", "PACKED_POLICY_", "DURATION_", "PROOF_"),
    *(
        "PASSWORD_",
        "CERTIFICATE_",
        "SSH_KEY_",
        "USER_TYPE_",
        "REPORT_",
        "ENTITY_ALREADY_",
        "ENTITY_UNMODIFIABLE",
        "FEATURE_",
        "STORED_POLICY_",
    ),
    *("NOT_TRUSTED", "NO_SUCH_ENTITY", "DELETE_CONFLICT", "LIMIT_EXCEEDED", "INVALID_INPUT", "NOT_ATTACHABLE"),
    *("SERVICE_NOT_SUPPORTED", "CONFIGURATION_INVALID", "INTERNAL_FAILURE"),
)
"""How the names of reasons begin that are no trouble of a request at this door."""

TROUBLES: Final[Mapping[Reason, Trouble]] = {reason: trouble for trouble, reasons in _ROWS for reason in reasons}
"""The reasons that a request at this door may be refused for."""


def trouble_of(reason: Reason) -> Trouble:
    """The trouble behind a reason; INTERNAL where the table has no row."""
    return TROUBLES.get(reason, Trouble.INTERNAL)

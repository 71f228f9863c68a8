# SPDX-License-Identifier: Apache-2.0
"""
Signature Version 4, the server's side: is this request signed by the key that it names, for here and for now?

    raw request -- read_authorization --> UnverifiedAuthorization -- verify_signature --> VerifiedSignature
                     limits, request         credential, presigned     target, canonical, key    |
    form fields -- read_post_form --> UnverifiedPostForm -- verify_post_form --> VerifiedPostForm  | open_body
                                         post_policy                                             v
    request of ours -- RequestSigner --> headers to add                 Body: chunks, trailers, or one digest

The standard is AWS's: IAM User Guide, "AWS Signature Version 4 for API requests"; for bodies and forms the S3 API Reference,
"Authenticating Requests". Pure: the caller finds the secret, reads the body and brings the time. SigV4A is refused.
"""

from daypass.sigv4.authorization import read_authorization
from daypass.sigv4.body import Body, open_body, stored_content_encoding
from daypass.sigv4.credential import UnverifiedAuthorization
from daypass.sigv4.key import SigningKeyCache, SigningKeyProvider, derive_signing_key
from daypass.sigv4.payloads import (
    S3_PAYLOADS,
    STREAMING_PAYLOADS,
    STREAMING_SIGNED,
    STREAMING_SIGNED_TRAILER,
    STREAMING_UNSIGNED_TRAILER,
    UNSIGNED_PAYLOAD,
)
from daypass.sigv4.post_form import (
    UnverifiedPostForm,
    VerifiedPostForm,
    read_post_form,
    refuse_unknown_post_key,
    verify_post_form,
)
from daypass.sigv4.request import PathStyle, RawRequest
from daypass.sigv4.sign import RequestSigner, payload_digest
from daypass.sigv4.string_to_sign import UnverifiedString, read_string_to_sign, verify_string_to_sign
from daypass.sigv4.trailers import Piece
from daypass.sigv4.verify import VerifiedSignature, refuse_unknown_key, verify_signature

__all__ = [
    "S3_PAYLOADS",
    "STREAMING_PAYLOADS",
    "STREAMING_SIGNED",
    "STREAMING_SIGNED_TRAILER",
    "STREAMING_UNSIGNED_TRAILER",
    "UNSIGNED_PAYLOAD",
    "Body",
    "PathStyle",
    "Piece",
    "RawRequest",
    "RequestSigner",
    "SigningKeyCache",
    "SigningKeyProvider",
    "UnverifiedAuthorization",
    "UnverifiedPostForm",
    "UnverifiedString",
    "VerifiedPostForm",
    "VerifiedSignature",
    "derive_signing_key",
    "open_body",
    "payload_digest",
    "read_authorization",
    "read_post_form",
    "read_string_to_sign",
    "refuse_unknown_key",
    "refuse_unknown_post_key",
    "stored_content_encoding",
    "verify_post_form",
    "verify_signature",
    "verify_string_to_sign",
]

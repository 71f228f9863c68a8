# SPDX-License-Identifier: Apache-2.0
"""
Signature Version 4, the server's side: is this request signed by the key that it names, for here and for now?

    raw request -- read_authorization --> UnverifiedAuthorization -- verify_signature --> VerifiedSignature
                     limits, request         credential, presigned     target, canonical, key

The standard is AWS's: IAM User Guide, "AWS Signature Version 4 for API requests". Pure: the caller finds the secret, hashes
the body and brings the time. Chunked payloads (STREAMING-*) are refused.
"""

from daypass.sigv4.authorization import read_authorization
from daypass.sigv4.credential import UnverifiedAuthorization
from daypass.sigv4.key import SigningKeyCache, SigningKeyProvider, derive_signing_key
from daypass.sigv4.request import PathStyle, RawRequest
from daypass.sigv4.verify import UNSIGNED_PAYLOAD, VerifiedSignature, refuse_unknown_key, verify_signature

__all__ = [
    "UNSIGNED_PAYLOAD",
    "PathStyle",
    "RawRequest",
    "SigningKeyCache",
    "SigningKeyProvider",
    "UnverifiedAuthorization",
    "VerifiedSignature",
    "derive_signing_key",
    "read_authorization",
    "refuse_unknown_key",
    "verify_signature",
]

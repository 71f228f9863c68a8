# SPDX-License-Identifier: Apache-2.0
"""
Verification of an upload by a form (S3 API, "Browser-Based Uploads Using POST (AWS Signature Version 4)").

    form fields -- read_post_form --> UnverifiedPostForm -- verify_post_form --> VerifiedPostForm

What is signed is the policy, not the request: the fields are held to the policy's conditions (``post_policy``). Pure: the
caller parses the form, finds the secret and brings the time.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence, Set
from typing import Final, NoReturn, NotRequired, TypedDict, Unpack

import msgspec

from daypass.errors import AuthenticationError, Reason, RequestError
from daypass.sigv4 import limits
from daypass.sigv4.credential import ALGORITHM, parse_credential, parse_session_token, parse_signature
from daypass.sigv4.key import SigningKeyProvider, signing_key
from daypass.sigv4.limits import MAX_CLOCK_SKEW, MAX_PRESIGNED_LIFETIME
from daypass.sigv4.payloads import UNSIGNED_PAYLOAD
from daypass.sigv4.post_policy import LengthRange, check_conditions, read_policy
from daypass.sigv4.timestamp import basic, instant_of
from daypass.sigv4.verify import MISMATCH, check_scope

_REQUIRED: Final = ("policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")
_NAME: Final = re.compile(r"[!-~]{1,128}", re.ASCII)
_VERSION_2: Final = ("awsaccesskeyid", "signature")


class UnverifiedPostForm(msgspec.Struct, frozen=True):
    """
    What a form claims. Nothing here is proved before ``verify_post_form``.

    - ``access_key_id``, ``date``, ``region``, ``service``, ``session_token``: as in ``UnverifiedAuthorization``.
    - ``timestamp``, ``signed_at``: x-amz-date as sent, and in seconds since the epoch. ``signature``: 64 hexadecimal digits.
    - ``policy``: the policy as sent, in base64. ``fields``: all fields by name in lower case.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    session_token: str | None
    timestamp: bytes
    signed_at: int
    signature: bytes
    policy: bytes
    fields: Mapping[str, str]

    def __repr__(self) -> str:
        return f"UnverifiedPostForm({self.access_key_id!r}, {self.date}/{self.region}/{self.service})"


class VerifiedPostForm(msgspec.Struct, frozen=True):
    """
    A form that verified: this access key signed a policy that allows these fields in this bucket.

    ``expires_at``: the policy's, in seconds since the epoch. ``fields``: by name in lower case, the credential among them.
    ``length_range``: the least and the most bytes of the file, both included; None where the policy says nothing.
    """

    access_key_id: str
    session_token: str | None
    date: str
    region: str
    service: str
    signed_at: int
    expires_at: int
    bucket: str
    fields: Mapping[str, str]
    length_range: LengthRange | None

    @property
    def presigned(self) -> bool:
        """Whether the credential came in the query: a form's comes in the form."""
        return False

    @property
    def payload(self) -> str:
        """What the signature says of the file: nothing (``VerifiedSignature.payload``)."""
        return UNSIGNED_PAYLOAD

    def __repr__(self) -> str:
        return f"VerifiedPostForm(access_key_id={self.access_key_id!r}, bucket={self.bucket!r})"


def read_post_form(fields: Sequence[tuple[str, str]]) -> UnverifiedPostForm | None:
    """
    The credential of a form, or None when there is none in it.

    ``fields``: names and values of what stands before the file, in the order of the form, ``${filename}`` in them replaced
    already, because it is the outcome that the policy has to allow. Names are compared without regard to case.

    Raises RequestError (POST_FORM_MALFORMED) for a field that is there twice or whose name is not printable ASCII, and
    AuthenticationError for a form that is too large, one that lacks a part of the credential, and one of another version.
    """
    found = _by_name(fields)
    if not any(name in found for name in _REQUIRED):
        if any(name in found for name in _VERSION_2):
            raise _unsupported()
        return None
    absent = [name for name in _REQUIRED if not found.get(name)]
    if absent:
        raise AuthenticationError(
            Reason.AUTHORIZATION_INCOMPLETE, " ".join(f"The form must have the field {name!r}." for name in absent)
        )
    if found["x-amz-algorithm"] != ALGORITHM.decode():
        raise _unsupported()
    if not found.get("key"):
        raise RequestError(Reason.POST_FORM_MALFORMED, "The form must have the field 'key'.")
    access_key_id, date, region, service = parse_credential(found["x-amz-credential"].encode())
    timestamp = found["x-amz-date"].encode()
    token = found.get("x-amz-security-token")
    return UnverifiedPostForm(
        access_key_id,
        date,
        region,
        service,
        parse_session_token(None if token is None else token.encode()),
        timestamp,
        instant_of(timestamp),
        parse_signature(found["x-amz-signature"].encode()),
        found["policy"].encode(),
        found,
    )


def verify_post_form(
    form: UnverifiedPostForm,
    *,
    secret: bytes | SigningKeyProvider,
    bucket: str,
    services: Set[str],
    regions: Set[str] | None = None,
    now: float,
    skew: float = MAX_CLOCK_SKEW,
) -> VerifiedPostForm:
    """
    Verify that the holder of ``secret`` signed a policy that allows this form in ``bucket`` now.

    What needs no secret comes first and so is the same for a known key and an unknown one; the step that needs it is last.

    1. The scope names this service and a region of ours, and its date is the day of x-amz-date.
    2. The clock: x-amz-date is not ahead by more than ``skew`` seconds, and a signing key is good for a week.
    3. The policy is strict base64 and strict JSON, of an expiration and conditions that are all known; it has not expired.
    4. Every condition holds, and every field and the bucket has one.
    5. The signature, over the policy as sent, compared in constant time.

    ``bucket`` is the one that the request's host or path names. ``secret``, ``services``, ``regions``: as ``verify_signature``.
    Raises AuthenticationError.

    **Not done here, so the caller owes it:** that the file has a length in ``length_range``, that there is no Authorization
    header as well, and of the key what ``verify_signature`` leaves to the caller too.
    """
    check_scope(form, form.timestamp, services, regions)  # 1
    if not form.signed_at <= now + skew:  # 2, written so that a NaN refuses
        raise AuthenticationError(
            Reason.SIGNATURE_NOT_YET_CURRENT,
            f"Signature not yet current: {form.timestamp.decode()} is still later than {basic(now + skew)}.",
        )
    if not now <= form.signed_at + MAX_PRESIGNED_LIFETIME:
        raise AuthenticationError(Reason.SIGNATURE_EXPIRED, "Signature expired: x-amz-date is more than a week ago.")
    policy = read_policy(form.policy)  # 3
    if not now <= policy.expires_at:
        raise AuthenticationError(Reason.POST_POLICY_EXPIRED, "Invalid according to Policy: Policy expired.")
    length_range = check_conditions(policy, form.fields, bucket)  # 4
    wanted = hmac.digest(signing_key(secret, form), form.policy, "sha256").hex().encode()  # 5
    if not hmac.compare_digest(wanted, form.signature):
        raise AuthenticationError(Reason.SIGNATURE_DOES_NOT_MATCH, MISMATCH)
    return VerifiedPostForm(
        form.access_key_id,
        form.session_token,
        form.date,
        form.region,
        form.service,
        form.signed_at,
        policy.expires_at,
        bucket,
        form.fields,
        length_range,
    )


class ExpectedOfForm(TypedDict):
    """The keyword arguments of ``verify_post_form``, for ``refuse_unknown_post_key``, which takes the same."""

    secret: bytes | SigningKeyProvider
    bucket: str
    services: Set[str]
    regions: NotRequired[Set[str] | None]
    now: float
    skew: NotRequired[float]


def refuse_unknown_post_key(form: UnverifiedPostForm, **expected: Unpack[ExpectedOfForm]) -> NoReturn:
    """Refuse a form whose access key id is unknown, after the same work as for a known one; see ``refuse_unknown_key``."""
    verify_post_form(form, **expected)
    raise AuthenticationError(Reason.SIGNATURE_DOES_NOT_MATCH, MISMATCH)


def _by_name(fields: Sequence[tuple[str, str]]) -> dict[str, str]:
    size = sum(len(name) + len(value) for name, value in fields)
    if len(fields) > limits.MAX_POST_FIELDS or size > limits.MAX_POST_FORM_BYTES:
        raise AuthenticationError(Reason.SIGNED_REQUEST_TOO_LARGE, "The form has too many fields, or too large ones.")
    # NOTE: ASCII before lower(): a Kelvin sign becomes a k, and another reader would not find that "key".
    if not all(_NAME.fullmatch(name) for name, _ in fields):
        raise RequestError(Reason.POST_FORM_MALFORMED, "The form has a field with an odd name.")
    found = {name.lower(): value for name, value in fields}
    if len(found) != len(fields):
        raise RequestError(Reason.POST_FORM_MALFORMED, "The form has the same field twice.")
    try:
        "".join(found.values()).encode()
    except UnicodeEncodeError:  # a lone surrogate
        raise RequestError(Reason.POST_FORM_MALFORMED, "The form is not UTF-8.") from None
    return found


def _unsupported() -> AuthenticationError:
    return AuthenticationError(
        Reason.SIGNATURE_ALGORITHM_UNSUPPORTED, "Unsupported AWS 'algorithm'; the one supported is AWS4-HMAC-SHA256."
    )

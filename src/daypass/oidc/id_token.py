# SPDX-License-Identifier: Apache-2.0
"""
The verification of ID tokens (OpenID Connect Core 1.0, sections 2 and 3.1.3.7) by the rules of AssumeRoleWithWebIdentity.

Pure: the caller brings the token, the registration, the keys and the time. What the claims mean to policies is for
``daypass.oidc.context``. STS also takes access tokens that are JWTs; they pass the same checks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Set
from typing import Any, Final

import msgspec

from daypass import jose
from daypass.errors import ProofError, Reason

DEFAULT_LEEWAY: Final = 60.0  # seconds that clocks may differ; what Keycloak, Spring and the SAML side here allow
MAX_LEEWAY: Final = 300.0  # seconds; more would be a longer life, not a difference of clocks
MAX_SUBJECT: Final = 255  # characters; Core section 2, and the STS model's webIdentitySubjectType
MAX_AUDIENCES: Final = 100  # in one token; as many as IAM lets a provider register
MAX_AUDIENCE: Final = 255  # characters; the IAM model's clientIDType
MAX_INSTANT: Final = 253_402_300_800  # 10000-01-01; later times cannot be written in an answer

# RFC 8725 section 3.11: a token made for another purpose (logout+jwt, dpop+jwt, secevent+jwt, ...) says so in its type.
# JOSE is what SPIFFE's JWT-SVIDs may say; at+jwt is RFC 9068's access token.
_TYPES: Final = frozenset({"jwt", "jose", "at+jwt"})
# One line of characters that XML 1.0 can carry: the subject and the audience stand in the answer and the audit trail.
_UNPRINTABLE: Final = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


ClientIds = Set[str] | tuple[str, ...] | list[str]
"""Registered client ids. NOTE: not ``Collection[str]``, which a string is too: ``in`` would look for a part of it."""


class IdToken(msgspec.Struct, frozen=True):
    """A verified ID token. ``audience`` is the client id that matched the registration; times are instants."""

    issuer: str
    subject: str
    audience: str
    issued_at: float
    expires_at: float
    claims: Mapping[str, Any]

    def __repr__(self) -> str:
        return "IdToken(...)"


def verify_id_token(
    token: jose.UnverifiedToken,
    *,
    issuer: str,
    client_ids: ClientIds,
    keys: jose.KeySet,
    now: float,
    algorithms: Set[str] = jose.ALGORITHMS,
    leeway: float = DEFAULT_LEEWAY,
) -> IdToken:
    """
    The token, if this issuer made it for one of these clients and it is valid now. Trusted are the given keys only.

    1. Type: made for this purpose. It is in the header, free to check, and wrong for a whole kind of tokens.
    2. Issuer, whole: decides whose keys may speak. Before the signature, because with another issuer's keys the rest
       would say "bad signature" of a token that is only misdirected.
    3. Signature, by these keys and algorithms. From here on every claim is the issuer's word.
    4. Not a logout token (``events``; Back-Channel Logout 2.4), which has the same keys, client and subject, and not a
       token bound to a key (``cnf``; RFC 7800), whose possession nobody proves here.
    5. Audience: ``azp`` if present, else a value of ``aud``, is registered. Before the times: of a token that is meant for
       somebody else nothing more is said.
    6. Expiry, required. 7. Not before. 8. Issued at, required, and not in the future.
    9. Subject, required, of bounded length.

    Times have ``leeway`` seconds (at most MAX_LEEWAY) in the token's favour. Raises ProofError; TOKEN_EXPIRED is
    raised only of a token that is genuine. **It does not remember tokens**: like STS it accepts one as often as it is
    brought while it is valid, and a nonce is the business of whoever started the sign-in.
    """
    if not 0 <= leeway <= MAX_LEEWAY:
        raise ValueError("leeway out of range")
    _require_type(token.type)  # 1
    require_issuer(token, issuer)  # 2
    claims = jose.verify(token, keys, algorithms).claims  # 3
    if "events" in claims or "cnf" in claims:  # 4
        raise ProofError(Reason.TOKEN_TYPE_REFUSED, "The token is a security event, or bound to a key.")
    audience = _audience(claims, client_ids)  # 5
    expires_at = _required_instant(claims, "exp")  # 6
    if now >= expires_at + leeway:
        raise ProofError(Reason.TOKEN_EXPIRED, "The token has expired.")
    if "nbf" in claims and now < _required_instant(claims, "nbf") - leeway:  # 7
        raise ProofError(Reason.TOKEN_NOT_YET_VALID, "The token is not valid yet.")
    issued_at = _required_instant(claims, "iat")  # 8
    if issued_at > now + leeway:
        raise ProofError(Reason.TOKEN_NOT_YET_VALID, "The token was issued in the future.")
    subject = claims.get("sub")  # 9
    if subject is None:
        raise ProofError(Reason.CLAIM_MISSING, "The token has no subject (sub).")
    if not _is_line(subject, MAX_SUBJECT):
        raise ProofError(Reason.CLAIM_MALFORMED, f"Expected a subject (sub) of 1 to {MAX_SUBJECT} characters.")
    return IdToken(issuer, subject, audience, issued_at, expires_at, claims)


def require_issuer(token: jose.UnverifiedToken, issuer: str) -> None:
    """Raise ProofError unless the token says that it comes from this issuer: the same string, character by character."""
    if token.unverified_claims.get("iss") != issuer and token.unverified_issuer != issuer:
        raise ProofError(Reason.TOKEN_ISSUER_MISMATCH, "The token comes from another issuer.")


def _require_type(media_type: str | None) -> None:
    """RFC 7515 section 4.1.9: a media type whose ``application/`` may be left out; case does not matter."""
    if media_type is not None and media_type.lower().removeprefix("application/") not in _TYPES:
        raise ProofError(Reason.TOKEN_TYPE_REFUSED, "The token's type (typ) says that it is for another purpose.")


def _audience(claims: Mapping[str, Any], client_ids: ClientIds) -> str:
    """The registered client id that the token is for (IAM User Guide, "Available keys for AWS OIDC federation").

    ``aud`` is required and well-formed even where ``azp`` decides; of several values the first registered one counts.
    """
    audiences = audiences_of(claims)
    if "azp" in claims:
        if not _is_line(claims["azp"], MAX_AUDIENCE):
            raise ProofError(Reason.CLAIM_MALFORMED, "The token's authorized party (azp) is malformed.")
        audiences = (claims["azp"],)
    for audience in audiences:
        if audience in client_ids:
            return audience
    raise ProofError(Reason.TOKEN_AUDIENCE_MISMATCH, "The token is for a client that is not registered here.")


def audiences_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The values of ``aud``, a string or a list of strings. Absent, empty, too many: ProofError."""
    value = claims.get("aud")
    if value is None:
        raise ProofError(Reason.CLAIM_MISSING, "The token has no audience (aud).")
    audiences = value if isinstance(value, list) else [value]
    well_formed = 0 < len(audiences) <= MAX_AUDIENCES
    for audience in audiences if well_formed else ():
        well_formed = well_formed and _is_line(audience, MAX_AUDIENCE)
    if not well_formed:
        raise ProofError(Reason.CLAIM_MALFORMED, "The token's audience (aud) is malformed.")
    return tuple(audiences)


def _required_instant(claims: Mapping[str, Any], name: str) -> float:
    """A NumericDate (RFC 7519 section 2): a JSON number, neither text nor a boolean, of a year that can be written."""
    value = claims.get(name)
    if type(value) is int and 0 <= value < MAX_INSTANT:  # nearly always
        return value
    if value is None:
        raise ProofError(Reason.CLAIM_MISSING, f"The token has no {name}.")
    # NOTE: bool is an int in Python; the exact type is asked for. That it is finite, the JSON reader has seen to.
    if type(value) not in (int, float) or not math.isfinite(value) or not 0 <= value < MAX_INSTANT:
        raise ProofError(Reason.CLAIM_MALFORMED, f"Expected the token's {name} to be a number of seconds.")
    return float(value)


def _is_line(value: object, longest: int) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        return False
    return (value.isascii() and value.isprintable()) or _UNPRINTABLE.search(value) is None

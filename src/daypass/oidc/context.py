# SPDX-License-Identifier: Apache-2.0
"""
What becomes of every claim of an ID token, and which condition keys policies see.

IAM User Guide, "Available keys for AWS OIDC federation": a key is the provider's name (issuer without its scheme), a
colon and the claim. Names ignore case, so keys are made in lower case.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from daypass.errors import ProofError, Reason
from daypass.identity import ContextValue
from daypass.oidc.id_token import audiences_of
from daypass.oidc.session_claims import AWS_CLAIMS

MAX_CLAIMS: Final = 200  # of one token; Entra's and Keycloak's have about 40, GitLab's and GitHub's about 30
MAX_CLAIM_NAME: Final = 128  # characters; as long as a tag's key


class Use(enum.Enum):
    """What happens to a claim, once the token has been verified."""

    CHECKED = "decides whether the token is accepted; not a condition key"
    KEY = "a condition key, if a string or a list of strings (or true, false or a whole number, written as text)"
    LIST_KEY = "a condition key, always a list"
    AUDIENCE = "checked, and a condition key by the rules of aud and azp"
    REFUSED = "a token that has it is refused"
    UNUSED = "means nothing here"
    SESSION = "asks for something on the session; not a condition key"


CLAIMS: Final[Mapping[str, Use]] = MappingProxyType(
    {
        # RFC 7519 section 4.1
        "iss": Use.CHECKED,
        "sub": Use.KEY,  # checked too
        "aud": Use.AUDIENCE,
        "exp": Use.CHECKED,
        "nbf": Use.CHECKED,
        "iat": Use.CHECKED,
        "jti": Use.KEY,
        # OpenID Connect Core section 2
        "auth_time": Use.KEY,
        "nonce": Use.UNUSED,  # between the browser's sign-in and whoever began it
        "acr": Use.KEY,
        "amr": Use.LIST_KEY,
        "azp": Use.AUDIENCE,
        # Core 3.1.3.6, 3.3.2.11: they bind an access token or a code, neither of which comes here
        "at_hash": Use.UNUSED,
        "c_hash": Use.UNUSED,
        "s_hash": Use.UNUSED,
        # Core section 5.1
        "name": Use.KEY,
        "given_name": Use.KEY,
        "family_name": Use.KEY,
        "middle_name": Use.KEY,
        "nickname": Use.KEY,
        "preferred_username": Use.KEY,
        "profile": Use.KEY,
        "picture": Use.KEY,
        "website": Use.KEY,
        "email": Use.KEY,
        "email_verified": Use.KEY,
        "gender": Use.KEY,
        "birthdate": Use.KEY,
        "zoneinfo": Use.KEY,
        "locale": Use.KEY,
        "phone_number": Use.KEY,
        "phone_number_verified": Use.KEY,
        "address": Use.UNUSED,  # an object
        "updated_at": Use.KEY,
        # Core 5.6.2: references to claims that are elsewhere and were not verified
        "_claim_names": Use.UNUSED,
        "_claim_sources": Use.UNUSED,
        # Sessions and logout
        "sid": Use.KEY,
        "events": Use.REFUSED,  # Back-Channel Logout 2.4, RFC 8417
        # RFC 7800: the token is good only together with a key whose possession is not proven here
        "cnf": Use.REFUSED,
        # RFC 8693 section 4
        "act": Use.UNUSED,  # an object
        "may_act": Use.UNUSED,  # an object
        "scope": Use.KEY,
        "client_id": Use.KEY,
        # AWS's
        "oaud": Use.UNUSED,  # as a condition key the name belongs to the rule of azp; a claim cannot supply it
        f"{AWS_CLAIMS}tags": Use.SESSION,
        f"{AWS_CLAIMS}source_identity": Use.SESSION,
    }
)
"""The standard claims; any other is a KEY, except that names below AWS_CLAIMS are left to ``session_claims``."""

# NOTE: the provider's name may end with a port, so a claim called "8443:sub" of the issuer on the default port would
# make the key of another issuer's subject. A claim whose name begins like a port makes no key.
_LIKE_A_PORT: Final = re.compile(r"[0-9]{1,5}[:/]", re.ASCII)

_KEY, _LIST_KEY, _UNUSED = Use.KEY, Use.LIST_KEY, Use.UNUSED  # looking a member up costs as much as using it
_USES: Final = CLAIMS.get


class ClaimContext(msgspec.Struct, frozen=True):
    """The condition keys by full lower-case name, and the names of the claims that are neither keys nor otherwise used."""

    keys: Mapping[str, ContextValue]
    unused: tuple[str, ...]


def condition_keys(provider_name: str, claims: Mapping[str, Any]) -> ClaimContext:
    """
    The condition keys of a verified token's claims (``provider_name``: the issuer without its scheme).

    A claim that is a string is a single value, a list of strings a list; ``true``, ``false`` and whole numbers are written
    as text. ``aud``: one value is single (Kubernetes sends a list of one, and StringEquals must see it), several are a
    list, so that a condition meant for one value cannot pass by another. With ``azp``, ``aud`` is its value and ``oaud`` is
    what the token had as ``aud``. Names that differ only in case are refused: one would hide the other. An empty list is
    no value. Raises ProofError.
    """
    if len(claims) > MAX_CLAIMS:
        raise ProofError(Reason.CLAIM_MALFORMED, f"The token has more than {MAX_CLAIMS} claims.")
    joined = "".join(claims)
    if not joined.isascii():  # letters of other scripts may become ours in lower case: U+212A is a k
        ascii_claims = {name: value for name, value in claims.items() if name.isascii()}
        found = condition_keys(provider_name, ascii_claims)
        return ClaimContext(found.keys, (*found.unused, *(name for name in claims if not name.isascii())))
    lowered = list(claims) if joined.islower() else [name.lower() for name in claims]
    if lowered and not joined.islower() and len(set(lowered)) != len(lowered):
        raise ProofError(Reason.CLAIM_AMBIGUOUS, "Two of the token's claims differ only in the case of their names.")
    prefix = provider_name.lower() + ":"
    keys: dict[str, ContextValue] = {}
    unused: list[str] = []
    for name, (original, value) in zip(lowered, claims.items(), strict=True):
        use = _USES(name) or _use_of_other(name)
        if use is _KEY and type(value) is str:  # nearly every claim
            keys[prefix + name] = value
        elif use is _KEY or use is _LIST_KEY:
            converted = _value(value, always_list=use is _LIST_KEY)
            if converted is None:
                unused.append(original)
            else:
                keys[prefix + name] = converted
        elif use is _UNUSED:
            unused.append(original)
    _add_audiences(keys, prefix, claims)
    return ClaimContext(keys, tuple(unused))


def _use_of_other(name: str) -> Use:
    """What happens to a claim that is not in the table. The name is in lower case."""
    if name.startswith(AWS_CLAIMS):
        return Use.SESSION
    if len(name) > MAX_CLAIM_NAME or _LIKE_A_PORT.match(name):
        return _UNUSED
    return _KEY


def _add_audiences(keys: dict[str, ContextValue], prefix: str, claims: Mapping[str, Any]) -> None:
    audiences = audiences_of(claims)
    audience = audiences[0] if len(audiences) == 1 else audiences
    if "azp" in claims:
        keys[prefix + "azp"] = keys[prefix + "aud"] = claims["azp"]
        keys[prefix + "oaud"] = audience
    else:
        keys[prefix + "aud"] = audience


def _value(value: object, *, always_list: bool) -> ContextValue | None:
    """The value as policies carry it; None when it has no such form."""
    if isinstance(value, list):
        return tuple(value) if value and all(isinstance(item, str) for item in value) else None
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int):
        value = str(value)
    if not isinstance(value, str):
        return None
    return (value,) if always_list else value

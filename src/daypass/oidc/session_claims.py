# SPDX-License-Identifier: Apache-2.0
"""
The claims by which a token asks for something on the session: session tags and source identity.

IAM User Guide, "Pass session tags in AWS STS" (AssumeRoleWithWebIdentity) and "Monitor and control actions taken with
assumed roles". Two forms of the tags are in use, and STS takes both:

    "https://aws.amazon.com/tags": {"principal_tags": {"Team": ["blue"]}, "transitive_tag_keys": ["Team"]}

    "https://aws.amazon.com/tags/principal_tags/Team": "blue",
    "https://aws.amazon.com/tags/transitive_tag_keys": ["Team"]

What is malformed is refused, never dropped: a tag that is missing may be one that a Deny looks for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from daypass.errors import ProofError, Reason

AWS_CLAIMS: Final = "https://aws.amazon.com/"
"""Claims below this name ask something of STS."""

MAX_TAGS: Final = 50  # STS API, AssumeRole: Tags
MAX_TAG_KEY: Final = 128  # the STS model's tagKeyType
MAX_TAG_VALUE: Final = 256  # the STS model's tagValueType

_SHORTEST: Final = len(AWS_CLAIMS)
_TAGS: Final = AWS_CLAIMS + "tags"
_FLAT_TAG: Final = _TAGS + "/principal_tags/"
_FLAT_TRANSITIVE: Final = _TAGS + "/transitive_tag_keys"
_SOURCE_IDENTITY: Final = AWS_CLAIMS + "source_identity"
_SOURCE_IDENTITY_FORM: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)  # the STS model's sourceIdentityType
_TAG_PUNCTUATION: Final = frozenset("_.:/=+-@")


@dataclass(frozen=True, slots=True)
class SessionClaims:
    """What a verified token asks to put on the session. Transitive keys are spelled as the tags' keys are."""

    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str | None = None


_NOTHING: Final = SessionClaims()


def session_claims(claims: Mapping[str, Any]) -> SessionClaims:
    """
    Read the session tags and the source identity of a verified token. Raises ProofError.

    1. A claim below AWS_CLAIMS that is not known here is refused: AWS may take it for a restriction.
    2. One form of the tags, not both; a tag has one value.
    3. At most MAX_TAGS; lengths and characters of the STS model; ``aws:`` is reserved; keys are unique ignoring case.
    4. A transitive key is the key of one of these tags.
    5. The source identity has the STS model's form.
    """
    if len(max(claims, key=len, default="")) < _SHORTEST:
        return _NOTHING
    long = [name for name in claims if len(name) >= _SHORTEST]  # no other name can be one of these
    ours = {name: claims[name] for name in long if name.lower().startswith(AWS_CLAIMS)}
    if not ours:
        return _NOTHING
    flat = {name.removeprefix(_FLAT_TAG): value for name, value in ours.items() if name.startswith(_FLAT_TAG)}
    for name in ours:  # 1
        if not (name.startswith(_FLAT_TAG) or name in (_TAGS, _FLAT_TRANSITIVE, _SOURCE_IDENTITY)):
            raise ProofError(Reason.CLAIM_MALFORMED, f"The token has a claim below {AWS_CLAIMS} that is not supported.")
    named, transitive = flat, ours.get(_FLAT_TRANSITIVE, [])
    if _TAGS in ours:  # 2
        if flat or _FLAT_TRANSITIVE in ours:
            raise _malformed("The token has session tags in two forms.")
        named, transitive = _nested(ours[_TAGS])
    tags = _tags(named)
    return SessionClaims(tags, _transitive(transitive, tags), _source_identity(ours))


def _nested(value: object) -> tuple[dict[str, Any], object]:
    if not isinstance(value, dict) or not value.keys() <= {"principal_tags", "transitive_tag_keys"}:
        raise _malformed("Expected the tags claim to be an object of principal_tags and transitive_tag_keys.")
    named = value.get("principal_tags", {})
    if not isinstance(named, dict):
        raise _malformed("Expected principal_tags to be an object.")
    return named, value.get("transitive_tag_keys", [])


def _tags(named: Mapping[str, Any]) -> dict[str, str]:
    if len(named) > MAX_TAGS:  # 3
        raise _malformed(f"The token has more than {MAX_TAGS} session tags.")
    if len({key.lower() for key in named}) != len(named):
        raise _malformed("Two of the token's session tags have keys that differ only in case.")
    return {_tag_key(key): _tag_value(value) for key, value in named.items()}


def _tag_key(key: str) -> str:
    if not 0 < len(key) <= MAX_TAG_KEY or not _is_tag_text(key):
        raise _malformed("A session tag's key has a length or characters that are not accepted.")
    if key.lower().startswith("aws:"):
        raise _malformed("Session tags with keys that begin with aws: are reserved.")
    return key


def _tag_value(value: object) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        raise _malformed("Expected a session tag to have one value, a string.")
    if len(value) > MAX_TAG_VALUE or not _is_tag_text(value):
        raise _malformed("A session tag's value has a length or characters that are not accepted.")
    return value


def _is_tag_text(text: str) -> bool:
    """Letters, separators and numbers of any script, and ``_.:/=+-@`` (the STS model's pattern)."""
    return all(character in _TAG_PUNCTUATION or unicodedata.category(character)[0] in "LZN" for character in text)


def _transitive(value: object, tags: Mapping[str, str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(key, str) for key in value):
        raise _malformed("Expected transitive_tag_keys to be a list of strings.")
    spelling = {key.lower(): key for key in tags}
    lowered = [key.lower() for key in value]
    if len(set(lowered)) != len(lowered) or not spelling.keys() >= set(lowered):  # 4
        raise _malformed("Expected every transitive tag key to be the key of a session tag, once.")
    return tuple(spelling[key] for key in lowered)


def _source_identity(claims: Mapping[str, Any]) -> str | None:
    if _SOURCE_IDENTITY not in claims:
        return None
    value = claims[_SOURCE_IDENTITY]
    if not isinstance(value, str) or _SOURCE_IDENTITY_FORM.fullmatch(value) is None:  # 5
        raise ProofError(Reason.SOURCE_IDENTITY_MALFORMED, "The token's source identity is malformed.")
    return value


def _malformed(message: str) -> ProofError:
    return ProofError(Reason.SESSION_TAGS_MALFORMED, message)

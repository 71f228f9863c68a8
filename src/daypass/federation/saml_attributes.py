# SPDX-License-Identifier: Apache-2.0
"""
The attributes by which an assertion speaks to STS (IAM User Guide, "Configure SAML assertions for the authentication
response").

They are named ``https://aws.amazon.com/SAML/Attributes/...``, as identity providers have them for AWS. What is malformed is
refused, never dropped: a tag that is missing may be one that a Deny looks for. Messages are AWS's where it has one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from daypass.errors import ProofError, Reason

Attributes = Mapping[str, tuple[str, ...]]

AWS_ATTRIBUTES: Final = "https://aws.amazon.com/SAML/Attributes/"
ROLE: Final = AWS_ATTRIBUTES + "Role"
ROLE_SESSION_NAME: Final = AWS_ATTRIBUTES + "RoleSessionName"
SESSION_DURATION: Final = AWS_ATTRIBUTES + "SessionDuration"
SOURCE_IDENTITY: Final = AWS_ATTRIBUTES + "SourceIdentity"
TRANSITIVE_TAG_KEYS: Final = AWS_ATTRIBUTES + "TransitiveTagKeys"
PRINCIPAL_TAG: Final = AWS_ATTRIBUTES + "PrincipalTag:"

MAX_TAGS: Final = 50  # STS API, AssumeRole: Tags
MAX_TAG_KEY: Final = 128  # the STS model's tagKeyType
MAX_TAG_VALUE: Final = 256  # the STS model's tagValueType
DURATIONS: Final = range(900, 43_201)  # seconds; the STS model's roleDurationSecondsType

_NAME: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)  # the STS model's roleSessionNameType and sourceIdentityType
_NAME_WORDS: Final = "[a-zA-Z_0-9+=,.@-]{2,64}"
_ROLE_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+", re.ASCII | re.DOTALL)
_PROVIDER_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:saml-provider/[\w._-]+", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
_TAG_PUNCTUATION: Final = frozenset("_.:/=+-@")


@dataclass(frozen=True, slots=True)
class SessionWords:
    """
    What an assertion says to STS. Transitive keys are spelled as the tags' keys are.

    - ``roles``: (role ARN, provider ARN), in the order they came, each once. ``duration``: seconds, or None.
    """

    roles: tuple[tuple[str, str], ...]
    session_name: str
    duration: int | None
    tags: Mapping[str, str]
    transitive_tag_keys: tuple[str, ...]
    source_identity: str | None


def session_words(attributes: Attributes) -> SessionWords:
    """
    Read them. Raises ProofError.

    1. Role: at least one, each a role's ARN and a SAML provider's, with a comma between, in either order.
    2. RoleSessionName: one, of the form that STS takes.
    3. SessionDuration: one number of seconds, 900 to 43,200, or none.
    4. PrincipalTag:KEY: one value each; at most fifty, whose keys differ by more than case.
    5. TransitiveTagKeys: keys of these tags, each once.
    6. SourceIdentity: one, of the form that STS takes, or none.

    Any other name that begins as these do says nothing to STS; ``saml_context`` has it as a condition key.
    """
    tags = _tags(attributes)
    return SessionWords(
        _roles(attributes.get(ROLE, ())),
        _session_name(attributes.get(ROLE_SESSION_NAME, ())),
        _duration(attributes.get(SESSION_DURATION, ())),
        tags,
        _transitive(attributes.get(TRANSITIVE_TAG_KEYS, ()), tags),
        _source_identity(attributes.get(SOURCE_IDENTITY, ())),
    )


def _roles(values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    if not any(values):  # 1
        raise ProofError(Reason.SAML_ROLE_MISSING, "Role is required in AuthnResponse")
    return tuple(dict.fromkeys([_pair(value) for value in values]))


def _pair(value: str) -> tuple[str, str]:
    first, comma, second = (part.strip() for part in value.partition(","))
    for role, provider in ((first, second), (second, first)):
        if comma and _ROLE_ARN.fullmatch(role) is not None and _PROVIDER_ARN.fullmatch(provider) is not None:
            return role, provider
    message = "Role in AuthnResponse must be the ARN of a role and that of a SAML provider, separated by a comma"
    raise ProofError(Reason.SAML_ROLE_MALFORMED, message)


def _session_name(values: tuple[str, ...]) -> str:
    if not any(values):  # 2
        raise ProofError(Reason.SAML_SESSION_NAME_MISSING, "RoleSessionName is required in AuthnResponse")
    if len(values) != 1 or _NAME.fullmatch(values[0]) is None:
        message = f"RoleSessionName in AuthnResponse must match {_NAME_WORDS}"
        raise ProofError(Reason.SAML_SESSION_NAME_MALFORMED, message)
    return values[0]


def _duration(values: tuple[str, ...]) -> int | None:
    if not values:
        return None
    if len(values) != 1 or _SECONDS.fullmatch(values[0]) is None or int(values[0]) not in DURATIONS:  # 3
        message = f"SessionDuration in AuthnResponse must be a number of seconds from {DURATIONS[0]} to {DURATIONS[-1]}"
        raise ProofError(Reason.SAML_DURATION_MALFORMED, message)
    return int(values[0])


def _tags(attributes: Attributes) -> dict[str, str]:
    named = {name.removeprefix(PRINCIPAL_TAG): of for name, of in attributes.items() if name.startswith(PRINCIPAL_TAG)}
    if len(named) > MAX_TAGS:  # 4
        raise _malformed(f"The assertion has more than {MAX_TAGS} session tags.")
    if len({key.lower() for key in named}) != len(named):
        raise _malformed("Two of the assertion's session tags have keys that differ only in case.")
    return {_tag_key(key): _tag_value(values) for key, values in named.items()}


def _tag_key(key: str) -> str:
    if not 0 < len(key) <= MAX_TAG_KEY or not _is_tag_text(key):
        raise _malformed("A session tag's key has a length or characters that are not accepted.")
    if key.lower().startswith("aws:"):
        raise _malformed("Session tags with keys that begin with aws: are reserved.")
    return key


def _tag_value(values: tuple[str, ...]) -> str:
    if len(values) != 1:
        raise _malformed("Expected a session tag to have one value.")
    if len(values[0]) > MAX_TAG_VALUE or not _is_tag_text(values[0]):
        raise _malformed("A session tag's value has a length or characters that are not accepted.")
    return values[0]


def _is_tag_text(text: str) -> bool:
    """Letters, separators and numbers of any script, and ``_.:/=+-@`` (the STS model's pattern)."""
    return all(character in _TAG_PUNCTUATION or unicodedata.category(character)[0] in "LZN" for character in text)


def _transitive(values: tuple[str, ...], tags: Mapping[str, str]) -> tuple[str, ...]:
    spelling = {key.lower(): key for key in tags}
    lowered = [value.lower() for value in values]
    if len(set(lowered)) != len(lowered) or not spelling.keys() >= set(lowered):  # 5
        raise _malformed("Expected every transitive tag key to be the key of a session tag, once.")
    return tuple(spelling[key] for key in lowered)


def _source_identity(values: tuple[str, ...]) -> str | None:
    if not values:
        return None
    if len(values) != 1 or _NAME.fullmatch(values[0]) is None or values[0].lower().startswith("aws:"):  # 6
        message = f'Source Identity must match {_NAME_WORDS} and not begin with "aws:"'
        raise ProofError(Reason.SOURCE_IDENTITY_MALFORMED, message)
    return values[0]


def _malformed(message: str) -> ProofError:
    return ProofError(Reason.SESSION_TAGS_MALFORMED, message)

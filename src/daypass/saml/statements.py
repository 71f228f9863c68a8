# SPDX-License-Identifier: Apache-2.0
"""
What a response and its assertion state (SAML Core 2 and 3), each part read and checked. The shape has been checked before:
an element that is looked for is there, or is allowed to be absent. The order of the checks is ``daypass.saml.verify``'s.

The children of an element are looked at once, and found by their names from then on (``by_name``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from daypass.errors import ProofError, Reason
from daypass.saml.limits import (
    MAX_ATTRIBUTE_NAME,
    MAX_ATTRIBUTE_VALUE,
    MAX_ATTRIBUTES,
    MAX_AUDIENCES,
    MAX_NAME_ID,
    MAX_URI,
)
from daypass.saml.names import BEARER, ENTITY_FORMAT, SA
from daypass.saml.trust import Expectations
from daypass.saml.values import instant, is_line
from daypass.saml.xml import Element

Children: TypeAlias = Mapping[str, Sequence[Element]]
"""The children of an element by tag, in the order of the document."""

_EXPIRED: Final = "The SAML assertion has expired."


def by_name(element: Element) -> Children:
    """The children of an element."""
    found: dict[str, list[Element]] = {}
    for child in element:
        found.setdefault(child.tag, []).append(child)
    return found


def one(children: Children, name: str) -> Element:
    """The child of this name, which the shape requires."""
    found = children.get(SA + name)
    if found is None:
        raise ProofError(Reason.SAML_SHAPE_REFUSED, "The document lacks an element that is expected.")
    return found[0]


def of_assertion(assertion: Element) -> tuple[Children, Children]:
    """The children of an assertion, and those of its Subject."""
    stated = by_name(assertion)
    return stated, by_name(one(stated, "Subject"))


def issued_at(element: Element) -> int:
    """When a response or an assertion was issued, if it is of version 2.0 (SAML Core 4.1.1, 4.1.2)."""
    if element.get("Version") != "2.0":
        raise ProofError(Reason.SAML_VERSION_REFUSED, "Expected SAML version 2.0.")
    return instant(element.get("IssueInstant", ""))


def require_issuer(issuer: Element, entity_id: str) -> None:
    """The issuer is the registered entity, character by character, and an entity at all (SAML Profiles 4.1.4.2)."""
    if issuer.text != entity_id or issuer.get("Format", ENTITY_FORMAT) != ENTITY_FORMAT:
        raise ProofError(Reason.SAML_ISSUER_MISMATCH, "The SAML response comes from another issuer.")


class Conditions(msgspec.Struct, frozen=True):
    """The audience of ours that every restriction names, and the times."""

    audience: str
    not_before: int | None
    not_on_or_after: int | None
    one_time_use: bool


def conditions(assertion: Children, expected: Expectations) -> Conditions:
    """
    The conditions (SAML Core 2.5.1); their times are not checked here. Conditions of other kinds the shape has refused.
    ProxyRestriction binds those who issue assertions on the strength of this one, which nobody here does.
    """
    found = one(assertion, "Conditions")
    parts = by_name(found)
    accepted: tuple[str, ...] = expected.audiences
    restrictions = parts.get(f"{SA}AudienceRestriction", ())
    for restriction in restrictions:  # several are joined by "and", audiences of one by "or"
        audiences = [audience.text for audience in restriction]
        if len(audiences) > MAX_AUDIENCES:
            raise ProofError(Reason.SAML_TOO_LARGE, "The SAML assertion has too many audiences.")
        accepted = tuple(audience for audience in accepted if audience in audiences)
    if not restrictions or not accepted:
        raise ProofError(Reason.SAML_AUDIENCE_MISMATCH, "The SAML assertion is for another audience.")
    return Conditions(
        accepted[0],
        _optional_instant(found, "NotBefore"),
        _optional_instant(found, "NotOnOrAfter"),
        f"{SA}OneTimeUse" in parts,
    )


def require_destination(response: Element, expected: Expectations, *, required: bool) -> None:
    """The response was sent to us (SAML Bindings 3.5.5.2)."""
    destination = response.get("Destination")
    if (destination is None and required) or (destination is not None and destination not in expected.recipients):
        raise ProofError(Reason.SAML_DESTINATION_MISMATCH, "The SAML response was sent to another destination.")


def in_response_to(response: Element, expected: Expectations) -> str | None:
    """The request that the response answers: one that may be answered, or none (SAML Profiles 4.1.4.3, 4.1.5)."""
    request = response.get("InResponseTo")
    if request is not None and (expected.request_ids is None or request not in expected.request_ids):
        raise ProofError(Reason.SAML_RESPONSE_UNSOLICITED, "The SAML response answers a request that is not known.")
    return request


class Subject(msgspec.Struct, frozen=True):
    """A NameID (SAML Core 2.2.3); absent attributes are empty."""

    value: str
    format: str
    name_qualifier: str
    sp_name_qualifier: str


def subject(about: Children) -> Subject:
    """The NameID of a Subject: one line of visible text, with attributes of the same kind."""
    name_id = one(about, "NameID")
    qualities = [name_id.get(name, "") for name in ("Format", "NameQualifier", "SPNameQualifier")]
    value = name_id.text or ""
    if not is_line(value, MAX_NAME_ID) or not all(text == "" or is_line(text, MAX_URI) for text in qualities):
        raise ProofError(Reason.SAML_SUBJECT_MALFORMED, f"Expected a NameID of 1 to {MAX_NAME_ID} visible characters.")
    return Subject(value, *qualities)


class Confirmation(msgspec.Struct, frozen=True):
    """The bearer confirmation that holds: to whom, until when, for which request."""

    recipient: str
    not_on_or_after: int
    in_response_to: str | None


def confirmation(about: Children, request: str | None, expected: Expectations) -> Confirmation:
    """
    The first bearer confirmation of a Subject that holds (SAML Profiles 4.1.4.2 and 4.1.4.3); of those that do not, the first
    one's reason is told. Confirmations of other methods confirm nothing here. Raises ProofError.
    """
    refusal = None
    for found in about.get(f"{SA}SubjectConfirmation", ()):
        if found.get("Method") != BEARER:
            continue
        try:
            return _bearer(found, request, expected)
        except ProofError as error:
            refusal = refusal or error
    raise refusal or ProofError(Reason.SAML_CONFIRMATION_REFUSED, "The SAML assertion has no bearer confirmation.")


def _bearer(found: Element, request: str | None, expected: Expectations) -> Confirmation:
    """
    1. Confirmation data, with an expiry and without NotBefore. 2. The recipient is ours. 3. It answers the request that the
    response answers, and one that may be answered. 4. It has not expired.
    """
    data = next(found.iterchildren(f"{SA}SubjectConfirmationData"), None)
    if data is None or data.get("NotOnOrAfter") is None or data.get("NotBefore") is not None:  # 1
        raise ProofError(Reason.SAML_CONFIRMATION_REFUSED, "The bearer confirmation needs an expiry, and no NotBefore.")
    recipient = data.get("Recipient")
    if recipient is None or recipient not in expected.recipients:  # 2
        raise ProofError(Reason.SAML_RECIPIENT_MISMATCH, "The SAML assertion is for another recipient.")
    answered = data.get("InResponseTo")
    if answered != request and (request is not None or answered is not None):  # 3
        if request is None and expected.request_ids is not None and answered in expected.request_ids:
            pass  # the wrapper, which may be unsigned, leaves out what the assertion says
        else:
            raise ProofError(Reason.SAML_RESPONSE_UNSOLICITED, "The SAML assertion answers another request.")
    expiry = instant(data.get("NotOnOrAfter", ""))
    if expected.now >= expiry + expected.leeway:  # 4
        raise ProofError(Reason.SAML_EXPIRED, _EXPIRED)
    return Confirmation(recipient, expiry, answered)


def last_confirmed(about: Children, held: Confirmation) -> int:
    """
    When the last of the bearer confirmations ends, whether it holds now or not: a replay may come when another one holds.
    Those whose end is no instant never hold.
    """
    ends = [held.not_on_or_after]
    confirmations = about.get(f"{SA}SubjectConfirmation", ())
    for found in confirmations if len(confirmations) > 1 else ():  # one alone is the one that holds
        for data in found.iterchildren(f"{SA}SubjectConfirmationData"):
            try:
                ends.append(instant(data.get("NotOnOrAfter", "")))
            except ProofError:
                continue
    return max(ends)


def require_current(issued_at: int, found: Conditions, expected: Expectations) -> None:
    """The assertion is valid now (SAML Core 2.5.1.2), and not older than it may be."""
    if issued_at > expected.now + expected.leeway:
        raise ProofError(Reason.SAML_NOT_YET_VALID, "The SAML assertion was issued in the future.")
    if found.not_before is not None and expected.now < found.not_before - expected.leeway:
        raise ProofError(Reason.SAML_NOT_YET_VALID, "The SAML assertion is not valid yet.")
    if found.not_on_or_after is not None and expected.now >= found.not_on_or_after + expected.leeway:
        raise ProofError(Reason.SAML_EXPIRED, _EXPIRED)
    if expected.max_age is not None and expected.now > issued_at + expected.max_age + expected.leeway:
        minutes = expected.max_age / 60
        raise ProofError(Reason.SAML_EXPIRED, f"Token must be redeemed within {minutes:g} minutes of issuance.")


class Session(msgspec.Struct, frozen=True):
    """When the subject was authenticated, and until when the provider's session lasts, if it says."""

    instant: int
    index: str | None
    not_on_or_after: int | None


def authentication(assertion: Children, expected: Expectations) -> Session:
    """The one authentication statement (SAML Core 2.7.2), of a session that has not ended."""
    found = assertion.get(f"{SA}AuthnStatement", ())
    if len(found) != 1:
        raise ProofError(Reason.SAML_AUTHENTICATION_MISSING, "Expected exactly one authentication statement.")
    statement = found[0]
    index = statement.get("SessionIndex")
    if index is not None and not is_line(index, MAX_URI):
        raise ProofError(Reason.SAML_VALUE_MALFORMED, "The assertion's session index is malformed.")
    authenticated = instant(statement.get("AuthnInstant", ""))
    if authenticated > expected.now + expected.leeway:
        raise ProofError(Reason.SAML_NOT_YET_VALID, "The subject was authenticated in the future.")
    ends = _optional_instant(statement, "SessionNotOnOrAfter")
    if ends is not None and expected.now >= ends + expected.leeway:
        raise ProofError(Reason.SAML_EXPIRED, "The session at the identity provider has ended.")
    return Session(authenticated, index, ends)


def attributes(assertion: Children) -> Mapping[str, tuple[str, ...]]:
    """
    The attributes by name (SAML Core 2.7.3). Values that come in several elements of one name are one list, as some providers
    send them; with two formats of one name it is refused: one would hide the other.
    """
    values: dict[str, tuple[str, ...]] = {}
    formats: dict[str, str | None] = {}
    stated = assertion.get(f"{SA}AttributeStatement", ())
    found = [attribute for statement in stated for attribute in statement.iterchildren(f"{SA}Attribute")]
    if len(found) > MAX_ATTRIBUTES:
        raise ProofError(Reason.SAML_TOO_LARGE, f"The SAML assertion has more than {MAX_ATTRIBUTES} attributes.")
    for attribute in found:
        name, name_format = attribute.get("Name", ""), attribute.get("NameFormat")
        if not is_line(name, MAX_ATTRIBUTE_NAME) or formats.setdefault(name, name_format) != name_format:
            raise ProofError(Reason.SAML_ATTRIBUTES_MALFORMED, "An attribute's name is malformed, or has two formats.")
        values[name] = values.get(name, ()) + _values(attribute)
    return values


def _values(attribute: Element) -> tuple[str, ...]:
    """The text of each AttributeValue, or of the NameID in it."""
    texts = tuple([(value[0].text if len(value) else value.text) or "" for value in attribute])
    if max(map(len, texts), default=0) > MAX_ATTRIBUTE_VALUE:
        message = f"Expected attribute values of at most {MAX_ATTRIBUTE_VALUE} characters."
        raise ProofError(Reason.SAML_ATTRIBUTES_MALFORMED, message)
    return texts


def _optional_instant(element: Element, name: str) -> int | None:
    value = element.get(name)
    return None if value is None else instant(value)

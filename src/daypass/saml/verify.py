# SPDX-License-Identifier: Apache-2.0
"""
The verification of a SAML response (Web Browser SSO Profile, SAML Profiles 4.1.4; AssumeRoleWithSAML takes the same).

Pure: the caller brings the registration, what is expected, and the time. What attributes mean to STS is for the caller.
"""

from __future__ import annotations

import msgspec

from daypass.errors import ProofError, Reason
from daypass.saml import statements
from daypass.saml.assertion import Assertion
from daypass.saml.encryption import decrypt_assertion, decryption_failed, encrypted_form
from daypass.saml.limits import MAX_LEEWAY
from daypass.saml.response import Parts, UnverifiedResponse, take_apart
from daypass.saml.signature import Signed, verify_signature
from daypass.saml.signature_shape import take_signature
from daypass.saml.trust import Expectations, Trust
from daypass.saml.xml import Element, read_canonical


def verify_response(response: UnverifiedResponse, trust: Trust, expected: Expectations) -> Assertion:
    """
    The assertion of a response, if the trusted provider made it for us, and it is valid now. Trusted are the registered
    certificates only. The structural profile has passed before (``UnverifiedResponse``); then, by clauses of SAML 2.0:

    1. Issuer of the response, if it names one (Profiles 4.1.4.2): decides whose keys may speak. Before the signature,
       because with another provider's keys the rest would say "bad signature" of what is only misdirected.
    2. Signatures (Profiles 4.1.3.5, Core 5): of the response, of the assertion, or both; every one that is there is valid.
       An encrypted assertion is decrypted and has its own. From here on only the bytes that were signed are read.
    3. Version 2.0 of both (Core 4.1). 4. Issuer of the assertion, whole (Profiles 4.1.4.2).
    5. Conditions (Core 2.5.1): the audience is one of ours, in every restriction, of which there is at least one. Before the
       times: of an assertion that is meant for somebody else nothing more is said.
    6. Destination of the response (Bindings 3.5.5.2): ours; required where the response is signed.
    7. InResponseTo of the response (Profiles 4.1.4.3): a request of ours, or none.
    8. Subject: a NameID, and a bearer confirmation (Profiles 4.1.4.2) for our recipient, not before nothing, not expired, of
       the same request.
    9. Times of the assertion: issued in the past and not long ago, conditions' NotBefore and NotOnOrAfter.
    10. One authentication statement (Profiles 4.1.4.2), whose session has not ended (Core 2.7.2).
    11. Attributes (Core 2.7.3): well-formed and bounded.

    Times have ``expected.leeway`` seconds in the assertion's favour. Raises ProofError; SAML_EXPIRED only of a genuine
    response. **It does not remember assertions**: the caller spends ``(issuer, assertion_id)`` until ``replay_until``.
    """
    _require_issuer(response.unverified_parts, trust)  # 1
    genuine = _genuine(response.unverified_parts, trust)  # 2
    stated, about = statements.of_assertion(genuine.assertion)
    statements.issued_at(genuine.parts.response)  # 3
    issued_at = statements.issued_at(genuine.assertion)
    _require_issuer(genuine.parts, trust)  # 4
    statements.require_issuer(statements.one(stated, "Issuer"), trust.entity_id)
    conditions = statements.conditions(stated, expected)  # 5
    statements.require_destination(genuine.parts.response, expected, required=genuine.response_signed)  # 6
    in_response_to = statements.in_response_to(genuine.parts.response, expected)  # 7
    subject = statements.subject(about)  # 8
    confirmation = statements.confirmation(about, in_response_to, expected)
    statements.require_current(issued_at, conditions, expected)  # 9
    session = statements.authentication(stated, expected)  # 10
    attributes = statements.attributes(stated)  # 11
    ends, replay_until = _ends(about, conditions, confirmation, issued_at, expected)
    return Assertion(
        assertion_id=genuine.assertion.get("ID", ""),
        issuer=trust.entity_id,
        subject=subject.value,
        subject_format=subject.format,
        name_qualifier=subject.name_qualifier,
        sp_name_qualifier=subject.sp_name_qualifier,
        audience=conditions.audience,
        recipient=confirmation.recipient,
        attributes=attributes,
        authn_instant=session.instant,
        session_index=session.index,
        session_not_on_or_after=session.not_on_or_after,
        not_on_or_after=ends,
        in_response_to=confirmation.in_response_to,
        signed_with=genuine.signed.algorithm,
        signed_by=genuine.signed.fingerprint,
        encrypted=genuine.encrypted,
        one_time_use=conditions.one_time_use,
        replay_until=replay_until,
        sha1=genuine.sha1,
        encrypted_with_cbc=genuine.cbc,
    )


def _require_issuer(parts: Parts, trust: Trust) -> None:
    """A response need not name its issuer; then only the assertion does."""
    if parts.issuer is not None:
        statements.require_issuer(parts.issuer, trust.entity_id)


def _ends(
    about: statements.Children,
    conditions: statements.Conditions,
    confirmation: statements.Confirmation,
    issued_at: int,
    expected: Expectations,
) -> tuple[int, int]:
    """When the assertion ends, by this confirmation and without leeway; and until when it must be remembered as spent."""
    ends = [] if conditions.not_on_or_after is None else [conditions.not_on_or_after]
    # NOTE: when the confirmation that holds now has ended, another one may hold; it is remembered until the last has, whatever
    # leeway and age the next use of it will be judged by.
    remembered = min([statements.last_confirmed(about, confirmation), *ends]) + int(MAX_LEEWAY) + 1
    if expected.max_age is not None:
        ends.append(int(issued_at + expected.max_age) + 1)
    return min([confirmation.not_on_or_after, *ends]), remembered


class _Genuine(msgspec.Struct, frozen=True):
    """What a registered key signed. ``assertion`` is always from signed bytes; ``parts`` of the response only if it was signed,
    else they are the unverified wrapper, which can make a response refused and never accepted."""

    parts: Parts
    response_signed: bool
    assertion: Element
    signed: Signed
    encrypted: bool
    sha1: bool
    cbc: bool = False


def _genuine(parts: Parts, trust: Trust) -> _Genuine:
    """
    INVARIANT: what came has passed the structural profile, and what is read again is its canonical form, byte for byte what
    was signed: the profile need not be asked a second time, and nobody but the provider could have written it.

    1. The response's signature, if it has one; what it covers replaces what came.
    2. The assertion in it, decrypted if it is encrypted; then it needs a signature of its own, for encryption proves nothing.
    3. The assertion's signature, if it has one; what it covers is the assertion.
    4. None of the two: unsigned.
    """
    signed = None
    if parts.signature is not None:  # 1
        signed = _verified(parts.response, parts.signature, trust)
        parts = take_apart(read_canonical(signed.data))
    response_signed, sha1 = signed is not None, signed is not None and signed.sha1
    if parts.encrypted:  # 2
        assertion, of_assertion, cbc = _decrypted(parts.assertion, trust)
        return _Genuine(parts, response_signed, assertion, of_assertion, True, sha1 or of_assertion.sha1, cbc)
    if trust.encryption_required:
        raise ProofError(
            Reason.SAML_ENCRYPTION_REQUIRED, "The identity provider is registered to encrypt its assertions."
        )
    assertion = parts.assertion
    if parts.assertion_signature is not None:  # 3
        signed = _verified(assertion, parts.assertion_signature, trust)
        assertion = read_canonical(signed.data)
    if signed is None:  # 4
        raise _unsigned()
    return _Genuine(parts, response_signed, assertion, signed, False, sha1 or signed.sha1)


def _decrypted(encrypted: Element, trust: Trust) -> tuple[Element, Signed, bool]:
    """The assertion out of an EncryptedAssertion, its signature, and whether it was CBC. With CBC every failure is one and the
    same: whoever alters the ciphertext must not learn how far its reading came."""
    form = encrypted_form(encrypted, allow_cbc=trust.allow_cbc)
    assertion = decrypt_assertion(encrypted, form, trust.decryption_keys)
    try:
        signature = take_signature(assertion)
        if signature is None:
            raise _unsigned()
        signed = _verified(assertion, signature, trust)
        return read_canonical(signed.data), signed, form.cbc
    except ProofError:
        if form.cbc:
            raise decryption_failed() from None
        raise


def _verified(element: Element, signature: Element, trust: Trust) -> Signed:
    return verify_signature(
        element,
        signature,
        trust.certificates,
        allow_sha1=trust.allow_sha1,
        allow_small_rsa=trust.allow_small_rsa,
    )


def _unsigned() -> ProofError:
    return ProofError(Reason.SAML_UNSIGNED, "Neither the response nor its assertion is signed as it must be.")

# SPDX-License-Identifier: Apache-2.0
"""
The condition keys of a verified assertion, ``saml:...`` (IAM User Guide, "IAM and AWS STS condition context keys", SAML keys;
"Mapping SAML attributes to AWS trust policy context keys").

    saml:aud                 the Recipient of the subject's confirmation; not the audience
    saml:iss, saml:sub       issuer and NameID
    saml:sub_type            persistent, transient, or else the whole format
    saml:doc                 ACCOUNT/PROVIDER
    saml:namequalifier       BASE64(SHA1(issuer + account + "/" + provider))
    saml:<name>              an attribute that AWS knows (``KNOWN``): a list, but for saml:edupersonorgdn
    saml:attribute/<Name>    every attribute there is, by its Name in lower case: a list. AWS has no such keys.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Final

from daypass.errors import ProofError, Reason
from daypass.identity import ContextValue
from daypass.saml import Assertion

OTHER: Final = "saml:attribute/"
"""How the keys begin that we have beyond AWS's."""

SAML2_FORMAT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
"""The format of a NameID that states none (SAML Core 2.2.2)."""

_PERSON: Final = "urn:oid:1.3.6.1.4.1.5923.1.1.1."
_ORGANIZATION: Final = "urn:oid:1.3.6.1.4.1.5923.1.2.1."
_CLAIMS: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"

KNOWN: Final[Mapping[str, str]] = {
    f"{_PERSON}1": "edupersonaffiliation",
    f"{_PERSON}2": "edupersonnickname",
    f"{_PERSON}3": "edupersonorgdn",
    f"{_PERSON}4": "edupersonorgunitdn",
    f"{_PERSON}5": "edupersonprimaryaffiliation",
    f"{_PERSON}6": "edupersonprincipalname",
    f"{_PERSON}7": "edupersonentitlement",
    f"{_PERSON}8": "edupersonprimaryorgunitdn",
    f"{_PERSON}9": "edupersonscopedaffiliation",
    f"{_PERSON}10": "edupersontargetedid",
    f"{_PERSON}11": "edupersonassurance",
    f"{_ORGANIZATION}2": "eduorghomepageuri",
    f"{_ORGANIZATION}3": "eduorgidentityauthnpolicyuri",
    f"{_ORGANIZATION}4": "eduorglegalname",
    f"{_ORGANIZATION}5": "eduorgsuperioruri",
    f"{_ORGANIZATION}6": "eduorgwhitepagesuri",
    "urn:oid:2.5.4.3": "cn",
    f"{_CLAIMS}name": "name",
    "http://schemas.xmlsoap.org/claims/CommonName": "commonname",
    f"{_CLAIMS}givenname": "givenname",
    f"{_CLAIMS}surname": "surname",
    f"{_CLAIMS}emailaddress": "mail",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid": "primarygroupsid",
    "2.5.4.3": "commonname",
    "2.5.4.4": "surname",
    "2.5.4.42": "givenname",
    "2.5.4.45": "x500uniqueidentifier",
    "0.9.2342.19200300.100.1.1": "uid",
    "0.9.2342.19200300.100.1.3": "mail",
    "0.9.2342.19200300.100.1.45": "organizationstatus",
    # The names that the X.500/LDAP attribute profile gives to the same attributes (SAML Profiles 8.2.2).
    "urn:oid:2.5.4.4": "surname",
    "urn:oid:2.5.4.42": "givenname",
    "urn:oid:2.5.4.45": "x500uniqueidentifier",
    "urn:oid:0.9.2342.19200300.100.1.1": "uid",
    "urn:oid:0.9.2342.19200300.100.1.3": "mail",
    "urn:oid:0.9.2342.19200300.100.1.45": "organizationstatus",
}
"""The attributes that AWS has a condition key for, by their Name: the key's name behind ``saml:``, in lower case."""

ONE_VALUE: Final = frozenset({"edupersonorgdn"})
"""Of those, the keys that are a string and no list."""


def condition_keys(assertion: Assertion, account: str, provider: str) -> dict[str, ContextValue]:
    """
    The condition keys of an assertion that was verified for a provider (its name) of an account. Names are in lower case.

    Raises ProofError: of two attributes whose names differ only in case, for a policy could not tell them apart; and of a
    second value where the key is a string.
    """
    values: dict[str, list[str]] = {}
    for name, of in assertion.attributes.items():
        if name in KNOWN and of:
            values.setdefault(KNOWN[name], []).extend(of)
    keys: dict[str, ContextValue] = {f"saml:{key}": _value(key, of) for key, of in values.items()}
    others = {OTHER + name.lower(): of for name, of in assertion.attributes.items()}
    if len(others) != len(assertion.attributes):
        message = "Two attributes of the assertion have names that differ only in case."
        raise ProofError(Reason.SAML_CLAIM_AMBIGUOUS, message)
    keys.update({key: of for key, of in others.items() if of})
    keys |= {
        "saml:aud": assertion.recipient,
        "saml:iss": assertion.issuer,
        "saml:sub": assertion.subject,
        "saml:sub_type": _sub_type(assertion.subject_format),
        "saml:doc": f"{account}/{provider}",
        "saml:namequalifier": name_qualifier_of(assertion.issuer, account, provider),
    }
    return keys


def _value(key: str, values: list[str]) -> ContextValue:
    unique = tuple(dict.fromkeys(values))
    if key not in ONE_VALUE:
        return unique
    if len(unique) > 1:
        raise ProofError(Reason.SAML_CLAIM_AMBIGUOUS, f"The assertion has several values for saml:{key}; expected one.")
    return unique[0]


def _sub_type(name_id_format: str) -> str:
    short = name_id_format.removeprefix(SAML2_FORMAT)
    return short if short in ("persistent", "transient") else name_id_format or UNSPECIFIED


def subject_type(name_id_format: str) -> str:
    """SubjectType of the answer: the format without the prefix of SAML 2.0's (STS API, AssumeRoleWithSAML)."""
    return name_id_format.removeprefix(SAML2_FORMAT) or UNSPECIFIED


def name_qualifier_of(issuer: str, account: str, provider: str) -> str:
    """NameQualifier of the answer, and ``saml:namequalifier``: AWS's hash, by which subjects of two providers differ."""
    digest = hashlib.sha1(f"{issuer}{account}/{provider}".encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")

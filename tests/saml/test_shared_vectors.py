# SPDX-License-Identifier: Apache-2.0
"""
The public vectors of crewjam/saml (BSD-2-Clause; ../shared/vectors/README.md): nine wrapping responses, and a valid one.

They are signed with SHA-1, two thirds of them with a key of 1024 bits, so they are judged with both allowed: what refuses
them must be their shape.
"""

from __future__ import annotations

import calendar
from dataclasses import replace

import pytest

from daypass.errors import ProofError, Reason
from daypass.saml import Expectations, Trust, decode_response, parse_metadata
from saml.documents import SHARED, judged, reason, xmlsec_accepts

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/vectors/saml is not here")

ONELOGIN = Expectations(
    ("https://29ee6d2e.ngrok.io/saml/metadata",),
    ("https://29ee6d2e.ngrok.io/saml/acs",),
    calendar.timegm((2016, 1, 5, 17, 53, 12)),
    frozenset({"id-d40c15c104b52691eccf0a2a5c8a15595be75423"}),
)
EXAMPLE = Expectations(
    ("http://sp.example.com/demo1/metadata.php",),
    ("http://sp.example.com/demo1/index.php?acs",),
    calendar.timegm((2014, 7, 17, 14, 12, 57)),
    frozenset({"ONELOGIN_4fee3b046395c4e751011e97f8900b5273d56685"}),
    max_age=None,
)


def trust(name: str) -> Trust:
    metadata = parse_metadata((SHARED / name).read_bytes())
    return Trust(metadata.entity_id, metadata.certificates, allow_sha1=True, allow_small_rsa=True)


def response(name: str) -> bytes:
    return decode_response((SHARED / f"{name}.b64").read_bytes())


def test_the_valid_response_is_accepted_with_its_own_certificate_and_time() -> None:
    onelogin = trust("onelogin-idp-metadata.xml")
    assertion = judged(response("onelogin-valid"), onelogin, ONELOGIN)
    assert assertion.subject == "ross@kndr.org"
    assert assertion.attributes["User.FirstName"] == ("Ross",)
    assert assertion.in_response_to == "id-d40c15c104b52691eccf0a2a5c8a15595be75423"
    assert xmlsec_accepts(response("onelogin-valid"), onelogin.certificates[0])


@pytest.mark.parametrize("number", ["One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"])
def test_a_wrapping_response_is_refused_for_its_second_assertion(number: str) -> None:
    of_onelogin = number in ("One", "Two")
    registered = trust("onelogin-idp-metadata.xml" if of_onelogin else "example-idp-metadata.xml")
    expected = ONELOGIN if of_onelogin else EXAMPLE
    assert reason(response(f"xsw-{number}"), registered, expected) is Reason.SAML_ASSERTION_COUNT


def test_the_valid_response_is_refused_where_sha_1_is_not_allowed() -> None:
    onelogin = replace(trust("onelogin-idp-metadata.xml"), allow_sha1=False)
    with pytest.raises(ProofError) as refused:
        judged(response("onelogin-valid"), onelogin, ONELOGIN)
    assert refused.value.reason is Reason.SAML_ALGORITHM_REFUSED


def test_the_valid_response_is_refused_with_the_other_providers_certificate() -> None:
    onelogin = replace(trust("onelogin-idp-metadata.xml"), certificates=trust("example-idp-metadata.xml").certificates)
    assert reason(response("onelogin-valid"), onelogin, ONELOGIN) is Reason.SAML_SIGNATURE_INVALID

# SPDX-License-Identifier: Apache-2.0
"""Attack documents made from genuine responses of three implementations: each is refused, for the stated reason."""

from __future__ import annotations

import json

import pytest

from saml.attacks import ATTACKS, Attack, Victim
from saml.documents import IMPLEMENTATIONS, SHARED, VECTORS, genuine, judged, reason, signxml_covers, xmlsec_accepts
from saml.recorded import recorded


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_a_genuine_response_of_each_implementation_is_accepted_and_the_oracles_agree(implementation: str) -> None:
    known = genuine(implementation)
    assertion = judged(known.response, known.trust, known.expected)
    assert assertion.subject == (known.subject or assertion.subject)
    assert xmlsec_accepts(known.response, known.trust.certificates[0])
    assert len(signxml_covers(known.response, known.trust.certificates[0])) == 1


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_document_is_refused_for_the_stated_reason(attack: Attack, implementation: str) -> None:
    known = genuine(implementation)
    assert reason(attack.make(Victim(known.response)), known.trust, known.expected) is attack.reason


def test_there_are_at_least_sixty_attacks_and_each_says_why() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 60
    assert all(attack.why for attack in ATTACKS)


def test_the_attack_documents_are_those_that_are_kept() -> None:
    kept = json.loads((VECTORS / "attacks.json").read_text())
    assert kept["attacks"] == recorded(), "run tests/saml/vectors/make_attacks.py"


def test_what_xmlsec_would_accept_of_the_attacks_is_listed_and_refused_here() -> None:
    """A signature that verifies is not enough: what is around it decides. These verify, and are refused."""
    kept = json.loads((VECTORS / "attacks.json").read_text())["attacks"]
    accepted = {name for name, entry in kept.items() if "accepts" in {d["xmlsec"] for d in entry["documents"].values()}}
    assert {"forged-before", "genuine-in-extensions", "comment-in-the-name", "default-attribute"} <= accepted
    assert len(accepted) >= 30


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/vectors/saml is not here")
def test_the_shared_folder_has_the_vectors_that_the_tests_read() -> None:
    assert len(list(SHARED.glob("xsw-*.b64"))) == 9

# SPDX-License-Identifier: Apache-2.0
"""Documents that somebody made to hurt: refused or read in a bounded time, and nothing of them is kept."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Final

import pytest

from daypass.errors import ProofError, Reason
from daypass.saml import Expectations, Trust, parse_response, shape
from daypass.saml.limits import MAX_NAMESPACE_NAME, MAX_NAMESPACES, MAX_RESPONSE
from fakes.saml_idp import AUDIENCE, CONSUMER, ENTITY_ID, NOW, FakeSamlIdp
from saml.documents import judged, reason

IDP = FakeSamlIdp()
TRUST = Trust(ENTITY_ID, (IDP.certificate,))
EXPECTED = Expectations((AUDIENCE,), (CONSUMER,), NOW + 1)
LONGEST: Final = 0.25
"""Seconds of this thread's time for the worst document. A usual one takes under a millisecond."""


def _filled(make: Callable[[int], str]) -> bytes:
    """A genuine response in which something that ``make`` numbers stands as often as there is room."""
    document = IDP.response()
    room, parts = MAX_RESPONSE - len(document) - 100, [""]
    while room > 0:
        parts.append(make(len(parts)))
        room -= len(parts[-1])
    return document.replace(b"<samlp:Response ", b"<samlp:Response " + "".join(parts).encode(), 1)


HOSTILE: Final = {
    "namespaces": _filled(lambda n: f'xmlns:n{n}="urn:{n}" '),
    "long-namespace": IDP.response().replace(b"<samlp:Response ", b'<samlp:Response xmlns:x="' + b"x" * 257 + b'" ', 1),
    "attributes": _filled(lambda n: f'a{n}="" '),
    "long-attribute": IDP.response().replace(b' Version="2.0"', b' Version="' + b"2" * 60_000 + b'"', 1),
    "long-name": IDP.response().replace(b"<samlp:Status>", b"<" + b"x" * 60_000 + b"/><samlp:Status>", 1),
    "deep": b"<a>" * 20_000,
    "wide": b"<a>" + b"<a/>" * 15_000 + b"</a>",
    "many-values": IDP.response(attributes={"a": [""] * 1_000}),
    "character-references": IDP.response(name_id="x" * 900).replace(b"x" * 900, b"&#x78;" * 9_000),
    "white-space": IDP.response().replace(b"<samlp:Status>", b" " * 60_000 + b"<samlp:Status>", 1),
    "open-tags": b"<" * 75_000,
    "quotes": b'<a b="' + b"'" * 70_000,
    "colons": b"<" + b"a:" * 30_000 + b"/>",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_document_that_was_made_to_hurt_takes_a_bounded_time(name: str) -> None:
    start = time.thread_time()
    try:
        judged(HOSTILE[name], TRUST, EXPECTED)
    except ProofError:
        pass
    assert time.thread_time() - start < LONGEST


def test_namespaces_are_bounded_in_number_and_length_exactly() -> None:
    document = IDP.response()
    declared = document[: document.index(b">")].count(b"xmlns")

    def more(number: int, length: int) -> bytes:
        names = b"".join(b'xmlns:n%d="%s" ' % (n, b"u:".ljust(length, b"x")) for n in range(number))
        return document.replace(b"<samlp:Response ", b"<samlp:Response " + names, 1)

    assert judged(more(MAX_NAMESPACES - declared, 10), TRUST, EXPECTED).subject == "alice"
    assert judged(more(1, MAX_NAMESPACE_NAME), TRUST, EXPECTED).subject == "alice"
    assert reason(more(MAX_NAMESPACES - declared + 1, 10), TRUST, EXPECTED) is Reason.SAML_TOO_LARGE
    assert reason(more(1, MAX_NAMESPACE_NAME + 1), TRUST, EXPECTED) is Reason.SAML_TOO_LARGE


def test_nothing_of_what_is_refused_is_remembered() -> None:
    """The names of refused elements and attributes are an attacker's, and as long as the document."""
    judged(IDP.response(), TRUST, EXPECTED)
    before = shape._require_form.cache_info().currsize
    genuine = IDP.response()
    tracemalloc.start()
    for number in range(200):
        for found, put in (
            (b"<samlp:Status>", f"<x{number}{'x' * 20_000}/><samlp:Status>"),
            (b' Version="2.0"', f' Version="2.0" x{number}{"x" * 20_000}=""'),
        ):
            with pytest.raises(ProofError):
                parse_response(genuine.replace(found, put.encode(), 1))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert shape._require_form.cache_info().currsize == before
    assert kept < 1_000_000

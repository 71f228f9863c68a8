# SPDX-License-Identifier: Apache-2.0
"""
``python -m bench.saml``: SAML responses verified per second on one thread, beside python3-saml on the same documents.

    genuine responses of three providers (tests/saml/vectors/genuine) -- both accept them, or nothing is timed --
    short slices, in turn, round after round -- medians of the rates by this process's time, and of their ratios

daypass does what the consumer does: base64, parse, profile, signature, claims. python3-saml does its ``is_valid``, strict,
which is the same task. Exit code 0 whether goals are met or not; 1 when a document is refused.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from onelogin.saml2.response import OneLogin_Saml2_Response  # type: ignore[import-untyped]
from onelogin.saml2.settings import OneLogin_Saml2_Settings  # type: ignore[import-untyped]
from onelogin.saml2.utils import OneLogin_Saml2_Utils  # type: ignore[import-untyped]

from daypass.saml import Expectations, Trust, decode_response, parse_metadata, parse_response, verify_response

VECTORS: Final = Path(__file__).parent.parent / "tests" / "saml" / "vectors" / "genuine"
PROVIDERS: Final = ("simplesamlphp", "samlp", "pysaml2")
CASE: Final = "assertion-signed"
GOAL: Final = 1_200
"""Verifications per second on one core."""
GOAL_TIMES: Final = 5
"""Times python3-saml."""


@dataclass(frozen=True)
class Contest:
    """One document, and the two who verify it."""

    provider: str
    size: int
    daypass: Callable[[], object]
    python3_saml: Callable[[], object]


def contests() -> Iterator[Contest]:
    """A document of each provider; both verifiers have accepted it."""
    for provider in PROVIDERS:
        kept = json.loads((VECTORS / provider / "vectors.json").read_text())
        case = next(case for case in kept["cases"] if case["name"] == CASE)
        document = (VECTORS / provider / f"{CASE}.xml").read_bytes()
        metadata = parse_metadata((VECTORS / provider / "metadata.xml").read_bytes())
        text = base64.b64encode(document).decode("ascii")
        trust = Trust(metadata.entity_id, metadata.certificates)
        expected = Expectations((case["audience"],), (case["recipient"],), case["now"])
        yield Contest(provider, len(document), _ours(text, trust, expected), _theirs(text, trust, case))


def _ours(text: str, trust: Trust, expected: Expectations) -> Callable[[], object]:
    def verify() -> object:
        return verify_response(parse_response(decode_response(text)), trust, expected)

    verify()
    return verify


def _theirs(text: str, trust: Trust, case: dict[str, Any]) -> Callable[[], object]:
    place = urlsplit(case["recipient"])
    settings = OneLogin_Saml2_Settings(
        {
            "strict": True,
            "sp": {"entityId": case["audience"], "assertionConsumerService": {"url": case["recipient"]}},
            "idp": {
                "entityId": trust.entity_id,
                "singleSignOnService": {"url": "https://idp.example.org/sso"},
                "x509cert": base64.b64encode(trust.certificates[0]).decode("ascii"),
            },
            "security": {"wantAssertionsSigned": True, "rejectDeprecatedAlgorithm": True},
        }
    )
    request = {"https": "on", "http_host": place.netloc, "script_name": place.path, "get_data": {}, "post_data": {}}

    def verify() -> object:
        OneLogin_Saml2_Utils.now = staticmethod(lambda: case["now"])  # the documents are kept, and so is their time
        response = OneLogin_Saml2_Response(settings, text)
        if not response.is_valid(request):
            sys.exit(f"bench: python3-saml refuses a document: {response.get_error()}")
        return response.get_attributes()

    verify()
    return verify


def rate(verify: Callable[[], object], seconds: float) -> float:
    """Verifications per second of this process's time."""
    count, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        verify()
        count += 1
    return count / spent


def main(rounds: int, seconds: float) -> None:
    """Measure and print."""
    print(f"Python {sys.version}\n")
    print("| response of | bytes | daypass /s | python3-saml /s | times |")
    print("|---|---|---|---|---|")
    for contest in contests():
        ours, theirs = [], []
        for number in range(rounds + 1):
            pair = rate(contest.daypass, seconds), rate(contest.python3_saml, seconds)
            if number:  # the first round warms up
                ours.append(pair[0])
                theirs.append(pair[1])
        fast, slow = statistics.median(ours), statistics.median(theirs)
        times = statistics.median(our / their for our, their in zip(ours, theirs, strict=True))
        print(f"| {contest.provider} | {contest.size:,} | {fast:,.0f} | {slow:,.0f} | {times:.1f} |")
    print(f"\nGoals: {GOAL:,} per second on one core, {GOAL_TIMES} times python3-saml.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.saml", description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=0.1)
    arguments = parser.parse_args()
    main(arguments.rounds, arguments.seconds)

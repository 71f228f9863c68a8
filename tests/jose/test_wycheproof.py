# SPDX-License-Identifier: Apache-2.0
"""Wycheproof's JWS and JWK cases (C2SP/wycheproof, testvectors_v1), each with the verdict it must have here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daypass import jose
from daypass.errors import ProofError, Reason

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "jose"
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth"}

# "Valid" in Wycheproof, refused here, and why.
DEVIATIONS = {
    Reason.TOKEN_ALGORITHM_REFUSED: {1, 348, 352, 357, 358, 359, 376, 377},  # HMAC does not exist in the verifier
    Reason.TOKEN_MALFORMED: {372, 373},  # a character that is not base64url; even in the set's own words it is invalid
    Reason.KEY_UNSUITABLE: {346, 350},  # the key says PS256, the token PS384 (RFC 7517 section 4.4)
    Reason.KEY_UNKNOWN: {347, 351},  # the key says ES521, which is no algorithm
}


def groups(name: str) -> Iterator[dict[str, Any]]:
    path = VECTORS / name
    if not path.exists():
        if os.environ.get("DAYPASS_TEST_REQUIRE_ALL") == "1":
            raise FileNotFoundError(path)
        return
    yield from json.loads(path.read_text())["testGroups"]


def cases(name: str) -> list[Any]:
    found = [
        pytest.param(group, case, id=f"{case['tcId']}-{case['comment']}")
        for group in groups(name)
        for case in group["tests"]
    ]
    return found or [pytest.param({}, {}, marks=pytest.mark.skip(reason=f"{VECTORS} is missing"))]


def key_set(group: dict[str, Any]) -> jose.KeySet:
    """The group's public key or keys; where only the private form is given, without its private members."""
    published = group.get("public") or group["private"]
    keys = published.get("keys", [published])
    if "public" not in group:
        keys = [{name: value for name, value in key.items() if name not in PRIVATE} for key in keys]
    return jose.KeySet.parse(json.dumps({"keys": keys}).encode())


def judge(group: dict[str, Any], case: dict[str, Any]) -> Reason | None:
    try:
        jose.verify_payload(jose.UnverifiedJws(case["jws"]), key_set(group), jose.ALGORITHMS)
    except ProofError as error:
        return error.reason
    return None


@pytest.mark.parametrize(("group", "case"), cases("json_web_signature_test.json"))
def test_a_jws_has_wycheproofs_verdict_or_is_refused_for_a_listed_reason(
    group: dict[str, Any], case: dict[str, Any]
) -> None:
    expected = next((reason for reason, ids in DEVIATIONS.items() if case["tcId"] in ids), None)
    if expected is not None:
        assert case["result"] == "valid"
        assert judge(group, case) is expected
    else:
        assert (judge(group, case) is None) is (case["result"] == "valid")


@pytest.mark.parametrize(("group", "case"), cases("json_web_key_test.json"))
def test_a_key_has_wycheproofs_verdict_and_symmetric_keys_are_none(group: dict[str, Any], case: dict[str, Any]) -> None:
    keys = group.get("public", group["private"])["keys"]
    symmetric = all(key["kty"] == "oct" for key in keys)
    assert (judge(group, case) is None) is (case["result"] == "valid" and not symmetric)

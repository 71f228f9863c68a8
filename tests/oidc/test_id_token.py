# SPDX-License-Identifier: Apache-2.0
"""The verification of ID tokens, rule by rule."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass import jose
from daypass.errors import ProofError, Reason
from daypass.oidc import IdToken, verify_id_token
from fakes.oidc_provider import NOW, jwks, sign, signing_key

ISSUER = "https://idp.example.org/realms/main"
KEY = signing_key("EdDSA")
KEYS = jose.KeySet.parse(jwks(KEY))
LEEWAY = 60


def claims(**changes: Any) -> dict[str, Any]:
    """Claims in order; a change to ... takes one away."""
    merged = {"iss": ISSUER, "sub": "alice", "aud": "client", "iat": NOW, "exp": NOW + 3600, **changes}
    return {name: value for name, value in merged.items() if value is not ...}


def verify(
    header: dict[str, Any] | None = None, *, text: str | None = None, now: float = NOW, **changes: Any
) -> IdToken:
    token = jose.parse(text or sign(KEY, claims(**changes), header))
    return verify_id_token(token, issuer=ISSUER, client_ids={"client", "second"}, keys=KEYS, now=now, leeway=LEEWAY)


def refusal(header: dict[str, Any] | None = None, **arguments: Any) -> Reason:
    with pytest.raises(ProofError) as caught:
        verify(header, **arguments)
    return caught.value.reason


def test_a_token_in_order_is_returned_with_its_subject_audience_and_times() -> None:
    verified = verify()
    assert verified == IdToken(ISSUER, "alice", "client", NOW, NOW + 3600, claims())


@pytest.mark.parametrize(
    "issuer",
    [
        ISSUER + "/", ISSUER.removesuffix("main"), ISSUER + "2", ISSUER.replace("https", "http"), ISSUER.upper(), "",
        ISSUER.replace("https://", "https://user@"), ISSUER.replace("https://", ""), ISSUER + "?", ISSUER + "#", " " + ISSUER,
        "https://idp.example.org.evil.example/realms/main", "https://evil.example/https://idp.example.org/realms/main",
        ISSUER.replace("example", "ex\u0430mple"), ISSUER.replace("/realms", ":443/realms"),
        ISSUER.replace("/realms", "/x/../realms"),
    ],
)  # fmt: skip
def test_an_issuer_that_is_not_the_registered_one_to_the_letter_is_refused(issuer: str) -> None:  # J10
    assert refusal(iss=issuer) is Reason.TOKEN_ISSUER_MISMATCH


@pytest.mark.parametrize("issuer", [..., None, [ISSUER], {"url": ISSUER}, 1, True])
def test_an_issuer_that_is_absent_or_no_string_is_refused(issuer: object) -> None:  # J10
    assert refusal(iss=issuer) is Reason.CLAIM_MISSING


@given(st.text(max_size=len(ISSUER) + 3))
def test_no_other_text_than_the_registered_issuer_is_accepted(issuer: str) -> None:  # J10
    assert issuer == ISSUER or refusal(iss=issuer) is Reason.TOKEN_ISSUER_MISMATCH


def test_the_issuer_is_told_before_the_signature() -> None:
    other = sign(signing_key("EdDSA", "other", 1), claims(iss="https://other.example"))
    assert refusal(text=other) is Reason.TOKEN_ISSUER_MISMATCH


def test_a_forged_token_is_told_nothing_but_that() -> None:
    forged = sign(signing_key("EdDSA", "key-1", 1), claims(aud="other", exp=NOW - 9999))
    assert refusal(text=forged) is Reason.TOKEN_SIGNATURE_INVALID


@pytest.mark.parametrize(
    "type_", [..., "JWT", "jwt", "application/jwt", "Application/JWT", "JOSE", "at+jwt", "application/at+jwt"]
)
def test_a_token_of_the_types_for_this_purpose_is_accepted(type_: Any) -> None:
    header = {"alg": "EdDSA", "kid": "key-1", **({} if type_ is ... else {"typ": type_})}
    assert verify(text=sign(KEY, claims(), json.dumps(header))).subject == "alice"


@pytest.mark.parametrize(
    "type_", ["", "logout+jwt", "secevent+jwt", "dpop+jwt", "JWT ", "application/", "text/jwt", "oauth-authz-req+jwt"]
)
def test_a_token_made_for_another_purpose_is_refused(type_: str) -> None:
    assert refusal({"typ": type_}) is Reason.TOKEN_TYPE_REFUSED


def test_a_logout_token_is_refused_even_without_its_type() -> None:
    event: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert refusal(events=event) is Reason.TOKEN_TYPE_REFUSED
    assert refusal(events={}) is Reason.TOKEN_TYPE_REFUSED


def test_a_token_bound_to_a_key_is_refused_because_nobody_proves_its_possession() -> None:
    assert refusal(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}) is Reason.TOKEN_TYPE_REFUSED


@pytest.mark.parametrize(
    ("audience", "matched"),
    [("client", "client"), (["client"], "client"), (["other", "second"], "second"), (["second", "client"], "second")],
)
def test_one_registered_client_among_the_audience_is_enough(audience: object, matched: str) -> None:  # J9
    assert verify(aud=audience).audience == matched


@pytest.mark.parametrize("audience", ["other", ["other"], "Client", "client ", "clien", ["client2", "clien"]])
def test_an_audience_without_a_registered_client_is_refused(audience: object) -> None:  # J9
    assert refusal(aud=audience) is Reason.TOKEN_AUDIENCE_MISMATCH


@pytest.mark.parametrize(
    "audience",
    [
        "",
        [],
        [""],
        ["client", ""],
        ["client", 1],
        ["client", None],
        [["client"]],
        {"client": 1},
        1,
        True,
        "c" * 256,
        ["client"] * 101,
        "cl\nient",
        "client\x00",
    ],
)
def test_an_audience_that_is_empty_malformed_or_too_long_is_refused(audience: object) -> None:  # J9
    assert refusal(aud=audience) is Reason.CLAIM_MALFORMED


@pytest.mark.parametrize("audience", [..., None])
def test_an_absent_audience_is_refused_even_with_an_authorized_party(audience: object) -> None:  # J9
    assert refusal(aud=audience) is Reason.CLAIM_MISSING
    assert refusal(aud=audience, azp="client") is Reason.CLAIM_MISSING


def test_the_authorized_party_decides_when_it_is_there() -> None:  # J9
    assert verify(aud="other", azp="second").audience == "second"
    assert refusal(aud="client", azp="other") is Reason.TOKEN_AUDIENCE_MISMATCH
    assert refusal(aud=["client", "second"], azp="other") is Reason.TOKEN_AUDIENCE_MISMATCH


@pytest.mark.parametrize("party", ["", None, 1, ["client"], False, {}])
def test_an_authorized_party_that_is_empty_or_no_string_is_refused_and_not_passed_over(party: object) -> None:  # J9
    assert refusal(aud="client", azp=party) is Reason.CLAIM_MALFORMED


def test_without_registered_clients_no_audience_is_accepted() -> None:  # J9
    token = jose.parse(sign(KEY, claims()))
    with pytest.raises(ProofError) as caught:
        verify_id_token(token, issuer=ISSUER, client_ids=(), keys=KEYS, now=NOW)
    assert caught.value.reason is Reason.TOKEN_AUDIENCE_MISMATCH


def test_a_token_is_good_until_the_very_instant_of_its_expiry_with_leeway() -> None:
    assert verify(now=NOW + 3600 + LEEWAY - 0.001).subject == "alice"
    assert refusal(now=NOW + 3600 + LEEWAY) is Reason.TOKEN_EXPIRED


def test_a_token_is_good_from_its_not_before_less_leeway() -> None:
    assert verify(nbf=NOW + LEEWAY).subject == "alice"
    assert refusal(nbf=NOW + LEEWAY + 0.001) is Reason.TOKEN_NOT_YET_VALID


def test_a_token_issued_in_the_future_is_refused_beyond_the_leeway() -> None:
    assert verify(iat=NOW + LEEWAY).subject == "alice"
    assert refusal(iat=NOW + LEEWAY + 0.001) is Reason.TOKEN_NOT_YET_VALID


def test_fractions_of_seconds_are_times() -> None:
    assert verify(exp=NOW + 0.5, iat=NOW - 0.5).expires_at == NOW + 0.5


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["1900000000", True, False, [1], {}, "", -1, -0.5, 253_402_300_800, 10**19, 1e300])
def test_a_time_that_is_no_number_of_seconds_is_refused(name: str, value: object) -> None:  # J8
    changes: dict[str, Any] = {name: value}
    assert refusal(**changes) is Reason.CLAIM_MALFORMED


@pytest.mark.parametrize("name", ["exp", "iat", "sub"])
@pytest.mark.parametrize("value", [..., None])
def test_a_required_claim_that_is_absent_or_null_is_refused(name: str, value: object) -> None:  # J8
    changes: dict[str, Any] = {name: value}
    assert refusal(**changes) is Reason.CLAIM_MISSING


def test_a_not_before_of_null_is_refused_and_an_absent_one_accepted() -> None:
    assert refusal(nbf=None) is Reason.CLAIM_MISSING
    assert verify(nbf=...).subject == "alice"


@pytest.mark.parametrize(
    "subject", ["", "a" * 256, 1, ["alice"], {"id": "alice"}, True, "ali\nce", "a\x00", "a\x7f", "a\u2028", "a\ufffe"]
)
def test_a_subject_that_is_empty_too_long_or_no_line_of_text_is_refused(subject: object) -> None:
    assert refusal(sub=subject) is Reason.CLAIM_MALFORMED


@pytest.mark.parametrize(
    "subject", ["a", "a" * 255, "repo:octo/cat:ref:refs/heads/main", "Zoë 🙂", "system:serviceaccount:ns:sa"]
)
def test_a_subject_of_up_to_255_characters_is_accepted(subject: str) -> None:
    assert verify(sub=subject).subject == subject


def test_the_audience_is_told_before_the_times_so_a_misdirected_token_is_not_called_expired() -> None:
    assert refusal(aud="other", exp=NOW - 9999) is Reason.TOKEN_AUDIENCE_MISMATCH


def test_algorithms_are_those_the_caller_lists() -> None:
    token = jose.parse(sign(KEY, claims()))
    with pytest.raises(ProofError) as caught:
        verify_id_token(token, issuer=ISSUER, client_ids={"client"}, keys=KEYS, now=NOW, algorithms={"RS256"})
    assert caught.value.reason is Reason.TOKEN_ALGORITHM_REFUSED


@pytest.mark.parametrize("leeway", [-1, 300.1, float("nan"), float("inf")])
def test_a_leeway_out_of_range_is_the_callers_mistake(leeway: float) -> None:
    with pytest.raises(ValueError, match="leeway"):
        verify_id_token(
            jose.parse(sign(KEY, claims())), issuer=ISSUER, client_ids=(), keys=KEYS, now=NOW, leeway=leeway
        )


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["iss", "sub", "aud", "azp", "exp", "nbf", "iat", "events", "cnf", "amr"])


@given(st.dictionaries(NAMES, ANYTHING, max_size=4))
def test_whatever_the_claims_the_token_is_in_order_or_a_proof_error_is_raised(changes: dict[str, Any]) -> None:
    try:
        verified = verify(**changes)
    except ProofError:
        return
    assert verified.issuer == ISSUER
    assert verified.audience in {"client", "second"}
    assert verified.expires_at + LEEWAY > NOW >= verified.issued_at - LEEWAY
    assert "events" not in changes

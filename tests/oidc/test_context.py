# SPDX-License-Identifier: Apache-2.0
"""What becomes of each claim: condition keys, session tags, source identity."""

from __future__ import annotations

from typing import Any

import pytest

from daypass.errors import ProofError, Reason
from daypass.oidc import SessionClaims, condition_keys, session_claims
from daypass.oidc.context import CLAIMS, Use

NAME = "idp.example.org/Realms/main"
PREFIX = "idp.example.org/realms/main:"
AWS = "https://aws.amazon.com/"
TAGS = AWS + "tags"


def keys(**claims: Any) -> dict[str, Any]:
    """The condition keys without their prefix."""
    found = condition_keys(NAME, {"aud": "client", **claims}).keys
    assert all(name.startswith(PREFIX) for name in found)
    return {name.removeprefix(PREFIX): value for name, value in found.items()}


def test_keys_are_the_provider_and_the_claim_in_lower_case() -> None:
    assert condition_keys(NAME, {"aud": "client", "repositoryOwner": "octo"}).keys == {
        PREFIX + "aud": "client",
        PREFIX + "repositoryowner": "octo",
    }


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("text", "text"), ("", ""), (["a", "b"], ("a", "b")), (["a"], ("a",)), (True, "true"), (False, "false"), (7, "7"),
        ([], None), ([1], None), (["a", None], None), ({"a": 1}, None), (None, None), (1.5, None), ([["a"]], None),
    ],
)  # fmt: skip
def test_a_claim_is_a_key_when_it_is_text_a_list_of_text_a_boolean_or_a_whole_number(
    value: object, key: object
) -> None:
    assert keys(custom=value).get("custom") == key
    assert ("custom" in condition_keys(NAME, {"aud": "c", "custom": value}).unused) is (key is None)


def test_authentication_methods_are_always_a_list() -> None:
    assert keys(amr=["pwd", "mfa"])["amr"] == ("pwd", "mfa")
    assert keys(amr="pwd")["amr"] == ("pwd",)
    assert keys(amr=1)["amr"] == ("1",)


@pytest.mark.parametrize(("audience", "key"), [("a", "a"), (["a"], "a"), (["a", "b"], ("a", "b"))])
def test_one_audience_is_a_single_value_and_several_are_a_list(audience: object, key: object) -> None:  # J9
    assert keys(aud=audience)["aud"] == key


@pytest.mark.parametrize(("audience", "original"), [("api", "api"), (["api"], "api"), (["api", "b"], ("api", "b"))])
def test_with_an_authorized_party_aud_is_that_and_oaud_what_the_token_said(audience: object, original: object) -> None:
    assert keys(aud=audience, azp="app") == {"aud": "app", "azp": "app", "oaud": original}


def test_a_claim_cannot_supply_oaud_itself() -> None:
    assert "oaud" not in keys(oaud="client")
    assert keys(aud="api", azp="app", oaud="forged")["oaud"] == "api"


def test_a_claim_whose_name_is_not_ascii_makes_no_key() -> None:
    claims = {"aud": "app", "\u212aind": "forged", "größe": "1"}  # the first is "kind" in lower case
    found = condition_keys("idp.example.org", claims)
    assert found.keys == {"idp.example.org:aud": "app"}
    assert found.unused == ("\u212aind", "größe")


@pytest.mark.parametrize("pair", [("sub", "Sub"), ("aud", "AUD"), ("team", "TEAM"), ("oaud", "OAUD")])
def test_two_claims_that_differ_only_in_case_are_refused(pair: tuple[str, str]) -> None:
    for first, second in (pair, pair[::-1]):
        with pytest.raises(ProofError) as caught:
            condition_keys(NAME, {"aud": "client", first: "a", second: "b"})
        assert caught.value.reason is Reason.CLAIM_AMBIGUOUS


@pytest.mark.parametrize("name", ["8443:sub", "1/realm:sub", "65535:aud"])
def test_a_claim_that_reads_like_the_port_of_another_issuer_makes_no_key(name: str) -> None:
    assert keys(**{name: "root"}) == {"aud": "client"}
    assert name in condition_keys(NAME, {"aud": "c", name: "root"}).unused


@pytest.mark.parametrize("name", ["cognito:groups", "custom:team", "2fa", "https://idp.example.org/claims/team"])
def test_claims_with_colons_and_digits_are_keys(name: str) -> None:
    assert keys(**{name: "x"})[name] == "x"


def test_names_and_claims_are_bounded() -> None:
    assert keys(**{"n" * 128: "x"})["n" * 128] == "x"
    assert "n" * 129 not in keys(**{"n" * 129: "x"})
    condition_keys(NAME, {"aud": "c", **{f"c{n}": "x" for n in range(199)}})
    with pytest.raises(ProofError) as caught:
        condition_keys(NAME, {"aud": "c", **{f"c{n}": "x" for n in range(200)}})
    assert caught.value.reason is Reason.CLAIM_MALFORMED


@pytest.mark.parametrize("name", CLAIMS)
def test_every_standard_claim_is_treated_as_the_table_says(name: str) -> None:
    claims = {"aud": "client", name: "value"}
    context = condition_keys(NAME, claims)
    is_key = CLAIMS[name] in {Use.KEY, Use.LIST_KEY, Use.AUDIENCE}
    assert (PREFIX + name in context.keys) is is_key
    assert (name in context.unused) is (CLAIMS[name] is Use.UNUSED)


def test_a_token_that_asks_for_nothing_puts_nothing_on_the_session() -> None:
    assert session_claims({"sub": "alice"}) == SessionClaims({}, (), None)


def test_session_tags_are_read_in_both_of_their_forms() -> None:
    nested = {TAGS: {"principal_tags": {"Team": ["blue"], "Cost Center": "7"}, "transitive_tag_keys": ["team"]}}
    flat = {
        f"{TAGS}/principal_tags/Team": "blue",
        f"{TAGS}/principal_tags/Cost Center": ["7"],
        f"{TAGS}/transitive_tag_keys": ["team"],
    }
    expected = SessionClaims({"Team": "blue", "Cost Center": "7"}, ("Team",), None)
    assert session_claims(nested) == expected
    assert session_claims(flat) == expected


def nested(tags: object = None, transitive: object = None) -> dict[str, Any]:
    value = {"principal_tags": tags, "transitive_tag_keys": transitive}
    return {TAGS: {name: member for name, member in value.items() if member is not None}}


FLAT = {f"{TAGS}/principal_tags/Team": "blue"}
MALFORMED: dict[str, dict[str, Any]] = {
    "no object": {TAGS: ["Team"]},
    "text": {TAGS: '{"principal_tags":{}}'},
    "null": {TAGS: None},
    "unknown member": {TAGS: {"principal_tags": {}, "more": 1}},
    "tags no object": nested([["Team", "blue"]]),
    "two values": nested({"Team": ["blue", "red"]}),
    "no value": nested({"Team": []}),
    "value a number": nested({"Team": [1]}),
    "value null": nested({"Team": None}) | {TAGS: {"principal_tags": {"Team": None}}},
    "value nested": nested({"Team": [["blue"]]}),
    "value too long": nested({"Team": "v" * 257}),
    "value of other characters": nested({"Team": "blue;red"}),
    "value of two lines": nested({"Team": "blue\n"}),
    "key empty": nested({"": "blue"}),
    "key too long": nested({"k" * 129: "blue"}),
    "key of other characters": nested({"Te*m": "blue"}),
    "key reserved": nested({"aws:Team": "blue"}),
    "key reserved in capitals": nested({"AWS:Team": "blue"}),
    "keys that differ in case": nested({"Team": "blue", "team": "red"}),
    "too many": nested({f"k{n}": "v" for n in range(51)}),
    "transitive unknown": nested({"Team": "blue"}, ["Other"]),
    "transitive twice": nested({"Team": "blue"}, ["Team", "team"]),
    "transitive text": nested({"Team": "blue"}, "Team"),
    "transitive a number": nested({"Team": "blue"}, [1]),
    "transitive without tags": {f"{TAGS}/transitive_tag_keys": ["Team"]},
    "both forms": nested({"Team": "blue"}) | FLAT,
    "both forms of transitive keys": nested({"Team": "blue"}) | {f"{TAGS}/transitive_tag_keys": ["Team"]},
    "flat without a key": {f"{TAGS}/principal_tags/": "blue"},
    "flat of two values": {f"{TAGS}/principal_tags/Team": ["blue", "red"]},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_session_tags_are_refused_and_not_dropped(name: str) -> None:
    with pytest.raises(ProofError) as caught:
        session_claims(MALFORMED[name])
    assert caught.value.reason is Reason.SESSION_TAGS_MALFORMED


def test_session_tags_at_their_limits_are_read() -> None:
    tags = {f"k{n}".ljust(128, "k"): "v" * 256 for n in range(49)} | {"Ärger 1_.:/=+-@": ""}
    assert session_claims(nested(tags)).tags == tags


@pytest.mark.parametrize("value", ["al", "a" * 64, "alice@example.org", "a+=,.@-_"])
def test_a_source_identity_of_the_models_form_is_read(value: str) -> None:
    assert session_claims({AWS + "source_identity": value}).source_identity == value


@pytest.mark.parametrize("value", ["", "a", "a" * 65, "a b", "zoë", "al\n", 1, None, ["alice"], "a/b"])
def test_a_malformed_source_identity_is_refused(value: object) -> None:
    with pytest.raises(ProofError) as caught:
        session_claims({AWS + "source_identity": value})
    assert caught.value.reason is Reason.SOURCE_IDENTITY_MALFORMED


@pytest.mark.parametrize("name", ["roles", "Tags", "source_Identity", "tags/other", "", "tagsx", "tags/principal_tags"])
def test_a_claim_that_asks_something_else_of_sts_is_refused_rather_than_ignored(name: str) -> None:
    with pytest.raises(ProofError) as caught:
        session_claims({AWS + name: "x"})
    assert caught.value.reason is Reason.CLAIM_MALFORMED

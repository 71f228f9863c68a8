# SPDX-License-Identifier: Apache-2.0
"""Providers' keys and the identities their tokens prove: freshness, outages, storms, rotation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from daypass import jose
from daypass.errors import ProofError, ProviderError, Reason
from daypass.federation import OidcIdentities, RegisteredProvider
from daypass.federation import oidc as federation_oidc
from daypass.federation.oidc import MAX_AGE, REFRESH_AFTER, RETRY_AFTER, TTL
from daypass.identity import Identity
from fakes.oidc_desk import Desk
from fakes.oidc_provider import ALGORITHMS, DISCOVERY, NOW, Answer, FakeOidcProvider, b64, sign, signing_key


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with FakeOidcProvider(path="/realms/Main") as provider:
        provider.add_key("EdDSA", "key-1")
        desk = Desk(provider)
        yield desk
        await desk.identities.close()
        await desk.fetcher.close()


async def test_a_token_becomes_an_identity_with_everything_that_was_proven(desk: Desk) -> None:
    aws = "https://aws.amazon.com/"
    extra: dict[str, Any] = {
        "email": "alice@example.org",
        "amr": ["mfa"],
        aws + "tags": {"principal_tags": {"Team": ["blue"]}, "transitive_tag_keys": ["Team"]},
        aws + "source_identity": "alice",
    }
    prefix = desk.provider.issuer.partition("://")[2].lower()
    assert await desk.identify(desk.token(**extra)) == Identity(
        account="123456789012",
        provider_arn=desk.registered.arn,
        provider=desk.provider.issuer,
        subject="alice",
        audience="client",
        context={
            f"{prefix}:sub": "alice",
            f"{prefix}:aud": "client",
            f"{prefix}:email": "alice@example.org",
            f"{prefix}:amr": ("mfa",),
        },
        session_tags={"Team": "blue"},
        transitive_tag_keys=("Team",),
        source_identity="alice",
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_provider_may_sign_with_every_algorithm(desk: Desk, algorithm: str) -> None:
    key = desk.provider.add_key(algorithm, "other")
    assert (await desk.identify(desk.token(key))).subject == "alice"


async def test_with_the_key_in_memory_nothing_is_waited_for(desk: Desk) -> None:
    await desk.identify()
    coroutine = desk.identify()
    with pytest.raises(StopIteration):  # the coroutine ends without once giving the loop its turn
        coroutine.send(None)
    assert desk.provider.fetches == desk.cold


async def test_all_who_come_while_the_provider_is_asked_wait_for_one_answer(desk: Desk) -> None:  # J14
    identities = await asyncio.gather(*(desk.identify() for _ in range(100)))
    assert {identity.subject for identity in identities} == {"alice"}
    assert desk.provider.fetches == desk.cold


async def test_ten_thousand_unknown_keys_cause_two_fetches_in_all(desk: Desk) -> None:  # J14
    payload, signature = desk.provider.token().split(".")[1:]
    headers = [b64(json.dumps({"alg": "EdDSA", "kid": f"bogus-{n}"}).encode()) for n in range(10_000)]
    tokens = [jose.parse(f"{header}.{payload}.{signature}") for header in headers]
    reasons = await asyncio.gather(*(desk.refusal(token, NOW + n / 1000) for n, token in enumerate(tokens)))
    assert set(reasons) == {Reason.KEY_UNKNOWN}
    assert desk.provider.fetches == desk.cold


async def test_an_unknown_key_is_looked_for_once_per_interval_and_by_the_keys_alone(desk: Desk) -> None:  # J14
    await desk.identify()
    desk.provider.fetches.clear()
    bogus = desk.token(header={"kid": "bogus"})
    assert await desk.refusal(bogus, NOW + RETRY_AFTER - 0.001) is Reason.KEY_UNKNOWN
    assert desk.provider.fetches == []
    await asyncio.gather(*(desk.refusal(bogus, NOW + RETRY_AFTER + n / 1000) for n in range(1000)))
    assert desk.provider.fetches == ["/jwks"]
    await desk.refusal(bogus, NOW + 2 * RETRY_AFTER)
    assert desk.provider.fetches == ["/jwks", "/jwks"]


async def test_a_forged_signature_under_a_known_key_id_costs_the_provider_nothing(desk: Desk) -> None:  # J14
    await desk.identify()
    desk.provider.fetches.clear()
    forged = desk.token(signing_key("EdDSA", "key-1", 9))
    assert await desk.refusal(forged, NOW + RETRY_AFTER) is Reason.TOKEN_SIGNATURE_INVALID
    assert desk.provider.fetches == []


async def test_unknown_keys_without_end_do_not_keep_the_configuration_from_being_read_again(desk: Desk) -> None:
    await desk.identify()
    desk.provider.fetches.clear()
    bogus = desk.token(header={"kid": "bogus"})
    for step in range(1, int(TTL / RETRY_AFTER) + 1):
        await desk.refusal(bogus, NOW + step * RETRY_AFTER)
        await desk.settle()
    assert desk.provider.fetches.count(desk.provider.path + DISCOVERY) == 1


async def test_a_rotated_key_is_found_at_once_when_the_interval_is_over(desk: Desk) -> None:
    await desk.identify()
    second = desk.provider.add_key("ES256", "key-2")
    assert (await desk.identify(desk.token(second), NOW + RETRY_AFTER)).subject == "alice"


async def test_keys_rotate_without_a_gap_and_a_withdrawn_key_stops_after_the_refresh(desk: Desk) -> None:
    first = desk.provider.keys["key-1"]
    await desk.identify(desk.token(first))
    second = desk.provider.add_key("ES256", "key-2")
    for key in (second, first):
        assert (await desk.identify(desk.token(key), NOW + RETRY_AFTER)).subject == "alice"
    del desk.provider.keys["key-1"]
    later = NOW + RETRY_AFTER + REFRESH_AFTER
    assert (await desk.identify(desk.token(first), later)).subject == "alice"  # and begins the refresh
    await desk.settle()
    assert await desk.refusal(desk.token(first), later + 1) is Reason.KEY_UNKNOWN
    assert (await desk.identify(desk.token(second), later + 1)).subject == "alice"


async def test_a_provider_without_key_ids_may_rotate_too(desk: Desk) -> None:
    key = signing_key("ES256", None, 5)
    desk.provider.keys = {"": key}
    await desk.identify(desk.token(key))
    renewed = signing_key("ES256", None, 6)
    desk.provider.keys = {"": renewed}
    assert await desk.refusal(desk.token(renewed), NOW + 1) is Reason.TOKEN_SIGNATURE_INVALID
    assert (await desk.identify(desk.token(renewed), NOW + RETRY_AFTER)).subject == "alice"


async def test_keys_are_renewed_in_the_background_at_half_their_life(desk: Desk) -> None:
    await desk.identify()
    desk.provider.fetches.clear()
    await desk.identify(now=NOW + REFRESH_AFTER - 0.001)
    await desk.settle()
    assert desk.provider.fetches == []
    await desk.identify(now=NOW + REFRESH_AFTER)
    assert desk.provider.fetches == []  # it was not waited for
    await desk.settle()
    assert desk.provider.fetches == desk.cold


async def test_after_their_life_keys_are_renewed_before_they_are_used(desk: Desk) -> None:
    first = desk.provider.keys.pop("key-1")
    desk.provider.keys["key-1"] = first
    await desk.identify()
    del desk.provider.keys["key-1"]
    desk.provider.add_key("ES256", "key-2")
    assert await desk.refusal(desk.token(first), NOW + TTL) is Reason.KEY_UNKNOWN


async def test_good_keys_stay_good_through_an_outage_until_their_hard_age(desk: Desk) -> None:
    token = desk.token()
    await desk.identify(token)
    desk.provider.answers["/jwks"] = Answer(status=500)
    for age in (TTL, 2 * TTL, MAX_AGE - 1):
        assert (await desk.identify(token, NOW + age)).subject == "alice"
    assert await desk.refusal(token, NOW + MAX_AGE) is Reason.PROVIDER_STATUS
    del desk.provider.answers["/jwks"]
    assert (await desk.identify(token, NOW + MAX_AGE + RETRY_AFTER)).subject == "alice"


@pytest.mark.parametrize(
    "answer",
    [Answer(status=500), Answer(body=b"<html>"), Answer(body=b"{}"), Answer(body=b'{"keys":1}'), Answer(raw=b""),
     Answer(body=b" " * 600_000)],
)  # fmt: skip
async def test_a_failed_refresh_leaves_the_keys_that_are_known(desk: Desk, answer: Answer) -> None:  # J14
    await desk.identify()
    desk.provider.answers["/jwks"] = answer
    await desk.refusal(desk.token(header={"kid": "bogus"}), NOW + RETRY_AFTER)
    assert (await desk.identify(now=NOW + RETRY_AFTER + 1)).subject == "alice"


async def test_after_a_failed_refresh_the_keys_are_looked_for_where_they_are_now(desk: Desk) -> None:
    await desk.identify()
    desk.provider.answers["/jwks"] = Answer(status=404)
    desk.provider.answers["/moved"] = Answer(
        body=json.dumps({"keys": [desk.provider.add_key("ES256", "key-2").jwk()]}).encode()
    )
    desk.provider.discovery["jwks_uri"] = desk.provider.origin + "/moved"
    token = desk.token(desk.provider.keys["key-2"])
    assert await desk.refusal(token, NOW + RETRY_AFTER) is Reason.KEY_UNKNOWN
    assert (await desk.identify(token, NOW + 2 * RETRY_AFTER)).subject == "alice"


async def test_a_failure_is_remembered_for_an_interval_and_then_tried_again(desk: Desk) -> None:
    desk.provider.answers["/jwks"] = Answer(status=503)
    assert await desk.refusal() is Reason.PROVIDER_STATUS
    del desk.provider.answers["/jwks"]
    desk.provider.fetches.clear()
    assert await desk.refusal(now=NOW + RETRY_AFTER - 0.001) is Reason.PROVIDER_STATUS
    assert desk.provider.fetches == []
    assert (await desk.identify(now=NOW + RETRY_AFTER)).subject == "alice"


async def test_a_provider_that_hangs_holds_nobody_longer_than_the_time_and_later_callers_not_at_all() -> None:
    async with FakeOidcProvider() as provider:
        provider.add_key()
        provider.answers["/jwks"] = Answer(hang=True)
        desk = Desk(provider, timeout=0.4)
        async with asyncio.timeout(2):
            reasons = await asyncio.gather(*(desk.refusal() for _ in range(20)))
        assert set(reasons) == {Reason.PROVIDER_TIMEOUT}
        assert provider.fetches == desk.cold
        with pytest.raises(ProviderError):
            desk.identify(now=NOW + 1).send(None)


async def test_two_slow_documents_have_one_time_between_them() -> None:
    async def slow(url: str) -> bytes:
        await asyncio.sleep(0.08)
        return json.dumps(
            {"issuer": "https://idp.example.org", "jwks_uri": "https://idp.example.org/jwks", "keys": []}
        ).encode()

    provider = RegisteredProvider("1" * 12, "arn", "https://idp.example.org", {"client"}, 0)
    token = jose.parse(sign(signing_key("EdDSA"), {"iss": "https://idp.example.org"}))
    with pytest.raises(ProviderError) as caught:
        await OidcIdentities(slow, timeout=0.1).identify(provider, token, now=NOW)
    assert caught.value.reason is Reason.PROVIDER_TIMEOUT


async def test_a_caller_who_goes_away_does_not_end_the_question_for_the_others(desk: Desk) -> None:
    for now, key in ((NOW, "key-1"), (NOW + RETRY_AFTER, "key-2")):  # with nothing known, and with an unknown key
        token = desk.token(desk.provider.add_key("ES256", key))
        first, second = (asyncio.ensure_future(desk.identify(token, now)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).subject == "alice"
    assert desk.provider.fetches == [*desk.cold, "/jwks"]


async def test_closing_ends_the_questions_that_are_under_way(desk: Desk) -> None:
    desk.provider.answers["/jwks"] = Answer(hang=True)
    waiting = asyncio.ensure_future(desk.identify())
    await desk.provider.asked_for("/jwks")
    async with asyncio.timeout(1):
        await desk.identities.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not desk.identities._flights


async def test_the_number_of_providers_whose_keys_are_kept_is_bounded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(federation_oidc, "MAX_PROVIDERS", 2)
    first, second, third = (desk.register(account=str(n) * 12) for n in (1, 2, 3))
    for provider in (first, second, third, second):
        await desk.identities.identify(provider, desk.token(), now=NOW)
    assert desk.provider.fetches == desk.cold * 3
    await desk.identities.identify(first, desk.token(), now=NOW)
    assert desk.provider.fetches == desk.cold * 4


async def test_a_token_of_another_issuer_costs_the_provider_nothing(desk: Desk) -> None:  # J13
    assert await desk.refusal(desk.token(iss="http://169.254.169.254/")) is Reason.TOKEN_ISSUER_MISMATCH
    assert desk.provider.fetches == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"issuer": "https://evil.example"}, Reason.DISCOVERY_ISSUER_MISMATCH),
        ({"issuer": None}, Reason.DISCOVERY_ISSUER_MISMATCH),
        ({"jwks_uri": None}, Reason.DISCOVERY_MALFORMED),
        ({"jwks_uri": "file:///etc/passwd"}, Reason.DISCOVERY_MALFORMED),
        ({"jwks_uri": "http://169.254.169.254/latest"}, Reason.DISCOVERY_MALFORMED),
        ({"jwks_uri": "https://169.254.169.254/latest"}, Reason.PROVIDER_ADDRESS_REFUSED),
        ({"jwks_uri": "https://localhost/jwks"}, Reason.PROVIDER_ADDRESS_REFUSED),
        ({"id_token_signing_alg_values_supported": ["HS256"]}, Reason.DISCOVERY_MALFORMED),
    ],
)
async def test_a_configuration_document_that_says_the_wrong_thing_is_refused(
    desk: Desk, changes: dict[str, Any], reason: Reason
) -> None:  # J10, J13
    desk.provider.discovery.update(changes)
    assert await desk.refusal() is reason
    assert "/jwks" not in desk.provider.fetches


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(body=b'{"keys":1}'), Reason.PROVIDER_KEYS_INVALID),
        (Answer(body=b'{"keys":[],"keys":[]}'), Reason.PROVIDER_KEYS_INVALID),
        (Answer(body=b'{"keys":[]}'), Reason.KEY_UNKNOWN),
        (Answer(body=b" " * 5_000_000), Reason.PROVIDER_ANSWER_TOO_LARGE),
        (Answer(status=302, headers={"Location": "/other"}), Reason.PROVIDER_REDIRECTED),
        (Answer(raw=b"\x00"), Reason.PROVIDER_UNREACHABLE),
    ],
    ids=["no list", "twice", "empty", "5 MB", "redirect", "garbage"],
)
async def test_a_key_set_that_cannot_be_had_or_read_is_the_providers_fault(
    desk: Desk, answer: Answer, reason: Reason
) -> None:
    desk.provider.answers["/jwks"] = answer
    assert await desk.refusal() is reason


async def test_a_bad_key_beside_a_good_one_does_no_harm(desk: Desk) -> None:  # J15
    entries = [{"kty": "RSA"}, None, {"kty": "oct", "k": "AAAA"}, desk.provider.keys["key-1"].jwk()]
    desk.provider.answers["/jwks"] = Answer(body=json.dumps({"keys": entries}).encode())
    assert (await desk.identify()).subject == "alice"


async def test_the_same_key_id_at_two_providers_is_two_keys() -> None:  # J4
    async with FakeOidcProvider() as first, FakeOidcProvider() as second:
        first.add_key("ES256", "same", 1)
        second.add_key("ES256", "same", 2)
        desk = Desk(first)
        other = desk.register(second.issuer)
        assert (await desk.identify()).provider == first.issuer
        assert (await desk.identities.identify(other, jose.parse(second.token()), now=NOW)).provider == second.issuer
        stolen = jose.parse(first.token(second.keys["same"]))
        assert await desk.refusal(stolen) is Reason.TOKEN_SIGNATURE_INVALID


async def test_two_accounts_with_one_issuer_keep_their_keys_apart(desk: Desk) -> None:  # J4
    await desk.identify()
    other = desk.register(account="999999999999")
    identity = await desk.identities.identify(other, desk.token(), now=NOW)
    assert (identity.account, identity.provider_arn) == ("999999999999", other.arn)
    assert desk.provider.fetches == desk.cold * 2


async def test_a_provider_that_was_deleted_and_made_anew_is_asked_anew(desk: Desk) -> None:
    await desk.identify()
    del desk.provider.keys["key-1"]
    renewed = desk.provider.add_key("ES256", "key-2")
    anew = msgspec.structs.replace(desk.registered, registered_at=1)
    assert (await desk.identities.identify(anew, desk.token(renewed), now=NOW + 1)).subject == "alice"
    assert desk.provider.fetches == desk.cold * 2


async def test_a_clock_that_was_set_back_neither_silences_us_nor_keeps_keys_for_longer(desk: Desk) -> None:
    before = desk.token(iat=NOW - 9000)
    await desk.identify(before)
    del desk.provider.keys["key-1"]
    desk.provider.add_key("ES256", "key-2")
    assert await desk.refusal(before, NOW - 3600) is Reason.KEY_UNKNOWN
    assert (await desk.identify(desk.token(iat=NOW - 9000), NOW - 3600)).subject == "alice"
    assert desk.provider.fetches == desk.cold * 2


async def test_requests_whose_instants_are_out_of_order_ask_no_more_often(desk: Desk) -> None:  # J14
    await desk.identify()
    desk.provider.fetches.clear()
    bogus = desk.token(header={"kid": "bogus"})
    for offset in (0.0, -0.5, 0.5, -RETRY_AFTER + 0.001):
        await desk.refusal(bogus, NOW + offset)
    assert desk.provider.fetches == []


async def test_only_the_algorithms_that_the_provider_names_are_accepted(desk: Desk) -> None:
    desk.provider.discovery["id_token_signing_alg_values_supported"] = ["RS256"]
    assert await desk.refusal() is Reason.TOKEN_ALGORITHM_REFUSED


async def test_what_goes_wrong_inside_is_not_taken_for_a_refusal(desk: Desk) -> None:
    async def broken(url: str) -> bytes:
        raise ZeroDivisionError

    identities = OidcIdentities(broken)
    with pytest.raises(ZeroDivisionError):
        await identities.identify(desk.registered, desk.token(), now=NOW)
    with pytest.raises(ProviderError) as caught:  # and the next caller is not let in either
        await identities.identify(desk.registered, desk.token(), now=NOW + 1)
    assert caught.value.reason is Reason.PROVIDER_UNREACHABLE


async def test_no_refusal_quotes_the_token(desk: Desk) -> None:  # J16
    for token in (
        desk.token(iss="secret"),
        desk.token(aud="secret"),
        desk.token(header={"kid": "secret"}),
        desk.token(sub="secret\n"),
    ):
        with pytest.raises(ProofError) as caught:
            await desk.identify(token)
        assert "secret" not in str(caught.value)

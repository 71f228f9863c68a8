# SPDX-License-Identifier: Apache-2.0
"""
A session token that is not exactly ours is a key that is not known: the same answer, after the same verification.

The work is counted, not timed: one signature, verified with nobody's secret, whatever is wrong; no key of the ring is tried
that the token does not name; nothing is opened twice.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from access.sessions_made import issue, populate
from daypass import sealing, sigv4
from daypass.credentials import LONG_TERM_KEY, TEMPORARY_KEY, new_access_key_id
from daypass.sealing import Derivation, MasterKey, RingKey, new_ring_key
from daypass.sessions import Sessions
from in_process import ACCOUNT, Answer, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@dataclass
class Work:
    """What was done for one request: signatures verified with which secret, keys derived, boxes opened, secrets derived."""

    secrets: list[bytes] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with service(tmp_path_factory.mktemp("data")) as found:
        await populate(found)
        yield found


@pytest.fixture
def work(running: Service, monkeypatch: pytest.MonkeyPatch) -> Work:
    """The work that is done from now on."""
    work = Work()
    door: Any = running.app.door
    keys = door._authenticator._signing_keys

    class Keys:
        def of(self, secret: bytes) -> object:
            work.secrets.append(secret)
            return keys.of(secret)

    class Box:
        def __init__(self, key: bytes) -> None:
            self._box = AESGCM(key)
            self.encrypt = self._box.encrypt

        def decrypt(self, *arguments: Any) -> bytes:
            work.done["opened"] += 1
            return self._box.decrypt(*arguments)

    def counted(name: str, function: Any) -> Any:
        def counting(*arguments: Any, **named: Any) -> Any:
            work.done[name] += 1
            return function(*arguments, **named)

        return counting

    monkeypatch.setattr(door._authenticator, "_signing_keys", Keys())
    monkeypatch.setattr(sealing, "AESGCM", Box)
    monkeypatch.setattr(Derivation, "box", counted("derived", Derivation.box))
    monkeypatch.setattr(Derivation, "secret", counted("secret", Derivation.secret))
    monkeypatch.setattr(sigv4, "verify_signature", counted("verified", sigv4.verify_signature))
    return work


def shown(answer: Answer) -> tuple[int, str | None, str, list[bytes]]:
    """All of an answer but its request id."""
    return answer.status, answer.code, answer.message, sorted(answer.headers)


async def ask(running: Service, credentials: Credentials) -> Answer:
    return await running.call("sts", "GetCallerIdentity", credentials)


def unknown(running: Service) -> Credentials:
    """Credentials of another service: sealed as ours are, by a key that is not in the ring."""
    master = MasterKey(bytes(32))
    key_id, wrapped = new_ring_key(master)
    ring = [RingKey.unwrap(master, key_id=key_id, wrapped=wrapped, active_from=0, retire_at=None)]
    made = Sessions(ring).issue(issue(running).session, now=running.clock())
    return Credentials(made.access_key_id, made.secret_access_key.reveal(), made.session_token.reveal())


async def check(running: Service, work: Work, altered: Credentials) -> None:
    """The answer and the verification are those of an unknown key; and no more than one box was tried, once."""
    expected = shown(await ask(running, unknown(running)))
    assert expected[:2] == (403, "InvalidClientTokenId")
    nobodys = work.secrets[-1]
    work.secrets.clear()
    work.done.clear()
    answer = await ask(running, altered)
    assert shown(answer) == expected
    assert work.secrets == [nobodys]
    assert work.done["verified"] == 1
    assert work.done["derived"] <= 1
    assert work.done["opened"] <= work.done["derived"]
    assert work.done["secret"] == 0


def with_token(made: Credentials, token: str) -> Credentials:
    return Credentials(made.access_key, str(made.secret_key), token)


async def test_what_is_sent_as_it_was_issued_is_let_in(running: Service, work: Work) -> None:
    made = issue(running)
    work.done.clear()
    assert (await ask(running, made.credentials)).status == 200
    assert work.done == {"verified": 1, "derived": 1, "opened": 1, "secret": 1}
    work.done.clear()
    assert (await ask(running, made.credentials)).status == 200
    assert work.done == {"verified": 1}, "opened once, and remembered"


async def test_a_token_with_any_byte_flipped_is_an_unknown_key(running: Service, work: Work) -> None:
    made = issue(running).credentials
    raw = base64.b64decode(str(made.token))
    for position in range(len(raw)):
        changed = bytearray(raw)
        changed[position] ^= 1 << position % 8
        await check(running, work, with_token(made, base64.b64encode(bytes(changed)).decode()))


def shortened(token: str) -> Iterator[str]:
    yield from (token[:length] for length in range(1, len(token), 7))
    raw = base64.b64decode(token)
    yield from (base64.b64encode(raw[:length]).decode() for length in range(1, len(raw), 7))
    yield from (base64.b64encode(raw[start:]).decode() for start in range(1, 8))


async def test_a_truncated_token_is_an_unknown_key(running: Service, work: Work) -> None:
    made = issue(running).credentials
    for token in shortened(str(made.token)):
        await check(running, work, with_token(made, token))


def spelt_otherwise(token: str) -> Iterator[str]:
    """The same bytes, or these and more, in letters that we never write."""
    raw = base64.b64decode(token)
    yield from (base64.b64encode(raw + bytes(more)).decode() for more in range(1, 5))
    yield from (token + "AAAA", token + "=", token + "====", token[:-4] + "=" + token[-4:], token * 2)
    yield base64.b16encode(raw).decode()
    yield base64.b32encode(raw).decode()
    yield base64.b64encode(token.encode()).decode()
    yield token.replace("+", "-").replace("/", "_") + "-"
    yield token.swapcase()
    if token.endswith("="):
        bare = token.rstrip("=")
        yield bare
        yield bare[:-1] + ALPHABET[ALPHABET.index(bare[-1]) + 1] + token[len(bare) :]


async def test_a_token_that_is_longer_or_spelt_otherwise_is_an_unknown_key(running: Service, work: Work) -> None:
    names = ("web", "webb", "webbb")  # three lengths, so that every padding is met
    for made in (issue(running, session_name=name).credentials for name in names):
        for token in spelt_otherwise(str(made.token)):
            assert token != made.token
            await check(running, work, with_token(made, token))


async def test_a_token_with_characters_that_none_has_is_answered_alike_before_anything_is_looked_up(
    running: Service, work: Work
) -> None:
    made = issue(running).credentials
    expected = shown(await ask(running, unknown(running)))
    for more in (" ", "\t", "é"):
        work.done.clear()
        answer = await ask(running, with_token(made, str(made.token)[:40] + more + str(made.token)[40:]))
        assert (shown(answer), +work.done) == (expected, {}), repr(more)


async def test_a_token_under_another_access_key_id_is_an_unknown_key(running: Service, work: Work) -> None:
    made, other = issue(running).credentials, issue(running).credentials
    ids = (
        str(other.access_key),
        new_access_key_id(TEMPORARY_KEY, ACCOUNT),
        new_access_key_id(TEMPORARY_KEY, "210987654321"),
        new_access_key_id(LONG_TERM_KEY, ACCOUNT),
        "ASIA",
        str(made.access_key)[:-1],
        str(made.access_key) + "A",
    )
    for access_key_id in ids:
        await check(running, work, Credentials(access_key_id, str(made.secret_key), made.token))
        await check(running, work, Credentials(access_key_id, str(other.secret_key), made.token))


async def test_the_token_of_another_session_is_an_unknown_key_even_after_both_were_let_in(
    running: Service, work: Work
) -> None:
    made, other = issue(running).credentials, issue(running).credentials
    for each in (made, other):
        assert (await ask(running, each)).status == 200
    await check(running, work, with_token(made, str(other.token)))
    await check(running, work, with_token(other, str(made.token)))


async def test_an_unknown_long_term_key_is_verified_like_an_unknown_session(running: Service, work: Work) -> None:
    await check(running, work, Credentials(new_access_key_id(LONG_TERM_KEY, ACCOUNT), "s" * 40))


async def test_a_session_that_has_ended_is_answered_as_one_that_never_was(running: Service, work: Work) -> None:
    made = issue(running, role_id="AROAGONE").credentials
    expected = shown(await ask(running, unknown(running)))
    work.done.clear()
    assert shown(await ask(running, made)) == expected
    assert work.done["verified"] == 1

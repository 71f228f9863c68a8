# SPDX-License-Identifier: Apache-2.0
"""
A session token that is not to the letter the one that was issued, for this access key id, by this service, is answered as an
access key that nobody knows: same status, code and words.

What ends a session that is in order is in tests/access/test_ending_sessions.py.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from daypass.credentials import new_access_key_id
from daypass.sealing import ACCEPTED_AFTER_RETIREMENT_SECONDS, MasterKey
from daypass.server.bootstrap import MASTER_KEY_FILE
from daypass.sessions import Sessions, ring
from in_process import ACCOUNT, Answer, Service, service
from sts.asking import asked, session_of, who
from sts.holding import caller, role, session_in

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Desk:
    """A service, a session of it, and what it says to a key that nobody knows."""

    sts: Service
    session: Credentials
    other: Credentials
    unknown: tuple[int, str | None, str]

    @property
    def raw(self) -> bytes:
        """The token's bytes."""
        return base64.b64decode(str(self.session.token))

    async def answer(self, token: str | bytes, credentials: Credentials | None = None) -> tuple[int, str | None, str]:
        """What is said to the session's key with another token; bytes are encoded first."""
        keys = credentials or self.session
        text = base64.b64encode(token).decode() if isinstance(token, bytes) else token
        return said(await asked(self.sts, "GetCallerIdentity", Credentials(keys.access_key, keys.secret_key, text)))


def said(answer: Answer) -> tuple[int, str | None, str]:
    return answer.status, answer.code, answer.message


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with service(tmp_path_factory.mktemp("data")) as running:
        key, role_arn = await caller(running), await role(running)
        session, other = [await session_of(running, key, role_arn) for _ in range(2)]
        unknown = Credentials(new_access_key_id("AKIA", ACCOUNT), "x" * 40)
        answer = said(await asked(running, "GetCallerIdentity", unknown))
        assert answer == (403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        assert await who(running, session)
        yield Desk(running, session, other, answer)


async def test_altered_in_any_byte(desk: Desk) -> None:
    raw = desk.raw
    for place in range(len(raw)):
        altered = raw[:place] + bytes((raw[place] ^ (1 << place % 8),)) + raw[place + 1 :]
        assert await desk.answer(altered) == desk.unknown, place


@settings(deadline=None, database=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_altered_in_any_letters(desk: Desk, data: st.DataObject) -> None:
    token = str(desk.session.token)
    start = data.draw(st.integers(0, len(token)))
    end = data.draw(st.integers(start, min(len(token), start + 8)))
    altered = token[:start] + data.draw(st.text("ABab01+/=", max_size=8)) + token[end:]
    if altered != token and altered:
        assert await desk.answer(altered) == desk.unknown


async def test_cut_to_any_length_or_made_longer(desk: Desk) -> None:
    raw, token = desk.raw, str(desk.session.token)
    for length in range(0, len(raw), 3):
        assert await desk.answer(raw[:length] or b"\0") == desk.unknown, length
    for longer in (raw + b"\0", raw + raw, raw[:-16] + b"\0" + raw[-16:], b"\0" + raw):
        assert await desk.answer(longer) == desk.unknown
    for text in (token + "=", token + "A", token + "AAAA", token * 2, "A" * 16_384, "A" * 16_385):
        assert await desk.answer(text) == desk.unknown


async def test_encoded_in_another_way(desk: Desk) -> None:
    raw = desk.raw
    padded = raw + bytes(-len(raw) % 3)
    encoded = [
        base64.urlsafe_b64encode(raw).decode(),
        base64.b64encode(raw).decode().rstrip("="),
        base64.b32encode(raw).decode(),
        base64.b16encode(raw).decode(),
        base64.b64encode(padded).decode(),
        base64.b64encode(raw).decode().replace("A", "%41"),
        base64.b64encode(raw).decode().swapcase(),
        base64.b64encode(base64.b64encode(raw)).decode(),
    ]
    token = str(desk.session.token)
    if token.endswith("="):  # the bits that the padding does not count: another letter, the same bytes
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        last = len(token.rstrip("=")) - 1
        encoded.append(token[:last] + letters[letters.index(token[last]) ^ 1] + token[last + 1 :])
    for text in encoded:
        assert text == token or await desk.answer(text) == desk.unknown, text


async def test_used_with_another_access_key_id_or_secret(desk: Desk) -> None:
    session, other = desk.session, desk.other
    for key_id in (
        str(other.access_key),
        new_access_key_id("ASIA", ACCOUNT),
        "AKIA" + str(session.access_key)[4:],
        "ASIA",
    ):
        forged = Credentials(key_id, str(session.secret_key))
        assert await desk.answer(str(session.token), forged) == desk.unknown
    for secret in (str(other.secret_key), "x" * 40, ""):
        status, code, _ = await desk.answer(str(session.token), Credentials(str(session.access_key), secret))
        assert (status, code) == (403, "SignatureDoesNotMatch"), "the token is in order: only the secret is wrong"
    without = Credentials(str(session.access_key), str(session.secret_key))
    assert said(await asked(desk.sts, "GetCallerIdentity", without)) == desk.unknown


async def test_sealed_by_another_service(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    async with service(tmp_path_factory.mktemp("other")) as elsewhere:
        session = await session_of(elsewhere, await caller(elsewhere), await role(elsewhere))
        assert await who(elsewhere, session)
    assert await desk.answer(str(session.token), session) == desk.unknown


async def test_sealed_by_a_key_that_was_retired_long_ago(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    async with service(tmp_path_factory.mktemp("rotated")) as running:
        store = running.app.store
        master = MasterKey.parse((store._path.parent / MASTER_KEY_FILE).read_text())
        sealed = session_in(running, await session_of(running, await caller(running), await role(running)))
        now = running.clock()
        lasting = replace(sealed, expires_at=int(now) + 2 * ACCEPTED_AFTER_RETIREMENT_SECONDS)
        made = Sessions(ring.ring_keys(master, store.view())).issue(lasting, now=now)
        old = Credentials(made.access_key_id, made.secret_access_key.reveal(), made.session_token.reveal())
        await ring.rotate(store, master, now=now, after=0)
        running.clock.advance(ACCEPTED_AFTER_RETIREMENT_SECONDS - 1)
        assert await who(running, old)
        await ring.rotate(store, master, now=running.clock(), after=0)
        running.clock.advance(1)
        assert said(await asked(running, "GetCallerIdentity", old)) == desk.unknown, "although it has not expired"

# SPDX-License-Identifier: Apache-2.0
"""Temporary credentials: what is issued opens, for its own access key id only; sizes and durations are bounded."""

from __future__ import annotations

import random
import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.errors import AuthenticationError, Reason, RequestError
from daypass.sealing import KeyRing, MasterKey, RingKey, new_ring_key
from daypass.sessions import Session, Sessions, packed_policy_size, role_session_duration
from daypass.sessions.session import OPENED_REMEMBERED, SESSION_BOX, check_not_expired

NOW = 1_800_000_000
MASTER = MasterKey(bytes(32))


def ring() -> list[RingKey]:
    key_id, wrapped = new_ring_key(MASTER)
    return [RingKey.unwrap(MASTER, key_id=key_id, wrapped=wrapped, active_from=0, retire_at=None)]


KEYS = ring()
SESSIONS = Sessions(KEYS)
SESSION = Session("123456789012", "AROAEXAMPLE", "web", NOW, NOW + 3600)

texts = st.text(max_size=40)
sessions = st.builds(
    Session,
    account=st.just("123456789012"),
    role_id=texts,
    session_name=texts,
    issued_at=st.integers(0, 2**40),
    expires_at=st.integers(0, 2**40),
    provider_arn=st.none() | texts,
    subject=st.none() | texts,
    policy=st.none() | texts,
    tags=st.lists(st.tuples(texts, texts), max_size=5).map(tuple),
    transitive_tag_keys=st.lists(texts, max_size=5).map(tuple),
    source_identity=st.none() | texts,
    mfa_at=st.none() | st.integers(0, 2**40),
)


@given(session=sessions)
def test_what_is_issued_opens_unchanged(session: Session) -> None:
    issued = SESSIONS.issue(session, now=NOW)
    opened = Sessions(KEYS).open(issued.session_token.reveal(), access_key_id=issued.access_key_id, now=NOW)
    assert opened.session == session
    assert opened.secret.decode() == issued.secret_access_key.reveal()
    assert issued.expiration == session.expires_at


def test_a_token_opens_for_its_own_access_key_id_only() -> None:
    one, other = SESSIONS.issue(SESSION, now=NOW), SESSIONS.issue(SESSION, now=NOW)
    SESSIONS.open(one.session_token.reveal(), access_key_id=one.access_key_id, now=NOW)
    with pytest.raises(AuthenticationError) as caught:
        SESSIONS.open(one.session_token.reveal(), access_key_id=other.access_key_id, now=NOW)
    assert caught.value.reason is Reason.SEAL_BROKEN


def test_what_is_remembered_is_bounded() -> None:
    some = Sessions(KEYS)
    for _ in range(OPENED_REMEMBERED + 10):
        issued = some.issue(SESSION, now=NOW)
        some.open(issued.session_token.reveal(), access_key_id=issued.access_key_id, now=NOW)
    assert len(some._opened) == OPENED_REMEMBERED


def test_content_of_another_form_is_refused() -> None:
    sealed = KeyRing(KEYS).seal(msgspec.msgpack.encode({"not": "ours"}), kind=SESSION_BOX, label="ASIA", now=NOW)
    with pytest.raises(AuthenticationError) as caught:
        SESSIONS.open(sealed.token, access_key_id="ASIA", now=NOW)
    assert caught.value.reason is Reason.SEAL_MALFORMED


def test_a_token_that_would_be_refused_as_too_long_is_not_issued() -> None:
    tags = tuple((f"{n:0128d}", "v" * 256) for n in range(50))
    with pytest.raises(RequestError) as caught:
        SESSIONS.issue(msgspec.structs.replace(SESSION, tags=tags), now=NOW)
    assert caught.value.reason is Reason.PACKED_POLICY_TOO_LARGE


def test_a_session_of_a_newer_version_is_refused_not_read_without_what_it_says_more() -> None:
    later = msgspec.msgpack.encode([*msgspec.structs.astuple(SESSION), "a restriction"])
    sealed = KeyRing(KEYS).seal(later, kind=SESSION_BOX, label="ASIA", now=NOW)
    with pytest.raises(AuthenticationError) as caught:
        SESSIONS.open(sealed.token, access_key_id="ASIA", now=NOW)
    assert caught.value.reason is Reason.SEAL_MALFORMED


@given(size=st.integers(0, 4096))
def test_a_token_is_as_long_as_was_asked_for_and_not_much_longer(size: int) -> None:
    usual = len(SESSIONS.issue(SESSION, now=NOW).session_token.reveal())
    issued = SESSIONS.issue(SESSION, now=NOW, minimum_token_size=size)
    token = issued.session_token.reveal()
    assert size <= len(token) <= max(size + 20, usual)
    assert SESSIONS.open(token, access_key_id=issued.access_key_id, now=NOW).session.role_id == SESSION.role_id


def test_a_session_is_expired_from_the_instant_of_its_expiry_on() -> None:
    check_not_expired(SESSION, SESSION.expires_at - 0.001)
    with pytest.raises(AuthenticationError) as caught:
        check_not_expired(SESSION, SESSION.expires_at)
    assert caught.value.reason is Reason.SESSION_EXPIRED


@pytest.mark.parametrize(
    ("requested", "role_maximum", "seconds"),
    [(None, 3600, 3600), (900, 3600, 900), (43_200, 43_200, 43_200), (None, 43_200, 3600)],
)
def test_a_duration_within_the_roles_maximum_is_granted(requested: int | None, role_maximum: int, seconds: int) -> None:
    assert role_session_duration(requested, role_maximum) == seconds


@pytest.mark.parametrize(
    ("requested", "role_maximum"), [(3601, 3600), (899, 3600), (43_201, 50_000), (0, 3600), (-1, 3600)]
)
def test_a_duration_beyond_the_bounds_is_refused_not_cut(requested: int, role_maximum: int) -> None:
    with pytest.raises(RequestError) as caught:
        role_session_duration(requested, role_maximum)
    assert caught.value.reason is Reason.DURATION_EXCEEDS_ROLE


def test_nothing_passed_has_no_packed_size() -> None:
    assert packed_policy_size(None, (), {}) is None


def test_the_packed_size_grows_with_what_is_passed() -> None:
    small = packed_policy_size('{"Version":"2012-10-17"}', (), {})
    large = packed_policy_size('{"Version":"2012-10-17"}', (), {f"key{n}": f"value{n * 7919}" for n in range(20)})
    assert small is not None
    assert large is not None
    assert 0 < small < large <= 100


def test_a_policy_over_the_plain_limit_is_refused() -> None:
    assert packed_policy_size("x" * 2048, (), {}) is not None
    with pytest.raises(RequestError) as caught:
        packed_policy_size("x" * 2049, (), {})
    assert caught.value.reason is Reason.PACKED_POLICY_TOO_LARGE


def test_tags_that_do_not_pack_are_refused() -> None:
    noise = random.Random(7)
    tags = {f"key{n}": "".join(noise.choices(string.ascii_letters, k=256)) for n in range(50)}
    with pytest.raises(RequestError) as caught:
        packed_policy_size(None, (), tags)
    assert caught.value.reason is Reason.PACKED_POLICY_TOO_LARGE

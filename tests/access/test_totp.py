# SPDX-License-Identifier: Apache-2.0
"""One-time codes: the vectors of the standards, and which steps they are looked for in."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from daypass.access.limits import CODE_WINDOW_STEPS, RESYNC_STEPS
from daypass.access.totp import key_uri, new_seed, step_at, step_of_code, step_of_pair
from daypass.credentials import Secret
from iam.one_time import code_of

VECTORS_SEED = Secret(base64.b32encode(b"12345678901234567890").decode())
CENTRE = 60_000_000


# RFC 6238, appendix B, and RFC 4226, appendix D; six digits are the last six of the eight that RFC 6238 shows


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238_are_found_in_their_steps(instant: int, shown: str) -> None:
    assert step_of_code(VECTORS_SEED, shown[-6:], step_at(instant)) == instant // 30


@pytest.mark.parametrize(
    ("counter", "shown"),
    list(
        enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"])
    ),
)
def test_the_vectors_of_rfc_4226_are_found_in_their_steps(counter: int, shown: str) -> None:
    assert step_of_code(VECTORS_SEED, shown, counter) == counter


def test_what_derives_the_codes_agrees_with_an_independent_reading_of_the_standard() -> None:
    seed = new_seed().reveal()
    totp = pyotp.TOTP(seed)
    assert [totp.generate_otp(step) for step in range(0, 10**9, 10**7)] == [
        code_of(seed, step) for step in range(0, 10**9, 10**7)
    ]


@pytest.mark.parametrize(("instant", "step"), [(0, 0), (29.999, 0), (30, 1), (59.5, 1), (60, 2)])
def test_a_step_is_thirty_seconds_from_its_first_instant_on(instant: float, step: int) -> None:
    assert step_at(instant) == step


@pytest.mark.parametrize("offset", range(-CODE_WINDOW_STEPS - 1, CODE_WINDOW_STEPS + 2))
def test_a_code_counts_in_its_step_and_one_step_either_way(offset: int) -> None:
    seed = new_seed()
    expected = CENTRE + offset if abs(offset) <= 1 else None
    assert step_of_code(seed, code_of(seed.reveal(), CENTRE + offset), CENTRE) == expected


def test_a_code_that_two_steps_share_is_the_newer_steps() -> None:
    shared = 910_737  # found by trying: the seed of the vectors shows the same code in this step and the next
    assert code_of(VECTORS_SEED.reveal(), shared) == code_of(VECTORS_SEED.reveal(), shared + 1)
    assert step_of_code(VECTORS_SEED, code_of(VECTORS_SEED.reveal(), shared), shared) == shared + 1


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "abcdef", "\u0661\u0662\u0663\u0664\u0665\u0666", "\U0001f600"]
)
def test_what_is_no_code_matches_no_step(code: str) -> None:
    assert step_of_code(new_seed(), code, CENTRE) is None


@pytest.mark.parametrize("offset", [-RESYNC_STEPS - 1, -RESYNC_STEPS, -1, 0, 1, RESYNC_STEPS, RESYNC_STEPS + 1])
def test_a_pair_is_found_by_its_second_code_within_ten_minutes_either_way(offset: int) -> None:
    seed = new_seed()
    first, second = (code_of(seed.reveal(), CENTRE + offset + later) for later in (-1, 0))
    expected = CENTRE + offset if abs(offset) <= RESYNC_STEPS else None
    assert step_of_pair(seed, first, second, CENTRE) == expected


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, -1), (-2, 0), (1, 0)])
def test_two_codes_that_do_not_follow_each_other_are_no_pair(first: int, second: int) -> None:
    seed = new_seed().reveal()
    assert step_of_pair(Secret(seed), code_of(seed, CENTRE + first), code_of(seed, CENTRE + second), CENTRE) is None


def test_a_seed_has_64_characters_of_base32_and_no_two_are_alike() -> None:
    seeds = {new_seed().reveal() for _ in range(100)}
    assert len(seeds) == 100
    assert {len(base64.b32decode(seed)) for seed in seeds} == {40}
    assert {len(seed) for seed in seeds} == {64}


def test_the_uri_names_the_issuer_the_device_and_its_account() -> None:
    uri = urlsplit(key_uri(VECTORS_SEED, name="ann+x=1", account="123456789012", issuer="daypass").reveal())
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/daypass:ann%2Bx%3D1%40123456789012")
    assert parse_qs(uri.query) == {"secret": [VECTORS_SEED.reveal()], "issuer": ["daypass"]}

# SPDX-License-Identifier: Apache-2.0
"""Identifiers have AWS's forms, and secrets do not print."""

from __future__ import annotations

import base64
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.credentials import (
    Secret,
    account_of_access_key_id,
    new_access_key_id,
    new_secret_access_key,
    new_unique_id,
)

accounts = st.integers(0, 999_999_999_999).map(lambda number: f"{number:012d}")


@given(account=accounts)
def test_the_account_is_recovered_from_an_access_key_id(account: str) -> None:
    key_id = new_access_key_id("ASIA", account)
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", key_id)
    assert account_of_access_key_id(key_id) == account


@given(account=accounts)
def test_tools_that_decode_access_key_ids_of_aws_decode_ours(account: str) -> None:
    # The public recipe: the first six bytes of the base32 part, masked and shifted.
    head = int.from_bytes(base64.b32decode(new_access_key_id("AKIA", account)[4:])[:6], "big")
    assert f"{(head & 0x7FFFFFFFFF80) >> 7:012d}" == account


@pytest.mark.parametrize("text", ["", "AKIA", "AKIAIOSFODNN7EXAMPL1", "AROAIOSFODNN7EXAMPLE", "AKIA" + "7" * 16 + "A"])
def test_what_is_no_access_key_id_has_no_account(text: str) -> None:
    with pytest.raises(ValueError, match="not an access key id"):
        account_of_access_key_id(text)


def test_a_number_beyond_twelve_digits_is_no_account() -> None:
    with pytest.raises(ValueError, match="not an access key id"):
        account_of_access_key_id("AKIA" + "7" * 16)


def test_secret_access_keys_are_forty_characters_and_fresh() -> None:
    one, other = new_secret_access_key().reveal(), new_secret_access_key().reveal()
    assert len(one) == len(other) == 40
    assert one != other


def test_unique_ids_have_the_prefix_and_the_length_of_aws() -> None:
    assert re.fullmatch(r"AROA[A-Z2-7]{17}", new_unique_id("AROA"))
    assert len({new_unique_id("AROA") for _ in range(1000)}) == 1000


def test_a_secret_does_not_print_compare_hash_or_pickle() -> None:
    secret = Secret("hush")
    assert "hush" not in f"{secret} {secret!r} {[secret]} {vars() and ''}"
    assert secret.reveal() == "hush"
    with pytest.raises(TypeError):
        assert secret == Secret("hush")
    with pytest.raises(TypeError):
        hash(secret)
    with pytest.raises(TypeError):
        pickle.dumps(secret)

# SPDX-License-Identifier: Apache-2.0
"""Public random bytes: as many as asked for, never the same twice, not even in a child process."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.randomness import public_random_bytes

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@given(count=st.integers(0, 10_000))
def test_there_are_as_many_bytes_as_were_asked_for(count: int) -> None:
    assert len(public_random_bytes(count)) == count


def test_no_bytes_are_handed_out_twice() -> None:
    handed = [public_random_bytes(16) for _ in range(2000)]  # several pages of them
    assert len(set(handed)) == len(handed)


def test_a_forked_child_does_not_repeat_its_parent() -> None:
    public_random_bytes(1)
    answers, to_parent = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(to_parent, public_random_bytes(32))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(answers, 32)
    os.close(answers)
    os.close(to_parent)
    assert theirs != public_random_bytes(32)

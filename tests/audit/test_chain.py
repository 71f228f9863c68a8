# SPDX-License-Identifier: Apache-2.0
"""The chain of blocks: whatever is changed, removed or put in breaks it; and what is too old or too much goes, oldest first."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from audit.trails import NOW
from daypass.clock import iso8601
from daypass.errors import UnavailableError
from daypass.store import Store
from daypass.store import transaction as writing
from daypass.store.audit_trail import FIRST, Block, Keep, digest_of, newest_first, oldest_first, verify

DAY = 86_400


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(None, tmp_path)
    yield store
    await store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "daypass.db"


def block(number: int = 0, at: int = NOW, lines: int = 1, size: int = 0) -> Block:
    time = iso8601(at).encode()
    text = b"".join(
        b'{"eventTime":"%s","block":%d,"line":%d,"more":"%s"}\n' % (time, number, line, b"x" * size)
        for line in range(lines)
    )
    return Block(at, at, lines, zlib.compress(text, 0))


async def append(store: Store, *blocks: Block, keep: Keep | None = None) -> None:
    for one in blocks:
        async with store.transaction() as transaction:
            await transaction.append_audit_block(one, keep or Keep())


def change(path: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def numbers(path: Path) -> list[int]:
    return [found.number for found in oldest_first(path)]


async def test_every_block_follows_the_one_before(store: Store, path: Path) -> None:
    await append(store, *(block(number) for number in range(3)))
    first, second, third = oldest_first(path)
    assert first.previous == FIRST
    assert (second.previous, third.previous) == (first.digest, second.digest)
    assert third.digest == digest_of(second.digest, third.content)
    assert third.bytes_before == len(first.content) + len(second.content)


async def test_a_chain_that_holds_says_how_far_it_reaches(store: Store, path: Path) -> None:
    await append(store, *(block(number, lines=number + 1) for number in range(20)))
    checked = verify(path)
    assert (checked.blocks, checked.records, checked.first, checked.last) == (20, 210, 1, 20)
    assert checked.broken is None
    assert checked.digest == next(newest_first(path)).digest


async def test_an_empty_trail_holds(store: Store, path: Path) -> None:
    assert verify(path).broken is None


@pytest.mark.parametrize(
    ("statement", "intact", "broken", "why"),
    [
        ("UPDATE audit_block SET content = x'00' WHERE number = 3", 2, 3, "its content is not what was written"),
        ("UPDATE audit_block SET digest = zeroblob(32) WHERE number = 3", 2, 3, "its content is not what was written"),
        ("UPDATE audit_block SET previous = x'00' WHERE number = 3", 2, 3, "it does not follow the block before it"),
        ("UPDATE audit_block SET records = 7 WHERE number = 3", 2, 3, "it has another number of records than it says"),
        (
            "UPDATE audit_block SET ended_at = ended_at - 1 WHERE number = 3",
            2,
            3,
            "it has records of another time than it says",
        ),
        (
            "UPDATE audit_block SET begun_at = begun_at + 1 WHERE number = 3",
            2,
            3,
            "it has records of another time than it says",
        ),
        ("DELETE FROM audit_block WHERE number = 3", 2, 4, "the blocks before it are missing"),
        ("DELETE FROM audit_block WHERE number >= 4", 3, 4, "the newest blocks were removed"),
        ("DELETE FROM audit_block", 0, 1, "the newest blocks were removed"),
        ("UPDATE audit_block SET previous = x'01' WHERE number = 1", 0, 1, "it is the first, and follows another"),
    ],
)
async def test_what_was_changed_is_found(
    store: Store, path: Path, statement: str, intact: int, broken: int, why: str
) -> None:
    await append(store, *(block(number) for number in range(5)))
    change(path, statement)
    checked = verify(path)
    assert (checked.blocks, checked.broken, checked.why) == (intact, broken, why)


async def test_who_writes_the_chain_anew_is_found_by_a_digest_that_was_kept(store: Store, path: Path) -> None:
    await append(store, *(block(number) for number in range(3)))
    kept = verify(path).digest
    assert verify(path, kept).broken is None
    previous = FIRST
    for number, one in enumerate([block(7), block(8), block(9)], 1):
        digest = digest_of(previous, one.content)
        values = (one.content, previous, digest, number)
        change(path, "UPDATE audit_block SET content = ?, previous = ?, digest = ? WHERE number = ?", *values)
        previous = digest
    assert verify(path).broken is None
    assert verify(path, kept).why == "the digest that was given is in no block"


async def test_content_that_does_not_unpack_is_found_though_its_digest_fits(store: Store, path: Path) -> None:
    await append(store, block())
    for content in (b"nothing", block().content[:-1], block().content + b"x"):
        change(path, "UPDATE audit_block SET content = ?, digest = ?", content, digest_of(FIRST, content))
        assert verify(path).broken == 1


async def test_a_record_without_its_time_is_found_though_its_digest_fits(store: Store, path: Path) -> None:
    await append(store, block())
    for text in (b"{}\n", b"nothing\n", b'{"eventTime":"yesterday"}\n'):
        content = zlib.compress(text)
        change(path, "UPDATE audit_block SET content = ?, digest = ?", content, digest_of(FIRST, content))
        assert verify(path).why == "it has a record that cannot be read"


async def test_a_block_of_more_time_than_its_records_holds(store: Store, path: Path) -> None:
    """Events of which no record can be made leave one."""
    await append(store, replace(block(), begun_at=NOW - 1, ended_at=NOW + 1))
    assert verify(path).broken is None


async def test_blocks_are_kept_for_so_many_days(store: Store, path: Path) -> None:
    keep = Keep(days=2)
    await append(store, block(at=NOW), block(at=NOW + 1), keep=keep)
    await append(store, block(at=NOW + 2 * DAY), keep=keep)
    assert numbers(path) == [1, 2, 3], "to the second"
    await append(store, block(at=NOW + 2 * DAY + 1), keep=keep)
    assert numbers(path) == [2, 3, 4]
    assert verify(path).broken is None


async def test_no_block_is_removed_before_an_older_one(store: Store, path: Path) -> None:
    keep = Keep(days=1)
    await append(store, block(at=NOW + 10), block(at=NOW), block(at=NOW + DAY + 5), keep=keep)
    assert numbers(path) == [1, 2, 3], "the first ended later than the second, and is to be kept"
    await append(store, block(at=NOW + DAY + 11), keep=keep)
    assert numbers(path) == [3, 4]
    assert verify(path).broken is None


async def test_so_many_bytes_are_kept_to_the_byte(store: Store, path: Path) -> None:
    size = len(block().content)
    await append(store, *(block(number) for number in range(3)), keep=Keep(bytes=3 * size))
    assert numbers(path) == [1, 2, 3]
    await append(store, block(4), keep=Keep(bytes=4 * size - 1))
    assert numbers(path) == [2, 3, 4]


async def test_the_newest_block_is_kept_whatever_its_size(store: Store, path: Path) -> None:
    await append(store, block(), block(size=5000), keep=Keep(bytes=10))
    assert numbers(path) == [2]


async def test_few_blocks_are_removed_at_once(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await append(store, *(block(number) for number in range(8)))
    monkeypatch.setattr(writing, "BLOCKS_REMOVED", 3)
    await append(store, block(at=NOW + 100 * DAY))
    assert numbers(path) == [4, 5, 6, 7, 8, 9]
    await append(store, block(at=NOW + 100 * DAY))
    await append(store, block(at=NOW + 100 * DAY))
    assert numbers(path) == [9, 10, 11]
    assert verify(path).broken is None


async def test_blocks_are_found_newest_first_by_their_time(store: Store, path: Path) -> None:
    await append(store, *(block(number, NOW + 10 * number) for number in range(40)))
    assert [found.number for found in newest_first(path)] == list(range(40, 0, -1))
    of_a_time = newest_first(path, since=NOW + 20.5, until=NOW + 50)
    assert [found.number for found in of_a_time] == [6, 5, 4, 3]
    assert list(newest_first(path, since=NOW + 1000)) == []
    assert [found.number for found in oldest_first(path, after=38)] == [39, 40]


def test_a_file_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "daypass.db").write_bytes(b"no database, " * 100)
    with pytest.raises(UnavailableError):
        verify(tmp_path / "daypass.db")

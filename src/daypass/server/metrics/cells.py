# SPDX-License-Identifier: Apache-2.0
"""
The numbers of one worker: a block of doubles, each series at a place of its own, and the names of the places.

In one process the block is memory of its own; with several workers it is a file that the worker and the started process both
map, so nothing is sent and nothing is lost when a worker is killed:

    NAME.cells      NUMBERS doubles. Its worker holds a lock (flock) on it for as long as it lives.
    NAME.names      a line of JSON a series: [family, [label, ...], place]; written before the first number is
    NAME.standing   what ``daypass.server.metrics.standing`` says, whole

A double at a multiple of eight is read and written by one instruction, so no reader sees half of one.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
import threading
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from daypass.server.metrics.families import NUMBERS, OVERFLOW, WIDEST, Family

BYTES: Final = 8 * NUMBERS
_OVERFLOW_PLACE: Final = 0
_SCRATCH: Final = 1
"""Where that is added which is not counted."""


class Series(NamedTuple):
    """A series and where its numbers begin."""

    family: str
    labels: tuple[str, ...]
    place: int


class Cells:
    """
    The block of numbers of this process. ``numbers[place] += 1.0`` counts: places come from ``place``, and each is added to
    by one thread.
    """

    def __init__(self, memory: mmap.mmap, home: Path | None = None) -> None:
        self.numbers = memoryview(memory).cast("d")
        self.series: list[Series] = [Series(OVERFLOW.name, (), _OVERFLOW_PLACE)]
        self.standing = b""
        self._home = home
        self._free = _SCRATCH + WIDEST
        self._places: dict[tuple[str, tuple[str, ...]], int] = {}
        self._series_of: dict[str, int] = {}
        self._lock = threading.Lock()
        self._names = -1 if home is None else _open(home.with_suffix(".names"))
        self._write_name(self.series[0])

    @classmethod
    def in_memory(cls) -> Cells:
        """For one process."""
        return cls(mmap.mmap(-1, BYTES))

    @classmethod
    def in_directory(cls, directory: Path) -> Cells:
        """For one of several workers: files that ``read_directory`` finds. Raises OSError."""
        home = directory / secrets.token_hex(8)
        new = home.with_suffix(".new")
        descriptor = _open(new)
        try:
            # NOTE: writing to a hole in a mapped file kills the process when the disk is full; so there is no hole.
            os.posix_fallocate(descriptor, 0, BYTES)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            memory = mmap.mmap(descriptor, BYTES)
            made = cls(memory, home)
            new.rename(home.with_suffix(".cells"))  # only now others see it, locked and with its names
        except BaseException:
            os.close(descriptor)
            new.unlink(missing_ok=True)
            raise
        return made  # the descriptor stays open, and with it the lock, until the process ends

    def place(self, family: Family, labels: tuple[str, ...] = ()) -> int | None:
        """Where the numbers of a series begin; a new series gets a place. None when the family has as many as it may have."""
        key = (family.name, labels)
        with self._lock:
            found = self._places.get(key)
            if found is not None:
                return found
            known = self._series_of.get(family.name, 0)
            if known >= family.limit or self._free + family.width > NUMBERS:
                return None
            series = Series(family.name, labels, self._free)
            self._write_name(series)
            self._free += family.width
            self._series_of[family.name] = known + 1
            self._places[key] = series.place
            self.series.append(series)
            return series.place

    def overflow(self) -> int:
        """Where to add what has no place: a place that nobody reads. That it happened is counted."""
        self.numbers[_OVERFLOW_PLACE] += 1.0
        return _SCRATCH

    def publish(self, standing: bytes) -> None:
        """Say what ages and expires. Raises OSError."""
        self.standing = standing
        if self._home is not None:
            new = self._home.with_suffix(".standing-new")
            new.write_bytes(standing)
            new.rename(self._home.with_suffix(".standing"))

    def _write_name(self, series: Series) -> None:
        if self._names >= 0:
            os.write(self._names, msgspec.json.encode(series) + b"\n")


class Reading(NamedTuple):
    """The numbers of a worker, by series, and what it says ages and expires."""

    numbers: dict[tuple[str, tuple[str, ...]], list[float]]
    standing: bytes
    alive: bool = True


def read_memory(cells: Cells, widths: dict[str, int]) -> Reading:
    """What the cells of this process say."""
    return Reading(_numbers(cells.numbers, list(cells.series), widths), cells.standing)


def read_directory(directory: Path, widths: dict[str, int]) -> list[Reading]:
    """What all workers say. The files of those that have ended are read once more, for the last time, and removed."""
    return [reading for path in sorted(directory.glob("*.cells")) if (reading := _read(path, widths)) is not None]


def _read(path: Path, widths: dict[str, int]) -> Reading | None:
    try:
        with path.open("rb") as file:
            ended = _lock(file.fileno())
            lines = path.with_suffix(".names").read_bytes()
            series = _decode.decode_lines(lines[: lines.rfind(b"\n") + 1])
            with (
                mmap.mmap(file.fileno(), BYTES, prot=mmap.PROT_READ) as memory,
                memoryview(memory) as octets,
                octets.cast("d") as numbers,
            ):
                found = _numbers(numbers, series, widths)
            standing = path.with_suffix(".standing")
            said = standing.read_bytes() if standing.exists() else b""
            if ended:
                for suffix in (".cells", ".names", ".standing"):
                    path.with_suffix(suffix).unlink(missing_ok=True)
            return Reading(found, said, not ended)
    except (OSError, ValueError):  # removed by somebody, or not ours
        return None


_decode: Final = msgspec.json.Decoder(Series)


def _lock(descriptor: int) -> bool:
    """Whether nobody holds the lock, so the worker has ended."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _numbers(
    numbers: memoryview[float], series: list[Series], widths: dict[str, int]
) -> dict[tuple[str, tuple[str, ...]], list[float]]:
    return {
        (one.family, one.labels): list(numbers[one.place : one.place + widths[one.family]])
        for one in series
        if one.family in widths and 0 <= one.place <= NUMBERS - WIDEST
    }


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW, 0o600)

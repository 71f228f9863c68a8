# SPDX-License-Identifier: Apache-2.0
"""
Whether two kinds of request can be told apart by how long they take.

Both are sent in this process, in random order, and the processor time of this thread is taken of each, so that whatever else
the machine does counts little. The median of every fifty in a row is one observation: a pause of the garbage collector moves no
median. The observations of the two kinds are compared by the rank test of Mann and Whitney (normal approximation).
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from in_process import VERSIONS, Service, sign

BLOCK = 50
RANK_LEVEL = 4.0
"""Standard deviations: by chance, once in 16,000."""

MEDIAN_LEVEL = 0.02
"""Of the time: some two microseconds, of which no network leaves anything; rules of a role's own policy cost as much."""

_CHANCE = random.Random(20260101)


@dataclass(frozen=True)
class Kind:
    """A request that is sent again and again, as the door receives it; ``name`` is a text in its answer that may differ."""

    scope: dict[str, Any]
    body: bytes
    name: str = ""


def kind(sts: Service, operation: str, credentials: Credentials | None, name: str = "", /, **parameters: str) -> Kind:
    """A request of STS, signed once."""
    body = urlencode({"Action": operation, "Version": VERSIONS["sts"], **parameters}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Host": "daypass.test"}
    request = AWSRequest(method="POST", url="http://daypass.test/", data=body, headers=headers)
    if credentials is not None:
        sign(request, credentials, "sts", sts.clock())
    raw = [(header.lower().encode(), value.encode()) for header, value in request.headers.items()]
    scope = {"type": "http", "method": "POST", "raw_path": b"/", "query_string": b"", "scheme": "http"}
    return Kind({**scope, "headers": raw, "client": ("127.0.0.1", 5000)}, body, name)


async def sent(sts: Service, one: Kind) -> tuple[int, str]:
    """The processor time that a request took, in nanoseconds, and what was answered, but for what may differ."""
    answers: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": one.body, "more_body": False}

    async def send(message: Any) -> None:
        answers.append(message)

    start = time.thread_time_ns()
    await sts.app.door(one.scope, receive, send)
    took = time.thread_time_ns() - start
    request_id = dict(answers[0]["headers"])[b"x-amzn-requestid"].decode()
    body = answers[1]["body"].decode().replace(request_id, "REQUEST-ID")
    return took, f"{answers[0]['status']} {body.replace(one.name, 'NAME') if one.name else body}"


@dataclass(frozen=True)
class Compared:
    """What came of many: the answers to each kind, how far apart the ranks are, and the medians."""

    answers: tuple[set[str], set[str]]
    rank: float
    medians: tuple[float, float]

    @property
    def apart(self) -> bool:
        """Whether the two can be told apart: by rank, and by more than nothing."""
        first, second = self.medians
        return abs(self.rank) > RANK_LEVEL and abs(first / second - 1) > MEDIAN_LEVEL


async def compared(sts: Service, first: Kind, second: Kind, samples: int) -> Compared:
    """Send so many of each."""
    kinds, times, answers = (first, second), ([], []), (set(), set())  # type: ignore[var-annotated]
    for _ in range(samples):
        for which in _CHANCE.sample((0, 1), 2):
            took, answer = await sent(sts, kinds[which])
            times[which].append(took)
            answers[which].add(answer)
    blocks = [[statistics.median(of[at : at + BLOCK]) for at in range(0, samples, BLOCK)] for of in times]
    return Compared(answers, mann_whitney(*blocks), (statistics.median(times[0]), statistics.median(times[1])))


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> float:
    """How many standard deviations the rank sum of the first is from what chance would give; ties have their mean rank."""
    values = sorted([*first, *second])
    ranks: dict[float, float] = {}
    ties = 0
    for value in set(values):
        count = values.count(value)
        ranks[value] = values.index(value) + (count + 1) / 2
        ties += count**3 - count
    n, m = len(first), len(second)
    total = n + m
    u = sum(ranks[value] for value in first) - n * (n + 1) / 2
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    return (u - n * m / 2) / variance**0.5 if variance else 0.0

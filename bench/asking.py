# SPDX-License-Identifier: Apache-2.0
"""
``python -m bench.asking``: requests per second that a service verifies and decides with ``daypass.verify``.

    warm        the signing key and the decision are known: no question is asked
    each time   every request is asked about (``local_keys=False``), one at a time and sixteen at once

One service process and one server on one machine; medians over the rounds. Requests are signed before the clock runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any, Final

sys.path[:0] = [str(Path(__file__).parent.parent / "tests")]

from daypass.credentials import Secret  # noqa: E402 - tests are no package
from daypass.sigv4 import PathStyle, RequestSigner, payload_digest  # noqa: E402 - tests are no package
from daypass.verify import Credentials, Permission, RawRequest, Verifier  # noqa: E402 - tests are no package
from running import Keys, Server, running_server  # noqa: E402 - tests are no package

ACCOUNT: Final = "123456789012"
EMPTY: Final = payload_digest(b"")
READ: Final = Permission("notes:Read", "arn:aws:notes:::1")
SETTINGS: Final[dict[str, Any]] = {"service": "notes", "region": "us-east-1", "account": ACCOUNT}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How fast services verify requests with daypass.verify.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="daypass-bench-") as directory, running_server(Path(directory)) as server:
        service, caller = _user(server, "svc", "daypass:*"), _user(server, "ann", "notes:*")
        asyncio.run(_measure(server, service, caller, arguments.rounds, arguments.requests))


async def _measure(server: Server, service: Keys, caller: Keys, rounds: int, count: int) -> None:
    credentials = Credentials(service.access_key_id, Secret(service.secret_access_key))
    found: dict[str, list[float]] = {}
    async with (
        Verifier(server.url, credentials, **SETTINGS) as warm,
        Verifier(server.url, credentials, **SETTINGS, local_keys=False) as asking,
    ):
        for _ in range(rounds):
            requests = list(_requests(caller, count))
            await warm.authorize(requests[0], [READ], payload_sha256=EMPTY)
            cases = {
                "warm, one at a time": (warm, requests, 1),
                "asking each time, one at a time": (asking, requests[: count // 4], 1),
                "asking each time, sixteen at once": (asking, requests[: count // 4], 16),
            }
            for name, (verifier, some, at_once) in cases.items():
                found.setdefault(name, []).append(await _rate(verifier, some, at_once))
    for name, rates in found.items():
        sys.stdout.write(f"{name:36} {median(rates):10,.0f} requests/s\n")


async def _rate(verifier: Verifier, requests: list[RawRequest], at_once: int) -> float:
    left = iter(requests)

    async def work() -> None:
        for request in left:
            await verifier.authorize(request, [READ], payload_sha256=EMPTY)

    began = time.perf_counter()
    await asyncio.gather(*[work() for _ in range(at_once)])
    return len(requests) / (time.perf_counter() - began)


def _requests(keys: Keys, count: int) -> Iterable[RawRequest]:
    signer = RequestSigner(
        keys.access_key_id,
        Secret(keys.secret_access_key),
        region="us-east-1",
        service="notes",
        path_style=PathStyle.NORMALISED,
    )
    for number in range(count):
        host = [(b"host", b"notes.test"), (b"user-agent", b"bench")]
        path = b"/notes/%d" % number
        added = signer.sign("GET", path, b"", host, now=time.time(), payload=EMPTY)
        yield RawRequest("GET", path, b"", (*host, *added))


def _user(server: Server, name: str, action: str) -> Keys:
    iam = server.client("iam", server.root())
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Keys(key["AccessKeyId"], key["SecretAccessKey"])


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""A scrape of the running service: complete with one worker and with four, while they are busy, and after one was killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from journeys.background import Background, fake_provider
from journeys.roles import Issuer, register
from journeys.wire import Call, get_caller_identity
from real.needed import WHOLE_MATRIX
from running import Server, get, running_server

REQUESTS = "daypass_sts_requests_total"
PATIENCE = 30.0

Counts = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(server: Server) -> Counts:
    """Everything that is served, by name and labels."""
    status, body = get(server.health.replace("/readyz", "/metrics"))
    assert status == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def counters(found: Counts) -> Counts:
    """Those that may only grow."""
    return {key: value for key, value in found.items() if key[0].endswith(("_total", "_bucket", "_count", "_sum"))}


def who_am_i(found: Counts) -> float:
    return found.get((REQUESTS, (("action", "GetCallerIdentity"), ("code", "Success"))), 0.0)


def ask(server: Server, times: int) -> None:
    """So many requests, each over a connection of its own."""
    root = server.root()

    def once(_number: int) -> int:
        return get_caller_identity(server.url).signed(root).send().status

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(once, range(times))) == {200}


def none_went_back(before: Counts, after: Counts) -> bool:
    return all(after.get(key, -1.0) >= value for key, value in counters(before).items())


WORKERS = 4 if WHOLE_MATRIX else 2


@pytest.fixture(scope="module", params=[1, WORKERS])
def own_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With one worker and with several; what was counted by other tests is counted already."""
    folder = tmp_path_factory.mktemp("own")
    with running_server(folder, workers=request.param, allow_loopback_http=True) as running:
        yield running
        assert running.alarms() == []


def test_what_was_answered_is_counted_whoever_answered(own_server: Server) -> None:
    before = who_am_i(scrape(own_server))
    ask(own_server, 40)
    assert who_am_i(scrape(own_server)) == before + 40


def test_a_scrape_is_answered_while_the_workers_are_busy_and_no_count_goes_back(own_server: Server) -> None:
    scrapes: list[Counts] = [scrape(own_server)]
    done = threading.Event()

    def load() -> None:
        try:
            ask(own_server, 200)
        finally:
            done.set()

    loading = threading.Thread(target=load)
    loading.start()
    while not done.is_set():
        scrapes.append(scrape(own_server))
    loading.join()
    scrapes.append(scrape(own_server))
    assert len(scrapes) > 3
    assert all(none_went_back(before, after) for before, after in pairwise(scrapes))
    assert who_am_i(scrapes[-1]) == who_am_i(scrapes[0]) + 200


def test_a_worker_that_is_killed_takes_no_count_with_it(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=WORKERS) as server:
        deadline = time.perf_counter() + PATIENCE
        while len(cells(server)) < WORKERS:  # one that has not begun to count would not be missed
            assert time.perf_counter() < deadline
        ask(server, 40)
        before = scrape(server)
        victim = server.workers()[0]
        os.kill(victim, signal.SIGKILL)
        deadline = time.perf_counter() + PATIENCE
        while scrape(server)["daypass_workers_ended_total", ()] < 1 or len(server.workers()) < WORKERS:
            assert time.perf_counter() < deadline
        assert victim not in server.workers()
        ask(server, 20)
        after = scrape(server)
        assert none_went_back(before, after)
        assert who_am_i(after) == 60
        assert len(cells(server)) <= 4
        assert server.alarms() == []
        server.stop()
        assert list((server.data_dir / "metrics").iterdir()) == []


def cells(server: Server) -> list[Path]:
    return list((server.data_dir / "metrics").glob("*/*.cells"))


def test_files_of_a_service_that_was_killed_are_removed_at_the_next_start(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=2) as server:
        (killed,) = (server.data_dir / "metrics").iterdir()
        server.kill9()
        server.start()
        (mine,) = (server.data_dir / "metrics").iterdir()
        assert mine != killed
        ask(server, 1)
        assert who_am_i(scrape(server)) == 1


def test_with_one_worker_no_file_is_written(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        scrape(server)
        assert not (server.data_dir / "metrics").exists()


def test_a_provider_is_watched_from_its_registration_on(loop: Background, own_server: Server) -> None:
    iam = own_server.client("iam", own_server.root())
    with fake_provider(loop) as fake:
        assumed = (REQUESTS, (("action", "AssumeRoleWithWebIdentity"), ("code", "Success")))
        before = scrape(own_server).get(assumed, 0.0)
        issuer = register(iam, own_server.url, fake)
        issuer.session(issuer.role())
        age = ages(own_server, issuer)
        assert 0 <= age < PATIENCE
        found = scrape(own_server)
        assert found[assumed] == before + 1
        assert ("daypass_sealing_key_age_seconds", ()) in found


def ages(server: Server, issuer: Issuer) -> float:
    """The age of the provider's keys, once it is shown: a worker looks at the store every second."""
    name = issuer.fake.issuer.partition("://")[2]
    deadline = time.perf_counter() + PATIENCE
    while True:
        for (of, labels), value in scrape(server).items():
            if of == "daypass_idp_jwks_age_seconds" and labels[0][1].endswith(name):
                return value
        assert time.perf_counter() < deadline


def test_made_up_requests_make_no_series(own_server: Server) -> None:
    def bombard(mark: str) -> None:
        for service in ("sts", "iam"):
            Call(own_server.url, service, f"Do{mark}", {mark: mark}).unsigned().send()
        get(f"{own_server.url}/{mark}")
        get(f"{own_server.url}/portal/{mark}")

    bombard("first")
    before = scrape(own_server)
    for number in range(50):
        bombard(f"mark{number}")
    assert scrape(own_server).keys() == before.keys()

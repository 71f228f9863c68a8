# SPDX-License-Identifier: Apache-2.0
"""
A state file over the wire: what it says decides the next request, what is wrong with it changes nothing, and what it manages is
changed there only (docs/state-file.md).
"""

from __future__ import annotations

import configparser
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from journeys.gateway import ACCOUNT, Gateway, Reply, running_gateway, signed, wait_for
from journeys.test_ending_sessions import daypass
from journeys.workers import only, wait_until_ready
from running import Keys, Server, get

LAB = "210000000001"
ARN = "arn:aws:s3:::lake"
LETTING_IN = {
    "Effect": "Allow",
    "Principal": {"AWS": LAB},
    "Action": "s3:GetObject",
    "Resource": f"{ARN}/*",
}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements or [LETTING_IN]})


def write(folder: Path, document: str | None, rest: str = "") -> None:
    """The state file, as an editor leaves it: put in the place of the one before."""
    (folder / "policies").mkdir(exist_ok=True)
    entry = f"- {{arn: {ARN}, owner: '{ACCOUNT}'{'' if document is None else ', policy: policies/lake.json'}}}"
    if document is not None:
        (folder / "policies" / "lake.json").write_text(document)
    (folder / "new").write_text(f"version: 1\nresources:\n{entry}\n{rest}")
    (folder / "new").replace(folder / "state.yaml")


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Gateway]:
    """A gateway whose state file lets another account read a bucket."""
    write(folder, policy())
    with running_gateway(folder, state=folder / "state.yaml", **settings) as made:
        daypass(made.server, "accounts", "create", "lab", "--account-id", LAB)
        yield made


@pytest.fixture(scope="module")
def managed(tmp_path_factory: pytest.TempPathFactory, _no_aws_configuration: None) -> Iterator[tuple[Gateway, Path]]:
    """Such a gateway, and the directory of its file."""
    folder = tmp_path_factory.mktemp("managed")
    with running(folder) as made:
        yield made, folder


@pytest.fixture
def gateway(managed: tuple[Gateway, Path]) -> Gateway:
    """The same, with the file as it was at first."""
    made, folder = managed
    if not made.server.running:
        made.server.start()
    write(folder, policy())
    wait_for(lambda: readiness(made.server) == (200, {"status": "ready", "failing": []}))
    wait_for(lambda: read(made, stranger(made.server)).status == 200)
    return made


@pytest.fixture
def folder(managed: tuple[Gateway, Path]) -> Path:
    return managed[1]


def stranger(server: Server) -> Keys:
    """The root user of the other account."""
    parser = configparser.ConfigParser()
    parser.read(server.data_dir / f"root-credentials-{LAB}", encoding="utf-8")
    profile = parser[f"daypass-root-{LAB}"]
    return Keys(profile["aws_access_key_id"], profile["aws_secret_access_key"])


def read(gateway: Gateway, keys: Keys) -> Reply:
    """Read an object of the bucket."""
    return gateway.ask(signed(keys, "GET", "/lake/report.csv"))


def readiness(server: Server) -> tuple[int, Any]:
    status, body = get(server.health)
    return status, json.loads(body)


def test_an_edit_of_the_file_decides_the_next_requests(gateway: Gateway, folder: Path) -> None:
    keys = stranger(gateway.server)
    assert read(gateway, keys).status == 200
    write(folder, policy({**LETTING_IN, "Action": "s3:PutObject"}))
    wait_for(lambda: read(gateway, keys).status == 403)
    assert read(gateway, gateway.keys).status == 200, "the owner's user may by its own policy"
    write(folder, policy())
    wait_for(lambda: read(gateway, keys).status == 200)
    (folder / "policies" / "lake.json").write_text(policy({**LETTING_IN, "Effect": "Deny"}))
    wait_for(lambda: read(gateway, keys).status == 403)


def test_explain_knows_what_the_file_says(gateway: Gateway) -> None:
    principal = f"arn:aws:iam::{LAB}:root"
    asked = ("--principal", principal, "--action", "s3:GetObject", "--resource", f"{ARN}/report.csv")
    assert daypass(gateway.server, "explain", *asked)["decision"] == "allowed"


def test_every_worker_decides_by_the_file(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as gateway:
        wait_until_ready(gateway.server)
        keys = stranger(gateway.server)
        write(tmp_path, None)
        wait_for(lambda: read(gateway, keys).status == 403)
        for worker in gateway.server.workers():
            with only(gateway.server, worker):
                assert read(gateway, keys).status == 403


@pytest.mark.parametrize("broken", ["resources: [", "resource: []", "public_access_blocks: {'999999999999': all}"])
def test_a_broken_edit_keeps_what_was_and_shows(gateway: Gateway, folder: Path, broken: str) -> None:
    write(folder, policy({**LETTING_IN, "Effect": "Deny"}), broken)
    degraded = {"status": "ready", "failing": [], "degraded": ["state-file"]}
    wait_for(lambda: readiness(gateway.server) == (200, degraded))
    assert read(gateway, stranger(gateway.server)).status == 200
    lines = [json.loads(line) for line in gateway.server.log().splitlines() if "state file refused" in line]
    assert "state.yaml', line" in lines[-1]["problem"] or "in line" in lines[-1]["problem"]


def test_what_the_file_manages_is_changed_there_only(gateway: Gateway, folder: Path) -> None:
    for method in ("PUT", "DELETE"):
        body = policy().encode() if method == "PUT" else b""
        reply = gateway.ask(signed(gateway.server.root(), method, "/lake?policy", body=body))
        assert (reply.status, reply.code) == (403, "AccessDenied")
        assert b"managed by the state file" in reply.body
    assert '"reason": "managed-by-file"' in gateway.server.log()
    write(folder, None)
    wait_for(lambda: read(gateway, stranger(gateway.server)).status == 403)
    reply = gateway.ask(signed(gateway.server.root(), "PUT", "/lake?policy", body=policy().encode()))
    assert reply.status == 204
    assert read(gateway, stranger(gateway.server)).status == 200


def test_what_was_applied_outlives_the_process_and_its_sudden_end(gateway: Gateway, folder: Path) -> None:
    keys = stranger(gateway.server)
    gateway.server.kill9()
    gateway.server.start()
    assert read(gateway, keys).status == 200
    assert gateway.server.stop() == 0
    (folder / "state.yaml").write_text("no state file")
    gateway.server.start()
    assert read(gateway, keys).status == 200, "it starts with what it had"
    assert readiness(gateway.server)[1]["degraded"] == ["state-file"]


def test_a_hangup_has_the_file_read_and_ends_nothing(gateway: Gateway, folder: Path) -> None:
    pid = gateway.server.pid
    write(folder, policy({**LETTING_IN, "Effect": "Deny"}))
    os.kill(pid, signal.SIGHUP)
    wait_for(lambda: read(gateway, stranger(gateway.server)).status == 403)
    assert gateway.server.pid == pid

# SPDX-License-Identifier: Apache-2.0
"""
An acknowledged write is still there after kill -9 (DESIGN.md, "What it remembers").

DAYPASS_TEST_KILL_CYCLES says how often the server is killed (8 times; 25 where CI runs the tests); DAYPASS_TEST_KILL_WORKERS,
with how many workers it runs.
"""

from __future__ import annotations

import http.client
import os
import secrets
import threading
from pathlib import Path

import pytest

from journeys.roles import allow, trusting, unique
from journeys.wire import Answer, Call
from real.needed import WHOLE_MATRIX
from running import Keys, Server

CYCLES = int(os.environ.get("DAYPASS_TEST_KILL_CYCLES", "25" if WHOLE_MATRIX else "8"))
WORKERS = int(os.environ.get("DAYPASS_TEST_KILL_WORKERS", "1"))
WRITERS = 2
MOST_WRITES = 24
"""A server is killed when it has acknowledged some number of writes below this one, while others are under way."""

TRUST = trusting("https://idp.example.org")


class Writer:
    """Makes roles with a policy each, and counts in the description of one role, until the server is gone."""

    def __init__(self, url: str, root: Keys, counter: str, count: tuple[int, int]) -> None:
        self.roles: list[str] = []
        self.policies: list[str] = []
        self.counter = counter
        self.acknowledged, self.attempted = count
        self.refusals: list[tuple[int, str | None]] = []
        self._url = url
        self._root = root

    def run(self, acknowledge: threading.Semaphore) -> None:
        try:
            while True:
                self._write_once(acknowledge)
        except (OSError, http.client.HTTPException):
            pass  # the server was killed: whether the last write took place is not known

    def _write_once(self, acknowledge: threading.Semaphore) -> None:
        name = unique("role")
        if self._call("CreateRole", RoleName=name, AssumeRolePolicyDocument=TRUST):
            self.roles.append(name)
            acknowledge.release()
        if self._call("PutRolePolicy", RoleName=name, PolicyName="main", PolicyDocument=allow("iam:GetRole")):
            self.policies.append(name)
            acknowledge.release()
        self.attempted += 1
        if self._call("UpdateRole", RoleName=self.counter, Description=str(self.attempted)):
            self.acknowledged = self.attempted
            acknowledge.release()

    def _call(self, action: str, **parameters: str) -> bool:
        answer = Call(self._url, "iam", action, parameters).signed(self._root).send()
        if answer.status != 200:
            self.refusals.append(answer.refusal)
        return answer.status == 200


class Killing:
    """A server that is killed again and again, and what it has acknowledged in all its lives."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.roles: set[str] = set()
        self.policies: set[str] = set()
        self.counters = {unique("counter"): (0, 0) for _ in range(WRITERS)}

    def cycle(self) -> None:
        """Let the writers write, and kill the server while they do."""
        root = self.server.root()
        writers = [Writer(self.server.url, root, name, count) for name, count in self.counters.items()]
        acknowledged = threading.Semaphore(0)
        threads = [threading.Thread(target=writer.run, args=(acknowledged,)) for writer in writers]
        for thread in threads:
            thread.start()
        for _ in range(1 + secrets.randbelow(MOST_WRITES)):
            assert acknowledged.acquire(timeout=30), "nothing is acknowledged any more"
        self.server.kill9()
        for thread, writer in zip(threads, writers, strict=True):
            thread.join()
            assert writer.refusals == []
            self.roles.update(writer.roles)
            self.policies.update(writer.policies)
            self.counters[writer.counter] = (writer.acknowledged, writer.attempted)

    def check(self, policies: set[str]) -> None:
        """Everything that was acknowledged is there; of what was not, all or nothing."""
        iam = self.server.client("iam", self.server.root())
        found = {role["RoleName"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]}
        assert self.roles - found == set()
        for name, (acknowledged, attempted) in self.counters.items():
            assert acknowledged <= int(iam.get_role(RoleName=name)["Role"]["Description"]) <= attempted
        for name in policies:
            assert iam.get_role_policy(RoleName=name, PolicyName="main")["PolicyDocument"]["Statement"]


def test_every_acknowledged_write_survives_kill_9(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(tmp_path, workers=WORKERS)
    server.start()
    killing = Killing(server)
    try:
        for name in killing.counters:
            role = {"RoleName": name, "AssumeRolePolicyDocument": TRUST, "Description": "0"}
            answer: Answer = Call(server.url, "iam", "CreateRole", role).signed(server.root()).send()
            assert answer.status == 200
        for _ in range(CYCLES):
            known = set(killing.policies)
            killing.cycle()
            server.start()
            killing.check(killing.policies - known)
        killing.check(killing.policies)
        assert server.alarms() == []
    finally:
        if server.running:
            server.kill9()
    counted = sum(acknowledged for acknowledged, _ in killing.counters.values())
    writes = len(killing.roles) + len(killing.policies) + counted
    with capsys.disabled():
        print(f"\nkill -9: {CYCLES} times, {writes} acknowledged writes, 0 lost")

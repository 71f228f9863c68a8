# SPDX-License-Identifier: Apache-2.0
"""How soon a server answers, how much memory it takes, and what it leaves on the disk."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from journeys.background import Background, fake_provider
from journeys.roles import allow, register, role_arn
from journeys.wire import Call, get_caller_identity
from running import Server, running_server

START_SECONDS = 1.5
STARTS = 5
RSS_MEGABYTES = 120
REQUESTS = 500


def seconds_without_a_processor(pid: int) -> float:
    """How long a process was ready to run and others ran: this machine may be busy with other tests."""
    path = Path(f"/proc/{pid}/schedstat")  # proc(5): on the CPU, waiting for one, both in nanoseconds; time slices
    return int(path.read_text(encoding="ascii").split()[1]) / 1e9 if path.exists() else 0.0


def test_it_answers_within_a_second_and_a_half_of_a_first_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    took, owed = [], []
    for number in range(STARTS):
        server = Server(tmp_path / str(number))
        took.append(server.start())
        owed.append(took[-1] - seconds_without_a_processor(server.pid))
        server.kill9()
    with capsys.disabled():
        print(
            f"\nfirst start: best of {STARTS} {min(took):.2f} s, worst {max(took):.2f} s, of its own {min(owed):.2f} s"
        )
    assert min(owed) < START_SECONDS


def resident_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


def test_five_hundred_requests_of_each_kind_leave_it_small(
    loop: Background, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_server(tmp_path, allow_loopback_http=True) as server, fake_provider(loop) as fake:
        root, url = server.root(), server.url
        issuer = register(server.client("iam", root), url, fake)
        role = issuer.role(allow("iam:*"))
        keys = issuer.session(role)

        def assume() -> Call:
            given = {"RoleArn": role_arn(role), "RoleSessionName": "session", "WebIdentityToken": issuer.token()}
            return Call(url, "sts", "AssumeRoleWithWebIdentity", given)

        tag = {"RoleName": role, "Tags.member.1.Key": "count", "Tags.member.1.Value": "x"}
        kinds: dict[str, Callable[[], int]] = {
            "identity": lambda: get_caller_identity(url).signed(keys).send().status,
            "presigned": lambda: get_caller_identity(url).presigned(root).send().status,
            "assume": lambda: assume().unsigned().send().status,
            "read": lambda: Call(url, "iam", "GetRole", {"RoleName": role}).signed(keys).send().status,
            "list": lambda: Call(url, "iam", "ListRoles").signed(keys).send().status,
            "write": lambda: Call(url, "iam", "TagRole", tag).signed(keys).send().status,
        }
        before = resident_megabytes(server.pid)
        for kind in kinds.values():
            assert {kind() for _ in range(REQUESTS)} == {200}
        after = resident_megabytes(server.pid)
        with capsys.disabled():
            print(f"\nmemory: {before:.0f} MB, after {REQUESTS} requests of {len(kinds)} kinds {after:.0f} MB")
        assert after < RSS_MEGABYTES


def test_what_it_keeps_only_its_owner_can_read(server: Server) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in server.data_dir.iterdir()}
    assert {"daypass.db", "master-key", "root-credentials"} <= set(modes)
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700


def test_no_secret_stands_in_the_database_or_in_the_log(server: Server) -> None:
    secret = server.root().secret_access_key.encode()
    for path in server.data_dir.glob("daypass.db*"):
        assert secret not in path.read_bytes()
    assert secret not in server.log_path.read_bytes()


def test_a_start_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        first = server.root()
        server.stop()
        server.start()
        assert server.root() == first
        assert server.client("sts", first).get_caller_identity()["Account"] == "123456789012"
        assert server.alarms() == []


def test_sessions_outlive_the_process_that_made_them(loop: Background, tmp_path: Path) -> None:
    with running_server(tmp_path, allow_loopback_http=True) as server, fake_provider(loop) as fake:
        issuer = register(server.client("iam", server.root()), server.url, fake)
        keys = issuer.session(issuer.role())
        server.kill9()
        server.start()
        assert server.client("sts", keys).get_caller_identity()["Arn"].endswith("/session")


def refused_start(folder: Path, **settings: str) -> str:
    """What a start that fails says; it says it in one line, without a traceback."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "DAYPASS_DATA_DIR": str(folder), **settings}
    addresses = {"DAYPASS_LISTEN": "127.0.0.1:0", "DAYPASS_TELEMETRY_LISTEN": "127.0.0.1:0"}
    ran = subprocess.run(
        [sys.executable, "-m", "daypass", "serve", "--json"],
        env={**addresses, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("daypass: ")
    assert ran.stderr.count("\n") == 1
    return ran.stderr


def test_it_does_not_start_over_when_its_master_key_is_lost(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        server.stop()
        (server.data_dir / "master-key").unlink()
        assert "master-key" in refused_start(server.data_dir)


def test_it_does_not_start_as_another_account(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        server.stop()
        assert "DAYPASS_ACCOUNT_ID" in refused_start(server.data_dir, DAYPASS_ACCOUNT_ID="999999999999")


def test_it_does_not_start_on_an_address_that_is_taken(server: Server, tmp_path: Path) -> None:
    taken = server.url.removeprefix("http://")
    assert "DAYPASS_LISTEN" in refused_start(tmp_path, DAYPASS_LISTEN=taken)


def test_what_it_says_is_one_object_with_everything_one_needs(server: Server) -> None:
    assert set(server.announced) == {
        "url",
        "health",
        "account_id",
        "data_dir",
        "root_credentials",
        "gateway",
        "ext_authz",
    }
    assert json.dumps(server.announced).count("\n") == 0

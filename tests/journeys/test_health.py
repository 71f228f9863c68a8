# SPDX-License-Identifier: Apache-2.0
"""The telemetry listener, and what still works while the database is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from journeys.background import Background, fake_provider
from journeys.refusals import refused
from journeys.roles import allow, register, trusting, unique
from running import Server, get, running_server


def health(server: Server, path: str) -> tuple[int, Any]:
    status, body = get(server.health.replace("/readyz", path))
    return status, json.loads(body)


def test_a_server_that_is_in_order_says_so(server: Server) -> None:
    assert health(server, "/livez") == (200, {"status": "alive"})
    for path in ("/readyz", "/healthz"):
        assert health(server, path) == (200, {"status": "ready", "failing": []})


def test_nothing_else_is_served_there(server: Server) -> None:
    assert health(server, "/")[0] == 404
    assert health(server, "/metrics/../livez")[0] == 404


def test_health_is_not_served_at_the_door_of_aws(server: Server) -> None:
    for path in ("/livez", "/readyz", "/healthz"):
        assert get(server.url + path)[0] == 404


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path, allow_loopback_http=True) as running:
        yield running


def test_without_its_database_it_is_not_ready_answers_from_memory_and_heals(
    loop: Background, own_server: Server
) -> None:
    iam = own_server.client("iam", own_server.root())
    with fake_provider(loop) as fake:
        issuer = register(iam, own_server.url, fake)
        role = issuer.role(allow("iam:ListRoles"))
        keys = issuer.session(role)
        away = _move_away(own_server.data_dir)

        assert health(own_server, "/livez")[0] == 200
        assert health(own_server, "/readyz") == (503, {"status": "not ready", "failing": ["store"]})
        assert own_server.client("iam", keys).list_roles()["Roles"]
        assert own_server.client("sts", issuer.session(role)).get_caller_identity()["Account"]
        new = {"RoleName": unique("role"), "AssumeRolePolicyDocument": trusting(fake.issuer)}
        assert refused(iam.create_role, **new) == ("ServiceUnavailable", 503)

        for path, back in away.items():
            path.rename(back)
        assert health(own_server, "/readyz")[0] == 200
        assert iam.create_role(**new)["Role"]["RoleName"] == new["RoleName"]
    assert own_server.alarms() == []


def _move_away(data_dir: Path) -> dict[Path, Path]:
    """Move the database and what belongs to it out of the directory; from where to where they have to go back."""
    elsewhere = data_dir.with_name("elsewhere")
    elsewhere.mkdir()
    return {path.rename(elsewhere / path.name): path for path in sorted(data_dir.glob("daypass.db*"))}

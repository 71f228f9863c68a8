# SPDX-License-Identifier: Apache-2.0
"""What the section ``gateway`` refuses of its backends: what the backend would read otherwise than we do."""

from __future__ import annotations

from pathlib import Path

import pytest

from daypass.errors import ConfigurationError
from daypass.server.configuration import read_configuration

BACKEND = "{name: lake, upstream: 'http://127.0.0.1:9', region: us-east-1, account: '123456789012', %s}"


def read(tmp_path: Path, backend: str) -> bool:
    """Whether the one backend takes buckets from the host."""
    path = tmp_path / "daypass.yaml"
    lines = ["gateway:", "  proxy_secret: {env: ANY}", "  backends:", f"    - {BACKEND % backend}"]
    path.write_text("\n".join(lines), encoding="ascii")
    [made] = read_configuration(path).gateway.made()
    return made.virtual_hosted


@pytest.mark.parametrize(
    ("backend", "virtual_hosted"),
    [
        ("service: s3", False),
        ("service: s3, match: {host: s3.example}, proxy: nginx", False),
        ("service: s3, match: {host: s3.example}, proxy: nginx, virtual_hosted: true", True),
        ("service: s3, match: {host: s3.example}, virtual_hosted: true", True),
        ("service: sqs, proxy: nginx", False),
    ],
)
def test_only_a_backend_that_says_so_takes_buckets_from_the_host(
    tmp_path: Path, backend: str, virtual_hosted: bool
) -> None:
    assert read(tmp_path, backend) is virtual_hosted


@pytest.mark.parametrize(
    ("backend", "says"),
    [
        ("service: s3, proxy: nginx", "s3 behind a proxy needs match.host"),
        ("service: s3, proxy: envoy, match: {path: /b}", "s3 behind a proxy needs match.host"),
        ("service: s3, virtual_hosted: true", "virtual_hosted is for s3 with match.host"),
        ("service: sqs, match: {host: sqs.example}, virtual_hosted: true", "virtual_hosted is for s3 with match.host"),
    ],
)
def test_s3_behind_a_proxy_says_by_which_host(tmp_path: Path, backend: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        read(tmp_path, backend)

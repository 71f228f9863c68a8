# SPDX-License-Identifier: Apache-2.0
"""``gateway.ext_authz``: what its section says, and that nobody pays for it who has none."""

from __future__ import annotations

import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from daypass.errors import ConfigurationError, Reason
from daypass.server import gateway_configuration, process
from daypass.server.configuration import Configuration, read_configuration
from daypass.server.settings import Listen

BACKEND = "{name: lake, service: s3, upstream: 'http://127.0.0.1:9', region: us-east-1, account: '123456789012', %s}"
ASKED = "  proxy_secret: {env: ANY}\n  backends:\n    - " + BACKEND % "proxy: envoy-grpc, match: {host: lake.example}"


def read(tmp_path: Path, *lines: str) -> Configuration:
    path = tmp_path / "daypass.yaml"
    path.write_text("\n".join(["gateway:", *lines]), encoding="ascii")
    return read_configuration(path)


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("127.0.0.1:9003", "127.0.0.1", 9003),
        ("'[::1]:1'", "::1", 1),
        ("'[0:0::0]:65535'", "::", 65_535),
    ],
)
def test_it_says_where_envoy_asks(tmp_path: Path, listen: str, host: str, port: int) -> None:
    section = read(tmp_path, f"  ext_authz: {{listen: {listen}}}", ASKED).gateway.ext_authz
    assert section is not None
    assert (section.listen.host, section.listen.port) == (host, port)


REFUSED = {
    "no port": ("  ext_authz: {listen: 127.0.0.1}", "expected host:port"),
    "any port": ("  ext_authz: {listen: '127.0.0.1:0'}", "expected a port"),
    "no such port": ("  ext_authz: {listen: '127.0.0.1:65536'}", "gateway.ext_authz.listen"),
    "all of IPv4, which gRPC takes for all": ("  ext_authz: {listen: 0.0.0.0:9003}", "expected [::]"),
    "the same, mapped": ("  ext_authz: {listen: '[::ffff:0.0.0.0]:9003'}", "expected an address of IPv4 or of IPv6"),
    "a name, which may have several addresses": ("  ext_authz: {listen: localhost:9003}", "expected an IP address"),
    "no host": ("  ext_authz: {listen: ':9003'}", "expected an IP address"),
    "nowhere": ("  ext_authz: {}", "gateway.ext_authz.listen"),
    "more than it knows": ("  ext_authz: {listen: '127.0.0.1:1', secret: x}", "gateway.ext_authz.secret"),
    "no listener": (ASKED, "there is no ext_authz"),
    "no secret": (
        "  ext_authz: {listen: '127.0.0.1:1'}\n" + ASKED.replace("  proxy_secret: {env: ANY}\n", ""),
        "there is no proxy_secret",
    ),
}


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_count_is_refused_and_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(tmp_path, text)
    assert refused.value.reason is Reason.CONFIGURATION_INVALID
    assert says in str(refused.value)


@pytest.mark.parametrize("absent", ["grpc", "envoy"])
def test_without_the_extra_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    configuration = read(tmp_path, "  ext_authz: {listen: '127.0.0.1:9003'}")
    configuration.check()
    monkeypatch.setattr(gateway_configuration, "find_spec", lambda name: None if name == absent else find_spec(name))
    with pytest.raises(ConfigurationError, match=r"pip install 'daypass\[grpc\]'"):
        configuration.check()


@pytest.mark.parametrize(("taken", "listen"), [("0.0.0.0", "::"), ("::", "127.0.0.1"), ("127.0.0.1", "127.0.0.1")])
def test_that_nobody_else_has_the_address_is_seen_as_grpc_will_bind_it(taken: str, listen: str) -> None:
    family = socket.AF_INET6 if ":" in taken else socket.AF_INET
    with socket.create_server((taken, 0), family=family, dualstack_ipv6=taken == "::") as other:
        where = Listen(host=listen, port=other.getsockname()[1])
        with pytest.raises(ConfigurationError, match=r"gateway\.ext_authz: cannot listen on"):
            process._check_free(where)
    process._check_free(where)


def test_a_process_without_it_loads_nothing_of_grpc() -> None:
    program = "import sys, daypass.server.process; print({'grpc', 'envoy', 'google.protobuf'} & {*sys.modules})"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "set()"

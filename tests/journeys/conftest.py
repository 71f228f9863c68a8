# SPDX-License-Identifier: Apache-2.0
"""What the journeys share: one server for a run (or a worker of xdist), providers, and the rule that none ends in an alarm."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from fakes.oidc_provider import FakeOidcProvider
from journeys.background import Background, background, fake_provider
from journeys.gateway import Gateway, running_gateway
from journeys.real_provider import RealProvider, ec_key, real_provider, rsa_key
from journeys.roles import Issuer, register
from journeys.saml import RUNNING, Federation
from journeys.saml import federation as federated
from running import Keys, Server, running_server


@pytest.fixture(scope="session", autouse=True)
def _no_aws_configuration() -> Iterator[None]:
    """boto3 finds nothing of this machine's AWS configuration."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session")
def server(_no_aws_configuration: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that most journeys share. They must not mind each other's entities."""
    with running_server(tmp_path_factory.mktemp("server"), allow_loopback_http=True) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_alarm(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a journey does to the shared server, it is answered, and never by an error of ours."""
    shared = request.getfixturevalue("server") if "server" in request.fixturenames else None
    before = 0 if shared is None else len(shared.alarms())
    yield
    if shared is not None:
        assert shared.alarms()[before:] == []


@pytest.fixture(scope="session")
def root(server: Server) -> Keys:
    """The shared server's root access key."""
    return server.root()


@pytest.fixture(scope="session")
def iam(server: Server, root: Keys) -> Any:
    """IAM of the shared server, as root."""
    return server.client("iam", root)


@pytest.fixture(scope="session")
def _gateway(_no_aws_configuration: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def gateway(_gateway: Gateway) -> Iterator[Gateway]:
    """A gateway, and a backend that is well and has seen nothing; afterwards, whatever was done to them, nobody was alarmed."""
    _gateway.backend.forget()
    before = len(_gateway.server.alarms())
    yield _gateway
    _gateway.backend.run(_gateway.backend.hang_up())
    assert _gateway.server.alarms()[before:] == []


@pytest.fixture(scope="session")
def loop() -> Iterator[Background]:
    """An event loop in a thread."""
    with background() as running:
        yield running


@pytest.fixture(scope="session")
def issuer(loop: Background, server: Server, iam: Any) -> Iterator[Issuer]:
    """A fake provider that is always in order, for whoever needs a session."""
    with fake_provider(loop) as fake:
        yield register(iam, server.url, fake)


@pytest.fixture
def fake(loop: Background) -> Iterator[FakeOidcProvider]:
    """A fake provider to edit."""
    with fake_provider(loop) as running:
        yield running


@pytest.fixture
def own_issuer(fake: FakeOidcProvider, server: Server, iam: Any) -> Issuer:
    """The fake provider to edit, registered with the shared server."""
    return register(iam, server.url, fake)


@pytest.fixture(scope="session")
def provider(server: Server, iam: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProvider]:
    """The real provider, registered with the shared server for two of its three clients."""
    with real_provider(tmp_path_factory.mktemp("provider"), rsa_key("2026-01"), ec_key("2026-01-ec")) as running:
        iam.create_open_id_connect_provider(Url=running.issuer, ClientIDList=["web-app", "ec-app"])
        yield running


@pytest.fixture(scope="module", params=sorted(RUNNING))
def federation(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Federation]:
    """A real SAML provider, registered with the shared server; each of the two in its turn."""
    with federated(request.param, tmp_path_factory.mktemp(request.param), server) as made:
        yield made

# SPDX-License-Identifier: Apache-2.0
"""What is Envoy's alone, with its two example configurations: it takes clients for ones of gRPC by their Content-Type."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from fakes.authz import Answer, Denial, FakeAuthz, RecordingBackend
from fakes.ext_authz import FakeExtAuthz
from real.proxies import PROXIES, Proxy
from real.s3_wire import WireAnswer, exchange

SECRET = "between the proxy and daypass"
TYPES = ("application/grpc", "application/grpc+proto")
DENIALS = [
    Denial(400, "InvalidArgument", "a & <b>, 100 %"),
    Denial(403, "AccessDenied", "no"),
    Denial(404, "NoSuchBucket", "no"),
]


class Stage:
    """One of the two Envoys, what it asks and what is behind it."""

    def __init__(self, proxy: Proxy, authz: FakeAuthz, backend: RecordingBackend) -> None:
        self.proxy, self.authz, self.backend = proxy, authz, backend

    def put(self, content_type: str) -> WireAnswer:
        """Upload something of this type."""
        headers = {"Host": "s3.example.org", "Content-Type": content_type, "Content-Length": "4"}
        return exchange(self.proxy.url, "PUT", "/lake/key", headers, b"body")


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Stage]]:
    folder = tmp_path_factory.mktemp("envoy")
    with ExitStack() as stack:
        made = {}
        for name, authz in (("envoy", FakeAuthz(SECRET)), ("envoy-grpc", FakeExtAuthz(SECRET))):
            stack.enter_context(authz)
            backend = stack.enter_context(RecordingBackend())
            places = {"daypass": authz.url, "upstream": backend.url, "backend": "lake", "secret": SECRET}
            made[name] = Stage(stack.enter_context(PROXIES[name](folder, **places)), authz, backend)
        yield made


@pytest.fixture(params=["envoy", "envoy-grpc"])
def stage(stages: dict[str, Stage], request: pytest.FixtureRequest) -> Stage:
    stage = stages[request.param]
    stage.authz.reset()
    stage.backend.reset()
    return stage


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("denied", DENIALS, ids=lambda denied: denied.code)
def test_a_denial_is_one_to_a_client_that_envoy_takes_for_one_of_grpc(
    stage: Stage, content_type: str, denied: Denial
) -> None:
    stage.authz.decide = lambda asked: denied
    answer = stage.put(content_type)
    assert (answer.status, answer.body) == (denied.status, denied.body())
    assert "grpc-status" not in answer.headers
    assert stage.backend.seen == []


@pytest.mark.parametrize("content_type", TYPES)
def test_no_answer_is_no_to_such_a_client_too(stage: Stage, content_type: str) -> None:
    stage.authz.broken = Answer(500)
    answer = stage.put(content_type)
    assert (answer.status, stage.backend.seen) == (503, [])


@pytest.mark.parametrize("content_type", TYPES)
def test_what_is_allowed_is_answered_by_the_backend(stage: Stage, content_type: str) -> None:
    answer = stage.put(content_type)
    assert (answer.status, answer.body) == (200, b"from the backend")
    [seen] = stage.backend.seen
    assert (seen.get("Content-Type"), seen.body) == (content_type, b"body")

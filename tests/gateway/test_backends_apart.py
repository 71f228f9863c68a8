# SPDX-License-Identifier: Apache-2.0
"""Which S3 backends keep other buckets: those at another upstream, whatever their names."""

from __future__ import annotations

from typing import Any

from daypass.gateway.backends import Backend, Backends, Upstream

ONE, TWO = Upstream("http", "127.0.0.1", 9000), Upstream("http", "127.0.0.1", 9001)


def backend(name: str, service: str, upstream: Upstream) -> Backend:
    nothing: Any = None
    return Backend(name, service, nothing, nothing, upstream, "us-east-1", "123456789012", host=f"{name}.test")


def test_a_backend_is_told_of_the_s3_backends_at_other_upstreams_and_of_no_others() -> None:
    backends = Backends(
        [
            backend("lake", "s3", ONE),
            backend("door", "s3", ONE),
            backend("attic", "s3", TWO),
            backend("jobs", "sqs", TWO),
        ]
    )
    assert {one.name: set(one.elsewhere) for one in backends} == {
        "lake": {"attic"},
        "door": {"attic"},
        "attic": {"lake", "door"},
        "jobs": {"lake", "door"},
    }
    for name in ("lake", "attic"):
        chosen = backends.choose(f"bucket.{name}.test".encode(), b"/")
        assert chosen is not None
        assert chosen.backend == backends.named(name)
        assert chosen.backend.elsewhere

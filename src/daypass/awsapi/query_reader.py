# SPDX-License-Identifier: Apache-2.0
"""
The Query protocol's way in: from the names and texts of a form to parameters (Smithy, "AWS Query protocol", requests).

Top-level scalars are looked up by name. The others, whose names have dots, first become a tree, whose branches are the
parts of the names and whose leaves are the texts; the operation's shapes then read the tree, each accounting for every
branch of its own.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from collections.abc import Callable, Mapping
from typing import Final

from daypass.awsapi import limits
from daypass.awsapi.form import quoted_name
from daypass.awsapi.model import Member, OperationModel, Shape
from daypass.errors import Reason, RequestError

Tree = dict[str, "str | Tree"]
Reader = Callable[["str | Tree", str], object]
"""Reads one value, given its text or branch and its full name; the name is for messages."""

_THE_PIPELINES: Final = frozenset({"Action", "Version"})
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,9}", re.ASCII)
_INTEGER_RANGE: Final = range(-(2**31), 2**31)
_TIMESTAMP: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)


def operation_reader(operation: OperationModel) -> Callable[[Mapping[str, str]], dict[str, object]]:
    """A function from a form to the operation's parameters; see ``query.parse_input``."""
    shape = operation.input_shape
    members = {} if shape is None else shape.members
    scalars: dict[str, tuple[str, Callable[[str, str], object] | None]] = {}
    branches: dict[str, tuple[str, Reader]] = {}
    for name, member in members.items():
        if member.shape.kind == "string":
            scalars[_wire_name(member)] = name, None
        elif member.shape.kind in _SCALARS:
            scalars[_wire_name(member)] = name, _SCALARS[member.shape.kind]
        else:
            branches[_wire_name(member)] = name, _reader(member)

    def read(form: Mapping[str, str]) -> dict[str, object]:
        parameters: dict[str, object] = {}
        tree: Tree = {}
        for wire_name, text in form.items():
            if wire_name in scalars:
                name, convert = scalars[wire_name]
                parameters[name] = text if convert is None else convert(text, wire_name)
            elif wire_name.partition(".")[0] in branches:
                _grow(tree, wire_name, text)
            elif wire_name not in _THE_PIPELINES:
                raise RequestError(
                    Reason.UNKNOWN_PARAMETER, f"{operation.name} does not have {quoted_name(wire_name)}."
                )
        for wire_name, node in tree.items():
            name, read_branch = branches[wire_name]
            parameters[name] = read_branch(node, wire_name)
        return parameters

    return read


def _grow(tree: Tree, wire_name: str, text: str) -> None:
    """Hang a text into the tree, at the end of the branch that its name's parts spell."""
    if wire_name.count(".") >= limits.MAX_NAME_SEGMENTS:
        raise RequestError(Reason.UNKNOWN_PARAMETER, "The request has a parameter that is nested too deeply.")
    *parts, last = wire_name.split(".")
    for part in parts:
        branch = tree.setdefault(part, {})
        if isinstance(branch, str):
            raise _both(wire_name)
        tree = branch
    if last in tree:
        raise _both(wire_name)
    tree[last] = text


def _wire_name(member: Member) -> str:
    """What the wire calls a structure's member. A flattened list goes by its elements' name where they have one."""
    element = member.shape.element
    if member.flattened and element is not None and element.location_name is not None:
        return element.location_name
    return member.location_name or member.name


def _reader(member: Member) -> Reader:
    match member.shape.kind:
        case "structure":
            return _structure_reader(member.shape)
        case "list":
            return _list_reader(member)
        case "map":
            return _map_reader(member)
        case kind:
            return _scalar_reader(_SCALARS[kind])


def _scalar_reader(convert: Callable[[str, str], object]) -> Reader:
    def read(node: str | Tree, wire_name: str) -> object:
        if not isinstance(node, str):
            raise _unknown(f"{wire_name}.{next(iter(node))}")
        return convert(node, wire_name)

    return read


def _structure_reader(shape: Shape) -> Reader:
    fields = {_wire_name(member): (name, _reader(member)) for name, member in shape.members.items()}

    def read(node: str | Tree, wire_name: str) -> object:
        if isinstance(node, str):
            raise RequestError(
                Reason.MALFORMED_REQUEST, f"The request has a text for {quoted_name(wire_name)}, which is a structure."
            )
        structure: dict[str, object] = {}
        for part, child in node.items():
            if part not in fields:
                raise _unknown(f"{wire_name}.{part}")
            name, read_field = fields[part]
            structure[name] = read_field(child, f"{wire_name}.{part}")
        return structure

    return read


def _list_reader(member: Member) -> Reader:
    element = member.shape.its_element()
    part = None if member.flattened else element.location_name or "member"
    read_element = _reader(element)

    def read(node: str | Tree, wire_name: str) -> object:
        # An empty list is sent as the list's bare name with an empty text (botocore and the older SDKs do).
        if node == "":
            return []
        prefix, elements = _elements(node, wire_name, part)
        return [read_element(child, f"{prefix}.{index}") for index, child in enumerate(elements, 1)]

    return read


def _map_reader(member: Member) -> Reader:
    key, value = member.shape.its_entry()
    key_part, value_part = key.location_name or "key", value.location_name or "value"
    part = None if member.flattened else "entry"
    read_key, read_value = _reader(key), _reader(value)

    def read(node: str | Tree, wire_name: str) -> object:
        prefix, entries = _elements(node, wire_name, part)
        result: dict[object, object] = {}
        for index, entry in enumerate(entries, 1):
            name = f"{prefix}.{index}"
            if isinstance(entry, str) or entry.keys() != {key_part, value_part}:
                raise RequestError(
                    Reason.MALFORMED_REQUEST, f"Expected {key_part} and {value_part} in {quoted_name(name)}."
                )
            text = read_key(entry[key_part], f"{name}.{key_part}")
            if text in result:
                raise RequestError(Reason.DUPLICATE_PARAMETER, f"The map in {quoted_name(wire_name)} has a key twice.")
            result[text] = read_value(entry[value_part], f"{name}.{value_part}")
        return result

    return read


def _elements(node: str | Tree, wire_name: str, part: str | None) -> tuple[str, list[str | Tree]]:
    """The numbered branches of a list or map, in order, and the full name of what they hang on.

    ``part`` is the name between the list's own and the number, None for a flattened one. Numbers are 1, 2, 3, ... without
    gaps; whoever sends another sequence means something that we would have to guess.
    """
    if part is not None and isinstance(node, dict):
        for other in node:
            if other != part:
                raise _unknown(f"{wire_name}.{other}")
        node, wire_name = node[part], f"{wire_name}.{part}"
    if isinstance(node, str):
        raise RequestError(
            Reason.MALFORMED_REQUEST, f"The request has a text for {quoted_name(wire_name)}, which is a list or map."
        )
    try:
        return wire_name, [node[str(index)] for index in range(1, len(node) + 1)]
    except KeyError:
        raise RequestError(
            Reason.MALFORMED_REQUEST, f"Expected {quoted_name(wire_name)} to be numbered 1, 2, 3 without gaps."
        ) from None


def _text(text: str, _wire_name: str) -> str:
    return text


def _integer(text: str, wire_name: str) -> int:
    if _INTEGER.fullmatch(text) is None or (number := int(text)) not in _INTEGER_RANGE:
        raise _invalid(wire_name, "an integer of 32 bits")
    return number


def _boolean(text: str, wire_name: str) -> bool:
    if text not in ("true", "false"):
        raise _invalid(wire_name, "true or false")
    return text == "true"


def _timestamp(text: str, wire_name: str) -> float:
    if _TIMESTAMP.fullmatch(text) is not None:
        try:
            return datetime.datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError):
            pass  # no such day, hour or offset
    raise _invalid(wire_name, "a time such as 2026-01-31T12:00:00Z")


def _blob(text: str, wire_name: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _invalid(wire_name, "base64") from None
    if base64.b64encode(data) != text.encode():
        raise _invalid(wire_name, "base64 without stray bits")
    return data


_SCALARS: Final[Mapping[str, Callable[[str, str], object]]] = {
    "string": _text,
    "integer": _integer,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": _blob,
}


def _unknown(wire_name: str) -> RequestError:
    return RequestError(Reason.UNKNOWN_PARAMETER, f"The operation does not have {quoted_name(wire_name)}.")


def _both(wire_name: str) -> RequestError:
    return RequestError(
        Reason.MALFORMED_REQUEST, f"The request has {quoted_name(wire_name)} both with a text and with members."
    )


def _invalid(wire_name: str, expected: str) -> RequestError:
    return RequestError(Reason.INVALID_PARAMETER, f"Expected {quoted_name(wire_name)} to be {expected}.")

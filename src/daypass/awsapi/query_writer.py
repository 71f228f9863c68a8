# SPDX-License-Identifier: Apache-2.0
"""
The Query protocol's way out: from a result to XML (Smithy, "AWS Query protocol", responses; XML 1.0, section 2.2).

A writer is a function from a value to its element's text, made once per shape. Whatever a text contains, the document
parses and gives it back: markup is escaped, a carriage return is a reference, and a character that XML 1.0 does not have
(a NUL, a lone surrogate) becomes U+FFFD.
"""

from __future__ import annotations

import base64
import datetime
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from daypass.awsapi.model import Member, OperationModel, Shape

Writer = Callable[[Any], str]
"""Writes one value with its element. Raises TypeError for a value that is not of the shape's type."""

_RARE: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RARE_ASCII: Final = bytes(code for code in range(32) if code not in b"\t\n")


class _Omitted:
    """See ``OMITTED``."""


OMITTED: Final = _Omitted()
"""In place of a string that the model requires and AWS itself leaves out: the name of a root user (IAM API, GetUser)."""


def document(text: str) -> bytes:
    """A document as bytes, with what XML 1.0 cannot carry replaced. The markup must be there already."""
    # NOTE: deleting the rare bytes and comparing lengths costs a fifth of searching for one with a pattern.
    if text.isascii():
        data = text.encode()
        if len(data.translate(None, _RARE_ASCII)) == len(data):
            return data
    return _RARE.sub(_reference, text).encode()


def _reference(rare: re.Match[str]) -> str:
    return "&#13;" if rare.group() == "\r" else "\ufffd"


def escaped(text: str) -> str:
    """A text between tags."""
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def operation_writer(operation: OperationModel) -> Callable[[Mapping[str, object], str], bytes]:
    """A function from a result and a request id to the operation's answer; see ``query.serialize_result``."""
    name, wrapper, shape = operation.name, operation.result_wrapper, operation.output_shape
    head = f'<{name}Response xmlns="{operation.xml_namespace}">'
    tail = f"</RequestId></ResponseMetadata></{name}Response>"
    tags = (f"<{wrapper}>", f"</{wrapper}>") if wrapper else ("", "")
    nothing = Shape(name=f"{name}Response", kind="structure")
    write_members = _structure_writer(shape or nothing, *tags if shape else ("", ""))

    def write(result: Mapping[str, object], request_id: str) -> bytes:
        body = write_members(result)
        return document(f"{head}{body}<ResponseMetadata><RequestId>{escaped(request_id)}{tail}")

    return write


def _structure_writer(shape: Shape, opening: str, closing: str) -> Writer:
    fields = [_field(shape, member) for member in shape.members.values()]
    known = frozenset(shape.members)

    def write(value: Any) -> str:
        if not isinstance(value, dict) and not isinstance(value, Mapping):
            _refuse(shape.name, "a mapping", value)
        get, text, written = value.get, opening, 0
        for name, required, before, after, write_member in fields:
            member = get(name)
            if member is not None:
                written += 1
                # NOTE: nearly all members are plain strings; a call for each would double the time of an answer.
                if type(member) is str and before and "&" not in member and "<" not in member and ">" not in member:
                    text = f"{text}{before}{member}{after}"
                else:
                    text += write_member(member)
            elif required:
                raise TypeError(f"{shape.name}.{name} is required")
        if written < len(value) and not known.issuperset(value):
            raise TypeError(f"{shape.name} has no member {min(map(str, value.keys() - known))}")
        return text + closing

    return write


def _field(shape: Shape, member: Member) -> tuple[str, bool, str, str, Writer]:
    """A member's name, whether it is required, its tags if it is a string ("" if not), its writer."""
    name = member.location_name or member.name
    tags = (f"<{name}>", f"</{name}>") if member.shape.kind == "string" else ("", "")
    return member.name, member.name in shape.required, *tags, _writer(member, name, f"{shape.name}.{member.name}")


def _writer(member: Member, name: str, label: str) -> Writer:
    opening, closing = f"<{name}>", f"</{name}>"
    match member.shape.kind:
        case "structure":
            return _structure_writer(member.shape, opening, closing)
        case "list":
            return _list_writer(member, name, label)
        case "map":
            return _map_writer(member, name, label)
        case "string":
            return _string_writer(opening, closing, label)
        case kind:
            return _scalar_writer(_SCALARS[kind], opening, closing, label)


def _list_writer(member: Member, name: str, label: str) -> Writer:
    element = member.shape.its_element()
    element_name = element.location_name or (name if member.flattened else "member")
    write_element = _writer(element, element_name, f"{label}[]")
    opening, closing = ("", "") if member.flattened else (f"<{name}>", f"</{name}>")
    empty = "" if member.flattened else f"<{name}/>"

    def write(value: Any) -> str:
        if not isinstance(value, list | tuple):
            _refuse(label, "a list", value)
        return f"{opening}{''.join(map(write_element, value))}{closing}" if value else empty

    return write


def _map_writer(member: Member, name: str, label: str) -> Writer:
    key, value = member.shape.its_entry()
    write_key = _writer(key, key.location_name or "key", f"{label}{{key}}")
    write_value = _writer(value, value.location_name or "value", f"{label}{{value}}")
    entry = name if member.flattened else "entry"
    opening, closing = ("", "") if member.flattened else (f"<{name}>", f"</{name}>")
    empty = "" if member.flattened else f"<{name}/>"

    def write(entries: Any) -> str:
        if not isinstance(entries, Mapping):
            _refuse(label, "a mapping", entries)
        parts = [f"<{entry}>{write_key(key)}{write_value(value)}</{entry}>" for key, value in entries.items()]
        return f"{opening}{''.join(parts)}{closing}" if parts else empty

    return write


def _string_writer(opening: str, closing: str, label: str) -> Writer:
    def write(value: Any) -> str:
        if type(value) is not str:
            if value is OMITTED:
                return ""
            if not isinstance(value, str):
                _refuse(label, "a string", value)
            value = str.__str__(value)  # an enumeration's member formats as its name, and is its text
        if "&" in value or "<" in value or ">" in value:
            value = escaped(value)
        return f"{opening}{value}{closing}"

    return write


def _scalar_writer(convert: Callable[[Any, str], str], opening: str, closing: str, label: str) -> Writer:
    def write(value: Any) -> str:
        return f"{opening}{convert(value, label)}{closing}"

    return write


def _integer(value: Any, label: str) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        _refuse(label, "an integer", value)
    return str(value)


def _boolean(value: Any, label: str) -> str:
    if not isinstance(value, bool):
        _refuse(label, "a boolean", value)
    return "true" if value else "false"


def _timestamp(value: Any, label: str) -> str:
    """Whole seconds, rounded down: ``2026-01-31T12:00:00Z``."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        _refuse(label, "seconds since the epoch", value)
    try:
        return _second(int(value // 1))
    except (ValueError, OverflowError, OSError):
        _refuse(label, "seconds since the epoch, in years of four digits", value)


# Sessions made in one second expire in one second, and lists repeat their dates: most are written more than once.
@functools.lru_cache(maxsize=4096)
def _second(instant: int) -> str:
    return f"{datetime.datetime.fromtimestamp(instant, datetime.UTC).isoformat()[:-6]}Z"


def _blob(value: Any, label: str) -> str:
    if not isinstance(value, bytes):
        _refuse(label, "bytes", value)
    return base64.b64encode(value).decode("ascii")


_SCALARS: Final[Mapping[str, Callable[[Any, str], str]]] = {
    "integer": _integer,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": _blob,
}


def _refuse(label: str, expected: str, value: object) -> NoReturn:
    """The value itself is not told: it may be a secret."""
    raise TypeError(f"{label} is to be {expected}, not {type(value).__name__}")

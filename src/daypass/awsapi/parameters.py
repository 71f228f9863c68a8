# SPDX-License-Identifier: Apache-2.0
"""
Reading checked parameters with their types.

The query parser has made each value what its shape says and ``constraints.check`` has seen that the required ones are
there, so a value of another type here is a mistake in our code: these raise TypeError or KeyError, never a client error.
"""

from __future__ import annotations

from collections.abc import Mapping

Parameters = Mapping[str, object]


def text(parameters: Parameters, name: str) -> str:
    """A required string."""
    value = parameters[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is not a string")
    return value


def optional_text(parameters: Parameters, name: str) -> str | None:
    """A string that may be absent."""
    return text(parameters, name) if name in parameters else None


def optional_integer(parameters: Parameters, name: str) -> int | None:
    """An integer that may be absent."""
    value = parameters.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise TypeError(f"{name} is not an integer")
    return value


def optional_boolean(parameters: Parameters, name: str) -> bool | None:
    """A boolean that may be absent."""
    value = parameters.get(name)
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{name} is not a boolean")
    return value


def texts(parameters: Parameters, name: str) -> tuple[str, ...]:
    """A list of strings; empty when absent."""
    value = parameters.get(name, ())
    if not isinstance(value, list | tuple):
        raise TypeError(f"{name} is not a list")
    return tuple(str(item) for item in value)


def tag_list(parameters: Parameters, name: str = "Tags") -> tuple[tuple[str, str], ...]:
    """A list of ``{Key, Value}`` structures, in the order sent; empty when absent."""
    value = parameters.get(name, ())
    if not isinstance(value, list | tuple):
        raise TypeError(f"{name} is not a list")
    return tuple((text(item, "Key"), text(item, "Value")) for item in value)

# SPDX-License-Identifier: Apache-2.0
"""
The condition keys of tags that a request brings: ``aws:RequestTag/KEY`` and ``aws:TagKeys`` (IAM User Guide, "AWS global
condition context keys"). Services write tags as a list of keys and values or as a map, and call the two differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.rules import MAX_ITEMS, invalid
from daypass.identity import ContextValue

_TAGS: Final = ("Tags", "tags")
_KEYS: Final = ("TagKeys", "tagKeys")
_WORDS: Final = (("Key", "Value"), ("key", "value"), ("TagKey", "TagValue"))


def tag_keys(parameters: Mapping[str, Any]) -> dict[str, ContextValue]:
    """The condition keys of the tags, or of the keys of tags, among the parameters. Raises RequestError."""
    for name in (*_TAGS, *_KEYS):
        if name in parameters:
            value = parameters[name]
            if name in _KEYS or _is_list_of_keys(value):
                return {"aws:tagkeys": tuple(_texts(value, name))}
            return _of_tags(_pairs(value, name), name)
    return {}


def _is_list_of_keys(value: Any) -> bool:
    """UntagLogGroup calls the keys tags."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], str)


def _of_tags(tags: list[tuple[str, str]], parameter: str) -> dict[str, ContextValue]:
    keys: dict[str, ContextValue] = {f"aws:requesttag/{key.lower()}": value for key, value in tags}
    if len(keys) != len(tags):
        raise RequestError(
            Reason.INVALID_PARAMETER, f"{parameter} has a key twice; names of condition keys ignore case."
        )
    if tags:
        keys["aws:tagkeys"] = tuple(key for key, _ in tags)
    return keys


def _pairs(value: Any, parameter: str) -> list[tuple[str, str]]:
    if isinstance(value, dict) and len(value) <= MAX_ITEMS:
        pairs = list(value.items())
    elif isinstance(value, list) and len(value) <= MAX_ITEMS:
        pairs = [_pair(item, parameter) for item in value]
    else:
        raise invalid(parameter, f"at most {MAX_ITEMS} tags")
    if not all(isinstance(text, str) for pair in pairs for text in pair):
        raise invalid(parameter, "tags whose keys and values are texts")
    return pairs


def _pair(item: Any, parameter: str) -> tuple[Any, Any]:
    if isinstance(item, dict):
        for key, value in _WORDS:
            if key in item and item.keys() <= {key, value}:
                return item[key], item.get(value, "")
    raise invalid(parameter, "a list of tags, each with a key and a value")


def _texts(value: Any, parameter: str) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_ITEMS or not all(isinstance(item, str) for item in value):
        raise invalid(parameter, f"a list of at most {MAX_ITEMS} keys of tags")
    return value

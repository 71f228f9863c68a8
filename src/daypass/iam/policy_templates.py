# SPDX-License-Identifier: Apache-2.0
"""
Policy templates: documents with places like ``@{bucketName}``, which a delegation request fills (IAM API,
DelegationPermission, PolicyParameter).

Pure. A template here is a managed policy; places stand in its strings, never in the names of members. What is put in is
data: a value that looks like a place is not one, and no value ends a string early.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from daypass.errors import EntityError, PolicyError, Reason
from daypass.policy import Kind, compile_policy
from daypass.policy.limits import MANAGED_POLICY, policy_size

_BOUNDARY: Final = "iam:permissionsboundary"
_PLACE: Final = re.compile(r"@\{([^{}]++)\}")

TemplateParameters = tuple[tuple[str, str, tuple[str, ...]], ...]
"""(name, type, values); the type is ``string``, of one value, or ``stringList``."""


def _invalid(message: str) -> EntityError:
    return EntityError(Reason.INVALID_INPUT, message)


def fill(document: str, parameters: TemplateParameters) -> str:
    """
    The policy that a template makes: each place has its value, and a string with the place of a list becomes as many
    strings as the list is long.

    Raises EntityError when a place has no value, a value no place, or the policy is too long or none.
    """
    filling = _Filling(_by_name(parameters))
    filled = json.dumps(filling.value(json.loads(document, parse_int=str, parse_float=str)), separators=(",", ":"))
    unused = sorted(set(filling.values) - filling.used)
    if unused:
        raise _invalid(f"The policy template has no parameter {unused[0]!r}.")
    if policy_size(filled) > MANAGED_POLICY:
        raise _too_long()
    try:
        compile_policy(filled, Kind.IDENTITY)
    except PolicyError as error:
        raise _invalid(f"The policy template does not make a valid policy of these parameters: {error}") from None
    return filled


def _too_long() -> EntityError:
    return EntityError(Reason.LIMIT_EXCEEDED, f"Cannot exceed quota for PolicySize: {MANAGED_POLICY}")


def _by_name(parameters: TemplateParameters) -> dict[str, tuple[str, tuple[str, ...]]]:
    by_name = {name: (kind, values) for name, kind, values in parameters}
    if len(by_name) < len(parameters):
        raise _invalid("A parameter of the policy template is given twice.")
    for name, (kind, values) in by_name.items():
        if not values or (kind == "string" and len(values) != 1):
            raise _invalid(f"The parameter {name!r} must have one value, or be a stringList with at least one.")
    return by_name


class _Filling:
    """One filling of a template: what was used, and how long it has become."""

    def __init__(self, values: Mapping[str, tuple[str, tuple[str, ...]]]) -> None:
        self.values = values
        self.used: set[str] = set()
        self._length = 0

    def value(self, value: Any) -> Any:
        """A value of the document with its places filled."""
        if isinstance(value, dict):
            return {name: self.value(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [filled for inner in value for filled in self._items(inner)]
        if isinstance(value, str):
            texts = self._texts(value)
            return texts[0] if len(texts) == 1 else texts
        return value

    def _items(self, value: Any) -> list[Any]:
        return list(self._texts(value)) if isinstance(value, str) else [self.value(value)]

    def _texts(self, text: str) -> list[str]:
        """The strings that one string becomes."""
        names = set(_PLACE.findall(text))
        unknown = sorted(names - set(self.values))
        if unknown:
            raise _invalid(f"The parameter {unknown[0]!r} of the policy template has no value.")
        lists = [name for name in names if self.values[name][0] == "stringList"]
        if len(lists) > 1:
            raise _invalid("The policy template has two lists in one string.")
        self.used |= names
        count = len(self.values[lists[0]][1]) if lists else 1
        return [self._text(text, turn) for turn in range(count)]

    def _text(self, text: str, turn: int) -> str:
        def value_of(place: re.Match[str]) -> str:
            kind, values = self.values[place[1]]
            return values[turn if kind == "stringList" else 0]

        filled = _PLACE.sub(value_of, text)
        self._length += len(filled)
        if self._length > MANAGED_POLICY:  # checked as it grows, so that little text cannot become very much
            raise _too_long()
        return filled


def boundaries_of(document: str) -> list[str]:
    """
    The permissions boundaries that a policy says roles must have (``iam:PermissionsBoundary`` in a condition of a statement
    that allows), each once, sorted.
    """
    statements = json.loads(document)["Statement"]
    found: set[str] = set()
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement["Effect"] == "Allow":
            for keys in statement.get("Condition", {}).values():
                found.update(*[_list(value) for key, value in keys.items() if key.lower() == _BOUNDARY])
    return sorted(found)


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]

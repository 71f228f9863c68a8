# SPDX-License-Identifier: Apache-2.0
"""
From the text of a state file to what it wants. Pure: the files that it names are read by whoever calls.

1. It is YAML that says what JSON can say, each key once (``daypass.yamltext``).
2. It has the form of ``daypass.statefile.schema``; a key that is not known is told with its line and the nearest name.
3. No resource stands there twice.

Whether accounts, users and roles are there, and what S3 takes as a policy, is for ``daypass.statefile.applying``.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from daypass.errors import ConfigurationError, Reason
from daypass.resources import OWNER, POLICY, PUBLIC_ACCESS, bucket_name
from daypass.statefile.desired import Desired, Wanted, WantedPolicy
from daypass.statefile.limits import PROBLEMS, RESOURCES, SHOWN_KEY
from daypass.statefile.schema import PublicAccessSection, ResourceSection, StateSection
from daypass.store import PublicAccess
from daypass.yamltext import Place, YamlText, read_yaml

_WORDS: Final[Mapping[str, str]] = {
    "missing": "it is missing",
    "tuple_type": "expected a list",
    "dict_type": "expected keys and values",
    "model_type": "expected keys and values",
    "bool_type": "expected true or false",
    "string_type": "expected text",
    "literal_error": "expected 1",
    "too_long": f"expected at most {RESOURCES} entries",
}
"""Our words for pydantic's errors, by type. Those of validators of ours are ours already."""

_SECTIONS: Final[Mapping[Place, type[BaseModel]]] = {
    (): StateSection,
    ("resources", 0): ResourceSection,
    ("resources", 0, "public_access_block"): PublicAccessSection,
    ("public_access_blocks", ""): PublicAccessSection,
}
"""Which keys there may be, by place: 0 for any number, and an empty text for any account."""


def read_desired(text: str, name: str, document: Callable[[str], str]) -> Desired:
    """
    What a state file wants. ``name`` is how messages call it; ``document`` reads the policy at a path, as JSON.

    Raises ConfigurationError, whose message has for each of the first mistakes its line, its place and what is wrong.
    """
    found = read_yaml(text, name, json_only=True)  # 1
    try:
        section = StateSection.model_validate(found.value)  # 2
    except ValidationError as error:
        problems = [f"{name}, {_problem(one, found)}" for one in error.errors(include_url=False)[:PROBLEMS]]
        raise _invalid("; ".join(problems)) from None
    _check_once(section, found, name)  # 3
    return Desired(name, tuple(_wanted(section, found, name, document)))


def _problem(error: ErrorDetails, found: YamlText) -> str:
    place = tuple(part for part in error["loc"] if part != "[key]")
    message = _WORDS.get(error["type"], error["msg"].removeprefix("Value error, "))
    if error["type"] == "extra_forbidden":
        message = f"unknown key{_nearest(place)}"
    return f"line {found.line(place)}: {_shown(place)}{message}"


def _nearest(place: Place) -> str:
    """The known key that looks most like an unknown one, if any does."""
    above = tuple(0 if isinstance(part, int) else part for part in place[:-1])
    if above[:1] == ("public_access_blocks",):
        above = (*above[:1], "")
    section = _SECTIONS.get(above)
    close = [] if section is None else difflib.get_close_matches(str(place[-1])[:SHOWN_KEY], section.model_fields, 1)
    return f"; did you mean {close[0]}?" if close else ""


def _shown(place: Place) -> str:
    """``resources[0].policy: ``; nothing for the whole file."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in place)
    return f"{text.removeprefix('.')}: " if text else ""


def _key(part: str) -> str:
    """A key as it can stand in a line of a log."""
    return part if len(part) <= SHOWN_KEY and part.isprintable() else f"{part[:SHOWN_KEY]!r}"


def _check_once(section: StateSection, found: YamlText, name: str) -> None:
    seen: dict[str, int] = {}
    for number, resource in enumerate(section.resources):
        line = found.line(("resources", number))
        if resource.arn in seen:
            message = f"{resource.arn} stands there twice, and in line {seen[resource.arn]}"
            raise _invalid(f"{name}, line {line}: {message}")
        seen[resource.arn] = line


def _wanted(section: StateSection, found: YamlText, name: str, document: Callable[[str], str]) -> Iterator[Wanted]:
    for account, block in section.public_access_blocks.items():
        line = found.line(("public_access_blocks", account))
        yield Wanted(PUBLIC_ACCESS, account, _settings(block), line)
    for number, resource in enumerate(section.resources):
        place = ("resources", number)
        is_bucket = bucket_name(resource.arn) is not None
        if resource.owner is not None and is_bucket:
            yield Wanted(OWNER, resource.arn, resource.owner, found.line((*place, "owner")))
        if "public_access_block" in resource.model_fields_set:
            line = found.line((*place, "public_access_block"))
            yield Wanted(PUBLIC_ACCESS, resource.arn, _settings(resource.public_access_block), line)
        if resource.policy is not None:
            line = found.line((*place, "policy"))
            text = _document(resource.policy, f"{name}, line {line}", document)
            yield Wanted(POLICY, resource.arn, WantedPolicy(text, None if is_bucket else resource.owner), line)


def _document(policy: str | dict[str, Any], where: str, document: Callable[[str], str]) -> str:
    if isinstance(policy, dict):
        return json.dumps(policy, ensure_ascii=False)
    try:
        return document(policy)
    except ConfigurationError as error:
        raise _invalid(f"{where}: {error}") from None


def _settings(block: PublicAccessSection | None) -> PublicAccess | None:
    return None if block is None else PublicAccess(**block.model_dump())


def _invalid(message: str) -> ConfigurationError:
    return ConfigurationError(Reason.CONFIGURATION_INVALID, message)

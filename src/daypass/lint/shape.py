# SPDX-License-Identifier: Apache-2.0
"""
Wrong shapes, each at its place (IAM User Guide, "Grammar of the IAM JSON policy language").

``daypass.policy.document`` refuses them all with one sentence; here is said which element is meant. A statement of wrong
shape is left out of everything that follows, the others are checked on.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator

from daypass.errors import PolicyError
from daypass.lint.findings import Collector, did_you_mean, quoted
from daypass.lint.located import Array, Node, Object, Scalar, Span, plain
from daypass.lint.stated import Stated, is_text
from daypass.policy.document import (
    PRINCIPAL_TYPES,
    VERSION_2008,
    VERSION_2012,
    Operator,
    StatementSource,
    read_document,
)

Problem = tuple[str, Span, str]
"""A code, a place, a message."""

_DOCUMENT = ("Version", "Id", "Statement")
_STATEMENT = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
_OPERATORS = [
    *(f"String{negated}{how}" for negated in ("", "Not") for how in ("Equals", "EqualsIgnoreCase", "Like")),
    *(f"{of}{how}" for of in ("Numeric", "Date") for how in ("Equals", "NotEquals", "LessThan", "LessThanEquals")),
    *(f"{of}{how}" for of in ("Numeric", "Date") for how in ("GreaterThan", "GreaterThanEquals")),
    *(f"Arn{negated}{how}" for negated in ("", "Not") for how in ("Equals", "Like")),
    *("Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"),
]


def document_problems(root: Node) -> Iterator[Problem]:
    """What is wrong outside the statements."""
    if not isinstance(root, Object):
        yield "wrong-type", root, "A policy document is a JSON object."
        return
    yield from _unknown_names(root, _DOCUMENT, "a policy document")
    version = root.get("Version")
    if version is not None and (not isinstance(version, Scalar) or version.value not in (VERSION_2008, VERSION_2012)):
        yield "wrong-value", version, f'Version is "{VERSION_2012}", or for old documents "{VERSION_2008}".'
    if "Id" in root.by_name and not is_text(root.get("Id")):
        yield "wrong-type", root.by_name["Id"].value, "Id is a string."
    statement = root.get("Statement")
    if statement is None:
        yield "missing-element", root, "The document has no Statement."
    elif isinstance(statement, Scalar):
        yield "wrong-type", statement, "Statement is an object, or a list of objects."
    elif isinstance(statement, Array) and not statement.items:
        yield "missing-element", statement, "Statement is an empty list."


def statement_nodes(root: Node) -> tuple[Node, ...]:
    """The values that stand where statements should."""
    statement = root.get("Statement") if isinstance(root, Object) else None
    if isinstance(statement, Array):
        return statement.items
    return (statement,) if isinstance(statement, Object) else ()


def read_statement(index: int, node: Node, out: Collector) -> Stated | None:
    """The statement, or None after reporting what is wrong with its shape."""
    found = False
    sid = node.get("Sid") if isinstance(node, Object) else None
    name = sid.text if isinstance(sid, Scalar) else None
    for code, place, message in statement_problems(node):
        found = True
        out.add(code, place, message, statement=index, sid=name or None)
    if found or not isinstance(node, Object):
        return None
    try:
        source = read_document({"Version": VERSION_2012, "Statement": [plain(node)]}).statements[0]
    except PolicyError as error:
        out.add(error.reason.value, node, str(error), statement=index, sid=name or None)
        return None
    return Stated(_numbered(source, index), node)


def statement_problems(node: Node) -> Iterator[Problem]:
    """What is wrong with the shape of one statement."""
    if not isinstance(node, Object):
        yield "wrong-type", node, "A statement is a JSON object."
        return
    yield from _unknown_names(node, _STATEMENT, "a statement")
    for element in ("Principal", "Action", "Resource"):
        if element in node.by_name and f"Not{element}" in node.by_name:
            place = node.by_name[f"Not{element}"].name
            yield "conflicting-elements", place, f"A statement has {element} or Not{element}, not both."
    if "Sid" in node.by_name and not is_text(node.get("Sid")):
        yield "wrong-type", node.by_name["Sid"].value, "Sid is a string."
    yield from _effect_problems(node)
    for name in ("Principal", "NotPrincipal"):
        if name in node.by_name:
            yield from _principal_problems(name, node.by_name[name].value)
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        if name in node.by_name:
            yield from _list_problems(name, node.by_name[name].value, nulls="Resource" in name)
    if "Condition" in node.by_name:
        yield from _condition_problems(node.by_name["Condition"].value)


def _effect_problems(node: Object) -> Iterator[Problem]:
    effect = node.get("Effect")
    if effect is None:
        yield "missing-element", node, 'The statement has no Effect; write "Effect": "Allow" or "Effect": "Deny".'
    elif not isinstance(effect, Scalar) or not is_text(effect):
        yield "wrong-type", effect, 'Effect is the string "Allow" or "Deny".'
    elif (effect.text or "").lower() not in ("allow", "deny"):
        yield "wrong-value", effect, f'Effect is "Allow" or "Deny", not {quoted(effect.text or "")}.'


def _list_problems(name: str, node: Node, *, nulls: bool = False) -> Iterator[Problem]:
    for item in node.items if isinstance(node, Array) else (node,):
        null = nulls and isinstance(node, Array) and isinstance(item, Scalar) and item.value is None
        if not is_text(item) and not null:
            yield "wrong-type", item, f"{name} is a string, or a list of strings."


def _principal_problems(name: str, node: Node) -> Iterator[Problem]:
    if isinstance(node, Scalar) and node.text == "*":
        return
    if not isinstance(node, Object):
        message = f'{name} is "*" or an object such as {{"AWS": "123456789012"}}.'
        yield "wrong-type", node, message
        return
    yield from _unknown_names(node, tuple(sorted(PRINCIPAL_TYPES)), name)
    for member in node.members:
        if member.key in PRINCIPAL_TYPES:
            yield from _list_problems(f"{name}.{member.key}", member.value)


def _condition_problems(block: Node) -> Iterator[Problem]:
    if not isinstance(block, Object):
        yield "wrong-type", block, 'Condition is an object such as {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}.'
        return
    for member in block.members:
        known = Operator.parse(member.key) is not None
        if not isinstance(member.value, Object):
            yield "wrong-type", member.value, "A condition operator holds an object of condition keys and values."
        elif not known and member.value.members:
            yield "unknown-operator", member.name, _unknown_operator(member.key)
        elif known:
            for key in member.value.members:
                yield from _value_problems(key.value)


def _unknown_operator(name: str) -> str:
    prefix, _, rest = name.rpartition(":")
    if rest == "NullIfExists":
        return "Null has no form with IfExists: it asks whether the key is there."
    stem = rest.removesuffix("IfExists")
    close = difflib.get_close_matches(stem[:40], _OPERATORS, n=1, cutoff=0.7)
    spelled = f"{prefix}:" * bool(prefix) + close[0] + rest[len(stem) :] if close else None
    if prefix not in ("", "ForAllValues", "ForAnyValue"):
        return f"{quoted(prefix)} is no set operator; those are ForAllValues and ForAnyValue."
    return f"There is no condition operator {quoted(name)}{did_you_mean(spelled) or '.'}"


def _value_problems(node: Node) -> Iterator[Problem]:
    for item in node.items if isinstance(node, Array) else (node,):
        if not isinstance(item, Scalar) or item.value is None:
            yield "wrong-type", item, "The value of a condition is a string, number or boolean, or a list of those."


def _unknown_names(node: Object, known: tuple[str, ...], where: str) -> Iterator[Problem]:
    for member in node.members:
        if member.key not in known:
            spelled = {name.lower(): name for name in known}
            close = difflib.get_close_matches(member.key[:40].lower(), spelled, n=1, cutoff=0.7)
            hint = did_you_mean(spelled[close[0]]) if close else f"; its elements are {', '.join(known)}."
            yield "unknown-element", member.name, f"{where.capitalize()} has no element {quoted(member.key)}{hint}"


def _numbered(source: StatementSource, index: int) -> StatementSource:
    return dataclasses.replace(source, index=index)

# SPDX-License-Identifier: Apache-2.0
"""
The second evaluator's globs, variables and conditions: sections 3, 5 and 6, read next to the specification.
"""

from __future__ import annotations

import base64
import datetime
import functools
import ipaddress
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

Tokens = Sequence[tuple[str, str]]  # ("lit" | "star" | "one" | "var", text)


class TypeMismatchError(Exception):
    """A value that the operator cannot read (5.1, type errors)."""


# 3 Globs, 6 variables


@functools.cache
def tokenize(text: str, variables: bool, wildcards: bool = True) -> Tokens:
    tokens: list[tuple[str, str]] = []
    while text:
        if variables and text.startswith("${") and "}" in text:
            body, text = text[2:].split("}", 1)
            tokens.append(("lit", body) if body in ("*", "?", "$") else ("var", body))
            continue
        kind = {"*": "star", "?": "one"}.get(text[0], "lit") if wildcards else "lit"
        tokens.append((kind, text[0]))
        text = text[1:]
    return tokens


def variable(body: str, context: dict[str, Any]) -> str | None:
    match = re.fullmatch(r"\s*([^,]*?)\s*,\s*'(.*)'\s*", body, re.DOTALL)
    key, default = (match[1], match[2]) if match else (body, None)
    value = context.get(key.lower())
    if isinstance(value, tuple):
        return None
    return value if value else default


def substitute(tokens: Tokens, context: dict[str, Any]) -> Tokens | None:
    result: list[tuple[str, str]] = []
    for kind, text in tokens:
        if kind != "var":
            result.append((kind, text))
            continue
        value = variable(text, context)
        if value is None:
            return None
        result += [("lit", character) for character in value]
    return result


def glob(tokens: Tokens, text: str) -> bool:
    @functools.cache
    def at(i: int, j: int) -> bool:
        if i == len(tokens):
            return j == len(text)
        kind, literal = tokens[i]
        if kind == "star":
            return at(i + 1, j) or (j < len(text) and at(i, j + 1))
        return j < len(text) and (kind == "one" or text[j] == literal) and at(i + 1, j + 1)

    return at(0, 0)


def lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def fields_of(tokens: Tokens) -> list[list[tuple[str, str]]]:
    fields: list[list[tuple[str, str]]] = [[]]
    for token in tokens:
        if token == ("lit", ":") and len(fields) < 6:
            fields.append([])
        else:
            fields[-1].append(token)
    return fields


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# 5 Conditions


def conditions_hold(statement: dict[str, Any], version: str, context: dict[str, Any]) -> bool:
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            texts = [str(v).lower() if isinstance(v, bool) else str(v) for v in as_list(values)]
            if not pair_holds(operator, context.get(key.lower()), texts, version == "2012-10-17", context):
                return False
    return True


def pair_holds(operator: str, value: Any, policy: list[str], variables: bool, context: dict[str, Any]) -> bool:
    prefix, _, rest = operator.rpartition(":")
    base = rest.removesuffix("IfExists")
    negated = "Not" in base
    if base == "Null":
        return any(
            (p.lower() == "true" and value is None) or (p.lower() == "false" and value is not None) for p in policy
        )
    if value is None:
        if rest != base or prefix == "ForAllValues":
            return True
        return False if prefix == "ForAnyValue" else negated
    if isinstance(value, tuple) and not prefix:
        return False
    values = value if isinstance(value, tuple) else (value,)
    try:
        hits = [value_fits(base.replace("Not", ""), v, policy, variables, context) is not negated for v in values]
    except TypeMismatchError:
        return False
    return any(hits) if prefix == "ForAnyValue" else all(hits)


def value_fits(base: str, value: str, policy: list[str], variables: bool, context: dict[str, Any]) -> bool:
    hits = [compare(base, value, p, variables, context) for p in policy]
    if not policy:
        compare(base, value, None, variables, context)
    return any(hits)


def compare(base: str, value: str, pattern: str | None, variables: bool, context: dict[str, Any]) -> bool:
    if base in ("StringLike", "ArnEquals", "ArnLike"):
        tokens = None if pattern is None else substitute(tokenize(pattern, variables), context)
        if base == "StringLike":
            return tokens is not None and glob(tokens, value)
        if value.count(":") < 5 or not value.startswith("arn:"):
            raise TypeMismatchError
        return tokens is not None and arn_fits(tokens, value)
    if base in ("StringEquals", "StringEqualsIgnoreCase", "Bool"):
        tokens = None if pattern is None else substitute(tokenize(pattern, variables, wildcards=False), context)
        text = None if tokens is None else "".join(character for _, character in tokens)
        if base == "StringEquals":
            return text == value
        if base == "Bool" and {value.lower(), "true" if text is None else text.lower()} - {"true", "false"}:
            raise TypeMismatchError
        return text is not None and text.lower() == value.lower()
    if base == "IpAddress":
        return ip_fits(value, pattern)
    read = {"N": number, "D": date, "B": binary}[base[0]]
    left = read(value)
    if pattern is None:
        return False
    right = read(pattern)
    order = base.removeprefix("Numeric").removeprefix("Date").removeprefix("Binary")
    fits: dict[str, bool] = {
        "Equals": left == right,
        "LessThan": left < right,
        "LessThanEquals": left <= right,
        "GreaterThan": left > right,
        "GreaterThanEquals": left >= right,
    }
    return fits[order]


def arn_fits(tokens: Tokens, value: str) -> bool:
    patterns = fields_of(tokens)
    if len(patterns) < 6:
        if not patterns[-1] or patterns[-1][-1][0] != "star":
            return False
        patterns += [[("star", "*")]] * (6 - len(patterns))
    return all(glob(p, v) for p, v in zip(patterns, value.split(":", 5), strict=True))


def number(text: str) -> Any:
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", text):
        raise TypeMismatchError
    return Fraction(text)


def date(text: str) -> Any:
    if re.fullmatch(r"[0-9]+", text):
        return Fraction(int(text))
    normal = text.upper().replace("Z", "+00:00")
    normal = re.sub(r"([+-][0-9]{2})$", r"\1:00", normal) if "T" in normal else normal
    for form in ("%Y-%m", "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"):
        try:
            found = datetime.datetime.strptime(normal, form)  # noqa: DTZ007 - the zone is added below
        except ValueError:
            continue
        return Fraction((found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp())
    raise TypeMismatchError


def binary(text: str) -> Any:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise TypeMismatchError from None


def ip_fits(value: str, pattern: str | None) -> bool:
    try:
        address = ipaddress.ip_address(value)
        block = None if pattern is None else ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        raise TypeMismatchError from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if isinstance(block, ipaddress.IPv6Network) and block.network_address.ipv4_mapped and block.prefixlen >= 96:
        block = ipaddress.ip_network(f"{block.network_address.ipv4_mapped}/{block.prefixlen - 96}")
    return block is not None and address.version == block.version and address in block

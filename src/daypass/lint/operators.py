# SPDX-License-Identifier: Apache-2.0
"""
Operators that do not go with their key or their values (IAM JSON policy elements: Condition operators; "Set operators for
multivalued context keys").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from daypass.lint.conditions import affordable, find_key, is_claim
from daypass.lint.findings import quoted
from daypass.lint.located import Scalar
from daypass.lint.stated import Asked, Inspection, Stated, written
from daypass.lint.tables import Key
from daypass.policy import values

_OF_KIND: Final = {
    "Numeric": ("Numeric",),
    "Bool": ("Bool",),
    "Date": ("Date",),
    "IPAddress": ("IpAddress", "NotIpAddress"),
    "String": ("String", "Arn", "Binary"),
    "ARN": ("String", "Arn", "Binary"),
}
"""How the operators for each type of key begin. ARNs may be compared as strings, and the tables call some ARNs strings."""
_SUGGESTED: Final = {
    "Numeric": "NumericEquals",
    "Bool": "Bool",
    "Date": "DateLessThan",
    "IPAddress": "IpAddress",
    "String": "StringEquals",
    "ARN": "ArnLike",
}
_ALSO: Final = {"aws:EpochTime": ("Numeric",)}
"""Keys of two types: seconds are a date and a number."""

_READERS: Final[dict[str, tuple[Callable[[str], object | None], str]]] = {
    "Numeric": (values.number, "a number"),
    "Date": (values.instant, "a date such as 2026-01-31T12:00:00Z"),
    "Bool": (values.boolean, "true or false"),
    "Null": (values.boolean, "true or false"),
    "IpAddress": (values.network, "an IP address or a block such as 203.0.113.0/24"),
    "NotIpAddress": (values.network, "an IP address or a block such as 203.0.113.0/24"),
    "Binary": (values.binary, "base64 with padding"),
}


def check_operators(work: Inspection) -> None:
    """Report what is wrong with the operators of conditions."""
    for stated in work.statements:
        guarded = _guarded(stated)
        for asked in stated.asked:
            _check_values(work, stated, asked)
            _check_exact(work, stated, asked)
            key = find_key(stated, asked.lookup) if not is_claim(asked.lookup) and affordable(work, stated) else None
            if key is not None and asked.operator.base != "Null":
                _check_kind(work, stated, asked, key)
            if asked.operator.prefix == "ForAllValues" and stated.allows and asked.lookup not in guarded:
                _report_unguarded(work, stated, asked)


def _guarded(stated: Stated) -> set[str]:
    """The keys that another condition asks to be there."""
    return {
        asked.lookup
        for asked in stated.asked
        if (asked.operator.base == "Null" and {text.lower() for text in asked.texts} == {"false"})
        or (
            asked.operator.prefix != "ForAllValues"
            and not asked.operator.if_exists
            and asked.operator.base != "Null"
            and (not asked.operator.negated or asked.operator.prefix == "ForAnyValue")
        )
    }


def _check_values(work: Inspection, stated: Stated, asked: Asked) -> None:
    base = asked.operator.base
    stem = next((stem for stem in _READERS if base.startswith(stem)), None)
    if base.startswith("Arn"):
        _check_arns(work, stated, asked)
    if stem is None or stem == "Date":  # dates are refused by the grammar
        return
    read, expected = _READERS[stem]
    for value in asked.values:
        text = written(value)
        if read(text) is None and not (base == "Bool" and "${" in text and work.has_variables):
            message = f"{base} needs {expected}, not {quoted(text)}: the condition never holds."
            work.report("condition-value-type", stated, value, message)


def _check_arns(work: Inspection, stated: Stated, asked: Asked) -> None:
    for value in asked.values:
        text = written(value)
        if ":" not in text and not text.endswith("*") and "${" not in text:
            message = f"{asked.operator.base} compares ARNs, which {quoted(text)} is not: it fits nothing."
            work.report("condition-value-type", stated, value, message)


def _check_exact(work: Inspection, stated: Stated, asked: Asked) -> None:
    if not asked.operator.base.startswith("String") or asked.operator.base.endswith("Like"):
        return
    like = "StringNotLike" if asked.operator.negated else "StringLike"
    for value in asked.values:
        if _has_star(value):
            message = f"{asked.operator.base} takes the * in {quoted(written(value))} as a star; {like} has wildcards."
            work.report("wildcard-in-exact-match", stated, value, message)


def _has_star(value: Scalar) -> bool:
    return "*" in written(value).replace("${*}", "")


def _check_kind(work: Inspection, stated: Stated, asked: Asked, key: Key) -> None:
    operator = asked.operator
    allowed = _OF_KIND.get(key.kind, ()) + _ALSO.get(key.name, ())
    if allowed and not operator.base.startswith(allowed):
        message = f"{key.name} is of type {key.kind}; compare it with {_SUGGESTED[key.kind]}, not {operator.base}."
        work.report("operator-type", stated, asked.operator_place, message)
    if key.many and not operator.prefix:
        message = f"{key.name} has several values: without ForAnyValue: or ForAllValues: the condition never holds."
        work.report("missing-set-operator", stated, asked.operator_place, message)


def _report_unguarded(work: Inspection, stated: Stated, asked: Asked) -> None:
    key = quoted(asked.key)
    message = f'ForAllValues holds when {key} is absent, too; add a Null condition on {key} with the value "false".'
    work.report("for-all-values-without-null", stated, asked.operator_place, message)

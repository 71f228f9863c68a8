# SPDX-License-Identifier: Apache-2.0
"""
The Condition element (IAM JSON policy elements: Condition; "Conditions with multiple context keys or values").

One ``Condition`` is one (operator, key, values). It answers in this order, and the order is the rule:

1. ``Null`` asks only whether the key is there.
2. An absent key: ``IfExists`` and ``ForAllValues`` hold, ``ForAnyValue`` does not; else the negated operators hold.
3. A policy value that is not of the operator's type: does not hold, negated or not.
4. A list without a set prefix: does not hold, negated or not.
5. A request value that is not of the type: does not hold, negated or not.
6. Otherwise all values (``ForAllValues``), some value (``ForAnyValue``) or the one value must fit, where fitting means: some
   policy value compares equal (or whatever the operator is), or for the negated operators none does.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from daypass.identity import ContextValue
from daypass.policy.comparisons import Comparison, Test, compile_comparison
from daypass.policy.document import ConditionSource
from daypass.policy.variables import Entries, parse, resolve, shown, variables_of


class ConditionTrace(msgspec.Struct, frozen=True):
    """How one condition came out: the request's values, the policy's (with variables filled in), and why not."""

    op: str
    key: str
    present: bool
    values: tuple[str, ...]
    policy: tuple[str, ...]
    result: bool
    why: str | None


class Condition:
    """One (operator, key, values), compiled. ``holds`` is called with the request's context."""

    __slots__ = ("_comparison", "_variables", "holds", "keys", "lookup", "source")

    def __init__(self, source: ConditionSource, *, variables: bool) -> None:
        self.source = source
        self.lookup = source.key.lower()
        self._variables = variables and source.operator.base.startswith(("String", "Arn", "Bool"))
        self._comparison: Comparison | None = None
        if source.operator.base != "Null":
            self._comparison = compile_comparison(source.operator.base, source.values, variables=self._variables)
        self.holds: Callable[[Entries], bool] = self._compile(self._comparison)
        self.keys = (source.key, *self._referenced())

    def _referenced(self) -> tuple[str, ...]:
        """The keys that variables in the values refer to."""
        if not self._variables:
            return ()
        found = [variables_of(parse(value, variables=True)) for value in self.source.values if "${" in value]
        return tuple([variable.key for variables in found for variable in variables])

    def _compile(self, comparison: Comparison | None) -> Callable[[Entries], bool]:
        operator = self.source.operator
        if comparison is None:
            return _null(self.lookup, self.source.values)
        absent = operator.if_exists or operator.prefix == "ForAllValues" or (operator.negated and not operator.prefix)
        if comparison.broken:
            return _only_when_absent(self.lookup, absent)
        if operator.prefix:
            judge = _all_fit if operator.prefix == "ForAllValues" else _any_fits
            return _of_a_set(self.lookup, comparison, absent, operator.negated, judge)
        if comparison.static is None:
            return _of_one_varying(self.lookup, comparison, absent, operator.negated)
        return _of_one(self.lookup, comparison.static, absent, operator.negated)

    def trace(self, entries: Entries) -> ConditionTrace:
        """The same answer, telling what it came from."""
        value = entries.get(self.lookup)
        result = self.holds(entries)
        values = () if value is None else (value,) if isinstance(value, str) else value
        operator = self.source.operator
        why = self._why(value, values, result, entries)
        return ConditionTrace(
            operator.name, self.source.key, value is not None, values, self._resolved(entries), result, why
        )

    def _resolved(self, entries: Entries) -> tuple[str, ...]:
        """The policy's values with variables filled in; one without a value stays as it is written."""
        if not self._variables:
            return self.source.values
        filled = []
        for text in self.source.values:
            tokens = resolve(parse(text, variables=True), entries)
            filled.append(text if tokens is None else shown(tokens))
        return tuple(filled)

    def _why(self, value: ContextValue | None, values: tuple[str, ...], result: bool, entries: Entries) -> str | None:
        comparison = self._comparison
        if comparison is None:
            return None if result else "VALUE"
        if value is None:
            return "MISSING_KEY_TRUE" if result else "MISSING_KEY"
        if result:
            return None
        if comparison.broken:
            return "TYPE_ERROR"
        if not isinstance(value, str) and not self.source.operator.prefix:
            return "NEEDS_SET_OPERATOR"
        test = comparison.bind(entries)
        return "TYPE_ERROR" if any(test(text) is None for text in values) else "VALUE"


def _null(key: str, values: tuple[str, ...]) -> Callable[[Entries], bool]:
    """``"true"`` asks for the key to be absent, ``"false"`` to be present; other words ask nothing and get a no."""
    asked = {value.lower() for value in values}
    if_absent, if_present = "true" in asked, "false" in asked

    def holds(entries: Entries) -> bool:
        return if_present if key in entries else if_absent

    return holds


def _only_when_absent(key: str, absent: bool) -> Callable[[Entries], bool]:
    def holds(entries: Entries) -> bool:
        return absent and key not in entries

    return holds


def _of_one(key: str, test: Test, absent: bool, negated: bool) -> Callable[[Entries], bool]:
    def holds(entries: Entries) -> bool:
        value = entries.get(key)
        if type(value) is str:
            hit = test(value)
            return hit is not None and hit is not negated
        return value is None and absent

    return holds


def _of_one_varying(key: str, comparison: Comparison, absent: bool, negated: bool) -> Callable[[Entries], bool]:
    bind = comparison.bind

    def holds(entries: Entries) -> bool:
        value = entries.get(key)
        if type(value) is str:
            hit = bind(entries)(value)
            return hit is not None and hit is not negated
        return value is None and absent

    return holds


def _all_fit(hits: list[bool | None], negated: bool) -> bool:
    return None not in hits and negated not in hits


def _any_fits(hits: list[bool | None], negated: bool) -> bool:
    return None not in hits and (not negated) in hits


def _of_a_set(
    key: str, comparison: Comparison, absent: bool, negated: bool, judge: Callable[[list[bool | None], bool], bool]
) -> Callable[[Entries], bool]:
    bind = comparison.bind

    def holds(entries: Entries) -> bool:
        value = entries.get(key)
        if value is None:
            return absent
        test = bind(entries)
        return judge([test(text) for text in ((value,) if isinstance(value, str) else value)], negated)

    return holds

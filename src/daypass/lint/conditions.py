# SPDX-License-Identifier: Apache-2.0
"""
Condition keys that do not exist or that no action of the statement has, and variables that never have a value.

Keys of web identities (``issuer:claim``) are left to ``daypass.lint.trust``: tokens may have any claim.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from daypass.lint.coverage import all_covered
from daypass.lint.findings import did_you_mean, quoted
from daypass.lint.global_keys import global_key, global_key_names
from daypass.lint.located import Span
from daypass.lint.stated import Inspection, Stated, written
from daypass.lint.tables import Key, Service, home_of_key, service
from daypass.policy.resources import ResourcePattern
from daypass.policy.variables import Variable, parse

_SAML_ATTRIBUTE: Final = "saml:attribute/"
"""Behind it stands the name of any attribute of an assertion; these keys are ours alone."""


def is_claim(key: str) -> bool:
    """Whether the key is a claim of a web identity: an issuer, which is a host, then a colon and the claim's name."""
    issuer = key.rpartition(":")[0]
    return ("." in issuer or issuer.startswith("localhost")) and not key.startswith("saml:")


def find_key(stated: Stated, name: str) -> Key | None:
    """The key of this name, given in lower case, among those that every service has and those of the services meant."""
    found = global_key(name)
    if found is not None:
        return found
    if name.startswith(_SAML_ATTRIBUTE) and name != _SAML_ATTRIBUTE:
        return Key(name, "String", many=True)
    for tables in (*home_of_key(name.partition(":")[0]), *_services(stated)):
        row = tables.key(name)
        if row is not None:
            return row[1]
    return None


def affordable(work: Inspection, stated: Stated) -> bool:
    """Whether a key may still be looked up: it may take a look into the tables of every service that is named."""
    return work.out.spend(2 + len(stated.prefixes))


def _services(stated: Stated) -> Iterator[Service]:
    """The tables of the services that the actions name."""
    return (tables for prefix in stated.prefixes if (tables := service(prefix)) is not None)


def check_keys(work: Inspection) -> None:
    """Report keys of conditions and variables that are not known, or that the actions do not have."""
    for stated in work.statements:
        for asked in stated.asked:
            _check_known(work, stated, asked.key, asked.key_place)
        _check_supported(work, stated)
        _check_variables(work, stated)


def _check_known(work: Inspection, stated: Stated, key: str, place: Span) -> None:
    name = key.lower()
    if is_claim(name) or not affordable(work, stated):
        return
    if find_key(stated, name) is not None or _is_foreign(stated, name):
        return
    candidates = global_key_names()
    for tables in home_of_key(name.partition(":")[0]):
        candidates += tables.key_names()
    close = work.out.closest(key, candidates)
    message = f"There is no condition key {quoted(key)}{did_you_mean(close) or '.'}"
    work.report("unknown-condition-key", stated, place, message)


def _is_foreign(stated: Stated, name: str) -> bool:
    """Whether the key is of a service that no table has but the statement names: one behind daypass's own gateway."""
    prefix, colon, rest = name.partition(":")
    return bool(colon and rest) and service(prefix) is None and prefix in stated.prefixes


def _check_supported(work: Inspection, stated: Stated) -> None:
    specific = [asked for asked in stated.asked if not is_claim(asked.lookup) and global_key(asked.lookup) is None]
    found = all_covered(stated, work.out) if specific else None
    if found is None:
        return
    keys = frozenset().union(*(action.keys for _, actions in found for action in actions))
    for asked in specific:
        if not affordable(work, stated):
            return
        tables = home_of_key(asked.lookup.partition(":")[0])
        rows = [row[0] for table in (*tables, *_services(stated)) if (row := table.key(asked.lookup)) is not None]
        if rows and not keys.intersection(rows) and asked.lookup not in keys:
            message = f"No action of this statement has the condition key {quoted(asked.key)}: it is always absent."
            work.report("condition-key-not-supported", stated, asked.key_place, message)


def _check_variables(work: Inspection, stated: Stated) -> None:
    for entry in stated.resources:
        text = entry.text or ""
        if "${" in text and _check_text(work, stated, text, entry):
            _check_place(work, stated, text, entry)
    for asked in stated.asked:
        for value in asked.values:
            if "${" in written(value) and asked.operator.base.startswith(("String", "Arn", "Bool")):
                _check_text(work, stated, written(value), value)


def _check_text(work: Inspection, stated: Stated, text: str, place: Span) -> bool:
    """Whether the text has variables that work here; what is wrong with them is reported."""
    if not work.has_variables:
        message = 'Without "Version": "2012-10-17" this ${...} is plain text, not a variable.'
        work.report("variable-in-2008", stated, place, message)
        return False
    if text.rfind("${") > text.rfind("}"):
        work.report("variable-unclosed", stated, place, "This ${ has no closing brace, so it is plain text.")
    variables = [part for part in parse(text, variables=True) if isinstance(part, Variable)]
    for variable in variables:
        if not affordable(work, stated):
            break
        _check_known(work, stated, variable.key, place)
        key = find_key(stated, variable.lookup)
        if key is not None and key.many:
            message = f"{key.name} has several values; as a variable it never has one."
            work.report("variable-multi-valued", stated, place, message)
    return True


def _check_place(work: Inspection, stated: Stated, text: str, place: Span) -> None:
    usable = ResourcePattern(text, work.kind, variables=True).usable
    if not usable and ResourcePattern(text, work.kind, variables=False).usable:
        message = "A variable before the fifth colon of an ARN never matches; it may stand behind it."
        work.report("variable-misplaced", stated, place, message)

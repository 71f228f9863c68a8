# SPDX-License-Identifier: Apache-2.0
"""
Actions that do not exist: services, names, and wildcards that cover nothing (Service Authorization Reference).

AWS accepts all three, and so does daypass, whose gateway has services of its own; hence warnings.
"""

from __future__ import annotations

from daypass.lint.coverage import covered
from daypass.lint.findings import did_you_mean, quoted
from daypass.lint.located import Scalar
from daypass.lint.stated import Inspection, Stated
from daypass.lint.tables import Service, service, service_names
from daypass.policy.actions import split_action


def check_actions(work: Inspection) -> None:
    """Report the entries of Action and NotAction that name nothing."""
    for stated in work.statements:
        for entry in stated.actions:
            text = entry.text or ""
            if text.count(":") == 1:
                _check_action(work, stated, entry, text)


def _check_action(work: Inspection, stated: Stated, entry: Scalar, text: str) -> None:
    prefix, name = split_action(text)
    tables = service(prefix)
    if tables is None:
        closest = work.out.closest(prefix, service_names())
        message = f"AWS has no service {quoted(prefix)}{did_you_mean(closest) or '.'}"
        work.report("unknown-service", stated, entry, message)
        return
    found = covered(entry, work.out)
    if found is None or found:
        return
    if "*" in name or "?" in name:
        message = f"No action of {prefix} fits {quoted(text)}{_like(work, tables, name.strip('*?'))}"
        work.report("wildcard-matches-nothing", stated, entry, message)
    else:
        message = f"The service {prefix} has no action {quoted(text)}{_like(work, tables, name)}"
        work.report("unknown-action", stated, entry, message)


def _like(work: Inspection, tables: Service, name: str) -> str:
    closest = work.out.closest(name, tables.action_names())
    return did_you_mean(None if closest is None else f"{tables.prefix}:{closest}") or "."

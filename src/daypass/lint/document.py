# SPDX-License-Identifier: Apache-2.0
"""
Linting one document: the order of the steps.

1. The size and the characters, before anything is parsed.
2. JSON, with positions; names that stand twice.
3. The kind, where the caller does not say it.
4. The shape of the document and of each statement. A statement of wrong shape is left out from here on.
5. What the compiler refuses, at its place.
6. What is legal and yet wrong, unwise or superfluous.
"""

from __future__ import annotations

import re
from typing import Final

from daypass.errors import Reason
from daypass.lint.actions import check_actions
from daypass.lint.breadth import check_breadth, check_redundant
from daypass.lint.conditions import check_keys
from daypass.lint.escalation import check_escalation
from daypass.lint.findings import Collector, Finding, quoted
from daypass.lint.fitting import check_fitting
from daypass.lint.located import Node, Object, Scalar, Span, read
from daypass.lint.operators import check_operators
from daypass.lint.principals import check_principals
from daypass.lint.refusals import check_refusals
from daypass.lint.rules import SEVERITIES
from daypass.lint.shape import document_problems, read_statement, statement_nodes
from daypass.lint.sizes import check_size
from daypass.lint.stated import Inspection, Stated
from daypass.lint.trust import check_trust
from daypass.policy.document import Kind
from daypass.policy.limits import MAX_DOCUMENT

_REFUSED = re.compile(r"[^\t\n\r\x20-\xff]")

_CHECKS: Final = (
    check_refusals,
    check_actions,
    check_fitting,
    check_keys,
    check_operators,
    check_trust,
    check_principals,
    check_breadth,
    check_escalation,
    check_redundant,
)


def lint_document(text: str, *, kind: Kind | None = None, account: str | None = None) -> tuple[Finding, ...]:
    """
    Every finding about a policy document, in the order of the text.

    ``kind`` is what the document is used as, ``guess_kind`` decides where it is None; ``account`` is the account it belongs
    to, for findings about other accounts. Never raises, whatever the text; time and memory are bounded (``limits``).
    An error-level finding is there exactly when ``compile_policy`` refuses, or when a rule of ours is of that level.
    """
    if len(text) > MAX_DOCUMENT:
        out = Collector("", SEVERITIES)
        message = f"The document is longer than {MAX_DOCUMENT} characters, which no policy may be."
        out.add(Reason.POLICY_TOO_LARGE.value, Span(0, 0), message)
        return out.findings()
    out = Collector(text, SEVERITIES)
    _check_characters(text, out)
    reading = read(text)
    for name in reading.repeated:
        out.add("duplicate-name", name, f"The name {quoted(name.text or '')} stands in this object before.")
    if reading.broken is not None:
        out.add("json-syntax", *reading.broken)
    if reading.root is not None:
        _check_root(text, reading.root, kind, account, out)
    return out.findings()


def _check_characters(text: str, out: Collector) -> None:
    """Report the first character that no policy may have."""
    found = _REFUSED.search(text)
    if found is None:
        return
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # what Python makes of a byte that is not UTF-8 (PEP 383)
        message = f"The byte 0x{code - 0xDC00:02X} is not UTF-8 here."
    elif code == 0xFEFF:
        message = "A byte order mark stands here; save the document without it."
    else:
        message = f"The character U+{code:04X} is not allowed in a policy; escape it as \\uXXXX, or replace it."
    out.add(Reason.POLICY_CHARACTERS.value, Span(found.start(), found.end()), message)


def _check_root(text: str, root: Node, kind: Kind | None, account: str | None, out: Collector) -> None:
    for code, place, message in document_problems(root):
        out.add(code, place, message)
    nodes = statement_nodes(root)
    statements = [
        stated for index, node in enumerate(nodes) if (stated := read_statement(index, node, out)) is not None
    ]
    if not isinstance(root, Object):
        return
    version = root.get("Version")
    said = version.text if isinstance(version, Scalar) else None
    work = Inspection(kind or _guess(statements), account, said, root, tuple(statements), out)
    for check in _CHECKS:
        check(work)
    check_size(work, text)


def guess_kind(text: str) -> Kind:
    """
    What the document seems to be: a trust policy when it has principals and only actions of STS, else a resource policy
    when it has principals, else an identity policy. Never raises; a text that is no policy is taken for an identity policy.
    """
    if len(text) > MAX_DOCUMENT:
        return Kind.IDENTITY
    root = read(text).root
    silent = Collector("", SEVERITIES)
    nodes = () if root is None else statement_nodes(root)
    return _guess([stated for index, node in enumerate(nodes) if (stated := read_statement(index, node, silent))])


def _guess(statements: list[Stated]) -> Kind:
    if all(stated.source.principal is None and stated.source.not_principal is None for stated in statements):
        return Kind.IDENTITY
    actions = [entry for stated in statements for entry in stated.actions]
    named = all((entry.text or "").lower().startswith("sts:") for entry in actions)
    bare = not any(stated.resources for stated in statements)
    return Kind.TRUST if actions and named and bare else Kind.RESOURCE

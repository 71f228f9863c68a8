# SPDX-License-Identifier: Apache-2.0
"""
What ``daypass.policy.compile_policy`` refuses in a document of right shape, at the place that is meant.

The rules are those of the kind, in ``daypass.policy``, and so are the words; they run on one statement at a time, so that
every statement gets its first refusal, and once more on the whole for what concerns several.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, TypeVar

from daypass.errors import PolicyError, Reason
from daypass.lint.located import Scalar, Span, plain
from daypass.lint.stated import Inspection, Stated
from daypass.policy import identity_rules, resource_rules, trust_rules, values
from daypass.policy.document import VERSION_2012, Document, Kind, StatementSource
from daypass.policy.shared_issuers import check_issuers_scoped

RULES_OF_KIND: Final[dict[Kind, Callable[[Document], None]]] = {
    Kind.IDENTITY: identity_rules.check_identity,
    Kind.BOUNDARY: identity_rules.check_identity,
    Kind.SESSION: resource_rules.check_session,
    Kind.RESOURCE: resource_rules.check_resource,
    Kind.TRUST: trust_rules.check_trust,
    Kind.SCP: resource_rules.check_scp,
    Kind.RCP: resource_rules.check_rcp,
    Kind.VPC_ENDPOINT: resource_rules.check_vpc_endpoint,
}
"""What the compiler runs for each kind; a test compares the two tables."""

T = TypeVar("T")

_ACTION = ("Action", "NotAction")
_RESOURCE = ("Resource", "NotResource")
_PRINCIPAL = ("Principal", "NotPrincipal")


def check_refusals(work: Inspection) -> None:
    """Report what is refused."""
    accepted = [stated.source for stated in work.statements if _check_statement(work, stated)]
    _check_together(work, tuple(accepted))


def _check_statement(work: Inspection, stated: Stated) -> bool:
    """Whether the statement alone would be accepted; reports why not."""
    try:
        if work.kind is Kind.TRUST:
            trust_rules.check_trust_shape({"Version": VERSION_2012, "Statement": [plain(stated.node)]})
        RULES_OF_KIND[work.kind](Document(VERSION_2012, None, (stated.source,)))
    except PolicyError as error:
        for place in _places(stated, error.reason, work.kind):
            work.report(error.reason.value, stated, place, _sentence(str(error)))
        return False
    return True


def _sentence(message: str) -> str:
    """AWS's words may quote the document, whose escapes may hold anything."""
    shown = message if message.isprintable() else ascii(message)[1:-1]
    return shown if len(shown) <= 400 else shown[:397] + "..."


def _check_together(work: Inspection, statements: tuple[StatementSource, ...]) -> None:
    """The version, the Id, and Sids that stand twice; each is put right once it is reported, to see the next."""
    version, identifier = work.root.get("Version"), work.root.get("Id")
    document = Document(work.version, identifier.text if isinstance(identifier, Scalar) else None, statements)
    for _ in range(3):
        try:
            RULES_OF_KIND[work.kind](document)
        except PolicyError as error:
            if error.reason is Reason.POLICY_VERSION:
                work.out.add(error.reason.value, version or Span(work.root.start, work.root.start + 1), _VERSION)
                document = replace(document, version=VERSION_2012)
            elif error.reason is Reason.POLICY_ELEMENT_FORBIDDEN and document.id is not None:
                work.out.add(error.reason.value, work.root.by_name["Id"].name, _sentence(str(error)))
                document = replace(document, id=None)
            elif error.reason is Reason.POLICY_SID_REPEATED:
                _report_repeated_sids(work, str(error))
                return
            else:
                return
        else:
            return


_VERSION = f'Write "Version": "{VERSION_2012}"; policies of this kind are refused without it.'


def _report_repeated_sids(work: Inspection, message: str) -> None:
    seen: set[str] = set()
    for stated in work.statements:
        sid = stated.source.sid
        if sid and sid in seen:
            work.report(Reason.POLICY_SID_REPEATED.value, stated, stated.place("Sid"), _sentence(message))
        seen.add(sid)


def _places(stated: Stated, reason: Reason, kind: Kind) -> list[Span]:
    """Where the reason has its cause; the whole statement when no element can be named."""
    find = _FINDERS.get(reason)
    found: list[Span] = list(find(stated)) if find is not None else []
    if found:
        return found
    if reason is Reason.POLICY_ELEMENT_FORBIDDEN:
        return [stated.place(*_FORBIDDEN_IN[kind])]
    return [stated.place(*_ELEMENTS.get(reason, ()))]


_ELEMENTS: Final = {
    Reason.POLICY_LEGACY_PARSING: ("Effect",),
    Reason.POLICY_SID_CHARACTERS: ("Sid",),
    Reason.POLICY_EFFECT: ("Effect",),
    Reason.POLICY_WITHOUT_PRINCIPAL: _PRINCIPAL,
    Reason.POLICY_PRINCIPAL_INVALID: _PRINCIPAL,
    Reason.POLICY_NOT_PRINCIPAL_ALLOWS: ("NotPrincipal",),
    Reason.POLICY_WITHOUT_ACTIONS: _ACTION,
    Reason.POLICY_ACTION_INVALID: _ACTION,
    Reason.POLICY_ACTION_NOT_STS: _ACTION,
    Reason.POLICY_WITHOUT_RESOURCES: _RESOURCE,
    Reason.POLICY_RESOURCE_INVALID: _RESOURCE,
    Reason.POLICY_ARN_INCOMPLETE: _RESOURCE,
    Reason.POLICY_CONDITION_REQUIRED: _PRINCIPAL,
    Reason.POLICY_ISSUER_UNSCOPED: _PRINCIPAL,
}
_FORBIDDEN_IN: Final = {
    **dict.fromkeys(Kind, _PRINCIPAL),
    Kind.TRUST: ("NotPrincipal", *_RESOURCE),
    Kind.RCP: ("NotPrincipal", "NotAction", "Principal"),
}


def _refused(reason: Reason, check: Callable[[T], None], argument: T) -> bool:
    try:
        check(argument)
    except PolicyError as error:
        return error.reason is reason
    return False


def _alone(stated: Stated, **elements: object) -> Document:
    """A document of one statement that has only these elements besides its effect."""
    bare = replace(
        stated.source, principal=None, not_principal=None, action=None, not_action=None, resource=None,
        not_resource=None, conditions=(), has_condition=False, sid="",
    )  # fmt: skip
    return Document(VERSION_2012, None, (replace(bare, **elements),))  # type: ignore[arg-type]


def _bad_actions(stated: Stated) -> Iterator[Scalar]:
    for entry in stated.actions:
        document = _alone(stated, action=(entry.text,))
        if _refused(Reason.POLICY_ACTION_INVALID, identity_rules.check_action_formats, document):
            yield entry


def _actions_not_sts(stated: Stated) -> Iterator[Scalar]:
    for entry in stated.actions:
        document = _alone(stated, action=(entry.text,), principal={"Service": ("sts.amazonaws.com",)})
        if _refused(Reason.POLICY_ACTION_NOT_STS, trust_rules.check_trust, document):
            yield entry


def _bad_resources(stated: Stated) -> Iterator[Scalar]:
    for entry in stated.resources:
        document = _alone(stated, resource=(entry.text,))
        if _refused(Reason.POLICY_RESOURCE_INVALID, identity_rules.check_resource_formats, document):
            yield entry


def _incomplete_arns(stated: Stated) -> Iterator[Scalar]:
    return (entry for entry in stated.resources if entry.text != "*" and (entry.text or "").count(":") < 5)


def _legacy(stated: Stated) -> Iterator[Scalar]:
    if stated.source.effect not in ("Allow", "Deny"):
        return
    for asked in stated.asked:
        if asked.operator.base.startswith("Date"):
            yield from (
                value for value, text in zip(asked.values, asked.texts, strict=True) if values.instant(text) is None
            )
    for entry in stated.resources:
        document = _alone(stated, resource=(entry.text,))
        if _refused(Reason.POLICY_LEGACY_PARSING, identity_rules.check_legacy, document):
            yield entry


def _bad_principals(stated: Stated) -> Iterator[Scalar]:
    for kind, entry in stated.principals():
        entries = {kind: (entry.text or "",)}
        if _refused(
            Reason.POLICY_PRINCIPAL_INVALID,
            resource_rules.check_principal_entries,
            entries,
        ):
            yield entry


def _unscoped_issuers(stated: Stated) -> Iterator[Scalar]:
    for kind, entry in itertools.islice(stated.principals(), 50):  # each is compared with every condition
        alone = replace(stated.source, principal={kind: (entry.text or "",)})
        if _refused(Reason.POLICY_ISSUER_UNSCOPED, check_issuers_scoped, alone):
            yield entry


_FINDERS: Final[dict[Reason, Callable[[Stated], Iterator[Scalar]]]] = {
    Reason.POLICY_ACTION_INVALID: _bad_actions,
    Reason.POLICY_ACTION_NOT_STS: _actions_not_sts,
    Reason.POLICY_RESOURCE_INVALID: _bad_resources,
    Reason.POLICY_ARN_INCOMPLETE: _incomplete_arns,
    Reason.POLICY_LEGACY_PARSING: _legacy,
    Reason.POLICY_PRINCIPAL_INVALID: _bad_principals,
    Reason.POLICY_ISSUER_UNSCOPED: _unscoped_issuers,
}

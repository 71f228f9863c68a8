# SPDX-License-Identifier: Apache-2.0
"""
Role trust policies for web identities and SAML (IAM User Guide, "Create a role for OpenID Connect federation").

That a shared issuer has a condition on its tenants is a rule of ``daypass.policy.shared_issuers``; here is what is legal and
yet lets in more, or less, than is meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from daypass.lint.conditions import is_claim
from daypass.lint.findings import did_you_mean, quoted
from daypass.lint.located import Scalar
from daypass.lint.narrowing import narrows
from daypass.lint.stated import Asked, Inspection, Stated, written
from daypass.policy.actions import ActionElement, compile_actions
from daypass.policy.document import Kind
from daypass.policy.shared_issuers import TENANT_CLAIM

_PROVIDER: Final = ":oidc-provider/"
_SAML: Final = ":saml-provider/"
_ASSUMING: Final = {
    "role": "assumerole",
    "oidc": "assumerolewithwebidentity",
    "saml": "assumerolewithsaml",
}
_SPELLED: Final = {
    "role": "sts:AssumeRole",
    "oidc": "sts:AssumeRoleWithWebIdentity",
    "saml": "sts:AssumeRoleWithSAML",
}
_WORKLOAD: Final = "system:serviceaccount:"


def check_trust(work: Inspection) -> None:
    """Report what is wrong with federation in a trust policy."""
    if work.kind is not Kind.TRUST:
        return
    for stated in work.statements:
        element = compile_actions(stated.source.actions, negated=stated.source.not_action is not None)
        _check_actions(work, stated, element)
        _check_claims(work, stated)
        if stated.allows:
            _check_subjects(work, stated)
            if element.matches("sts", _ASSUMING["oidc"]):
                _check_audience(work, stated)


def issuer_of(provider: str) -> str:
    """The issuer without ``https://`` that a Federated entry names: an ARN, or one of the well-known hosts."""
    return (provider.partition(_PROVIDER)[2] or provider).lower()


def _providers(stated: Stated) -> Iterator[Scalar]:
    """The Federated entries for web identities."""
    return (e for kind, e in stated.principals() if kind == "Federated" and _SAML not in (e.text or ""))


def _way(kind: str, text: str) -> str:
    """Which of the three operations a principal assumes the role with."""
    if kind != "Federated":
        return "role"
    return "saml" if _SAML in text else "oidc"


def _check_actions(work: Inspection, stated: Stated, element: ActionElement) -> None:
    offered = {way for way, name in _ASSUMING.items() if element.matches("sts", name)}
    if not offered:  # a statement for tags and source identities alone
        return
    for kind, entry in stated.principals():
        way = _way(kind, entry.text or "")
        everyone = entry.text == "*"
        if way not in offered and not everyone:
            message = f"{quoted(entry.text or '')} assumes roles with {_SPELLED[way]}, which is not among the actions."
            work.report("principal-fits-no-action", stated, entry, message)


def _check_audience(work: Inspection, stated: Stated) -> None:
    asked = {condition.lookup for condition in stated.asked if narrows(condition)}
    for entry in _providers(stated):
        issuer = issuer_of(entry.text or "")
        if _PROVIDER in (entry.text or "") and not {f"{issuer}:aud", f"{issuer}:oaud"} & asked:
            message = f"Tokens of {quoted(issuer)} for any registered audience will do; add StringEquals on "
            work.report("oidc-without-audience", stated, entry, message + quoted(f"{issuer}:aud") + ".")


def _check_claims(work: Inspection, stated: Stated) -> None:
    issuers = {issuer_of(entry.text or "") for entry in _providers(stated)}
    if not issuers or any(issuer == "*" for issuer in issuers):
        return
    for asked in stated.asked:
        issuer = asked.lookup.rpartition(":")[0]
        if is_claim(asked.lookup) and issuer not in issuers:
            close = work.out.closest(issuer, issuers)
            message = f"No principal of this statement is the issuer {quoted(issuer)}, so the claim is always absent"
            work.report("claim-of-other-issuer", stated, asked.key_place, message + (did_you_mean(close) or "."))


def _check_subjects(work: Inspection, stated: Stated) -> None:
    for asked in stated.asked:
        if is_claim(asked.lookup) and asked.lookup.endswith(":sub") and not asked.operator.negated:
            for value in asked.values:
                if _spans(asked, written(value)):
                    message = f"The wildcard in {quoted(written(value))} stands for subjects of other tenants, too; "
                    work.report("subject-wildcard", stated, value, message + _advice(written(value)))


def _spans(asked: Asked, value: str) -> bool:
    if asked.operator.base != "StringLike":
        return False
    literal = value.replace("?", "*").partition("*")[0]
    if literal == value:
        return False
    if value.startswith(_WORKLOAD) or _WORKLOAD.startswith(literal):
        return ":" not in literal[len(_WORKLOAD) :]
    return not literal or (_is_shared(asked.lookup.rpartition(":")[0]) and _fields(literal) < 2)


def _is_shared(issuer: str) -> bool:
    """Whether many tenants have their tokens from the issuer; GitHub Enterprise has issuers of its own with the same form."""
    return issuer in TENANT_CLAIM or issuer.startswith("token.actions.") or issuer.endswith("/_services/token")


def _fields(literal: str) -> int:
    """How many fields are complete before the wildcard: ``repo:acme/*`` has two, ``repo:acme*`` one."""
    return sum(character in ":/" for character in literal)


def _advice(value: str) -> str:
    if value.startswith(_WORKLOAD):
        return "write the namespace: system:serviceaccount:NAMESPACE:NAME."
    return "write the tenant in full before the first wildcard, as in repo:OWNER/*."

# SPDX-License-Identifier: Apache-2.0
"""
Issuers that everybody shares (IAM User Guide, "Identity-provider controls for shared OIDC providers").

GitHub signs the tokens of every repository in the world with the same keys. A role that trusts the issuer and asks nothing
about the subject trusts all of them; such a trust policy is refused when it is written (DESIGN.md, invariant 12). What must
be asked is in ``TENANT_CLAIM``: an Allow needs a condition on that claim that

- has a positive string operator, without ``IfExists`` and without ``ForAllValues:``, both of which hold for absent claims;
- and whose every value says something: not empty, not a variable, and for ``StringLike`` a complete name before the first
  wildcard (``repo:*`` names nobody, ``repo:acme*`` also means acme-impostor, ``repo:acme/*`` is one owner).
"""

from __future__ import annotations

import re

from daypass.errors import PolicyError, Reason
from daypass.policy.actions import compile_actions
from daypass.policy.document import ConditionSource, StatementSource

_SUB = ("sub",)

TENANT_CLAIM: dict[str, tuple[str, ...]] = {
    "token.actions.githubusercontent.com": _SUB,
    "vstoken.actions.githubusercontent.com": _SUB,
    "oidc-configuration.audit-log.githubusercontent.com": _SUB,
    "gitlab.com": _SUB,
    "agent.buildkite.com": _SUB,
    "app.terraform.io": _SUB,
    "oidc.codefresh.io": _SUB,
    "studio.datachain.ai/api": _SUB,
    "scalr.io": _SUB,
    "tokens.cloud.shisho.dev": _SUB,
    "proidc.upbound.io": _SUB,
    "api.pulumi.com/oidc": ("aud", "sub"),
    "sandboxes.cloud": ("aud", "sub"),
    "oidc.vercel.com": ("aud", "sub"),
    "cognito-identity.amazonaws.com": ("aud",),
    # AWS's table ends here; Sentinel, which is in it too, is in TENANT_KEY.
    "app.eu.terraform.io": _SUB,
    "oidc.circleci.com": ("sub", "aud"),
    "accounts.google.com": ("sub", "aud", "oaud"),
    "appleid.apple.com": ("sub", "aud"),
    "login.microsoftonline.com/common/v2.0": ("sub", "aud"),
    "graph.facebook.com": ("id", "app_id"),
    "www.amazon.com": ("user_id", "app_id"),
}
"""Issuers without ``https://``, and the claims of which one must be narrowed."""

TENANT_KEY = {"sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d": "sts:RoleSessionName"}
"""Issuers whose tenant is not in a claim but in another condition key (Microsoft Sentinel)."""

_ISSUER_PER_TENANT = ("oidc.circleci.com",)
"""Hosts with a path per organisation; every path is held to what the host is held to."""

_PROVIDER = ":oidc-provider/"
_POSITIVE = ("StringEquals", "StringEqualsIgnoreCase", "StringLike")
# What stands before the first wildcard names the kind of thing and then, complete, whose it is: "repo:acme/".
_NAMES_A_TENANT = re.compile(r"[^:/]+[:/][^:/]+[:/]")


def check_issuers_scoped(statement: StatementSource) -> None:
    """Raise PolicyError when an Allow trusts a shared issuer without asking whose token it is."""
    if statement.denies or statement.principal is None or not _reaches_federation(statement):
        return
    for provider in (statement.principal or {}).get("Federated", ()):
        issuer = provider.partition(_PROVIDER)[2] or provider
        keys = _tenant_keys(issuer)
        if keys and not any(_narrows(condition, key) for condition in statement.conditions for key in keys):
            message = (
                f"The issuer {issuer} is shared by everybody who uses it: "
                f"a condition that narrows {' or '.join(keys)} is required."
            )
            raise PolicyError(Reason.POLICY_ISSUER_UNSCOPED, message)
    if _trusts_everyone(statement) and not any(map(_narrows_some_subject, statement.conditions)):
        message = "A trust policy for everyone and web identities requires a condition on the subject of the token."
        raise PolicyError(Reason.POLICY_ISSUER_UNSCOPED, message)


def _tenant_keys(issuer: str) -> tuple[str, ...]:
    """The condition keys of which one must be narrowed; none for an issuer that is not shared."""
    known = issuer.lower().rstrip("/")
    if known in TENANT_KEY:
        return (TENANT_KEY[known],)
    host = known.partition("/")[0]
    claims = TENANT_CLAIM.get(host if host in _ISSUER_PER_TENANT else known, ())
    return tuple(f"{issuer}:{claim}" for claim in claims)


def _reaches_federation(statement: StatementSource) -> bool:
    element = compile_actions(statement.actions, negated=statement.not_action is not None)
    return element.matches("sts", "assumerolewithwebidentity")


def _trusts_everyone(statement: StatementSource) -> bool:
    entries = statement.principal or {}
    return "*" in entries or "*" in entries.get("AWS", ())


def _narrows_some_subject(condition: ConditionSource) -> bool:
    return condition.key.lower().endswith(":sub") and _narrows(condition, condition.key)


def _narrows(condition: ConditionSource, key: str) -> bool:
    operator = condition.operator
    if condition.key.lower() != key.lower() or operator.base not in _POSITIVE:
        return False
    if operator.if_exists or operator.prefix == "ForAllValues" or not condition.values:
        return False
    return all(_says_something(value, wild=operator.base == "StringLike") for value in condition.values)


def _says_something(value: str, *, wild: bool) -> bool:
    if not value.strip() or "${" in value:
        return False
    if not wild:
        return True
    literal = value.replace("?", "*").partition("*")[0]
    return literal == value or _NAMES_A_TENANT.match(literal) is not None

# SPDX-License-Identifier: Apache-2.0
"""
The roles that somebody may choose from: those that the assertion names, and that trust it, as both stand now.

An identity provider may be registered in many accounts, each with settings of its own, and one assertion may name roles in all
of them. So it is verified for each registration that it names a role with: a registration vouches for its account only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from daypass.access import RequestFacts, trust
from daypass.errors import AccessDeniedError, DaypassError, ProofError, Reason
from daypass.federation.saml import SamlProof
from daypass.signin import limits
from daypass.store import Role, SamlProvider, View
from daypass.sts.assume_role import account_and_name

Verify = Callable[[SamlProvider], SamlProof]
"""Verifies the response at hand for one registration. Raises ProofError."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A role that may be had, and the registration of the provider by which it is had."""

    role: Role
    provider_arn: str


@dataclass(frozen=True, slots=True)
class AccountOffers:
    """What is offered in one account: its label, as AWS's sign-in page has it, and the roles by name."""

    label: str
    roles: tuple[Role, ...] = field(default=())


def proofs(candidates: Sequence[SamlProvider], verify: Verify, *, asked: bool = False) -> dict[str, SamlProof]:
    """
    The response at hand, verified, by the ARN of each registration of its issuer that it names a role with.

    1. The first registration for which it verifies says which others the assertion is about; what verifies for none is refused.
       Where one was ``asked``, that is the first, and it must verify for that one.
    2. It is verified for each of those as well, and left out where it does not verify.

    Raises ProofError.
    """
    first, proof = _first(candidates[:1] if asked else candidates, verify)  # 1
    found = {first.arn: proof}
    named = {provider_arn for _, provider_arn in proof.roles}
    for provider in candidates:  # 2
        if provider.arn in named and provider.arn not in found:
            try:
                found[provider.arn] = verify(provider)
            except ProofError:
                continue
    return found


def _first(candidates: Sequence[SamlProvider], verify: Verify) -> tuple[SamlProvider, SamlProof]:
    refused: ProofError | None = None
    forged: set[str] = set()  # for the keys of this metadata; no other registration of the same needs to be asked
    for provider in candidates:
        if provider.metadata in forged:
            continue
        try:
            return provider, verify(provider)
        except ProofError as error:
            refused = refused or error
            if error.reason in _FORGED:
                forged.add(provider.metadata)
    raise refused or ProofError(
        Reason.PROVIDER_UNKNOWN, "No SAML provider is registered for the issuer of this response."
    )


_FORGED: Final = (Reason.SAML_SIGNATURE_INVALID, Reason.SAML_DIGEST_MISMATCH)


def offers(found: Mapping[str, SamlProof], facts: RequestFacts, view: View) -> dict[str, Offer]:
    """The roles that may be had, by ARN; each by the first registration that the assertion names it with and that it trusts."""
    offered: dict[str, Offer] = {}
    for role_arn, provider_arn in _pairs(found):
        if role_arn in offered or len(offered) >= limits.ROLES:
            continue
        role = _trusting(role_arn, found[provider_arn], facts, view)
        if role is not None:
            offered[role_arn] = Offer(role, provider_arn)
    return offered


def _pairs(found: Mapping[str, SamlProof]) -> Iterator[tuple[str, str]]:
    """Each registration speaks for the pairs that name it, by the words that were verified for it."""
    for provider_arn, proof in found.items():
        yield from (pair for pair in proof.roles if pair[1] == provider_arn)


def _trusting(role_arn: str, proof: SamlProof, facts: RequestFacts, view: View) -> Role | None:
    try:
        account, name = account_and_name(role_arn)
    except DaypassError:  # the assertion's words, and no ARN of a role
        return None
    role = view.roles.with_name(account, name)
    if role is None or role.arn != role_arn:
        return None
    try:
        trusted = trust(
            proof.identity,
            role,
            action="sts:AssumeRoleWithSAML",
            session_name=proof.session_name,
            facts=facts,
            view=view,
        )
    except AccessDeniedError:
        return None
    return trusted.role


def by_account(offered: Iterable[Offer], view: View) -> tuple[AccountOffers, ...]:
    """The offers for the page: accounts by label, roles by name."""
    roles: dict[str, list[Role]] = {}
    for offer in offered:
        roles.setdefault(offer.role.account, []).append(offer.role)
    accounts = [
        AccountOffers(label(account, view), tuple(sorted(found, key=lambda role: role.name.casefold())))
        for account, found in roles.items()
    ]
    return tuple(sorted(accounts, key=lambda account: account.label.casefold()))


def label(account: str, view: View) -> str:
    """``alias (123456789012)``, with the account's name where it has no alias; else the number alone, as AWS's page has it."""
    settings, member = view.account_settings.with_key(account), view.memberships.with_key(account)
    name = (settings.alias if settings else None) or (member.name if member else None)
    return f"{name} ({account})" if name else account

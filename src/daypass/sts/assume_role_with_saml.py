# SPDX-License-Identifier: Apache-2.0
"""
AssumeRoleWithSAML (STS API): a SAML response becomes temporary credentials.

The request is not signed: the assertion is the proof. Nothing about the role, not even that it exists, is said before the
assertion has been verified, names the role, and the role's trust policy has allowed its bearer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from daypass import saml
from daypass.access import RequestFacts, trust
from daypass.arn import Arn, is_account_id, saml_provider_arn
from daypass.audit import Told, nobody_told
from daypass.errors import AccessDeniedError, ProofError, Reason, RequestError
from daypass.federation.saml import SamlProof, spend
from daypass.store import SamlProvider, View
from daypass.sts.assume import Assumed, SessionWishes, assume
from daypass.sts.assume_role import account_and_name
from daypass.sts.service import Sts
from daypass.sts.session_policies import read_session_policies

_ACTION: Final = "sts:AssumeRoleWithSAML"


async def assume_role_with_saml(
    sts: Sts,
    facts: RequestFacts,
    current_view: Callable[[], View],
    parameters: Mapping[str, Any],
    told: Told = nobody_told,
    *,
    request_ids: frozenset[str] | None = None,
) -> Mapping[str, object]:
    """
    Flow B for a SAML assertion, in this order:

    1. the response is read, strictly, and the provider that PrincipalArn names looked up;
    2. it is verified against that registration;
    3. the assertion names the role, with this provider;
    4. the role's trust policy is asked, the session is made and sealed, and the assertion is spent: all three in one
       transaction, where an assertion can be used once; as everything stands then.

    ``request_ids``: the requests of ours that the response may answer. None where we asked for nothing, as at the AWS door: who
    asked, and what for, is then between the caller and the provider, as with AWS. ``told``: who, as soon as that is proved.
    """
    account_and_name(parameters["RoleArn"])
    response = saml.parse_response(_decoded(parameters["SAMLAssertion"]))  # 1
    provider = _provider(current_view(), parameters["PrincipalArn"])
    asked = _answered(response) if request_ids is None else request_ids
    proof = sts.saml.identify(provider, response, now=facts.now, request_ids=asked)  # 2
    told(proof.proven())
    if (parameters["RoleArn"], provider.arn) not in proof.roles:  # 3
        raise AccessDeniedError(Reason.NOT_TRUSTED, f"Not authorized to perform {_ACTION}")
    if proof.strict:  # 4
        async with sts.store.transaction() as transaction:
            if _provider(transaction.view, provider.arn) != provider:
                raise ProofError(Reason.PROVIDER_UNKNOWN, "The provider was changed meanwhile; try again.")
            assumed = _assumed(sts, facts, transaction.view, proof, parameters)
            await spend(proof, transaction, facts.now)
    else:
        assumed = _assumed(sts, facts, current_view(), proof, parameters)
    sts.issued.note(
        assumed.session, assumed.credentials, principal_arn=assumed.principal.arn, source_ip=facts.source_ip
    )
    return {
        **assumed.members(),
        "Subject": proof.identity.subject,
        "SubjectType": proof.subject_type,
        "Issuer": proof.identity.provider,
        "Audience": proof.identity.audience,
        "NameQualifier": proof.name_qualifier,
    }


def _assumed(sts: Sts, facts: RequestFacts, view: View, proof: SamlProof, parameters: Mapping[str, Any]) -> Assumed:
    """A session of the role that the request names, if it trusts the proof."""
    account, name = account_and_name(parameters["RoleArn"])
    role = view.roles.with_name(account, name)
    if role is not None and role.arn != parameters["RoleArn"]:
        role = None  # the name, but under another path
    session_name = proof.session_name
    trusted = trust(proof.identity, role, action=_ACTION, session_name=session_name, facts=facts, view=view)
    wishes = SessionWishes.of(parameters, read_session_policies(parameters, account, view), session_name)
    return assume(trusted, wishes, sessions=sts.sessions, now=facts.now)


def _provider(view: View, provider_arn: str) -> SamlProvider:
    """The provider with exactly this ARN. Raises RequestError for what is no such ARN, ProofError when there is none."""
    try:
        arn = Arn.parse(provider_arn)
    except ValueError:
        raise RequestError(Reason.INVALID_PARAMETER, "Request ARN is invalid") from None
    kind, _, name = arn.resource.partition("/")
    if arn.service != "iam" or kind != "saml-provider" or not name or not is_account_id(arn.account):
        raise RequestError(Reason.INVALID_PARAMETER, "Request ARN is invalid")
    provider = view.saml_providers.with_name(arn.account, name)
    if provider is None or provider_arn != saml_provider_arn(arn.account, name):
        raise ProofError(Reason.PROVIDER_UNKNOWN, "Specified provider doesn't exist.")
    return provider


def _decoded(text: str) -> bytes:
    try:
        return saml.decode_response(text)
    except ProofError as error:
        raise ProofError(error.reason, "Invalid base64 SAMLResponse") from error


def _answered(response: saml.UnverifiedResponse) -> frozenset[str] | None:
    """The request that the response says it answers, whoever made it."""
    unverified = response.unverified_tree.get("InResponseTo")
    return None if unverified is None else frozenset((unverified,))

# SPDX-License-Identifier: Apache-2.0
"""
Rows of the table of operations: the Security Token Service. What each acts on, and which condition keys it brings (Service
Authorization Reference, "AWS Security Token Service").
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

from daypass import arn
from daypass.access import Caller, Permitted
from daypass.access.organization import is_closed
from daypass.access.passed import assume_role_actions, inherited_tags
from daypass.access.trust import trust_policy_of
from daypass.api.resources import Resource, ResourceOf, everything
from daypass.awsapi.parameters import Parameters, text
from daypass.identity import ContextValue
from daypass.store import View
from daypass.sts import Sts
from daypass.sts.assume_role import account_and_name, assume_role, passed_by, role_of_arn
from daypass.sts.assume_root import assume_root, target_account
from daypass.sts.decode_authorization_message import decode_authorization_message
from daypass.sts.get_delegated_access_token import get_delegated_access_token
from daypass.sts.get_web_identity_token import get_web_identity_token, token_keys
from daypass.sts.own_sessions import get_federation_token, get_session_token

StsFunction = Callable[[Sts, Permitted, Parameters], Awaitable[Mapping[str, object]]]
Further = Callable[[Parameters, Caller], tuple[tuple[str, ResourceOf], ...]]


def nothing_else(_parameters: Parameters, _caller: Caller) -> tuple[tuple[str, ResourceOf], ...]:
    """Most operations need one permission."""
    return ()


class StsRow(NamedTuple):
    """
    One signed operation of STS, as ``daypass.api.row.Row`` is one of IAM.

    ``also``: what else must be permitted, by what is asked. ``second_factor``: takes SerialNumber and TokenCode.
    """

    name: str
    resource: ResourceOf
    function: StsFunction
    also: Further = nothing_else
    second_factor: bool = False


def role_to_assume(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """
    The role that ``RoleArn`` names, of any account, with its trust policy. One that is not there trusts nobody, and a denial
    does not say which it is. A role of a closed account is not there.
    """
    role_arn = text(parameters, "RoleArn")
    account, keys = account_and_name(role_arn)[0], _keys_of_session(parameters, caller)
    role = None if is_closed(account, view) else role_of_arn(role_arn, view)
    policy = trust_policy_of(role)
    # The tags are the role's own: transitive tags of the caller's session take their place when trust has been decided, not
    # before (IAM User Guide, "Pass session tags in AWS STS"). Else a caller would choose what roles look like to policies.
    tags = () if role is None else role.tags
    return Resource(role_arn, account, tags, keys=keys, policy=policy, trust_required=True, reasonless=True)


def _keys_of_session(parameters: Parameters, caller: Caller) -> dict[str, ContextValue]:
    passed, session = passed_by(parameters), caller.session
    keys: dict[str, ContextValue] = {"sts:rolesessionname": text(parameters, "RoleSessionName")}
    if passed.external_id is not None:
        keys["sts:externalid"] = passed.external_id
    source_identity = passed.source_identity or (None if session is None else session.source_identity)
    if source_identity is not None:
        keys["sts:sourceidentity"] = source_identity
    transitive = (*(key for key, _ in inherited_tags(session)), *passed.transitive_tag_keys)
    if transitive:
        keys["sts:transitivetagkeys"] = transitive
    return keys


def also_on_the_role(parameters: Parameters, caller: Caller) -> tuple[tuple[str, ResourceOf], ...]:
    """Tagging the session and setting its source identity, where the request does so."""
    return tuple([(action, role_to_assume) for action in assume_role_actions(caller, passed_by(parameters))[1:]])


def federated_user(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The federated user that GetFederationToken would make."""
    account = caller.principal.account
    return Resource(arn.federated_user_arn(account, text(parameters, "Name")), account)


def also_tags(parameters: Parameters, _caller: Caller) -> tuple[tuple[str, ResourceOf], ...]:
    """Tagging the session, where the request does so."""
    return (("sts:TagSession", federated_user),) if parameters.get("Tags") else ()


def root_of_a_member(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The root user of the target account. Permission is the management account's to give: the member has no say."""
    task = parameters["TaskPolicyArn"]
    keys: dict[str, ContextValue] = {}
    if isinstance(task, Mapping) and isinstance(task.get("arn"), str):
        keys["sts:taskpolicyarn"] = task["arn"]
    account = target_account(text(parameters, "TargetPrincipal"))
    return Resource(arn.root_arn(account), caller.principal.account, keys=keys)


def token_of_the_caller(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """GetWebIdentityToken has no resource; what the token will be are condition keys."""
    return Resource("*", caller.principal.account, keys=token_keys(parameters))


def also_tags_the_token(parameters: Parameters, _caller: Caller) -> tuple[tuple[str, ResourceOf], ...]:
    """Tagging the token, where the request does so."""
    return (("sts:TagGetWebIdentityToken", everything),) if parameters.get("Tags") else ()


STS_ROWS: Final = (
    StsRow("AssumeRole", role_to_assume, assume_role, also_on_the_role, second_factor=True),
    StsRow("AssumeRoot", root_of_a_member, assume_root),
    StsRow("GetSessionToken", everything, get_session_token, second_factor=True),
    StsRow("GetDelegatedAccessToken", everything, get_delegated_access_token),
    StsRow("DecodeAuthorizationMessage", everything, decode_authorization_message),
    StsRow("GetFederationToken", federated_user, get_federation_token, also_tags),
    StsRow("GetWebIdentityToken", token_of_the_caller, get_web_identity_token, also_tags_the_token),
)

# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: requests for temporary delegation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daypass.access import Caller
from daypass.api.resources import NO_KEYS, Resource
from daypass.api.row import Row
from daypass.awsapi.parameters import Parameters, optional_integer, optional_text, text
from daypass.iam import delegation_decisions, delegation_requests
from daypass.iam.delegation_requests import request_arn, request_id_of, visible_request
from daypass.identity import ContextValue
from daypass.store import View

_OWNER: Final = "iam:delegationrequestowner"
_OWNER_POLICY: Final = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:GetDelegationRequest",'
    '"iam:GetHumanReadableSummary","iam:UpdateDelegationRequest"],"Resource":"*"}}'
)
"""What the owner of a request may do with it by default (IAM API, GetDelegationRequest, GetHumanReadableSummary and
UpdateDelegationRequest)."""


def delegation_request_to_be(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """Whatever CreateDelegationRequest would make: its id is not known before."""
    account, keys = caller.principal.account, dict[str, ContextValue]()
    keys["iam:delegationduration"] = str(optional_integer(parameters, "SessionDuration"))
    keys["iam:notificationchannel"] = text(parameters, "NotificationChannel")
    permissions = parameters["Permissions"]
    if isinstance(permissions, Mapping) and "PolicyTemplateArn" in permissions:
        keys["iam:templatearn"] = text(permissions, "PolicyTemplateArn")
    return Resource(request_arn(account, "*"), account, keys=keys)


def _request(request_id: str, caller: Caller, view: View) -> Resource:
    account = caller.principal.account
    found = visible_request(view, account, request_id)
    if found is None or found.owner_id is None:
        return Resource(request_arn(account, request_id), account)
    principal = caller.principal
    owns = (found.owner_id, found.owner_user_id) == (principal.arn, principal.user_id)
    return Resource(
        request_arn(account, request_id),
        account,
        keys={_OWNER: found.owner_id},
        owner_policy=_OWNER_POLICY if owns else None,
    )


def delegation_request(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The request that ``DelegationRequestId`` names, as the caller's account calls it, with its owner if it has one."""
    return _request(text(parameters, "DelegationRequestId"), caller, view)


def delegation_request_of_arn(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The request that ``EntityArn`` names; for the ARN of anything else, no request that could exist."""
    return _request(request_id_of(text(parameters, "EntityArn")) or "", caller, view)


def listed_delegation_requests(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """Everything, with the owner whose requests are listed if one is named."""
    owner = optional_text(parameters, "OwnerId")
    return Resource("*", caller.principal.account, keys=NO_KEYS if owner is None else {_OWNER: owner})


ROWS: Final = (
    Row("CreateDelegationRequest", delegation_request_to_be, delegation_requests.create_delegation_request),
    Row("GetDelegationRequest", delegation_request, delegation_requests.get_delegation_request),
    Row("ListDelegationRequests", listed_delegation_requests, delegation_requests.list_delegation_requests),
    Row("AssociateDelegationRequest", delegation_request, delegation_decisions.associate_delegation_request),
    Row("UpdateDelegationRequest", delegation_request, delegation_decisions.update_delegation_request),
    Row("AcceptDelegationRequest", delegation_request, delegation_decisions.accept_delegation_request),
    Row("RejectDelegationRequest", delegation_request, delegation_decisions.reject_delegation_request),
    Row("SendDelegationToken", delegation_request, delegation_decisions.send_delegation_token),
    Row("GetHumanReadableSummary", delegation_request_of_arn, delegation_requests.get_human_readable_summary),
)

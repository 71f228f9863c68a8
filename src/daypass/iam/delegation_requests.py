# SPDX-License-Identifier: Apache-2.0
"""
Requests for temporary delegation (IAM API; IAM User Guide, "IAM temporary delegation"): CreateDelegationRequest,
GetDelegationRequest, ListDelegationRequests and GetHumanReadableSummary. What becomes of a request is next door, in
``delegation_decisions``.

The partners of AWS are principals here who may CreateDelegationRequest; the template that one registers is a managed policy
of its account (``policy_templates``). There is no console, so no link to one is answered; no language model, so no summary.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from daypass import arn
from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, optional_integer, optional_text, text, texts
from daypass.errors import EntityError, Reason
from daypass.iam import policy_templates
from daypass.iam.limits import DELEGATION_REQUESTS_PER_ACCOUNT
from daypass.iam.managed_policies import policy_to_use
from daypass.iam.paging import page_of_records
from daypass.iam.service import Iam
from daypass.principal import AccountPrincipal, Root
from daypass.store import DelegationRequest, View

UNASSIGNED_SECONDS: Final = 86_400
"""How long a request waits for an owner: one day (IAM User Guide, "Understanding the request lifecycle")."""
STATE_SECONDS: Final = 7 * 86_400
"""How long it stays in any later state: seven days (the same; IAM API, RejectDelegationRequest)."""

LONGEST_NAME: Final = 30
"""IAM API, requestorNameType."""

_TOPIC: Final = re.compile(r"arn:aws(?:-[a-z]+)*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,256}", re.ASCII)
_REQUEST_ARN: Final = re.compile(r"arn:aws:iam::[0-9]{12}:delegation-request/([\w-]{16,128})", re.ASCII)


def no_such_request(request_id: str) -> EntityError:
    """The answer of every operation on a request that is not there, or that the caller's account may not see."""
    return EntityError(Reason.NO_SUCH_ENTITY, f"The delegation request with id {request_id} cannot be found.")


def visible_request(view: View, account: str, request_id: str) -> DelegationRequest | None:
    """
    The request, if an account may see it: one that has no owner's account yet is seen by every account, another by its
    owner's only (IAM API, GetDelegationRequest).
    """
    request = view.delegation_requests.with_key(request_id)
    return request if request is not None and request.owner_account in (None, account) else None


def existing_request(view: View, permitted: Permitted, request_id: str) -> DelegationRequest:
    """The same, for an operation that was permitted. Raises EntityError."""
    account = permitted.caller.principal.account
    request = visible_request(view, account, request_id)
    if request is None or permitted.resource != request_arn(account, request_id):
        raise no_such_request(request_id)
    return request


def request_arn(account: str, request_id: str) -> str:
    """What an account calls a request. Before it has an owner, every account has a name of its own for it."""
    return arn.iam_arn(account, f"delegation-request/{request_id}")


def state_at(request: DelegationRequest, now: float) -> str:
    """The state of a request at an instant: a state ends at ``expires_at``."""
    return "EXPIRED" if now >= request.expires_at else request.state


async def create_delegation_request(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """A request that waits for an owner, for a policy that is made of a template now."""
    request = _new_request(iam.store.view(), permitted, parameters)
    async with iam.store.transaction() as transaction:
        view = transaction.view
        if view.accounts.with_key(request.account) is None:
            raise EntityError(Reason.INVALID_INPUT, f"The account {request.account} cannot be found.")
        workflow = request.links()[0]
        if any(len(view.delegation_requests.linked(account.account_id, workflow)) for account in view.accounts.of("")):
            message = f"A delegation request with requestor workflow id {request.workflow_id} already exists."
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, message)
        present = view.delegation_requests.of(request.account)
        if len(present) >= DELEGATION_REQUESTS_PER_ACCOUNT:
            over = [old for old in present if state_at(old, permitted.facts.now) == "EXPIRED"]
            if not over:
                message = f"Cannot exceed quota for DelegationRequestsPerAccount: {DELEGATION_REQUESTS_PER_ACCOUNT}"
                raise EntityError(Reason.LIMIT_EXCEEDED, message)
            for old in over:
                await transaction.delete(old)
        await transaction.put(request)
    return {"DelegationRequestId": request.unique_id}


def _new_request(view: View, permitted: Permitted, parameters: Parameters) -> DelegationRequest:
    principal, now = permitted.caller.principal, int(permitted.facts.now)
    template, filled_with = _permissions(parameters)
    owner_account = optional_text(parameters, "OwnerAccountId")
    return DelegationRequest(
        account=owner_account or principal.account,
        unique_id=str(uuid.uuid4()),
        requestor_account=principal.account,
        requestor_id=principal.arn,
        requestor_name=_name_of(principal, view),
        description=text(parameters, "Description"),
        template_arn=template,
        parameters=filled_with,
        permission_policy=policy_templates.fill(policy_to_use(view, principal.account, template).document, filled_with),
        request_message=optional_text(parameters, "RequestMessage"),
        workflow_id=text(parameters, "RequestorWorkflowId"),
        redirect_url=optional_text(parameters, "RedirectUrl"),
        notification_channel=_topic(parameters),
        session_duration=optional_integer(parameters, "SessionDuration") or 0,
        only_send_by_owner=parameters.get("OnlySendByOwner") is True,
        state="UNASSIGNED",
        created_at=now,
        updated_at=now,
        expires_at=now + UNASSIGNED_SECONDS,
        owner_account=owner_account,
    )


def _permissions(parameters: Parameters) -> tuple[str, policy_templates.TemplateParameters]:
    permissions = parameters["Permissions"]
    if not isinstance(permissions, Mapping) or "PolicyTemplateArn" not in permissions:
        raise EntityError(Reason.INVALID_INPUT, "The permissions must name a policy template: PolicyTemplateArn.")
    given = permissions.get("Parameters", ())
    return text(permissions, "PolicyTemplateArn"), tuple([_template_parameter(item) for item in given])


def _template_parameter(item: Any) -> tuple[str, str, tuple[str, ...]]:
    if "Name" not in item:
        raise EntityError(Reason.INVALID_INPUT, "A parameter of the policy template has no name.")
    return text(item, "Name"), optional_text(item, "Type") or "string", texts(item, "Values")


def _topic(parameters: Parameters) -> str:
    topic = text(parameters, "NotificationChannel")
    if _TOPIC.fullmatch(topic) is None:
        raise EntityError(Reason.INVALID_INPUT, "The notification channel must be the ARN of an SNS topic.")
    return topic


def _name_of(principal: AccountPrincipal, view: View) -> str:
    """What a customer calls the requestor: the alias of its account, or its number."""
    settings = view.account_settings.with_key(principal.account)
    return ((settings and settings.alias) or principal.account)[:LONGEST_NAME]


async def get_delegation_request(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """
    One request. Whether the caller could do all that it asks for is known of root; of others it is not looked into, which
    is an answer that IAM has too (IAM API, GetDelegationRequest: PermissionCheckResult).
    """
    request = existing_request(iam.store.view(), permitted, text(parameters, "DelegationRequestId"))
    answer: dict[str, object] = {"DelegationRequest": _members(request, permitted.facts.now)}
    if parameters.get("DelegationPermissionCheck") is True:
        root = isinstance(permitted.caller.principal, Root)
        answer |= {"PermissionCheckStatus": "COMPLETE", "PermissionCheckResult": "ALLOWED" if root else "UNSURE"}
    return answer


async def list_delegation_requests(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The requests that identities of the account own, or one of them. What nobody owns is in no list."""
    owner = optional_text(parameters, "OwnerId")
    every = iam.store.view().delegation_requests.of(permitted.caller.principal.account)
    chosen, more = page_of_records(
        every, parameters, keep=lambda found: found.owner_id is not None and owner in (None, found.owner_id)
    )
    listed = [_members(request, permitted.facts.now) for request in chosen]
    truncated = more.pop("IsTruncated")  # which this one operation spells in its own way
    return {"DelegationRequests": listed, "isTruncated": truncated, **more}


async def get_human_readable_summary(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """That there is none: AWS has a language model write these. Who may get a request may ask."""
    request_id = request_id_of(text(parameters, "EntityArn"))
    if request_id is None:
        raise EntityError(Reason.INVALID_INPUT, "The entity must be a delegation request, named by its ARN.")
    existing_request(iam.store.view(), permitted, request_id)
    return {"SummaryState": "NOT_SUPPORTED", "Locale": optional_text(parameters, "Locale") or "en"}


def request_id_of(entity_arn: str) -> str | None:
    """The id in the ARN of a delegation request; None for an ARN of anything else."""
    match = _REQUEST_ARN.fullmatch(entity_arn)
    return match and match[1]


def _members(request: DelegationRequest, now: float) -> dict[str, object]:
    policy = request.permission_policy
    return {
        "DelegationRequestId": request.unique_id,
        "OwnerAccountId": request.owner_account,
        "Description": request.description,
        "RequestMessage": request.request_message,
        "Permissions": {
            "PolicyTemplateArn": request.template_arn,
            "Parameters": [
                {"Name": name, "Values": list(values), "Type": kind} for name, kind, values in request.parameters
            ],
        },
        "PermissionPolicy": policy,
        "RolePermissionRestrictionArns": [] if policy is None else policy_templates.boundaries_of(policy),
        "OwnerId": request.owner_id,
        "ApproverId": request.approver_id,
        "State": state_at(request, now),
        "ExpirationTime": request.expires_at,
        "RequestorId": request.requestor_account,
        "RequestorName": request.requestor_name,
        "CreateDate": request.created_at,
        "SessionDuration": request.session_duration,
        "RedirectUrl": request.redirect_url,
        "Notes": request.notes,
        "RejectionReason": request.rejection_reason,
        "OnlySendByOwner": request.only_send_by_owner,
        "UpdatedTime": request.updated_at,
    }

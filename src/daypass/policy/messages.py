# SPDX-License-Identifier: Apache-2.0
"""
The sentence that a denied caller reads, in AWS's words (IAM User Guide, "Troubleshoot access denied error messages").
"""

from __future__ import annotations

from daypass import principal as who
from daypass.policy.request import Decision, Layer, Outcome, Request

ROOT_MAY_NOT_ASSUME = "Roles may not be assumed by root accounts."

_TYPES = {
    Layer.SCP: "service control policy",
    Layer.RCP: "resource control policy",
    Layer.VPC_ENDPOINT: "VPC endpoint policy",
    Layer.RESOURCE: "resource-based policy",
    Layer.TRUST: "role trust policy",
    Layer.BOUNDARY: "permissions boundary",
    Layer.SESSION: "session policy",
    Layer.IDENTITY: "identity-based policy",
}
_ARTICLES = {Layer.IDENTITY: "an", Layer.TRUST: "the"}


def denial_message(
    request: Request, decision: Decision, *, same_organization: bool = False, reasonless: bool = False
) -> str:
    """
    Who may not do what on what, and which type of policy is why.

    The type is left out for callers of another account, unless both accounts are in one organisation, and for callers without
    an account: they are not told about the policies of others. It is left out when ``reasonless`` says so: where it would
    tell whether the resource exists. Raises ValueError for a decision that allows.
    """
    cause = decision.cause
    if decision.outcome is Outcome.ALLOWED or cause is None:
        raise ValueError("expected a decision that denies")
    if cause.layer is Layer.OPERATION:
        return ROOT_MAY_NOT_ASSUME
    sentence = f"User: {_caller(request)} is not authorized to perform: {request.action}"
    sentence += _on_resource(request)
    if reasonless or not _may_know(request, same_organization):
        return sentence
    kind = _TYPES[cause.layer]
    if cause.explicit:
        return f"{sentence} with an explicit deny in {_ARTICLES.get(cause.layer, 'a')} {kind}"
    return f"{sentence} because no {kind} allows the {request.action} action"


def _on_resource(request: Request) -> str:
    """S3 writes the ARN in quotes, and names none for the list of all buckets; other services write it as it is."""
    if request.resource in ("*", "arn:aws:s3:::*"):
        return ""
    return (
        f' on resource: "{request.resource}"'
        if request.action.startswith("s3:")
        else f" on resource: {request.resource}"
    )


def _caller(request: Request) -> str:
    principal = request.principal
    if isinstance(principal, who.AccountPrincipal):
        return principal.arn
    if isinstance(principal, who.Service):
        return principal.name
    return principal.provider if isinstance(principal, who.FederatedCaller) else "anonymous"


def _may_know(request: Request, same_organization: bool) -> bool:
    principal = request.principal
    if not isinstance(principal, who.AccountPrincipal):
        return False
    return same_organization or principal.account == request.resource_account

# SPDX-License-Identifier: Apache-2.0
"""
What some credentials cannot be used for, whatever the policies say (IAM User Guide, "Compare AWS STS credentials").

| credentials | cannot call |
|---|---|
| any session | GetSessionToken, GetFederationToken |
| of GetSessionToken | IAM, unless a second factor was shown; STS, but for AssumeRole and GetCallerIdentity |
| of GetFederationToken | IAM; STS, but for GetCallerIdentity |
| of AssumeRoot | STS, but for GetCallerIdentity |
"""

from __future__ import annotations

from typing import Final

from daypass.access.authenticate import Caller
from daypass.access.bearer import ended
from daypass.errors import AccessDeniedError, Reason

_LONG_TERM_ONLY: Final = frozenset({"sts:GetSessionToken", "sts:GetFederationToken"})
_ON_A_ROLE: Final = frozenset({"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"})
_ALLOWED_IN_STS: Final = {
    "user": _ON_A_ROLE | {"sts:GetCallerIdentity"},
    "federated": frozenset({"sts:GetCallerIdentity"}),
    "root": frozenset({"sts:GetCallerIdentity"}),
}


def refuse_unfit(caller: Caller, action: str) -> None:
    """Raises AccessDeniedError, or AuthenticationError where AWS does, for an action that these credentials cannot do."""
    session = caller.session
    if session is None or (session.kind == "role" and action not in _LONG_TERM_ONLY):
        return
    service, _, name = action.partition(":")
    if service == "sts" and (action in _LONG_TERM_ONLY or action not in _ALLOWED_IN_STS[session.kind]):
        message = f"Cannot call {name} with session credentials"
        raise AccessDeniedError(Reason.CREDENTIALS_UNFIT, message, "fitness")
    if service == "iam" and (session.kind == "federated" or (session.kind == "user" and session.mfa_at is None)):
        raise ended()  # AWS's answer: as if the credentials were unknown

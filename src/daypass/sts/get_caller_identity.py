# SPDX-License-Identifier: Apache-2.0
"""GetCallerIdentity (STS API): who the credentials of this request belong to. Nobody can be denied it."""

from __future__ import annotations

from collections.abc import Mapping

from daypass.access import Permitted


async def get_caller_identity(permitted: Permitted, _parameters: Mapping[str, object]) -> Mapping[str, object]:
    """UserId (``aws:userid``), Account and Arn of the caller."""
    principal = permitted.caller.principal
    return {"UserId": principal.user_id, "Account": principal.account, "Arn": principal.arn}

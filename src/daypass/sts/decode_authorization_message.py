# SPDX-License-Identifier: Apache-2.0
"""DecodeAuthorizationMessage (STS API): why a request was denied, for whoever may know (sts:DecodeAuthorizationMessage)."""

from __future__ import annotations

from collections.abc import Mapping

from daypass.access import Permitted
from daypass.awsapi.parameters import text
from daypass.sts.service import Sts


async def decode_authorization_message(
    sts: Sts, permitted: Permitted, parameters: Mapping[str, object]
) -> Mapping[str, object]:
    """The document of a denial in the caller's own account, as JSON. Raises RequestError."""
    account, message = permitted.caller.principal.account, text(parameters, "EncodedMessage")
    return {"DecodedMessage": sts.sessions.open_message(message, account=account, now=permitted.facts.now)}

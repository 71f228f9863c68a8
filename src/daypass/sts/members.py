# SPDX-License-Identifier: Apache-2.0
"""Output members that the operations of STS have in common."""

from __future__ import annotations

import math
from typing import Final

from daypass.credentials import TemporaryCredentials

SESSION_TOKEN_CHARACTERS: Final = 4096
"""The space that SessionTokenUtilization is a percentage of (STS API: the largest MinimumSessionTokenSize)."""


def credentials_members(credentials: TemporaryCredentials) -> dict[str, object]:
    """Credentials, the size of the session token, and the share of the usual space that it takes, in per cent."""
    token = credentials.session_token.reveal()
    return {
        "Credentials": {
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key.reveal(),
            "SessionToken": token,
            "Expiration": credentials.expiration,
        },
        "SessionTokenSize": len(token),
        "SessionTokenUtilization": math.ceil(100 * len(token) / SESSION_TOKEN_CHARACTERS),
    }

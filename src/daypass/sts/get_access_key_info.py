# SPDX-License-Identifier: Apache-2.0
"""GetAccessKeyInfo (STS API): the account of an access key id, read from the id itself; whether it exists is not said."""

from __future__ import annotations

from collections.abc import Mapping

from daypass.access import Permitted
from daypass.awsapi.parameters import text
from daypass.credentials import account_of_access_key_id
from daypass.errors import Reason, RequestError


async def get_access_key_info(_permitted: Permitted, parameters: Mapping[str, object]) -> Mapping[str, object]:
    """Account of the key. Raises RequestError for what has not the form of an access key id."""
    try:
        return {"Account": account_of_access_key_id(text(parameters, "AccessKeyId"))}
    except ValueError:
        raise RequestError(
            Reason.INVALID_PARAMETER, "The access key id is not of a form that has an account."
        ) from None

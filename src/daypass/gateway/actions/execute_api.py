# SPDX-License-Identifier: Apache-2.0
"""
The action map of any HTTP service, as API Gateway authorises: the action ``execute-api:Invoke`` on the method and path (API
Gateway Developer Guide, "Control access for invoking an API": ARNs of execute-api).

    GET /things/7  -->  execute-api:Invoke on arn:aws:execute-api:REGION:ACCOUNT:API-ID/STAGE/GET/things/7

Paths are compared with their case and with their trailing slash, as they are sent on. A backend that ignores either needs
policies that do.
"""

from __future__ import annotations

import re
from typing import Final

from daypass.arn import PARTITION
from daypass.errors import ConfigurationError, Reason
from daypass.gateway.actions.rest_path import READ_ONLY_METHODS, read_path
from daypass.gateway.asking import AskedOperation, Incoming, Needed

_API_ID: Final = re.compile("[A-Za-z0-9_-]{1,64}", re.ASCII)
_STAGE: Final = re.compile(r"\$default|[A-Za-z0-9_-]{1,128}", re.ASCII)


class ExecuteApiActions:
    """
    The action map of one API. ``stage`` and ``api_id`` only name it in ARNs.

    Raises ConfigurationError (CONFIGURATION_INVALID) for names that API Gateway would not have.
    """

    def __init__(self, stage: str, api_id: str) -> None:
        for said, what, pattern in ((stage, "stage", _STAGE), (api_id, "API id", _API_ID)):
            if pattern.fullmatch(said) is None:
                raise ConfigurationError(
                    Reason.CONFIGURATION_INVALID,
                    f"the {what} {said!r} of an execute-api backend must be letters, digits, hyphens and underscores",
                )
        self._place = f"{api_id}/{stage}"

    def body_limit(self, incoming: Incoming) -> int | None:  # noqa: ARG002 - of the protocol
        """None: what is invoked stands in the method and path."""
        return None

    def operation(self, incoming: Incoming) -> AskedOperation:
        """Invoke, on the method and path. Raises RequestError (MALFORMED_REQUEST) for a path with more than one reading."""
        path, method = read_path(incoming.raw), incoming.raw.method
        resource = f"arn:{PARTITION}:execute-api:{incoming.region}:{incoming.account}:{self._place}/{method}{path}"
        needed = Needed("execute-api:Invoke", resource)
        return AskedOperation("execute-api", "Invoke", (needed,), read_only=method in READ_ONLY_METHODS)

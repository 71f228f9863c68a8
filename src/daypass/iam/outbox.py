# SPDX-License-Identifier: Apache-2.0
"""
The outbox: messages that IAM would publish to a topic of Amazon SNS, as files in a directory, for the operator to send on.

One JSON file a message, of mode 0600, whole or not there. Whoever may read the directory may use what is in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daypass.errors import Reason, UnavailableError
from daypass.sessions import Sessions
from daypass.store import DelegationRequest


class Outbox:
    """Writes messages into ``directory``, which is made with mode 0700 when the first is written."""

    def __init__(self, directory: Path, sessions: Sessions) -> None:
        self._directory = directory
        self._sessions = sessions

    async def send_trade_in_token(self, request: DelegationRequest, *, now: float, until: int) -> None:
        """
        Leave the trade-in token of a delegation request for its requestor (IAM API, SendDelegationToken): one that
        GetDelegatedAccessToken takes from the requestor's account until the instant ``until``.

        Raises UnavailableError when the message cannot be written.
        """
        token = self._sessions.seal_trade_in_token(request.unique_id, account=request.requestor_account, now=now)
        message = {
            "NotificationChannel": request.notification_channel,
            "DelegationRequestId": request.unique_id,
            "RequestorWorkflowId": request.workflow_id,
            "TradeInToken": token,
            "Expiration": until,
        }
        try:
            await asyncio.to_thread(self._write, f"{request.unique_id}.json", message)
        except OSError as error:
            raise UnavailableError(
                Reason.OUTBOX_UNAVAILABLE, "The token cannot be sent now; try again later."
            ) from error

    def _write(self, name: str, message: Mapping[str, Any]) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self._directory / f".{name}.{secrets.token_hex(4)}"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(message, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._directory / name)

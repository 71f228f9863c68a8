# SPDX-License-Identifier: Apache-2.0
"""
Which sessions were issued: notes for ``daypass sessions list`` and whoever has to end one.

    issue -- note --> memory -- within seconds, and at the end --> ``store.issued``

A note costs the request one tuple; rows are made when they are written. Nobody waits for that; a session whose note is lost
(the process was killed, the database could not be written for long) is as good as any other, and can be ended like any other.
"""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import Callable
from typing import Final

from daypass.credentials import TemporaryCredentials
from daypass.sessions.session import Session
from daypass.store import IssuedSession, Store
from daypass.store.late_notes import LateNotes

FLUSH_SECONDS: Final = 2.0
"""From the first note to the writing of all that came meanwhile: how late a list is."""

WRITE_EARLY_AT: Final = 2048
"""So many notes are not kept waiting for longer."""

NOTES_IN_A_TRANSACTION: Final = 2048
"""
Writers of IAM wait for one transaction at most: about a tenth of a second. A row has its place in an index in no order, and
many rows at a time change each page of it once.
"""

NOTES_AT_ONCE: Final = 512
"""Rows are made from so many notes between two requests: a millisecond."""

MOST_WAITING: Final = 10_000
"""Notes that may wait while the database cannot be written; more are forgotten. Some 10 MB."""

_KEY_ID_CHARACTERS: Final = 8
"""What of a token says which key sealed it: 6 bytes, in base64 (``daypass.sealing``)."""

_Note = tuple[Session, str, str, str, str | None]
"""The session, its access key id, the token's first characters, the principal's ARN, the source address. No secret."""


class SessionLog(LateNotes):
    """Notes what is issued, and writes it down."""

    def __init__(self, store: Store, failed: Callable[[Exception], None]) -> None:
        super().__init__(FLUSH_SECONDS, failed)
        self._store = store
        self._waiting: list[_Note] = []
        self._one_at_a_time = asyncio.Lock()

    def note(
        self, session: Session, credentials: TemporaryCredentials, *, principal_arn: str, source_ip: str | None
    ) -> None:
        """These credentials were issued, for this principal. Within a running event loop; never waits or raises."""
        if len(self._waiting) >= MOST_WAITING:
            return
        sealed_by = credentials.session_token.reveal()[:_KEY_ID_CHARACTERS]
        self._waiting.append((session, credentials.access_key_id, sealed_by, principal_arn, source_ip))
        self._soon(early=len(self._waiting) >= WRITE_EARLY_AT)

    async def flush(self) -> None:
        """
        Write every note that waits, now. Raises UnavailableError when the database cannot be written; what was not written
        waits on. So does what is noted meanwhile: under load it would be a transaction for every few notes, without an end.
        """
        async with self._one_at_a_time:
            due = len(self._waiting)
            while due > 0:
                batch = self._waiting[: min(due, NOTES_IN_A_TRANSACTION)]
                due -= len(batch)
                async with self._store.transaction() as transaction:
                    for begun in range(0, len(batch), NOTES_AT_ONCE):
                        notes = batch[begun : begun + NOTES_AT_ONCE]
                        await transaction.log_sessions([_issued(*note) for note in notes])
                del self._waiting[: len(batch)]

    def _is_waiting(self) -> bool:
        return bool(self._waiting)

    def _give_up(self) -> None:
        self._waiting.clear()


def _issued(
    session: Session, access_key_id: str, sealed_by: str, principal_arn: str, source_ip: str | None
) -> IssuedSession:
    return IssuedSession(
        access_key_id=access_key_id,
        account=session.account,
        kind=session.kind,
        principal_arn=principal_arn,
        role_id=session.role_id,
        user_id=session.user_id,
        key_id=session.key_id,
        session_name=session.session_name,
        provider_arn=session.provider_arn,
        subject=session.subject,
        origin_provider=session.origin_provider,
        origin_subject=session.origin_subject,
        source_identity=session.source_identity,
        parents=" ".join(session.parents),
        sealed_by=binascii.a2b_base64(sealed_by)[2:].hex(),
        source_ip=source_ip,
        issued_at=session.issued_at,
        expires_at=session.expires_at,
    )


def session_of(issued: IssuedSession) -> Session:
    """The session that was noted, as far as it decides who holds it and whether it has ended; it may not be sealed again."""
    return Session(
        account=issued.account,
        role_id=issued.role_id,
        session_name=issued.session_name,
        issued_at=issued.issued_at,
        expires_at=issued.expires_at,
        provider_arn=issued.provider_arn,
        subject=issued.subject,
        source_identity=issued.source_identity,
        kind=issued.kind,  # type: ignore[arg-type]  # what was noted was of the type
        user_id=issued.user_id,
        key_id=issued.key_id,
        parents=tuple(issued.parents.split()),
        origin_provider=issued.origin_provider,
        origin_subject=issued.origin_subject,
    )

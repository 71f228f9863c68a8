# SPDX-License-Identifier: Apache-2.0
"""Sessions of every kind for tests, sealed and noted by a running service as its operations do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.credentials import Credentials

from daypass.access.standing import why_refused
from daypass.credentials import LONG_TERM_KEY, access_key_label, new_access_key_id
from daypass.sealing import MasterKey
from daypass.server.bootstrap import MASTER_KEY_FILE
from daypass.sessions import Session
from daypass.store import AccessKey, OidcProvider, Role, User, issued_sessions
from in_process import ACCOUNT, Service

ISSUER = "idp.example.org"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
ANN, DEV = "AIDAANN", "AROADEV"


@dataclass(frozen=True)
class Made:
    """A session that was issued: its credentials, and what was sealed."""

    credentials: Credentials
    session: Session

    @property
    def access_key_id(self) -> str:
        """ASIA..."""
        return str(self.credentials.access_key)


def master_key(running: Service) -> MasterKey:
    """The master key of the service's data directory."""
    return MasterKey.parse((running.app.store._path.parent / MASTER_KEY_FILE).read_text())


async def populate(running: Service) -> AccessKey:
    """A user with a key, a role and a provider, all a day old. Answers the key."""
    key_id, then = new_access_key_id(LONG_TERM_KEY, ACCOUNT), int(running.clock()) - 86_400
    wrapped = master_key(running).wrap(b"secret", access_key_label(key_id))
    key = AccessKey(key_id, ACCOUNT, ANN, wrapped, "Active", then)
    async with running.app.store.transaction() as transaction:
        await transaction.put(User(ACCOUNT, "/", "ann", ANN, then))
        await transaction.put(key)
        await transaction.put(Role(ACCOUNT, "/", "Dev", DEV, None, 43_200, "{}", (), then))
        await transaction.put(OidcProvider(ACCOUNT, f"https://{ISSUER}", ("app",), (), (), then))
    return key


def issue(running: Service, **fields: Any) -> Made:
    """A session of now for an hour; without fields, one of the role. It is noted, and the note waits to be written."""
    now = int(running.clock())
    values = {"account": ACCOUNT, "role_id": DEV, "session_name": "web", "issued_at": now, "expires_at": now + 3600}
    session = Session(**{**values, **fields})
    credentials = running.app.sessions.issue(session, now=running.clock())
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/web"
    running.app.issued.note(session, credentials, principal_arn=arn, source_ip="192.0.2.1")
    shown = Credentials(
        credentials.access_key_id, credentials.secret_access_key.reveal(), credentials.session_token.reveal()
    )
    return Made(shown, session)


def by_web_identity(running: Service, **fields: Any) -> Made:
    """A session of the role that a proof of the provider began."""
    return issue(running, **{"provider_arn": PROVIDER, "subject": "alice", **fields})


def of_user(running: Service, key: AccessKey, **fields: Any) -> Made:
    """A session of the user, asked for with its key."""
    user = {"role_id": "", "session_name": "", "kind": "user", "user_id": ANN, "key_id": key.access_key_id}
    return issue(running, **{**user, **fields})


async def let_in(running: Service, made: Made) -> bool:
    """
    Whether the next request is let in. What is refused is refused as an unknown key is; and the log of sessions, read by
    the administrator, says the same as the door.
    """
    answer = await running.call("sts", "GetCallerIdentity", made.credentials)
    assert (answer.status, answer.code) in ((200, None), (403, "InvalidClientTokenId"))
    await running.app.issued.flush()
    [issued] = issued_sessions(running.app.store._path, access_key_id=made.access_key_id)
    assert (why_refused(issued, running.app.store.view(), running.clock()) is None) is (answer.status == 200)
    return answer.status == 200

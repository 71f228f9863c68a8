# SPDX-License-Identifier: Apache-2.0
"""The service in this process with a user, a role and a service that asks; and questions that botocore signs."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.credentials import Credentials

from daypass.credentials import Secret
from daypass.sigv4 import PathStyle, RequestSigner, payload_digest
from doors import Fetched, fetch
from in_process import ACCOUNT, Service, service

LAKE = f"arn:aws:daypass:us-east-1:{ACCOUNT}:service/lake"
NOTES = f"arn:aws:daypass:us-east-1:{ACCOUNT}:service/notes"
PLACE = {"service": "notes", "region": "us-east-1", "account": ACCOUNT}
EMPTY = hashlib.sha256(b"").hexdigest()
KEYSTONE_TOKEN = "what-rgw-shows"

CONFIGURATION = """
gateway:
  keystone: {token: {file: %(folder)s/token}, region: rgw-1}
  backends:
    - name: lake
      service: s3
      match: {host: s3.example.org}
      virtual_hosted: true
      upstream: http://127.0.0.1:9
      region: us-east-1
      account: "123456789012"
    - name: pond
      service: s3
      match: {host: pond.example.org}
      upstream: http://127.0.0.1:9
      region: eu-central-1
      account: "123456789012"
    - name: puddle
      service: s3
      match: {host: puddle.example.org}
      upstream: http://127.0.0.1:9
      region: eu-central-1
      account: "123456789012"
"""
"""One backend that is alone in its region, and two that share theirs."""


def statement(actions: str | Sequence[str], resource: str | Sequence[str] = "*", **more: Any) -> dict[str, Any]:
    """An Allow."""
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def policy(*statements: Mapping[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@dataclass
class Asking:
    """The service, and who there is in it."""

    running: Service
    asker: Credentials
    other: Credentials
    user: Credentials
    role: Credentials

    async def ask(self, question: str, message: Any, credentials: Credentials | None = None, **more: Any) -> Fetched:
        """A question of a service, signed as at the clock's time."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        headers = self.signed(question, body, credentials or self.asker)
        return await fetch(self.running, f"/verify/{question}", method="POST", headers=headers, body=body, **more)

    def signed(
        self, question: str, body: bytes, credentials: Credentials, service: str = "daypass"
    ) -> list[tuple[bytes, bytes]]:
        """The headers of a question."""
        return signed_headers(
            credentials, "POST", f"/verify/{question}", body, service=service, now=self.running.clock()
        )

    def request(self, credentials: Credentials | None = None, **more: Any) -> dict[str, Any]:
        """A request for ``notes`` as a service hands it on."""
        return original(credentials or self.user, now=self.running.clock(), **more)

    def s3_request(self, credentials: Credentials | None = None, **more: Any) -> dict[str, Any]:
        """A request for ``lake`` as a service hands it on."""
        values = {"service": "s3", "target": "/bucket/key", "host": "s3.example.org", **more}
        return original(credentials or self.user, now=self.running.clock(), **values)

    async def key(self, credentials: Credentials | None = None, **more: Any) -> Fetched:
        """Ask for the signing key of a request for ``notes``."""
        return await self.ask("keys", {**PLACE, "request": self.request(credentials, **more)})


def signed_headers(
    credentials: Credentials,
    method: str,
    target: str,
    body: bytes,
    *,
    service: str,
    now: float,
    region: str = "us-east-1",
    host: str = "daypass.test",
    payload: str | None = None,
) -> list[tuple[bytes, bytes]]:
    """The headers of a signed request, Host among them."""
    token = None if credentials.token is None else Secret(str(credentials.token))
    style = PathStyle.RAW if service == "s3" else PathStyle.NORMALISED
    signer = RequestSigner(
        str(credentials.access_key),
        Secret(str(credentials.secret_key)),
        region=region,
        service=service,
        path_style=style,
        session_token=token,
    )
    path, _, query = target.encode().partition(b"?")
    fixed = [(b"host", host.encode())]
    return fixed + signer.sign(method, path, query, fixed, now=now, payload=payload or payload_digest(body))


def original(
    credentials: Credentials,
    *,
    now: float,
    method: str = "GET",
    target: str = "/notes/1",
    body: bytes = b"",
    service: str = "notes",
    **more: Any,
) -> dict[str, Any]:
    """A request as a service hands it on; its headers are a character for each byte."""
    fixed = {name: more.pop(name) for name in ("region", "host", "payload") if name in more}
    headers = signed_headers(credentials, method, target, body, service=service, now=now, **fixed)
    return {
        "method": method,
        "target": target,
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers],
        "payload_sha256": None,
        **more,
    }


@asynccontextmanager
async def asking(folder: Path) -> AsyncIterator[Asking]:
    """The service with: svc, who may ask about notes and lake; nosy, who may not; ann; and a session of a role."""
    (folder / "token").write_text(KEYSTONE_TOKEN)
    (folder / "token").chmod(0o600)
    configuration = folder / "daypass.yaml"
    configuration.write_text(CONFIGURATION % {"folder": folder})
    async with service(folder / "data", config=configuration) as running:
        asks = ["daypass:VerifyRequest", "daypass:Decide", "daypass:GetSigningKey"]
        every = f"arn:aws:daypass:*:{ACCOUNT}:service/*"
        svc = await user(
            running, "svc", policy(statement(asks, [NOTES, LAKE, every.replace("*:", "eu-central-1:", 1)]))
        )
        nosy = await user(running, "nosy", policy(statement("daypass:VerifyRequest", LAKE)))
        may = policy(statement("notes:Read", "arn:aws:notes:::1"), statement("s3:GetObject", "arn:aws:s3:::bucket/*"))
        ann = await user(running, "ann", may)
        session = await role_session(running, "reader", may)
        yield Asking(running, svc, nosy, ann, session)


async def user(running: Service, name: str, document: str | None = None) -> Credentials:
    """A new user with one policy and one access key."""
    await done(running.call("iam", "CreateUser", UserName=name))
    if document is not None:
        await done(running.call("iam", "PutUserPolicy", UserName=name, PolicyName="p", PolicyDocument=document))
    made = await done(running.call("iam", "CreateAccessKey", UserName=name))
    return Credentials(made.text("AccessKeyId"), made.text("SecretAccessKey"))


async def role_session(running: Service, name: str, document: str, caller: Credentials | None = None) -> Credentials:
    """A session of a new role, which root assumes through a user (root cannot assume roles)."""
    trust = policy(
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}
    )
    await done(running.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust))
    await done(running.call("iam", "PutRolePolicy", RoleName=name, PolicyName="p", PolicyDocument=document))
    if caller is None:
        caller = await user(running, f"starter-of-{name}", policy(statement("sts:*")))
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    made = await done(
        running.call(
            *("sts", "AssumeRole", caller),
            RoleArn=arn,
            RoleSessionName="morning",
            SourceIdentity="ann",
            DurationSeconds="900",
        )
    )
    return Credentials(made.text("AccessKeyId"), made.text("SecretAccessKey"), made.text("SessionToken"))


async def done(answer: Any) -> Any:
    """The answer, which is a result."""
    found = await answer
    assert found.status == 200, (found.code, found.message)
    return found


def string_to_sign(now: float, region: str = "rgw-1", service: str = "s3", digest: str = "0" * 64) -> bytes:
    """Four lines, as RGW computes them from a request."""
    stamp = datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"AWS4-HMAC-SHA256\n{stamp}\n{stamp[:8]}/{region}/{service}/aws4_request\n{digest}".encode()


def base64_of(text: bytes) -> str:
    """In base64."""
    return base64.b64encode(text).decode()

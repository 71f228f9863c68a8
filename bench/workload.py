# SPDX-License-Identifier: Apache-2.0
"""
The requests of a run: what botocore sends, byte for byte, but for many callers in turn, so that remembering the last
answer helps nobody. 256 tokens for AssumeRoleWithWebIdentity; for the other two 64 sessions, each signing four requests, again
before every slice. AssumeRole is asked for another role, as in role chaining.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlencode, urlsplit

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.parsers import create_parser

Operation = Literal["AssumeRoleWithWebIdentity", "AssumeRole", "GetCallerIdentity"]
OPERATIONS: Final[tuple[Operation, ...]] = ("AssumeRoleWithWebIdentity", "AssumeRole", "GetCallerIdentity")
TOKENS: Final = 256
SESSIONS: Final = 64
REQUESTS_PER_SESSION: Final = 4
REGION: Final = "us-east-1"

_SESSION = botocore.session.get_session()
_MODEL = _SESSION.get_service_model("sts")


@dataclass(frozen=True, slots=True)
class Workload:
    """Who calls: the role and its tokens, credentials of sessions of that role, and the role that these assume."""

    role_arn: str
    next_role_arn: str
    tokens: tuple[str, ...]
    sessions: tuple[Credentials, ...]

    def requests(self, operation: Operation, url: str) -> list[bytes]:
        """The raw requests to the server at ``url``; those that are signed are signed now."""
        if operation == "AssumeRoleWithWebIdentity":
            return [_raw(url, self._form(operation, number), None) for number in range(len(self.tokens))]
        signers = [credentials for _ in range(REQUESTS_PER_SESSION) for credentials in self.sessions]
        return [_raw(url, self._form(operation, number), credentials) for number, credentials in enumerate(signers)]

    def _form(self, operation: Operation, number: int) -> dict[str, str]:
        if operation == "GetCallerIdentity":
            return {"Action": operation}
        role = self.next_role_arn if operation == "AssumeRole" else self.role_arn
        form = {"Action": operation, "RoleArn": role, "RoleSessionName": f"worker-{number:04}"}
        return {**form, "WebIdentityToken": self.tokens[number]} if operation != "AssumeRole" else form


def write_requests(path: Path, requests: Iterable[bytes]) -> None:
    """Write requests in the form that ``wrk.lua`` reads."""
    with path.open("wb") as file:
        for request in requests:
            file.write(b"%d\n%b" % (len(request), request))


def parse_answer(operation: Operation, status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The answer as botocore understands it. Raises ValueError unless it is a success with what a caller needs."""
    shape = _MODEL.operation_model(operation).output_shape
    if shape is None:
        raise TypeError(f"{operation} answers nothing")
    parsed: dict[str, Any] = create_parser("query").parse(
        {"status_code": status, "headers": headers, "body": body}, shape
    )
    wanted = "Arn" if operation == "GetCallerIdentity" else "Credentials"
    if status != 200 or not parsed.get(wanted):
        raise ValueError(f"{operation} was answered with {status}: {body.decode('utf-8', 'replace')[:500]}")
    return parsed


def _raw(url: str, form: Mapping[str, str], credentials: Credentials | None) -> bytes:
    """One request as botocore sends it: its headers, in its order."""
    body = urlencode({"Action": form["Action"], "Version": "2011-06-15", **form})
    signed = AWSRequest(
        method="POST",
        url=f"{url}/",
        data=body,
        headers={
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": _SESSION.user_agent(),
        },
    )
    if credentials is not None:
        SigV4Auth(credentials, "sts", REGION).add_auth(signed)
    lines = [
        "POST / HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        "Accept-Encoding: identity",
        *(f"{name}: {value}" for name, value in signed.headers.items()),
        f"amz-sdk-invocation-id: {uuid.uuid4()}",
        "amz-sdk-request: attempt=1; max=3",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join((*lines, "", body)).encode()

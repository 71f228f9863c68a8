# SPDX-License-Identifier: Apache-2.0
"""The three servers: started, provided with a role and a provider, checked, and stopped."""

from __future__ import annotations

import configparser
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal
from urllib.parse import urlsplit

import boto3
from botocore.credentials import Credentials

from bench.identity_provider import AUDIENCE, IdentityProvider
from bench.workload import OPERATIONS, REGION, SESSIONS, TOKENS, Workload, parse_answer
from daypass.clock import system_clock

TargetName = Literal["bare", "daypass", "moto"]
TARGETS: Final[tuple[TargetName, ...]] = ("bare", "daypass", "moto")
ACCOUNT: Final = "123456789012"
ROLE: Final = "WebIdentityRole"
NEXT_ROLE: Final = "NextRole"
"""The role that sessions of the other assume."""
START_SECONDS: Final = 60

_HAS_TWO_CORES: Final = shutil.which("taskset") is not None and len(os.sched_getaffinity(0)) > 1
SERVER_CORE: Final = ("taskset", "-c", "0") if _HAS_TWO_CORES else ()
"""Every server runs on one core, and the load generator on another, where that can be arranged."""
CLIENT_CORE: Final = ("taskset", "-c", "1") if _HAS_TWO_CORES else ()


@dataclass(frozen=True, slots=True)
class Target:
    """A server that runs: where, and as which process."""

    name: TargetName
    url: str
    pid: int

    def reset(self) -> None:
        """Let moto forget the sessions it made: it looks them up one by one, and would get slower all the time."""
        if self.name == "moto":
            exchange(self.url, b"POST /moto-api/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: status, headers as sent, body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class TargetError(Exception):
    """A server did not start, or does not answer as it must."""


@contextmanager
def running_targets(directory: Path, names: tuple[TargetName, ...]) -> Iterator[tuple[list[Target], Workload]]:
    """The servers that were asked for, and the workload. daypass always runs: the sessions are its own."""
    with ExitStack() as stack:
        provider = IdentityProvider()
        stack.callback(provider.close)
        log = stack.enter_context((directory / "servers.log").open("wb"))
        daypass, served = _daypass(stack, directory, log)
        workload = _provided(served, provider)
        found = {"daypass": daypass}
        if "bare" in names:
            content = directory / "bare.json"
            content.write_text(json.dumps(_bare_content(daypass, workload, provider)), encoding="utf-8")
            bare, line = started(stack, log, "-m", "bench.bare", str(content))
            found["bare"] = Target("bare", line["url"], bare.pid)
            wait_for(found["bare"].url, bare)
        if "moto" in names:
            found["moto"] = _moto(stack, log)
        targets = [found[name] for name in names]
        for target in targets:
            check(target, workload)
        yield targets, workload


def check(target: Target, workload: Workload) -> None:
    """Send every request of the workload once. Raises TargetError unless all are answered as botocore wants it."""
    for operation in OPERATIONS:
        for request in workload.requests(operation, target.url):
            answer = exchange(target.url, request)
            try:
                parse_answer(operation, answer.status, dict(answer.headers), answer.body)
            except ValueError as error:
                raise TargetError(f"{target.name}: {error}") from None


def exchange(url: str, request: bytes) -> Answer:
    """One raw request on a connection of its own."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return Answer(response.status, response.getheaders(), response.read())


def _daypass(stack: ExitStack, directory: Path, log: IO[bytes]) -> tuple[Target, dict[str, Any]]:
    process, served = started(
        stack,
        log,
        *("-m", "daypass", "serve", "--json", "--allow-loopback-http"),
        *("--listen", "127.0.0.1:0", "--telemetry-listen", "127.0.0.1:0"),
        *("--data-dir", str(directory / "data"), "--account-id", ACCOUNT),
    )
    wait_for(served["url"], process)
    return Target("daypass", served["url"], process.pid), served


def _moto(stack: ExitStack, log: IO[bytes]) -> Target:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    # The program that moto installs is this call; threads and all are its own choice.
    process = _process(stack, log, "-c", "from moto.server import main; main()", "-p", str(port))
    target = Target("moto", f"http://127.0.0.1:{port}", process.pid)
    wait_for(target.url, process)
    return target


def run_program(stack: ExitStack, log: IO[bytes], *command: str) -> subprocess.Popen[bytes]:
    """Run a program until the stack unwinds; its standard error goes to ``log``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAYPASS_")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment)
    stack.callback(_stop, process)
    return process


def _process(stack: ExitStack, log: IO[bytes], *arguments: str) -> subprocess.Popen[bytes]:
    return run_program(stack, log, *SERVER_CORE, sys.executable, *arguments)


def started(stack: ExitStack, log: IO[bytes], *arguments: str) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    """A server in Python on the servers' core, and the line of JSON that it begins with. Raises TargetError."""
    process = _process(stack, log, *arguments)
    line = process.stdout.readline() if process.stdout is not None else b""
    if not line:
        raise TargetError(f"{' '.join(arguments[:3])} did not start: {Path(log.name).read_text()[-2000:]}")
    return process, json.loads(line)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until somebody listens there. Raises TargetError."""
    address, deadline = urlsplit(url), time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((address.hostname, address.port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TargetError(f"nothing answers at {url}")


def _provided(served: dict[str, Any], provider: IdentityProvider) -> Workload:
    """Register the provider, make the role, and assume it as often as there are sessions."""
    now = system_clock()
    profile = configparser.ConfigParser()
    profile.read(served["root_credentials"])
    root = profile["daypass-root"]
    session = boto3.Session(root["aws_access_key_id"], root["aws_secret_access_key"], region_name=REGION)
    role_arn, next_role_arn = _make_roles(session, served["url"], provider)
    sts = session.client("sts", endpoint_url=served["url"])
    tokens = tuple(provider.token(number, now) for number in range(TOKENS))
    sessions = []
    for number in range(SESSIONS):
        answer = sts.assume_role_with_web_identity(
            RoleArn=role_arn, RoleSessionName=f"worker-{number:04}", WebIdentityToken=tokens[number]
        )["Credentials"]
        sessions.append(Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]))
    return Workload(role_arn, next_role_arn, tokens, tuple(sessions))


def _make_roles(session: boto3.Session, url: str, provider: IdentityProvider) -> tuple[str, str]:
    iam = session.client("iam", endpoint_url=url)
    provider_arn = iam.create_open_id_connect_provider(Url=provider.url, ClientIDList=[AUDIENCE])[
        "OpenIDConnectProviderArn"
    ]
    trust = trust_policy(provider_arn, provider.url.partition("://")[2])
    permissions = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::lake*"}
    arn = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=ROLE, PolicyName="lake", PolicyDocument=_policy(permissions))
    next_arn = iam.create_role(RoleName=NEXT_ROLE, AssumeRolePolicyDocument=next_trust_policy(arn))["Role"]["Arn"]
    return arn, next_arn


def next_trust_policy(role_arn: str) -> str:
    """Trusts the sessions of a role."""
    return _policy({"Effect": "Allow", "Principal": {"AWS": role_arn}, "Action": "sts:AssumeRole"})


def trust_policy(provider_arn: str, name: str) -> str:
    """Trusts the service accounts of the provider (``name``: its issuer without the scheme): audience and subject."""
    return _policy(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"{name}:aud": AUDIENCE},
                "StringLike": {f"{name}:sub": "system:serviceaccount:team-*:worker-*"},
            },
        }
    )


def _policy(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _bare_content(daypass: Target, workload: Workload, provider: IdentityProvider) -> dict[str, Any]:
    """What the bare server needs, with answers that daypass gave. The server's own Date header is left to the server."""
    answers = {}
    for operation in OPERATIONS:
        answer = exchange(daypass.url, workload.requests(operation, daypass.url)[0])
        headers = [(name, value) for name, value in answer.headers if name.lower() not in ("date", "server")]
        answers[operation] = {"headers": headers, "body": answer.body.decode()}
    secrets = {credentials.access_key: credentials.secret_key for credentials in workload.sessions}
    return {"public_key": provider.public_key_pem(), "secrets": secrets, "answers": answers}

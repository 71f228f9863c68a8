# SPDX-License-Identifier: Apache-2.0
"""
The servers of ``bench.enforcement``: daypass with a gateway, nginx behind it and before it, and the two bare ones.

    wrk --> bare authorize | daypass /authz/lake                    one question of nginx
    wrk --> bare proxy | daypass's gateway --> nginx with files     GET of an object
    wrk --> nginx | nginx with auth_request (+ daypass) --> nginx   the same, behind nginx (docs/proxies/nginx.conf)

Callers are sessions of one role, which may read below the folder of the team that they are tagged with.
"""

from __future__ import annotations

import configparser
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench.targets import ACCOUNT, CLIENT_CORE, SERVER_CORE, TargetError, exchange, run_program, started, wait_for
from bench.workload import REGION

BUCKET: Final = "lake"
SESSIONS: Final = 64
TEAMS: Final = 8
KEYS_OF_A_TEAM: Final = 32
SMALL_BYTES: Final = 1024
LARGE_BYTES: Final = 64 * 1024 * 1024
PROXY_SECRET: Final = "the-proxys-secret"
_AGENT: Final = boto3.Session()._session.user_agent()
_EXAMPLE: Final = Path(__file__).parent.parent / "docs" / "proxies" / "nginx.conf"


@dataclass(frozen=True, slots=True)
class Server:
    """Where requests go, as which host they are signed, and the processes that answer."""

    url: str
    pids: tuple[int, ...]
    asks: bool = False
    """Requests are nginx's questions, and not the clients' own requests."""


@dataclass(frozen=True, slots=True)
class Servers:
    """All that run, by name; ``missing`` says why some do not."""

    sessions: tuple[Credentials, ...]
    found: Mapping[str, Server]
    missing: str | None

    def requests(self, name: str, *, large: bool) -> list[bytes]:
        """The raw requests to a server, signed now: four keys for each session, or the large object."""
        server = self.found[name]
        return [
            _raw(server, credentials, _key(number % TEAMS, number // TEAMS + turn, large=large))
            for turn in range(1 if large else 4)
            for number, credentials in enumerate(self.sessions)
        ]


@contextmanager
def running_servers(directory: Path) -> Iterator[Servers]:
    """Start, provide and check all of them. Raises TargetError when one does not answer as it must."""
    with ExitStack() as stack:
        log = stack.enter_context((directory / "servers.log").open("wb"))
        has_nginx = shutil.which("nginx") is not None
        files = _files(stack, directory, log) if has_nginx else f"http://127.0.0.1:{_free_port()}"
        daypass, served = _daypass(stack, directory, log, files)
        sessions = _sessions(served)
        found = {"daypass /authz": Server(served["url"], (daypass.pid,), asks=True)}
        found["bare authorize"] = _bare_authorize(stack, directory, log, found["daypass /authz"], sessions)
        if has_nginx:
            bare, line = started(stack, log, "-m", "bench.bare_proxy", files)
            found["bare proxy"] = Server(line["url"], (bare.pid,))
            found["daypass gateway"] = Server(served["gateway"], (daypass.pid,))
            found["nginx"] = _nginx(stack, directory / "plain", log, served["url"], files, asks=False)
            asking = _nginx(stack, directory / "asking", log, served["url"], files, asks=True)
            found["nginx, asking"] = Server(asking.url, (*asking.pids, daypass.pid))
        servers = Servers(
            sessions, found, None if has_nginx else "nginx is not installed (Debian: apt-get install nginx)"
        )
        for name in found:
            _check(servers, name)
        yield servers


def _check(servers: Servers, name: str) -> None:
    server = servers.found[name]
    for request in servers.requests(name, large=False):
        answer = exchange(server.url, request)
        if answer.status != 200 or len(answer.body) != (0 if server.asks else SMALL_BYTES):
            raise TargetError(f"{name}: answered {answer.status} with {answer.body[:500]!r}")
    if not server.asks and len(exchange(server.url, servers.requests(name, large=True)[0]).body) != LARGE_BYTES:
        raise TargetError(f"{name}: the large object is not as long as it is")


def _files(stack: ExitStack, directory: Path, log: IO[bytes]) -> str:
    """nginx with the objects as files, on the core of the load: it stands for any backend, and does not count."""
    room = directory / "backend"
    for team in range(TEAMS):
        folder = room / "www" / BUCKET / f"team-{team}"
        folder.mkdir(parents=True)
        for number in range(KEYS_OF_A_TEAM):
            (room / "www" / _key(team, number, large=False)[1:]).write_bytes(os.urandom(SMALL_BYTES))
        (room / "www" / _key(team, 0, large=True)[1:]).write_bytes(os.urandom(1 << 20) * (LARGE_BYTES >> 20))
    port = _free_port()
    (room / "nginx.conf").write_text(
        "pid nginx.pid; events {} http { access_log off; sendfile on; keepalive_requests 1000000000; keepalive_timeout 1h; "
        "client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e; "
        f"server {{ listen 127.0.0.1:{port}; root www; }} }}"
    )
    _run_nginx(stack, room, log, port, CLIENT_CORE)
    return f"http://127.0.0.1:{port}"


def _nginx(stack: ExitStack, room: Path, log: IO[bytes], daypass: str, files: str, *, asks: bool) -> Server:
    """The documented configuration; or the same without the question."""
    room.mkdir()
    port, text = _free_port(), _EXAMPLE.read_text(encoding="utf-8")
    for there, url in (("8080", f":{port}"), ("8450", daypass), ("9000", files)):
        text = text.replace(f"127.0.0.1:{there}", f"127.0.0.1:{url.rpartition(':')[2]}")
    if not asks:
        text = text.replace("auth_request     /.daypass/authz;", "auth_request     off;")
        if "auth_request     off;" not in text:
            raise TargetError(f"{_EXAMPLE} does not ask in the way that is known here")
    (room / "nginx.conf").write_text(text, encoding="utf-8")
    process = _run_nginx(stack, room, log, port, SERVER_CORE)
    return Server(f"http://127.0.0.1:{port}", (process.pid,))


def _run_nginx(
    stack: ExitStack, room: Path, log: IO[bytes], port: int, core: tuple[str, ...]
) -> subprocess.Popen[bytes]:
    # One process, whose CPU time is all there is.
    command = [*core, "nginx", "-p", str(room), "-c", str(room / "nginx.conf"), "-e", "stderr"]
    process = run_program(stack, log, *command, "-g", "daemon off; master_process off; error_log stderr warn;")
    wait_for(f"http://127.0.0.1:{port}", process)
    return process


def _daypass(
    stack: ExitStack, directory: Path, log: IO[bytes], files: str
) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    secret = directory / "secret"
    secret.write_text(PROXY_SECRET)
    secret.chmod(0o600)
    configuration = directory / "daypass.json"
    backend = {
        "name": BUCKET,
        "service": "s3",
        "upstream": files,
        "region": REGION,
        "account": ACCOUNT,
        "match": {"host": "127.0.0.1"},
        "proxy": "nginx",
        "sign_as": {"access_key_id": "backend", "secret_access_key": {"file": str(secret)}},
    }
    gateway = {"proxy_secret": {"file": str(secret)}, "backends": [backend]}
    configuration.write_text(json.dumps({"gateway": gateway}))  # JSON is YAML
    process, served = started(
        stack,
        log,
        *("-m", "daypass", "serve", "--json", "--allow-loopback-http", "--config", str(configuration)),
        *("--listen", "127.0.0.1:0", "--telemetry-listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0"),
        *("--data-dir", str(directory / "data"), "--account-id", ACCOUNT),
    )
    wait_for(served["url"], process)
    return process, served


def _bare_authorize(
    stack: ExitStack, directory: Path, log: IO[bytes], daypass: Server, sessions: tuple[Credentials, ...]
) -> Server:
    """With an answer that daypass gave. The server's own Date header is left to the server."""
    answer = exchange(daypass.url, _raw(daypass, sessions[0], _key(0, 0, large=False)))
    content = directory / "bare-authorize.json"
    headers = [(name, value) for name, value in answer.headers if name.lower() not in ("date", "server")]
    secrets = {one.access_key: one.secret_key for one in sessions}
    content.write_text(json.dumps({"secrets": secrets, "headers": headers}), encoding="utf-8")
    process, line = started(stack, log, "-m", "bench.bare_authorize", str(content))
    return Server(line["url"], (process.pid,), asks=True)


def _sessions(served: dict[str, Any]) -> tuple[Credentials, ...]:
    """A user, a role that it may assume with a tag, and sessions of the role for every team."""
    profile = configparser.ConfigParser()
    profile.read(served["root_credentials"])
    root = profile["daypass-root"]
    session = boto3.Session(root["aws_access_key_id"], root["aws_secret_access_key"], region_name=REGION)
    iam = session.client("iam", endpoint_url=served["url"])
    user = iam.create_user(UserName="worker")["User"]
    trust = {"Effect": "Allow", "Principal": {"AWS": user["Arn"]}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    role = iam.create_role(RoleName="Reader", AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="Reader", PolicyName="team", PolicyDocument=_policy(*_STATEMENTS))
    own = iam.create_access_key(UserName="worker")["AccessKey"]
    worker = boto3.Session(own["AccessKeyId"], own["SecretAccessKey"], region_name=REGION)
    sts = worker.client("sts", endpoint_url=served["url"])
    found = []
    for number in range(SESSIONS):
        answer = sts.assume_role(
            RoleArn=role,
            RoleSessionName=f"worker-{number:04}",
            Tags=[{"Key": "team", "Value": f"team-{number % TEAMS}"}],
        )["Credentials"]
        found.append(Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]))
    return tuple(found)


_ARN: Final = f"arn:aws:s3:::{BUCKET}"
_STATEMENTS: Final[tuple[dict[str, object], ...]] = (
    {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        "Resource": f"{_ARN}/${{aws:PrincipalTag/team}}/*",
    },
    {
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": _ARN,
        "Condition": {"StringLike": {"s3:prefix": "${aws:PrincipalTag/team}/*"}},
    },
    {"Effect": "Deny", "Action": "s3:*", "Resource": f"{_ARN}/*/private/*"},
)


def _policy(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _key(team: int, number: int, *, large: bool) -> str:
    return f"/{BUCKET}/team-{team}/large.bin" if large else f"/{BUCKET}/team-{team}/part-{number:05}.parquet"


def _raw(server: Server, credentials: Credentials, path: str) -> bytes:
    """One request as botocore sends it; as a question, with what nginx adds."""
    signed = AWSRequest(method="GET", url=f"{server.url}{path}", headers={"User-Agent": _AGENT})
    S3SigV4Auth(credentials, "s3", REGION).add_auth(signed)
    lines = [
        "GET /authz/lake HTTP/1.1" if server.asks else f"GET {path} HTTP/1.1",
        f"Host: {urlsplit(server.url).netloc}",
        "Accept-Encoding: identity",
        *(f"{name}: {value}" for name, value in signed.headers.items()),
        "amz-sdk-invocation-id: 7dbe2a19-026f-44d4-a53a-287567bb155b",
        "amz-sdk-request: attempt=1; max=3",
    ]
    if server.asks:
        lines += [
            "X-Original-Method: GET",
            f"X-Original-URI: {path}",
            "X-Forwarded-For: 127.0.0.1",
            f"X-Daypass-Proxy: {PROXY_SECRET}",
        ]
    return "\r\n".join((*lines, "", "")).encode()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])

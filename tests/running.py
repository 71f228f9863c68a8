# SPDX-License-Identifier: Apache-2.0
"""
A real server for tests: ``python -m daypass serve`` in a process of its own, on free ports, in an environment of its own.

    with running_server(tmp_path, allow_loopback_http=True) as server:
        server.client("sts", server.root()).get_caller_identity()
        server.kill9()
        server.start()  # on the same data directory

What it wrote to standard error is kept in ``server.log_path``; ``server.alarms()`` are the lines that must not be there.
"""

from __future__ import annotations

import configparser
import http.client
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore import UNSIGNED
from botocore.config import Config

START_SECONDS = 30.0
"""How long a start may take before the tests give up on it: far beyond what is promised, this machine may be busy."""

CLIENT_CONFIG = Config(
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=5,
    read_timeout=30,
    parameter_validation=False,
)
"""One attempt, so that a test sees the answer it asked for; what is wrong is for the server to say, not for the client."""


@dataclass(frozen=True)
class Keys:
    """A key pair, with the session token of temporary credentials."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, credentials: Mapping[str, Any]) -> Keys:
        """From the ``Credentials`` of an AssumeRole* answer."""
        return cls(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])

    def environment(self) -> dict[str, str]:
        """As the variables that AWS's tools read."""
        pair = {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}
        return pair if self.session_token is None else {**pair, "AWS_SESSION_TOKEN": self.session_token}


@dataclass(frozen=True)
class Ran:
    """How a run of the AWS command line ended."""

    code: int
    output: str
    error: str

    @property
    def answer(self) -> Any:
        """The JSON that it printed."""
        assert self.code == 0, self.error
        return json.loads(self.output)


def make_client(url: str, service: str, keys: Keys | None = None, region: str = "us-east-1") -> Any:
    """A boto3 client; without keys one that signs nothing. Clients are kept: making one takes longer than a call."""
    name = (url, service, keys, region)
    if name not in _clients:
        config = CLIENT_CONFIG if keys is not None else CLIENT_CONFIG.merge(Config(signature_version=UNSIGNED))
        pair = keys or Keys("unused", "unused")
        session: Any = _session()  # any service: the stubs know a fixed list
        _clients[name] = session.client(
            service,
            endpoint_url=url,
            region_name=region,
            aws_access_key_id=pair.access_key_id,
            aws_secret_access_key=pair.secret_access_key,
            aws_session_token=pair.session_token,
            config=config,
        )
    return _clients[name]


_clients: dict[tuple[str, str, Keys | None, str], Any] = {}
_sessions: list[boto3.Session] = []


def _session() -> boto3.Session:
    if not _sessions:
        _sessions.append(boto3.Session())
    return _sessions[0]


def _command_line(process: str) -> bytes:
    """How a process was started; nothing when it has ended meanwhile."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


class Server:
    """One server and its data directory; it may be stopped, killed and started again."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.data_dir = folder / "data"
        self.log_path = folder / "server.log"
        self.home = folder / "home"
        self.settings = {"account_id": "123456789012", **settings}
        self.announced: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where STS and IAM are."""
        return str(self.announced["url"])

    @property
    def health(self) -> str:
        """The URL of the readiness check."""
        return str(self.announced["health"])

    @property
    def pid(self) -> int:
        """The process that was started; with several workers, their supervisor."""
        assert self._process is not None
        return self._process.pid

    def workers(self) -> list[int]:
        """The processes that answer requests: the children that have the socket, or the process itself."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()
        if self.settings.get("workers", 1) == 1:
            return [self.pid]
        return [int(child) for child in children if b"spawn_main" in _command_line(child)]

    def start(self) -> float:
        """Start, and wait for the first answer. Returns the seconds that it took."""
        assert self._process is None, "it runs already"
        self.home.mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "daypass", "serve", "--json"],
                env=self._environment(),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.announced = json.loads(self._first_line(began + START_SECONDS))
            self._wait_for_an_answer(began + START_SECONDS)
        except BaseException:
            self.kill9()
            raise
        return time.perf_counter() - began

    def _environment(self) -> dict[str, str]:
        settings = {
            "listen": "127.0.0.1:0",
            "telemetry_listen": "127.0.0.1:0",
            "data_dir": self.data_dir,
            **self.settings,
        }
        environment = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        environment["HOME"] = str(self.home)
        return environment | {f"DAYPASS_{name.upper()}": _setting(value) for name, value in settings.items()}

    def _first_line(self, deadline: float) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], deadline - time.perf_counter())
        line = self._process.stdout.readline() if readable else b""
        assert line, f"the server did not start: {self.log()}"
        return line

    def _wait_for_an_answer(self, deadline: float) -> None:
        assert self._process is not None
        while True:
            assert self._process.poll() is None, f"the server ended: {self.log()}"
            assert time.perf_counter() < deadline, f"the server does not answer: {self.log()}"
            try:
                get(self.url)
            except OSError:
                time.sleep(0.002)
            else:
                return

    def stop(self) -> int:
        """Ask it to end, and wait. Returns its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._ended()

    def kill9(self) -> None:
        """End it without asking, workers included."""
        assert self._process is not None
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has ended by itself
        self._ended()

    def _ended(self) -> int:
        process, self._process = self._process, None
        assert process is not None
        assert process.stdout is not None
        with process.stdout:
            return process.wait(timeout=START_SECONDS)

    @property
    def running(self) -> bool:
        """Whether it was started and not ended from here."""
        return self._process is not None

    def root(self) -> Keys:
        """The root access key, from the file of the data directory."""
        parser = configparser.ConfigParser()
        parser.read(self.data_dir / "root-credentials", encoding="utf-8")
        profile = parser["daypass-root"]
        return Keys(profile["aws_access_key_id"], profile["aws_secret_access_key"])

    def client(self, service: str, keys: Keys | None = None, region: str = "us-east-1") -> Any:
        """A boto3 client of this server; without keys one that signs nothing."""
        return make_client(self.url, service, keys, region)

    def aws(self, *arguments: str, keys: Keys | None = None, **environment: str) -> Ran:
        """Run the real AWS command line against this server, with nothing of this machine's configuration."""
        clean = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_DEFAULT_OUTPUT": "json",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }
        command = [str(Path(sys.executable).with_name("aws")), *arguments, "--endpoint-url", self.url]
        variables = clean | ({} if keys is None else keys.environment()) | environment
        ran = subprocess.run(
            command, env=variables, cwd=self.home, capture_output=True, text=True, timeout=60, check=False
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def log(self) -> str:
        """Everything it has written to standard error so far, over all starts."""
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def alarms(self) -> list[str]:
        """The lines of its log that are an alarm: an error that is ours, a traceback, a warning of the interpreter."""
        signs = ("internal failure", "Traceback", "Warning", '"level": "error"')
        return [line for line in self.log().splitlines() if any(sign in line for sign in signs)]


def _setting(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def get(url: str) -> tuple[int, bytes]:
    """GET without any header of a client library. Raises OSError when nobody answers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(type(error).__name__) from error
    finally:
        connection.close()


@contextmanager
def running_server(folder: Path, **settings: Any) -> Iterator[Server]:
    """A server that is killed, if it still runs, when the block ends."""
    server = Server(folder, **settings)
    server.start()
    try:
        yield server
    finally:
        if server.running:
            server.kill9()


def start_server(folder: Path, **settings: Any) -> Server:
    """A server that runs; whoever starts it ends it."""
    server = Server(folder, **settings)
    server.start()
    return server

# SPDX-License-Identifier: Apache-2.0
"""``daypass demo``, run for real: its own server, its own identity provider, the real aws command."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

DEMO = (sys.executable, "-m", "daypass", "demo")
SECONDS = 120.0
"""Far more than it takes, which is about ten: this machine may be busy."""

IN_THE_WAY = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "of-somebody-else",
    "AWS_SESSION_TOKEN": "of-somebody-else",
    "AWS_PROFILE": "no-such-profile",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
    "AWS_CONFIG_FILE": "/no/such/file",
    "AWS_DEFAULT_OUTPUT": "text",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "DAYPASS_WORKERS": "nonsense",
    "DAYPASS_DATA_DIR": "/no/such/directory",
}
"""What may stand in the environment of whoever starts the demo, and must not reach what it starts."""


@dataclass(frozen=True)
class Ended:
    """A demo that has ended, and what it left in its temporary directory."""

    code: int
    output: str
    left: list[str]

    @property
    def document(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.output)
        return content

    def urls(self) -> set[str]:
        return set(re.findall(r"http://127\.0\.0\.1:[0-9]+", self.output))


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DAYPASS_"))}
    return {**kept, **IN_THE_WAY, "TMPDIR": str(folder)}


def run(folder: Path, *arguments: str) -> Ended:
    ended = subprocess.run(
        [*DEMO, *arguments], env=environment(folder), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    return Ended(ended.returncode, ended.stdout, [path.name for path in folder.iterdir()])


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return run(tmp_path_factory.mktemp("text"), "--exit")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return run(tmp_path_factory.mktemp("json"), "--exit", "--json")


@contextmanager
def serving(folder: Path, until: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A demo that has printed a line which begins with ``until``, and all that it had printed by then."""
    with subprocess.Popen(
        [*DEMO, *arguments],
        env=environment(folder),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_heed_signals,
    ) as process:
        try:
            assert process.stdout is not None
            printed = ""
            for line in process.stdout:
                printed += line
                if line.strip().startswith(until):
                    break
            yield process, printed
        finally:
            process.kill()


def _heed_signals() -> None:
    """Tests that run in the background of a shell, or under nohup, ignore signals, and what they start does too."""
    for signal_number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(signal_number, signal.SIG_DFL)


def is_listening(url: str) -> bool:
    try:
        with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=5):
            return True
    except ConnectionRefusedError:
        return False


def test_the_demo_ends_well_and_leaves_nothing(told: Ended) -> None:
    assert told.code == 0, told.output
    assert told.left == []
    assert len(told.urls()) == 2
    assert [url for url in told.urls() if is_listening(url)] == []


def test_the_command_of_the_documentation_is_run_to_the_letter(document: Ended) -> None:
    assert (
        "aws sts assume-role-with-web-identity --role-arn arn:aws:iam::123456789012:role/WebIdentityRole"
        " --role-session-name WebSession --web-identity-token file://token.jwt"
    ) in [step["command"] for step in document.document["steps"]]


def test_one_call_is_allowed_and_one_is_denied_for_the_right_reason(document: Ended) -> None:
    assert (document.code, document.document["ok"]) == (0, True)
    allowed, denied = document.document["steps"][-2:]
    assert (allowed["command"], allowed["outcome"], allowed["exit_code"]) == (
        "aws iam get-role --role-name WebIdentityRole",
        "allowed",
        0,
    )
    assert (denied["command"], denied["outcome"]) == ("aws iam delete-role --role-name WebIdentityRole", "denied")
    assert denied["exit_code"] != 0
    [sentence] = denied["answer"]
    assert "(AccessDenied)" in sentence
    assert "assumed-role/WebIdentityRole/WebSession is not authorized to perform: iam:DeleteRole" in sentence
    assert "because no identity-based policy allows the iam:DeleteRole action" in sentence
    assert "ReadThisRole is the role's only policy" in denied["why"]


def test_text_and_document_have_the_same_steps_in_the_same_order(told: Ended, document: Ended) -> None:
    numbered = re.findall(r"^ ?([0-9]+)  (.+)$", told.output, re.MULTILINE)
    assert [int(number) for number, _ in numbered] == list(range(1, 10))
    assert [title for _, title in numbered] == [step["title"] for step in document.document["steps"]]
    assert document.document["serving"] is None


def test_secrets_are_shortened(told: Ended, document: Ended) -> None:
    for ended in (told, document):
        assert re.search(r"SecretAccessKey +\S{4}\.\.\. \(40 characters\)", ended.output)
        assert re.search(r"SessionToken +\S{4}\.\.\. ", ended.output)
        assert not re.search(r"eyJ[A-Za-z0-9_-]{10,}", ended.output)
        assert max(len(word) for word in re.findall(r"[A-Za-z0-9+=]+", ended.output)) < 40


def test_text_that_goes_to_no_terminal_has_no_colours(told: Ended) -> None:
    assert "\x1b" not in told.output


def test_without_exit_it_serves_on_until_it_is_interrupted(tmp_path: Path) -> None:
    with serving(tmp_path, "Ctrl-C ends it") as (process, printed):
        page = re.search(r"Page to open: (\S+)", printed)
        assert page is not None
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(page[1], timeout=10) as answer:
            assert b"development only" in answer.read()
        lines = printed[printed.index("To go on") :].splitlines()[1:-1]
        assert lines[0].split() == ["unset", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
        assert as_typed(lines, tmp_path) == "arn:aws:sts::123456789012:assumed-role/WebIdentityRole/WebSession"
        assert list(tmp_path.iterdir()) != []
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to the demo and to all that it started
        assert process.wait(SECONDS) == 0
    assert list(tmp_path.iterdir()) == []
    assert not is_listening(page[1])


def as_typed(lines: list[str], folder: Path) -> Any:
    """What the printed lines do in another shell, whose environment has the same things in the way."""
    shell = environment(folder) | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    del shell["AWS_CONFIG_FILE"], shell["AWS_ENDPOINT_URL_STS"]
    script = "\n".join([*lines, ""]).replace("get-caller-identity", "get-caller-identity --output json")
    ran = subprocess.run(
        ["/bin/sh", "-e"], input=script, env=shell, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)["Arn"]


def test_stopped_alone_it_ends_what_it_started(tmp_path: Path) -> None:
    with serving(tmp_path, "Ctrl-C ends it") as (process, printed):
        process.terminate()
        assert process.wait(SECONDS) == 0
    assert list(tmp_path.iterdir()) == []
    assert [url for url in re.findall(r"http://127\.0\.0\.1:[0-9]+", printed) if is_listening(url)] == []


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped_in_the_middle_it_fails_and_leaves_nothing(tmp_path: Path, signal_number: signal.Signals) -> None:
    with serving(tmp_path, "$ aws iam create-role", "--exit") as (process, printed):
        os.killpg(process.pid, signal_number)
        assert process.wait(SECONDS) == 1
    assert list(tmp_path.iterdir()) == []
    urls = re.findall(r"http://127\.0\.0\.1:[0-9]+", printed)
    assert urls
    assert [url for url in urls if is_listening(url)] == []

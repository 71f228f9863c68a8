# SPDX-License-Identifier: Apache-2.0
"""The demo's verdict: it believes the answers of the aws command, and nothing else. Here the answers are a script's."""

from __future__ import annotations

import asyncio
import io
import json
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from daypass.cli.demo.aws import Answer, Aws, Credentials, find_aws, scrubbed
from daypass.cli.demo.command import demonstrate, next_lines
from daypass.cli.demo.exchange import Exchange
from daypass.cli.demo.provider import DevelopmentProvider
from daypass.cli.demo.report import JsonReport, Outcome, Step, StillServing, TextReport
from daypass.cli.demo.server import ThrowAwayServer, server_environment, throw_away_server
from daypass.cli.demo.story import ROLE_ARN, SESSION, SESSION_CREDENTIALS, Story
from daypass.clock import system_clock
from daypass.errors import ConfigurationError, Reason

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
GIVEN = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": SECRET, "SessionToken": "t" * 300, "Expiration": "2027-01-15"}
ANSWERS: Mapping[str, tuple[int, object]] = {
    "create-open-id-connect-provider": (0, {"OpenIDConnectProviderArn": "arn:provider"}),
    "create-role": (0, {"Role": {"Arn": ROLE_ARN}}),
    "put-role-policy": (0, None),
    "assume-role-with-web-identity": (0, {"Credentials": GIVEN}),
    "get-caller-identity": (0, {"Arn": "arn:session"}),
    "get-role": (0, {"Role": {"Arn": ROLE_ARN}}),
    "delete-role": (
        254,
        "An error occurred (AccessDenied) when calling the DeleteRole operation: User: arn:aws:sts::123456789012:"
        "assumed-role/WebIdentityRole/WebSession is not authorized to perform: iam:DeleteRole on resource: role"
        " WebIdentityRole because no identity-based policy allows the iam:DeleteRole action",
    ),
}
"""By operation: the exit code, and what is said, on standard output if it is JSON and on standard error if it is text."""


def fake_aws(folder: Path, answers: Mapping[str, tuple[int, object]]) -> str:
    """A program that says what it is told to, by its second argument."""
    path = folder / "aws"
    path.write_text(
        f"#!{sys.executable} -S\nimport json, sys\ncode, said = {dict(answers)!r}[sys.argv[2]]\n"
        "if isinstance(said, str): sys.stderr.write('\\n' + said + '\\n')\n"
        "elif said is not None: print(json.dumps(said))\nsys.exit(code)\n",
        encoding="utf-8",
    )
    path.chmod(0o700)
    return str(path)


async def tell(folder: Path, **changes: tuple[int, object]) -> tuple[bool, list[dict[str, Any]]]:
    """Whether the story ended as it should, and its steps. A change is an operation's, with underscores."""
    answers = {**ANSWERS, **{name.replace("_", "-"): answer for name, answer in changes.items()}}
    out = io.StringIO()
    report = JsonReport(out)
    nobody = await asyncio.create_subprocess_exec("true")
    await nobody.wait()
    server = ThrowAwayServer("http://127.0.0.1:1", folder / "root", folder / "log", nobody)
    async with DevelopmentProvider(system_clock, Exchange(server.url, ROLE_ARN, SESSION)) as provider:
        ok = await Story(server, provider, Aws(fake_aws(folder, answers), folder), folder, report).tell()
    report.finish(ok, None)
    return ok, json.loads(out.getvalue())["steps"]


async def test_the_story_ends_well_when_one_call_is_allowed_and_one_denied(tmp_path: Path) -> None:
    ok, steps = await tell(tmp_path)
    assert ok
    assert [step["outcome"] for step in steps] == ["done"] * 6 + ["allowed", "denied"]
    for name in ("token.jwt", SESSION_CREDENTIALS):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert (tmp_path / "token.jwt").read_text().count(".") == 2
    assert not (tmp_path / "token.jwt").read_text().endswith("\n")
    assert SECRET in (tmp_path / SESSION_CREDENTIALS).read_text()
    assert SECRET not in json.dumps(steps)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0, None),
        (254, "An error occurred (AccessDenied) when calling the DeleteRole operation: no"),
        (254, "An error occurred (NoSuchEntity) when calling the DeleteRole operation: gone"),
        (254, "An error occurred (InternalFailure) when calling the DeleteRole operation: iam:DeleteRole"),
        (255, "Could not connect to the endpoint URL"),
        (0, ANSWERS["delete-role"][1]),
        (254, str(ANSWERS["delete-role"][1]).replace("iam:DeleteRole", "iam:DeleteRolePolicy")),
        (254, str(ANSWERS["delete-role"][1]).replace("(AccessDenied)", "(AccessDeniedException)")),
    ],
)
async def test_anything_but_the_denial_of_that_action_fails(tmp_path: Path, code: int, said: object) -> None:
    ok, steps = await tell(tmp_path, delete_role=(code, said))
    assert not ok
    assert steps[-1]["outcome"] == "failed"


@pytest.mark.parametrize("operation", [name for name in ANSWERS if name != "delete-role"])
async def test_the_first_step_that_fails_is_the_last(tmp_path: Path, operation: str) -> None:
    ok, steps = await tell(tmp_path, **{operation: (254, "An error occurred (AccessDenied): no")})
    assert not ok
    assert operation in steps[-1]["command"]
    assert [step["outcome"] for step in steps if step["outcome"] == "failed"] == ["failed"]
    assert steps[-1]["answer"] == ["An error occurred (AccessDenied): no"]


@pytest.mark.parametrize("answer", [{}, {"Credentials": {"AccessKeyId": "ASIA"}}, [], {"Credentials": None}])
async def test_an_answer_of_another_form_fails(tmp_path: Path, answer: object) -> None:
    ok, steps = await tell(tmp_path, assume_role_with_web_identity=(0, answer))
    assert not ok
    assert steps[-1]["why"] == "the answer is not of the expected form"


# The aws command


@pytest.mark.parametrize(
    ("version", "usable"),
    [
        ("aws-cli/1.28.9 Python/3.11", False),
        ("aws-cli/1.29.0 Python/3.11", True),
        ("aws-cli/2.12.7 Python/3.11", False),
        ("aws-cli/2.13.0 Python/3.11", True),
        ("aws-cli/3.0.0 Python/3.11", True),
        ("something else", False),
    ],
)
async def test_an_aws_command_that_would_ask_aws_itself_is_refused(tmp_path: Path, version: str, usable: bool) -> None:
    program = tmp_path / "aws"
    program.write_text(f"#!/bin/sh\necho '{version}'\n", encoding="utf-8")
    program.chmod(0o700)
    if usable:
        await Aws(str(program), tmp_path).require_usable()
        return
    with pytest.raises(ConfigurationError) as refused:
        await Aws(str(program), tmp_path).require_usable()
    assert refused.value.reason is Reason.CONFIGURATION_INVALID


def test_the_aws_command_beside_python_comes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path, beside = tmp_path / "path", tmp_path / "beside"
    for folder in (on_path, beside):
        folder.mkdir()
        fake_aws(folder, ANSWERS)
    monkeypatch.setenv("PATH", str(on_path))
    monkeypatch.setattr(sys, "executable", str(beside / "python"))
    assert find_aws() == str(beside / "aws")
    (beside / "aws").unlink()
    assert find_aws() == str(on_path / "aws")
    (on_path / "aws").unlink()
    with pytest.raises(ConfigurationError) as refused:
        find_aws()
    assert "pip install 'daypass[demo]'" in str(refused.value)


async def test_a_command_sees_its_own_settings_only(tmp_path: Path) -> None:
    program = tmp_path / "aws"
    program.write_text(f"#!{sys.executable}\nimport json, os\nprint(json.dumps(dict(os.environ)))\n", encoding="utf-8")
    program.chmod(0o700)
    theirs = {"AWS_ACCESS_KEY_ID": "AKIA", "aws_thing": "x", "HTTPS_PROXY": "http://a.example", "KEPT": "yes"}
    aws = Aws(str(program), tmp_path, {**theirs, "PATH": os.environ["PATH"]})
    answer = await aws.run(("sts",), Credentials("p", tmp_path / "c"), "http://127.0.0.1:1")
    seen = {name: value for name, value in json.loads(answer.output).items() if "AWS" in name.upper()}
    assert seen == {
        "AWS_PROFILE": "p",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "c"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_DEFAULT_OUTPUT": "json",
        "AWS_PAGER": "",
    }
    assert scrubbed(theirs) == {"KEPT": "yes"}


def test_a_complaint_is_one_line() -> None:
    assert Answer(1, "", "\nAn error\n  occurred \n").complaint == "An error occurred"


# The server


def test_the_server_sees_none_of_the_callers_settings(tmp_path: Path) -> None:
    own = server_environment({"DAYPASS_STATE": "x", "DAYPASS_LISTEN": "0.0.0.0:80", "KEPT": "yes"}, tmp_path)
    assert own["DAYPASS_LISTEN"] == own["DAYPASS_TELEMETRY_LISTEN"] == "127.0.0.1:0"
    assert own["KEPT"] == "yes"
    assert "DAYPASS_STATE" not in own


async def test_a_server_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daypass.cli.demo.server.ACCOUNT_ID", "twelve")
    with pytest.raises(ConfigurationError) as refused:
        async with throw_away_server(tmp_path):
            pytest.fail("it started")
    assert "DAYPASS_ACCOUNT_ID" in str(refused.value)


async def test_a_start_that_fails_is_a_step_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daypass.cli.demo.server.ACCOUNT_ID", "twelve")
    out = io.StringIO()
    assert await demonstrate(fake_aws(tmp_path, ANSWERS), JsonReport(out), keep_serving=True) == 1
    document = json.loads(out.getvalue())
    assert (document["ok"], document["serving"]) == (False, None)
    assert [step["outcome"] for step in document["steps"]] == ["failed"]


async def test_a_story_that_fails_is_exit_code_1_and_nothing_is_served_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "aws"
    program.write_text("#!/bin/sh\n[ $1 = --version ] && echo aws-cli/2.13.0 && exit\nexit 3\n", encoding="utf-8")
    program.chmod(0o700)
    out = io.StringIO()
    assert await demonstrate(str(program), JsonReport(out), keep_serving=True) == 1
    document = json.loads(out.getvalue())
    assert (document["ok"], document["serving"]) == (False, None)
    assert [step["outcome"] for step in document["steps"]] == ["done", "failed"]
    assert document["steps"][-1]["exit_code"] == 3
    assert capfd.readouterr().out == ""


# What is printed


class Terminal(io.StringIO):
    """Text that goes to a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_a_terminal_has_colours_unless_no_color_is_set(
    monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Terminal()
    report = TextReport(out)
    report.begin("Title", ("aws", "[bold]"))
    report.end(Step("Title", ("aws",), 1, Outcome.FAILED, ("[red]answer",), "why"))
    report.finish(False, None)
    assert ("\x1b[" in out.getvalue()) is coloured
    assert "[red]answer" in out.getvalue()  # an answer is text, never markup


def test_a_long_answer_is_broken_between_words_and_keeps_them_all() -> None:
    out = io.StringIO()
    sentence = " ".join(["arn:aws:iam::123456789012:role/a-b-c"] * 10)
    TextReport(out).end(Step("Title", (), 1, Outcome.DENIED, (sentence,), "why"))
    assert out.getvalue().split()[-12:-2] == sentence.split()
    assert max(map(len, out.getvalue().splitlines())) <= 104


def test_what_is_still_served_is_in_the_document() -> None:
    out = io.StringIO()
    JsonReport(out).finish(True, StillServing("http://127.0.0.1:1", ["export A=b"]))
    assert json.loads(out.getvalue())["serving"] == {"page": "http://127.0.0.1:1", "next": ["export A=b"]}


def test_the_next_lines_clear_what_would_win_and_are_quoted_for_the_shell() -> None:
    plain = next_lines("http://127.0.0.1:1", Path("/tmp/two words"), {})
    assert plain == [
        "export AWS_ENDPOINT_URL=http://127.0.0.1:1",
        "export AWS_SHARED_CREDENTIALS_FILE='/tmp/two words/session-credentials'",
        "export AWS_PROFILE=WebSession",
        "export AWS_DEFAULT_REGION=us-east-1",
        "aws sts get-caller-identity",
    ]
    crowded = next_lines("http://127.0.0.1:1", Path("/tmp"), {"AWS_SESSION_TOKEN": "x", "HTTP_PROXY": "y"})
    assert crowded[0] == "unset AWS_SESSION_TOKEN"
    assert "export NO_PROXY=127.0.0.1" in crowded

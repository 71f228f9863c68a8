# SPDX-License-Identifier: Apache-2.0
"""``daypass accounts``: what it prints, its exit codes, and that a running server knows at its next request."""

from __future__ import annotations

import asyncio
import configparser
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from daypass.cli import main as cli
from daypass.sealing import MasterKey
from in_process import ACCOUNT, service
from organizations.governed import ALLOW_ALL, rcp

LAB = "210000000001"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory of a server that has been started once; the environment's."""
    directory = tmp_path / "data"

    async def start() -> None:
        async with service(directory):
            pass

    asyncio.run(start())
    monkeypatch.setenv("DAYPASS_DATA_DIR", str(directory))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    return directory


@pytest.fixture
def run(data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``daypass accounts``: the exit code, standard output, standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["daypass", "accounts", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def done(run: Run, *arguments: str) -> dict[str, Any]:
    """The answer of a command that succeeds, as JSON."""
    code, out, err = run(*arguments, "--json")
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def refused(run: Run, *arguments: str) -> str:
    """The line that a command which is refused ends with."""
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    [line] = err.splitlines()
    assert line.startswith("daypass: ")
    return line.removeprefix("daypass: ")


def misused(run: Run, *arguments: str) -> str:
    """What wrong usage is told."""
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    return err


def credentials_in(path: Path, profile: str) -> Credentials:
    parser = configparser.ConfigParser()
    parser.read(path)
    return Credentials(parser[profile]["aws_access_key_id"], parser[profile]["aws_secret_access_key"])


def test_the_first_account_is_listed_as_the_management_account(run: Run) -> None:
    assert run("list") == (0, f"{ACCOUNT}  open  -  -  management account\n", "")
    [found] = done(run, "list")["accounts"]
    assert (found["number"], found["management"], found["place"]) == (ACCOUNT, True, None)


def test_a_new_accounts_root_key_is_in_a_file_that_only_its_owner_can_read(run: Run, data: Path) -> None:
    code, out, err = run("create", "lab", "--account-id", LAB)
    path = data / f"root-credentials-{LAB}"
    profile = f"daypass-root-{LAB}"
    assert (code, err) == (0, "")
    assert out == f"Account {LAB} 'lab' is there.\nRoot credentials: {path} (profile {profile})\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = credentials_in(path, profile)
    assert key.secret_key not in out
    assert (data / "root-credentials").exists() is False  # the first account's key was given, and stays as it is


def test_the_answer_as_json_says_where_the_key_is_and_not_what_it_is(run: Run, data: Path) -> None:
    made = done(run, "create", "lab")
    number = made["account"]["number"]
    path = Path(made["root_credentials"])
    assert path == data / f"root-credentials-{number}"
    assert credentials_in(path, made["profile"]).secret_key not in json.dumps(made)


async def test_a_running_server_knows_at_its_next_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command runs in a thread, with an event loop of its own, as it would in another process."""

    def command(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["daypass", "accounts", *arguments, "--data-dir", str(tmp_path)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    deny = tmp_path / "deny.json"
    deny.write_text(ALLOW_ALL.replace('"Allow"', '"Deny"'))
    async with service(tmp_path) as running:

        async def listing() -> str | None:
            key = credentials_in(tmp_path / f"root-credentials-{LAB}", f"daypass-root-{LAB}")
            return (await running.call("iam", "ListUsers", key)).code

        for arguments, expected in (
            (("create", "lab", "--account-id", LAB), None),
            (("organization", "create"), None),
            (("policies", "create", "No", "--type", "scp", "--document", str(deny)), None),
            (("policies", "attach", "No", "root"), "AccessDenied"),
            (("policies", "detach", "No", "root"), None),
            (("close", LAB), "InvalidClientTokenId"),
            (("reopen", LAB), None),
        ):
            assert await asyncio.to_thread(command, *arguments) == 0, capsys.readouterr().err
            assert await listing() == expected, arguments


def test_an_organisation_from_the_first_command_to_the_last(run: Run, tmp_path: Path) -> None:
    scp, other = tmp_path / "scp.json", tmp_path / "rcp.json"
    scp.write_text(ALLOW_ALL)
    other.write_text(rcp("sts:*"))
    made = done(run, "organization", "create")["organization"]
    assert done(run, "organization", "show")["organization"] == made
    assert made["management_account"] == ACCOUNT
    work = done(run, "units", "create", "Work")["unit"]
    done(run, "units", "create", "Prod", "--parent", "Work")
    account = done(run, "create", "prod", "--parent", "Prod", "--account-id", LAB)["account"]
    assert account["place"] == "/Work/Prod"
    assert done(run, "move", LAB, work["id"])["account"]["place"] == "/Work"
    assert done(run, "units", "move", "Prod", "root")["unit"]["place"] == "/Prod"
    assert [unit["place"] for unit in done(run, "units", "list")["units"]] == ["/Prod", "/Work"]
    policy = done(run, "policies", "create", "S", "--type", "scp", "--document", str(scp))["policy"]
    done(run, "policies", "create", "R", "--type", "rcp", "--document", str(other), "--description", "What for")
    attached = done(run, "policies", "attach", "S", LAB)
    assert attached == {
        "policy": policy["id"],
        "target": {"id": LAB, "name": "prod", "policies": ["FullAWSAccess", "RCPFullAWSAccess", "S"]},
    }
    assert done(run, "policies", "show", "S") == {"policy": policy, "attached_to": [{"id": LAB, "name": "prod"}]}
    counts = {found["name"]: found["attached_to"] for found in done(run, "policies", "list")["policies"]}
    assert counts == {"FullAWSAccess": 5, "RCPFullAWSAccess": 5, "S": 1, "R": 0}
    assert done(run, "policies", "update", "S", "--name", "T")["policy"] == {**policy, "name": "T"}
    done(run, "policies", "detach", "T", LAB)
    assert done(run, "policies", "delete", "T")["policy"]["id"] == policy["id"]
    assert done(run, "units", "delete", "Prod")["unit"]["name"] == "Prod"


def test_what_people_read_is_in_columns(run: Run, tmp_path: Path) -> None:
    (tmp_path / "scp.json").write_text(ALLOW_ALL)
    made = done(run, "organization", "create")["organization"]
    unit = done(run, "units", "create", "Work")["unit"]["id"]
    done(run, "create", "Größe", "--parent", "Work", "--account-id", LAB)
    assert run("list")[1] == (
        f"{ACCOUNT}  open  management  /      management account\n{LAB}  open  Größe       /Work\n"
    )
    assert run("units", "list")[1] == f"{unit}  /Work  FullAWSAccess, RCPFullAWSAccess\n"
    assert run("organization", "show")[1].splitlines()[:2] == [
        f"organization          {made['id']}",
        f"root                  {made['root']}",
    ]
    assert run("policies", "create", "S", "--type", "scp", "--document", str(tmp_path / "scp.json"))[0] == 0
    out = run("policies", "attach", "S", "Work")[1]
    assert out.endswith(f"'S' is attached to {unit} 'Work'.\n")
    shown = run("policies", "show", "S")[1]
    assert f"attached to  {unit} Work\n" in shown
    assert shown.endswith(f"\n\n{ALLOW_ALL}\n")
    assert run("close", LAB)[1] == f"Account {LAB} is closed.\n"


def test_what_is_refused_is_one_line_and_exit_code_1(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    assert refused(run, "units", "create", "Work") == "There is no organization."
    assert refused(run, "close", ACCOUNT) == "You can't close the management account."
    assert refused(run, "close", LAB) == f"There is no account '{LAB}'."
    assert refused(run, "create", "x", "--account-id", ACCOUNT) == f"There is an account {ACCOUNT} already."
    done(run, "organization", "create")
    refused(run, "organization", "create")
    refused(run, "policies", "create", "p", "--type", "scp", "--document", str(bad))
    refused(run, "policies", "detach", "FullAWSAccess", "root")
    refused(run, "policies", "attach", "p-nowhere000", "root")
    refused(run, "move", ACCOUNT, "nowhere")


def test_wrong_usage_is_exit_code_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"\xff")
    for arguments in (
        ("close", "12"),
        ("create", "x", "--account-id", "12"),
        ("nope",),
        ("policies", "update", "p"),
        ("policies", "create", "p", "--type", "tag", "--document", "-"),
        ("policies", "create", "p", "--type", "scp", "--document", str(tmp_path / "absent")),
        ("policies", "create", "p", "--type", "scp", "--document", str(tmp_path / "latin")),
        ("create",),
    ):
        misused(run, *arguments)


def test_a_database_that_is_not_there_is_not_made(run: Run, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert "there is no database" in refused(run, "list", "--data-dir", str(nowhere))
    assert not nowhere.exists()


def test_a_master_key_that_is_not_the_stores_makes_no_account(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYPASS_MASTER_KEY", MasterKey.generate())
    refused(run, "create", "lab", "--account-id", LAB)
    monkeypatch.delenv("DAYPASS_MASTER_KEY")
    (data / "master-key").unlink()
    assert "there is no master key" in refused(run, "create", "lab", "--account-id", LAB)
    assert not (data / "master-key").exists()
    assert not (data / f"root-credentials-{LAB}").exists()
    assert len(done(run, "list")["accounts"]) == 1


def test_a_document_can_come_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done(run, "organization", "create")
    (tmp_path / "in").write_text(ALLOW_ALL)
    with (tmp_path / "in").open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        made = done(run, "policies", "create", "p", "--type", "scp", "--document", "-")
    assert made["policy"]["document"] == ALLOW_ALL

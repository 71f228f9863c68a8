# SPDX-License-Identifier: Apache-2.0
"""``daypass explain``: what it prints to the letter, its exit codes, and that it is of the service's opinion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from daypass.cli.explain import app
from daypass.cli.explain.question import QuestionError, owner_of, read_context, read_principal
from daypass.cli.explain.text import printable
from daypass.identity import ContextValue
from daypass.policy import Context, Kind, Layers, Level, NamedPolicy, Request, compile_policy, decide, explain
from daypass.principal import Anonymous, FederatedCaller, Principal, RoleSession, Root, Service, User
from daypass.store import SamlProvider
from in_process import ACCOUNT, service
from policy.scenarios import contexts, documents
from running import Server, running_server

ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/Analyst"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Analyst/alice"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example.org"
RAW = "arn:aws:s3:::raw/hr/x.csv"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str = "Allow", /, **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "*", "Resource": "*", **elements}


READ = statement(Sid="Read", Action="s3:Get*", Resource="arn:aws:s3:::raw/*")
WRITE = statement(
    Sid="Write",
    Action="s3:Put*",
    Resource="arn:aws:s3:::raw/etl/*",
    Condition={
        "StringEquals": {"aws:PrincipalTag/team": "blue"},
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
    },
)
TRUST = document(
    {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"idp.example.org:aud": "client", "idp.example.org:sub": "alice"}},
    }
)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of documents, which is where the command runs."""
    texts = {
        "read.json": document(READ, WRITE),
        "base.json": document(statement(Sid="Base")),
        "east.json": document(statement(), statement("Deny", Sid="East", Action="s3:*")),
        "sqs.json": document(statement(Action="sqs:*")),
        "bucket.json": document(statement(Principal={"AWS": ROLE}, Action="s3:*")),
        "trust.json": TRUST,
        "broken.json": "{",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Any:
    """The command in this process."""
    return CliRunner().invoke(app, list(arguments))


def said(*arguments: str, code: int) -> str:
    ended = run(*arguments)
    assert (ended.exit_code, ended.stderr) == (code, "")
    return str(ended.stdout)


def refusal(*arguments: str) -> str:
    """What is said of a question that could not be asked."""
    ended = run(*arguments)
    assert (ended.exit_code, ended.stdout) == (2, "")
    return " ".join(ended.stderr.replace("│", " ").split())


def subprocess_run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DAYPASS_")}
    return subprocess.run(
        [sys.executable, "-m", "daypass", "explain", *arguments],
        env=kept | {"PYTHONIOENCODING": "utf-8"} | (env or {}),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


PUT = ("--principal", ROLE, "--action", "s3:PutObject", "--resource", RAW, "--policy", "read.json")
GET = ("--principal", ROLE, "--action", "s3:GetObject", "--resource", RAW, "--policy", "read.json")


# What is printed


def test_an_implicit_deny_shows_the_closest_statement_and_what_it_lacks(files: Path) -> None:
    ended = subprocess_run(*PUT, "--scp", "base.json", "--context", "aws:PrincipalTag/team=red")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert (
        ended.stdout
        == f"""\
DENIED (implicit)  s3:PutObject on {RAW}
  by arn:aws:sts::{ACCOUNT}:assumed-role/Analyst/explain
  User: arn:aws:sts::{ACCOUNT}:assumed-role/Analyst/explain is not authorized to perform: s3:PutObject on resource: "{RAW}" \
because no identity-based policy allows the s3:PutObject action

  ✓ service control policies, base.json   allowed by Base of base.json
      ✓ Base of base.json: Allow, applies
  – resource-based policy                 none
  – permissions boundary                  none
  – session policy                        none
→ ✕ identity-based policies               no statement allows it (this decides)
      – closest: Write of read.json: Allow, does not apply
          Action ✓ s3:Put*
          Resource ✕ arn:aws:s3:::raw/etl/* (the resource part differs)
          Condition ✕ StringEquals aws:PrincipalTag/team: blue (the request has red)
          Condition ✕ Bool aws:MultiFactorAuthPresent: true (the request has no such key)
      – 1 statement about other actions

Context keys that statements ask for and the request does not have: aws:MultiFactorAuthPresent

To allow it:
  - in Write of read.json, add {RAW} to Resource; meet aws:PrincipalTag/team (StringEquals: blue); bring the context key \
aws:MultiFactorAuthPresent (Bool: true); or add a statement that allows s3:PutObject on {RAW} (identity-based policies)
"""
    )


def test_an_allowed_request_shows_the_statement_that_allows_it(files: Path) -> None:
    assert (
        said(*GET, code=0)
        == f"""\
ALLOWED  s3:GetObject on {RAW}
  by arn:aws:sts::{ACCOUNT}:assumed-role/Analyst/explain

  – service control policies              none
  – resource-based policy                 none
  – permissions boundary                  none
  – session policy                        none
→ ✓ identity-based policies               allowed by Read of read.json (this decides)
      ✓ Read of read.json: Allow, applies
      – 1 statement about other actions
"""
    )


def test_every_deny_and_every_silent_guardrail_is_to_be_changed(files: Path) -> None:
    text = said(*GET, "--scp", "base.json", "--scp", "east.json", "--boundary", "sqs.json", code=1)
    assert text.splitlines()[0] == f"DENIED (explicit)  s3:GetObject on {RAW}"
    assert (
        text.partition("\n\n")[2]
        == f"""\
  ✓ service control policies, base.json   allowed by Base of base.json
      ✓ Base of base.json: Allow, applies
→ ✕ service control policies, east.json   denied by East of east.json (this decides)
      ✓ statement 1 of east.json: Allow, applies
      ✓ East of east.json: Deny, applies
  – resource-based policy                 none
  ✕ permissions boundary                  no statement allows it
      – 1 statement about other actions
  – session policy                        none
  ✓ identity-based policies               allowed by Read of read.json
      ✓ Read of read.json: Allow, applies
      – 1 statement about other actions

To allow it:
  - remove or narrow East of east.json (service control policies, east.json), which denies it
  - add a statement that allows s3:GetObject on {RAW} (permissions boundary)
"""
    )


def test_a_trust_policy_is_asked_about_the_provider(files: Path) -> None:
    asked = ("--principal", PROVIDER, "--action", "sts:AssumeRoleWithWebIdentity", "--resource", ROLE)
    claims = ("--context", "idp.example.org:aud=client", "--context")
    text = said(*asked, "--trust", "trust.json", *claims, "idp.example.org:sub=bob", code=1)
    assert (
        text
        == f"""\
DENIED (implicit)  sts:AssumeRoleWithWebIdentity on {ROLE}
  by whoever {PROVIDER} vouches for
  User: {PROVIDER} is not authorized to perform: sts:AssumeRoleWithWebIdentity on resource: {ROLE}

  – service control policies              none
→ ✕ role trust policy                     no statement allows it (this decides)
      – closest: statement 1 of trust.json: Allow, does not apply
          Action ✓ sts:AssumeRoleWithWebIdentity
          Principal ✓ means the caller
          Condition ✓ StringEquals idp.example.org:aud: client (the request has client)
          Condition ✕ StringEquals idp.example.org:sub: alice (the request has bob)
  – permissions boundary                  none
  – session policy                        none
  – identity-based policies               none

To allow it:
  - in statement 1 of trust.json, meet idp.example.org:sub (StringEquals: alice); or add a statement that allows \
sts:AssumeRoleWithWebIdentity on {ROLE} (role trust policy)
"""
    )
    assert "ALLOWED" in said(*asked, "--trust", "trust.json", *claims, "idp.example.org:sub=alice", code=0)
    assert "none, and a caller without an account needs one" in said(*asked, "--policy", "read.json", code=1)


def test_across_accounts_both_sides_decide_and_both_are_marked(files: Path) -> None:
    text = said(*GET, "--resource-account", "222222222222", "--resource-policy", "bucket.json", code=0)
    marked = [line for line in text.splitlines() if line.startswith("→")]
    assert [line[4:].partition("  ")[0] for line in marked] == ["resource-based policy", "identity-based policies"]
    text = said(*GET, "--resource-account", "222222222222", code=1)
    assert "→ ✕ resource-based policy                 none, and a caller of another account needs one" in text


def test_two_files_of_one_name_are_two_levels(files: Path) -> None:
    (files / "unit").mkdir()
    (files / "unit" / "base.json").write_text(document(statement(Action="sqs:*")))
    text = said(*GET, "--scp", "base.json", "--scp", "unit/base.json", code=1)
    assert "  ✓ service control policies, base.json       allowed by" in text
    assert "→ ✕ service control policies, unit/base.json  no statement allows it (this decides)" in text


def test_a_rule_of_the_operation_is_said_to_be_one(files: Path) -> None:
    root = ("--principal", f"arn:aws:iam::{ACCOUNT}:root", "--policy", "read.json")
    text = said(*root, "--action", "sts:AssumeRole", "--resource", ROLE, code=1)
    assert "→ ✕ rule of the operation                 denied whatever policies say (this decides)" in text
    assert "  - call as a user or a role session" in text
    text = said(*root, "--action", "sts:GetCallerIdentity", code=0)
    assert "→ ✓ rule of the operation                 allowed whatever policies say (this decides)" in text


def test_policies_that_do_not_apply_to_the_caller_are_said_not_to(files: Path) -> None:
    text = said(
        "--principal", "s3.amazonaws.com", "--action", "sqs:SendMessage", "--resource", QUEUE,
        "--policy", "read.json", "--boundary", "sqs.json", "--scp", "base.json", code=1,
    )  # fmt: skip
    assert text.count("does not apply to this caller") == 3


def test_a_document_cannot_write_to_the_terminal(files: Path) -> None:
    (files / "escape.json").write_text(document(statement(Action="s3:Get*", Resource="arn:aws:s3:::\x1b[2J\u009b/*")))
    text = said(*GET[:-1], "escape.json", code=1)
    assert r"Resource ✕ arn:aws:s3:::\x1b[2J\x9b/*" in text
    assert [char for char in text if not char.isprintable() and char != "\n"] == []
    assert printable("a\nb\ud800é✓") == r"a\nb\ud800é✓"


def test_where_signs_cannot_be_shown_the_words_are_there(files: Path) -> None:
    ended = subprocess_run(*GET, env={"PYTHONIOENCODING": "ascii"})
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "? ? identity-based policies               allowed by Read of read.json (this decides)" in ended.stdout


def test_json_is_the_explanation_of_the_policy_room(files: Path) -> None:
    shown = json.loads(said(*PUT, "--json", code=1))
    assert shown["cause"] == {
        "layer": "identity",
        "kind": "implicit",
        "level": None,
        "policy": None,
        "sid": None,
        "statement": None,
    }
    assert [trace["ref"] for trace in shown["statements"]] == ["identity:read.json#0", "identity:read.json#1"]
    request = Request("s3:PutObject", RAW, ACCOUNT, read_principal(ROLE))
    layers = Layers(identity=(NamedPolicy("read.json", compile_policy(document(READ, WRITE), Kind.IDENTITY)),))
    assert shown == explain(request, layers).to_dict()


# What is asked


@pytest.mark.parametrize(
    ("text", "principal"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", Root(ACCOUNT)),
        (f"arn:aws:iam::{ACCOUNT}:user/a/b/alice", User(ACCOUNT, "/a/b/", "alice", "")),
        (ROLE, RoleSession(ACCOUNT, "/team/", "Analyst", "", "explain")),
        (SESSION, RoleSession(ACCOUNT, "/", "Analyst", "", "alice")),
        (PROVIDER, FederatedCaller(PROVIDER)),
        (f"{PROVIDER}/realms/acme", FederatedCaller(f"{PROVIDER}/realms/acme")),
        (f"arn:aws:iam::{ACCOUNT}:saml-provider/adfs", FederatedCaller(f"arn:aws:iam::{ACCOUNT}:saml-provider/adfs")),
        ("accounts.google.com", FederatedCaller("accounts.google.com")),
        ("cognito-identity.amazonaws.com", FederatedCaller("cognito-identity.amazonaws.com")),
        ("s3.amazonaws.com", Service("s3.amazonaws.com")),
        ("anonymous", Anonymous()),
    ],
)
def test_a_principal_is_read_by_its_form(text: str, principal: Principal) -> None:
    assert read_principal(text) == principal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "alice",
        f"arn:aws:iam::{ACCOUNT}:group/admins",
        f"arn:aws:iam::{ACCOUNT}:user/",
        "arn:aws:iam::12345:user/alice",
        f"arn:aws:iam:us-east-1:{ACCOUNT}:user/alice",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Analyst",
        f"arn:aws:sts::{ACCOUNT}:federated-user/alice",
        f"arn:aws:s3::{ACCOUNT}:user/alice",
    ],
)
def test_a_principal_of_no_known_form_is_refused(text: str) -> None:
    with pytest.raises(QuestionError, match="--principal"):
        read_principal(text)


def test_brackets_and_repetition_make_lists() -> None:
    given = [
        "a:One=x",
        "a:two=[x, y]",
        "a:three=1",
        "A:Three=2",
        "a:four=[]",
        "a:five=a=b,[c]",
        "a:six=",
        "a:seven=[x]",
    ]
    assert read_context(given) == {
        "a:one": "x",
        "a:two": ("x", "y"),
        "a:three": ("1", "2"),
        "a:four": (),
        "a:five": "a=b,[c]",
        "a:six": "",
        "a:seven": ("x",),
    }


@pytest.mark.parametrize("entry", ["a:key", "=x", " =x", ""])
def test_a_context_entry_without_key_or_value_is_refused(entry: str) -> None:
    with pytest.raises(QuestionError, match="--context"):
        read_context([entry])


def test_the_owner_is_the_one_given_then_the_arns_then_the_principals() -> None:
    user = User("222222222222", "/", "bob", "")
    assert owner_of(QUEUE, user, "333333333333") == "333333333333"
    assert owner_of(QUEUE, user, None) == ACCOUNT
    assert owner_of(RAW, user, None) == "222222222222"
    assert owner_of("*", user, None) == "222222222222"
    with pytest.raises(QuestionError, match="--resource-account"):
        owner_of(RAW, Service("s3.amazonaws.com"), None)


def test_keys_that_follow_from_the_request_are_filled_in_and_given_ones_win(files: Path) -> None:
    (files / "keys.json").write_text(
        document(
            statement(
                Condition={
                    "StringEquals": {"aws:PrincipalArn": ROLE, "aws:PrincipalType": "AssumedRole"},
                    "DateGreaterThan": {"aws:CurrentTime": "2020-01-01"},
                    "Null": {"aws:userid": "true", "aws:SourceIp": "true"},
                }
            )
        )
    )
    asked = (*GET[:-1], "keys.json")
    said(*asked, code=0)
    said(*asked, "--context", "aws:currenttime=2019-01-01T00:00:00Z", code=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*GET[:-1], "nothing.json"), "does not exist"),
        ((*GET[:-1], "broken.json"), "broken.json: Syntax errors in policy."),
        ((*GET, "--trust", "read.json"), "read.json: Missing required field Principal"),
        ((*GET, "--trust", "trust.json", "--resource-policy", "bucket.json"), "--trust and --resource-policy"),
        ((*GET, "--role", "Analyst"), "--principal or --role"),
        (("--action", "s3:GetObject", "--policy", "read.json"), "--principal or --role"),
        (("--principal", ROLE, "--policy", "read.json"), "--action"),
        (("--principal", ROLE, "--policy", "read.json", "--action", "s3:Get*"), "--action"),
        (("--principal", ROLE, "--policy", "read.json", "--action", "s3:GetObject", "--resource", "raw"), "--resource"),
        ((*GET, "--context", "x"), "--context"),
        ((*GET, "--resource-account", "12345"), "--resource-account"),
        ((*GET, "--color"), "No such option"),
    ],
)
def test_what_cannot_be_asked_is_exit_code_2(files: Path, arguments: tuple[str, ...], words: str) -> None:
    assert words in refusal(*arguments)


# The same opinion as decide()


CALLERS = (ROLE, SESSION, f"arn:aws:iam::{ACCOUNT}:user/alice", f"arn:aws:iam::{ACCOUNT}:root", "sns.amazonaws.com")


@settings(deadline=None, database=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_exit_code_is_the_decision(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("drawn")
    texts = {
        "--policy": data.draw(documents(Kind.IDENTITY)),
        "--boundary": data.draw(st.none() | documents(Kind.BOUNDARY)),
        "--session": data.draw(st.none() | documents(Kind.SESSION)),
        "--resource-policy": data.draw(st.none() | documents(Kind.RESOURCE)),
        "--scp": data.draw(st.none() | documents(Kind.SCP)),
    }
    kinds = dict(zip(texts, (Kind.IDENTITY, Kind.BOUNDARY, Kind.SESSION, Kind.RESOURCE, Kind.SCP), strict=True))
    caller = data.draw(st.sampled_from(CALLERS))
    drawn = {key: value for key, value in data.draw(contexts()).entries.items() if value != ("",)}  # has no spelling
    context: dict[str, ContextValue] = {**dict.fromkeys(FILLED_IN, ()), **drawn}
    owner = data.draw(st.sampled_from([ACCOUNT, "222222222222"]))
    arguments = ["--principal", caller, "--action", "s3:GetObject", "--resource", "arn:aws:s3:::b/k"]
    arguments += ["--resource-account", owner]
    policies: dict[str, NamedPolicy] = {}
    for option, text in texts.items():
        if text is not None:
            (folder / option[2:]).write_text(text, encoding="utf-8")
            arguments += [option, str(folder / option[2:])]
            policies[option] = NamedPolicy(option[2:], compile_policy(text, kinds[option]))
    for key, value in context.items():
        arguments += ["--context", f"{key}={value if isinstance(value, str) else '[' + ','.join(value) + ']'}"]
    layers = Layers(
        identity=(policies["--policy"],),
        boundary=policies.get("--boundary"),
        session=(policies["--session"],) if "--session" in policies else None,
        resource=policies.get("--resource-policy"),
        scps=(Level("scp", (policies["--scp"],)),) if "--scp" in policies else None,
    )
    request = Request("s3:GetObject", "arn:aws:s3:::b/k", owner, read_principal(caller), Context(context))
    ended = run(*arguments)
    assert ended.exit_code == (0 if decide(request, layers).allowed else 1), ended.output
    assert ended.stdout.startswith("ALLOWED" if ended.exit_code == 0 else "DENIED")
    assert ended.stdout.count("(this decides)") >= (ended.exit_code == 1)


FILLED_IN = (
    "aws:currenttime", "aws:epochtime", "aws:viaawsservice", "aws:principalarn", "aws:principalaccount",
    "aws:principaltype", "aws:principalisawsservice", "aws:userid", "aws:username", "aws:resourceaccount",
)  # fmt: skip
"""The keys that the command fills in: taken out here, so that both sides know the same."""


# The live store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Path]:
    """The data directory of a service that runs, with two roles."""
    async with service(tmp_path / "data") as running:
        for name, tags in (("Analyst", "red"), ("Other", "blue")):
            created = await running.call(
                "iam", "CreateRole", RoleName=name, Path="/team/", AssumeRolePolicyDocument=TRUST,
                **{"Tags.member.1.Key": "team", "Tags.member.1.Value": tags},
            )  # fmt: skip
            assert created.status == 200
        same_team = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
        for name, text in (("Read", document(READ)), ("Own", document(statement(Action="iam:*", Condition=same_team)))):
            put = await running.call("iam", "PutRolePolicy", RoleName="Analyst", PolicyName=name, PolicyDocument=text)
            assert put.status == 200
        yield tmp_path / "data"


ASKED = ("--action", "s3:GetObject", "--resource", RAW)


@pytest.mark.parametrize("who", [("--role", "Analyst"), ("--principal", ROLE), ("--principal", SESSION)])
async def test_a_role_is_asked_about_by_name_by_arn_and_by_session(store: Path, who: tuple[str, str]) -> None:
    text = said("--data-dir", str(store), *who, *ASKED, code=0)
    assert "allowed by Read of inline:Read" in text
    text = said("--data-dir", str(store), *who, *ASKED, "--resource-account", "222222222222", code=1)
    assert "a caller of another account needs one" in text


async def test_tags_of_the_role_and_of_the_resource_are_known(store: Path) -> None:
    asked = ("--data-dir", str(store), "--role", "Analyst", "--action", "iam:GetRole", "--resource")
    said(*asked, ROLE, code=0)
    text = said(*asked, ROLE.replace("Analyst", "Other"), code=1)
    assert "Condition ✕ StringEquals aws:ResourceTag/team: red (the request has blue)" in text


async def test_tags_of_a_saml_provider_are_known(tmp_path: Path) -> None:
    office = SamlProvider(ACCOUNT, "office", "U" * 32, "urn:idp", "<xml/>", None, 1, tags=(("team", "blue"),))
    red = document(statement(Action="iam:*", Condition={"StringEquals": {"aws:ResourceTag/team": "red"}}))
    async with service(tmp_path) as running:
        await running.call("iam", "CreateUser", UserName="alice")
        await running.call("iam", "PutUserPolicy", UserName="alice", PolicyName="red", PolicyDocument=red)
        async with running.app.store.transaction() as transaction:
            await transaction.put(office)
    asked = ("--data-dir", str(tmp_path), "--principal", f"arn:aws:iam::{ACCOUNT}:user/alice")
    text = said(*asked, "--action", "iam:GetSAMLProvider", "--resource", office.arn, code=1)
    assert "(the request has blue)" in text


async def test_files_are_added_to_what_is_stored(store: Path, tmp_path: Path) -> None:
    (tmp_path / "boundary.json").write_text(document(statement(Action="sqs:*")))
    asked = ("--data-dir", str(store), "--role", "Analyst", *ASKED)
    assert "→ ✕ permissions boundary" in said(*asked, "--boundary", str(tmp_path / "boundary.json"), code=1)


async def test_a_stored_user_has_its_groups_its_attached_policies_and_its_boundary(tmp_path: Path) -> None:
    user = f"arn:aws:iam::{ACCOUNT}:user/team/alice"
    attached = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    tagged = {"Tags.member.1.Key": "team", "Tags.member.1.Value": "red"}
    async with service(tmp_path) as running:
        for operation, parameters in (
            ("CreateUser", {"UserName": "alice", "Path": "/team/", **tagged}),
            ("CreateGroup", {"GroupName": "staff"}),
            ("AddUserToGroup", {"GroupName": "staff", "UserName": "alice"}),
            ("PutGroupPolicy", {"GroupName": "staff", "PolicyName": "queues", "PolicyDocument": document(SEND)}),
            ("AttachUserPolicy", {"UserName": "alice", "PolicyArn": attached}),
            ("CreatePolicy", {"PolicyName": "bound", "PolicyDocument": document(statement(Action="s3:*"))}),
            ("PutUserPermissionsBoundary", {"UserName": "alice", "PermissionsBoundary": BOUND}),
        ):
            assert (await running.call("iam", operation, **parameters)).status == 200, operation
        asked = ("--data-dir", str(tmp_path), "--principal", user)
        assert f"of {attached}" in said(*asked, *ASKED, code=0)
        queue = ("--action", "sqs:SendMessage", "--resource", f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs")
        text = said(*asked, *queue, code=1)
        assert "inline:staff/queues" in text
        assert "→ ✕ permissions boundary" in text
        (tmp_path / "wider.json").write_text(document(statement()))
        said(*asked, *queue, "--boundary", str(tmp_path / "wider.json"), code=0)
        assert "no such user" in refusal("--data-dir", str(tmp_path), "--principal", user.replace("/team", ""), *ASKED)


SEND = statement(Action="sqs:SendMessage", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})
BOUND = f"arn:aws:iam::{ACCOUNT}:policy/bound"


async def test_the_trust_policy_of_a_stored_role_is_asked(store: Path) -> None:
    asked = ("--data-dir", str(store), "--principal", PROVIDER, "--action", "sts:AssumeRoleWithWebIdentity")
    claims = ("--context", "idp.example.org:aud=client", "--context", "idp.example.org:sub=alice")
    said(*asked, "--resource", ROLE, *claims, code=0)
    assert "idp.example.org:sub" in said(*asked, "--resource", ROLE, *claims[:2], code=1)
    assert "no such role" in refusal(*asked, "--resource", ROLE.replace("Analyst", "Nobody"), *claims)


@pytest.mark.parametrize(
    "who",
    [
        ("--role", "Nobody"),
        ("--principal", ROLE.replace("/team/", "/")),
        ("--principal", SESSION.replace("Analyst", "Nobody")),
        ("--principal", f"arn:aws:iam::{ACCOUNT}:user/alice"),
    ],
)
async def test_who_is_not_stored_cannot_be_asked_about(store: Path, who: tuple[str, str]) -> None:
    assert who[0] in refusal("--data-dir", str(store), *who, *ASKED)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    asked = ("--role", "Analyst", *ASKED)
    assert "no database" in refusal("--data-dir", str(tmp_path / "nowhere"), *asked)
    assert "no database" in refusal("--database-url", f"sqlite:///{tmp_path}/other.db", *asked)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_store_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    for content in (b"", b"not a database" * 100):
        (tmp_path / "daypass.db").write_bytes(content)
        assert "daypass.db" in refusal("--data-dir", str(tmp_path), "--role", "Analyst", *ASKED)
        assert (tmp_path / "daypass.db").read_bytes() == content


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


def test_it_reads_beside_a_running_server_what_was_just_written_and_writes_nothing(server: Server) -> None:
    iam = server.client("iam", server.root())
    iam.create_role(RoleName="Live", AssumeRolePolicyDocument=TRUST)
    asked = ("--data-dir", str(server.data_dir), "--role", "Live", *ASKED)
    assert subprocess_run(*asked).returncode == 1
    iam.put_role_policy(RoleName="Live", PolicyName="Read", PolicyDocument=document(READ))
    for _ in range(5):  # the server writes down what it was asked a moment ago, its audit trail for one
        before = database(server)
        ended = subprocess_run(*asked, "--json")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert json.loads(ended.stdout)["decision"] == "allowed"
        if database(server) == before:
            break
    else:
        pytest.fail("the database has changed each time")
    assert server.alarms() == []


def database(server: Server) -> dict[str, bytes]:
    """What stands in its files."""
    return {path.name: path.read_bytes() for path in server.data_dir.glob("daypass.db*") if "-shm" not in path.name}


def test_the_data_directory_may_come_from_the_environment(server: Server) -> None:
    ended = subprocess_run("--role", "Nobody", *ASKED, env={"DAYPASS_DATA_DIR": str(server.data_dir)})
    assert ended.returncode == 2
    assert "--role: expected the name of a role of this store" in ended.stderr


# Policies of the resource's organisation, and of the way in


def test_a_resource_control_policy_from_a_file_denies_by_its_level(files: Path) -> None:
    (files / "rcp.json").write_text(document(statement("Deny", Sid="Fence", Principal="*", Action="s3:*")))
    text = said(*GET, "--rcp", "rcp.json", code=1)
    assert "resource control policies, rcp.json" in text
    assert "Fence" in text
    (files / "other.json").write_text(document(statement("Deny", Principal="*", Action="sqs:*")))
    said(*GET, "--rcp", "other.json", code=0)


def test_a_policy_of_an_endpoint_from_a_file_must_allow(files: Path) -> None:
    (files / "endpoint.json").write_text(document(statement(Principal="*", Action="sqs:*")))
    assert "VPC endpoint" in said(*GET, "--vpc-endpoint-policy", "endpoint.json", code=1)
    (files / "endpoint.json").write_text(document(statement(Principal="*")))
    said(*GET, "--vpc-endpoint-policy", "endpoint.json", code=0)

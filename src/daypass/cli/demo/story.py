# SPDX-License-Identifier: Apache-2.0
"""
What the demo does, in order. Each step says what is run, what came back, and whether that is what should have.

    register -> trust -> permit -> sign in -> assume the role -> who am I -> be allowed -> be denied
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp

from daypass.cli.demo.aws import Answer, Aws, Credentials
from daypass.cli.demo.exchange import JWT_FILE, Exchange
from daypass.cli.demo.provider import CLIENT_ID, DevelopmentProvider
from daypass.cli.demo.report import Outcome, Report, Step
from daypass.cli.demo.server import ACCOUNT_ID, ThrowAwayServer
from daypass.errors import DaypassError

ROLE: Final = "WebIdentityRole"
ROLE_ARN: Final = f"arn:aws:iam::{ACCOUNT_ID}:role/{ROLE}"
SESSION: Final = "WebSession"
POLICY: Final = "ReadThisRole"
TRUSTED: Final = ("alice", "bob")
"""Whom the role trusts, by subject. Carol of the provider's list is not among them, for those who try the page."""

SESSION_CREDENTIALS: Final = "session-credentials"
"""The file of the session's credentials; its one profile is called like the session."""

_ROOT_PROFILE: Final = "daypass-root"
_TRUST_FILE: Final = "trust.json"
_PERMISSIONS_FILE: Final = "permissions.json"
_DENIAL: Final = re.compile(
    r"\(AccessDenied\) when calling the DeleteRole operation: (User: \S+ is not authorized to perform: iam:DeleteRole .*)"
)

_ENCODED: Final = re.compile(r"(Encoded authorization failure message: )(\S+)")

Summary = Callable[[Any], Sequence[str]]
"""Says in a few lines what a JSON answer of the ``aws`` command says. Raises KeyError or TypeError for another answer."""


class Story:
    """Tells the story once. ``directory`` is where the commands run, and where their files are."""

    def __init__(
        self, server: ThrowAwayServer, provider: DevelopmentProvider, aws: Aws, directory: Path, report: Report
    ) -> None:
        self._endpoint_url = server.url
        self._provider = provider
        self._aws = aws
        self._directory = directory
        self._report = report
        self._root = Credentials(_ROOT_PROFILE, server.root_credentials)
        self._session = Credentials(SESSION, directory / SESSION_CREDENTIALS)

    async def tell(self) -> bool:
        """Whether every step ended as it should; the first that does not is the last."""
        steps = (
            self._register,
            self._trust,
            self._permit,
            self._sign_in,
            self._assume,
            self._who_am_i,
            self._be_allowed,
            self._be_denied,
        )
        for step in steps:
            if not await step():
                return False
        return True

    async def _register(self) -> bool:
        return await self._call(
            "Register the identity provider (as the account's root)",
            ("iam", "create-open-id-connect-provider", "--url", self._provider.issuer, "--client-id-list", CLIENT_ID),
            self._root,
            _done(lambda answer: (answer["OpenIDConnectProviderArn"],)),
        )

    async def _trust(self) -> bool:
        self._write_json(_TRUST_FILE, trust_policy(self._provider.issuer))
        document = ("--assume-role-policy-document", f"file://{_TRUST_FILE}")
        trusts = (
            f"{_TRUST_FILE} trusts tokens of that provider whose aud is {CLIENT_ID} and whose sub is {_either(TRUSTED)}"
        )
        return await self._call(
            "Create a role that two people may assume",
            ("iam", "create-role", "--role-name", ROLE, *document),
            self._root,
            _done(lambda answer: (answer["Role"]["Arn"], trusts)),
        )

    async def _permit(self) -> bool:
        self._write_json(_PERMISSIONS_FILE, permissions_policy())
        document = ("--policy-name", POLICY, "--policy-document", f"file://{_PERMISSIONS_FILE}")
        return await self._call(
            "Give the role one permission",
            ("iam", "put-role-policy", "--role-name", ROLE, *document),
            self._root,
            _done(lambda _: (f"{_PERMISSIONS_FILE} allows iam:GetRole on this role, and nothing else",)),
        )

    async def _sign_in(self) -> bool:
        """Through the provider's own pages: authorization code flow with PKCE, the ID token verified."""
        title = f"Sign in as {TRUSTED[0]} and get a signed ID token"
        self._report.begin(title, ())
        try:
            async with aiohttp.ClientSession() as http:
                signed_in = await self._provider.relying_party(http).sign_in_as(TRUSTED[0])
        except (DaypassError, aiohttp.ClientError, TimeoutError) as error:
            self._report.end(Step(title, (), None, Outcome.FAILED, (), str(error) or type(error).__name__))
            return False
        # NOTE: no newline at the end: the aws command sends a file's content as it is.
        _write_private(self._directory / JWT_FILE, signed_in.text)
        token = signed_in.token
        lines = (
            f"iss {token.issuer}",
            f"sub {token.subject}",
            f"aud {token.audience}",
            f"{_short(signed_in.text)}  in {JWT_FILE}",
        )
        self._report.end(Step(title, (), None, Outcome.DONE, lines))
        return True

    async def _assume(self) -> bool:
        return await self._call(
            "Exchange the token for temporary credentials (unsigned: the token is the proof)",
            Exchange(self._endpoint_url, ROLE_ARN, SESSION).arguments(),
            Credentials(),
            _done(self._keep_credentials),
        )

    def _keep_credentials(self, answer: Any) -> Sequence[str]:
        given = answer["Credentials"]
        names = {
            "AccessKeyId": "aws_access_key_id",
            "SecretAccessKey": "aws_secret_access_key",
            "SessionToken": "aws_session_token",
        }
        lines = (f"{setting} = {given[member]}\n" for member, setting in names.items())
        _write_private(self._directory / SESSION_CREDENTIALS, f"[{SESSION}]\n{''.join(lines)}")
        return (
            f"AccessKeyId      {given['AccessKeyId']}",
            f"SecretAccessKey  {_short(given['SecretAccessKey'])}",
            f"SessionToken     {_short(given['SessionToken'])}",
            f"Expiration       {given['Expiration']}",
        )

    async def _who_am_i(self) -> bool:
        return await self._call(
            "Ask who that is",
            ("sts", "get-caller-identity"),
            self._session,
            _done(lambda answer: (answer["Arn"],)),
        )

    async def _be_allowed(self) -> bool:
        return await self._call(
            "Do what the role may",
            ("iam", "get-role", "--role-name", ROLE),
            self._session,
            _done(lambda answer: (answer["Role"]["Arn"],), f"{POLICY} allows iam:GetRole on {ROLE}."),
        )

    async def _be_denied(self) -> bool:
        return await self._call(
            "Do what the role may not", ("iam", "delete-role", "--role-name", ROLE), self._session, _denied
        )

    async def _call(
        self,
        title: str,
        arguments: Sequence[str],
        credentials: Credentials,
        judge: Callable[[Answer], _Verdict],
    ) -> bool:
        command = ("aws", *arguments)
        self._report.begin(title, command)
        try:
            answer = await self._aws.run(arguments, credentials, self._endpoint_url)
        except DaypassError as error:
            self._report.end(Step(title, command, None, Outcome.FAILED, (), str(error)))
            return False
        outcome, lines, why = judge(answer)
        self._report.end(Step(title, command, answer.exit_code, outcome, lines, why))
        return outcome is not Outcome.FAILED

    def _write_json(self, name: str, document: Mapping[str, object]) -> None:
        (self._directory / name).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


_Verdict = tuple[Outcome, Sequence[str], str | None]


def trust_policy(issuer: str) -> dict[str, object]:
    """Who may assume the role: the people of TRUSTED, by tokens of this issuer that were made for the demo's client."""
    name = issuer.partition("://")[2]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/{name}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": {f"{name}:aud": CLIENT_ID, f"{name}:sub": list(TRUSTED)}},
            }
        ],
    }


def permissions_policy() -> dict[str, object]:
    """What the role's sessions may do."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "iam:GetRole", "Resource": ROLE_ARN}],
    }


def _done(summary: Summary, allowed_because: str | None = None) -> Callable[[Answer], _Verdict]:
    """Judges a call that must succeed."""

    def judge(answer: Answer) -> _Verdict:
        if answer.exit_code != 0:
            return Outcome.FAILED, (answer.complaint,), "expected the call to succeed"
        try:
            lines = summary(json.loads(answer.output or "{}"))
        except (ValueError, LookupError, TypeError):
            return Outcome.FAILED, (), "the answer is not of the expected form"
        return (Outcome.DONE if allowed_because is None else Outcome.ALLOWED), lines, allowed_because

    return judge


def _denied(answer: Answer) -> _Verdict:
    """Judges the call that must be denied, and for the reason that it should be."""
    said = _ENCODED.sub(lambda found: found[1] + _short(found[2]), answer.complaint)
    denial = _DENIAL.search(said)
    if answer.exit_code == 0 or denial is None:
        return Outcome.FAILED, (said,) if said else (), "expected AccessDenied for iam:DeleteRole"
    return Outcome.DENIED, (said,), f"{POLICY} is the role's only policy, and what no policy allows is denied."


def _short(secret: str) -> str:
    return f"{secret[:4]}... ({len(secret)} characters)"


def _either(names: Sequence[str]) -> str:
    return " or ".join(names)


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)

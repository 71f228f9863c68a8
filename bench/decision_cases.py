# SPDX-License-Identifier: Apache-2.0
"""
What the engines of ``bench.decisions`` are asked: rules that all of them can say, and calls that meet them.

    rules_of(size) -- calls_of --> calls;  both are the same at every run

A rule is an IAM statement without what the other languages lack: resources with ``*``, and at most one condition, that a
key equals a text or another key. The mix is that of an account with several teams: a third of the statements are about the
service that is called, over many buckets, some by a wildcard in the bucket's name, which no index can shelve.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-central-1"
ROLE: Final = "pipeline"
SESSIONS: Final = tuple(f"build-{number}" for number in range(12))
TEAMS: Final = ("red", "green", "blue")
SIZES: Final = (3, 50, 1000)
CALLS: Final = 240
MIX: Final = (
    "two Allow and one Deny about s3, which are all there is with 3; of the others a third about s3 and two thirds spread "
    "evenly over dynamodb, sqs, sns, kms, lambda and logs; of ten about s3, four name a whole bucket, two a bucket and a "
    "prefix in it, two a prefix under a condition, one single objects, one buckets by a wildcard in the name; the Deny has "
    "a wildcard for the bucket; all requests are to s3"
)
"""In words, for the report."""

PRINCIPAL_TEAM: Final = "aws:PrincipalTag/team"
RESOURCE_TEAM: Final = "aws:ResourceTag/team"
_CALLED: Final = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")
_OTHERS: Final = {
    "dynamodb": (("GetItem", "Query", "PutItem"), "table/app-{0}"),
    "sqs": (("SendMessage", "ReceiveMessage", "DeleteMessage"), "jobs-{0}"),
    "sns": (("Publish", "Subscribe"), "events-{0}"),
    "kms": (("Decrypt", "GenerateDataKey"), "key/{0:08d}-12ab-34cd-56ef-1234567890ab"),
    "lambda": (("InvokeFunction", "GetFunction"), "function:app-{0}"),
    "logs": (("CreateLogStream", "PutLogEvents"), "log-group:/app/{0}:*"),
}
ACTIONS: Final = (
    *(*_CALLED, "s3:GetObjectTagging", "s3:PutObjectTagging", "s3:GetBucketLocation"),
    *(f"{service}:{name}" for service, (names, _) in _OTHERS.items() for name in names),
)
"""Every action that exists, for engines that need wildcards in actions spelled out."""


@dataclass(frozen=True, slots=True)
class Equal:
    """A condition: the key has this value, or (``same_as``) the value of that other key."""

    key: str
    value: str = ""
    same_as: str = ""

    def holds(self, context: dict[str, str]) -> bool:
        """Whether a context fits; only for making calls, not for timing."""
        return context[self.key] == (context[self.same_as] if self.same_as else self.value)


@dataclass(frozen=True, slots=True)
class Rule:
    """One statement: any of the actions on any of the resources, when the condition holds."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    denies: bool = False
    when: Equal | None = None

    def actions_covered(self) -> list[str]:
        """The actions that exist and match."""
        return [action for action in ACTIONS if any(fnmatchcase(action, pattern) for pattern in self.actions)]


@dataclass(frozen=True, slots=True)
class Case:
    """The policies of one role: its own, its permissions boundary and its sessions' policy; only its own may deny."""

    identity: tuple[Rule, ...]
    boundary: tuple[Rule, ...]
    session: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One request, in nobody's own form. ``context`` has 12 keys."""

    session: str
    action: str
    resource: str
    context: dict[str, str] = field(hash=False)


_SAME_TEAM: Final = Equal(RESOURCE_TEAM, same_as=PRINCIPAL_TEAM)
_FIRST: Final = (
    Rule(("s3:GetObject", "s3:PutObject"), ("arn:aws:s3:::app-0/*",)),
    Rule(
        ("s3:DeleteObject", "s3:Put*"), ("arn:aws:s3:::app-0/drafts/*", "arn:aws:s3:::app-0/scratch/*"), when=_SAME_TEAM
    ),
    Rule(("s3:*",), ("arn:aws:s3:::*/restricted/*",), denies=True),
)
_BOUNDARY: Final = (
    Rule(("s3:Get*", "s3:List*", "s3:PutObject", "s3:DeleteObject", *(f"{service}:*" for service in _OTHERS)), ("*",)),
)
_SESSION: Final = (
    Rule(("s3:GetObject", "s3:PutObject", "s3:ListBucket"), ("arn:aws:s3:::app-*", "arn:aws:s3:::team-*")),
    Rule(("s3:DeleteObject",), ("arn:aws:s3:::app-*/scratch/*",)),
)


def case_of(size: int) -> Case:
    """A role with so many statements of its own, at least three; boundary and session policy are always the same."""
    return Case((*_FIRST, *(_generated(number) for number in range(3, size))), _BOUNDARY, _SESSION)


def _generated(number: int) -> Rule:
    if number % 3 == 0:
        return _about_s3(number // 3)
    service = tuple(_OTHERS)[(number - number // 3) % len(_OTHERS)]
    names, resource = _OTHERS[service]
    arn = f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource.format(number)}"
    actions = tuple(f"{service}:{name}" for name in names)
    return Rule(actions if number % 4 else (f"{service}:*",), (arn,))


def _about_s3(number: int) -> Rule:
    """Three statements to a bucket, in ten forms; every fifth bucket is one that the session policy leaves out."""
    bucket = f"arn:aws:s3:::{'vault' if number // 3 % 5 == 4 else 'app'}-{number // 3}"
    shape = number % 10
    if shape < 4:
        return Rule(("s3:GetObject", "s3:PutObject"), (f"{bucket}/*",))
    if shape < 6:
        return Rule(("s3:Get*", "s3:List*"), (bucket, f"{bucket}/area-{number}/*"))
    if shape == 6:
        return Rule(("s3:*",), (f"{bucket}/scratch/*",), when=_SAME_TEAM)
    if shape == 7:
        return Rule(("s3:GetObject",), (f"arn:aws:s3:::team-{number}-*/reports/*",))
    if shape == 8:
        return Rule(("s3:GetObject", "s3:DeleteObject"), (f"{bucket}/scratch/lock", f"{bucket}/scratch/state.json"))
    return Rule(("s3:PutObject",), (f"{bucket}/drop/*",), when=Equal(PRINCIPAL_TEAM, TEAMS[number % len(TEAMS)]))


def calls_of(case: Case, count: int = CALLS) -> list[Call]:
    """Calls on the resources of the rules about s3: most as the rule means them, the others beside it in one way."""
    source = random.Random(len(case.identity))
    rules = [rule for rule in case.identity if rule.actions[0].startswith("s3:") and not rule.denies]
    return [_call(source, source.choice(rules), number) for number in range(count)]


def _call(source: random.Random, rule: Rule, number: int) -> Call:
    context = _context(source, number)
    action = source.choice([name for name in rule.actions_covered() if name in _CALLED])
    resource = source.choice(rule.resources)
    for key in (f"{number:x}", f"2026/{number}.json"):
        resource = resource.replace("*", key, 1)
    beside = source.randrange(12)
    if rule.when is not None and beside:
        value = context[rule.when.same_as] if rule.when.same_as else rule.when.value
        context[rule.when.key] = value
    if beside == 1:
        action = source.choice(_CALLED)
    elif beside == 2:
        resource = resource.replace(":::", ":::other-", 1)
    elif beside == 3:
        resource = f"{resource.partition('/')[0]}/restricted/{number}"
    return Call(SESSIONS[number % len(SESSIONS)], action, resource, context)


def _context(source: random.Random, number: int) -> dict[str, str]:
    session = SESSIONS[number % len(SESSIONS)]
    return {
        "aws:CurrentTime": f"2026-03-01T12:{number // 60 % 60:02d}:{number % 60:02d}Z",
        "aws:EpochTime": str(1772366400 + number),
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/{ROLE}",
        PRINCIPAL_TEAM: source.choice(TEAMS),
        "aws:PrincipalType": "AssumedRole",
        "aws:RequestedRegion": REGION,
        RESOURCE_TEAM: source.choice(TEAMS),
        "aws:SecureTransport": "true",
        "aws:SourceIp": f"192.0.2.{number % 250}",
        "aws:UserAgent": "aws-sdk-go-v2/1.41 os/linux",
        "aws:userid": f"AROAQIIAXEXAMPLEROLE5:{session}",
    }


def iam_document(rules: Sequence[Rule]) -> str:
    """The rules as an IAM policy document, without white space."""
    statements = [_statement(rule) for rule in rules]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def _statement(rule: Rule) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Effect": "Deny" if rule.denies else "Allow",
        "Action": list(rule.actions),
        "Resource": list(rule.resources),
    }
    if rule.when is not None:
        value = f"${{{rule.when.same_as}}}" if rule.when.same_as else rule.when.value
        statement["Condition"] = {"StringEquals": {rule.when.key: value}}
    return statement


DENSE_MARK: Final = "00000000"
"""The part of a dense document that may be another number."""


def dense_document(length: int) -> str:
    """A valid document of exactly so many characters, packed with statements; a Sid fills up the rest."""
    shortest = f'"Sid":"{DENSE_MARK}",'
    rules: list[Rule] = []
    while len(iam_document([*rules, _generated(len(rules) + 3)])) + len(shortest) <= length:
        rules.append(_generated(len(rules) + 3))
    text = iam_document(rules)
    filler = "S" * (length - len(text) - len(shortest))
    return text.replace('{"Effect"', f'{{"Sid":"{filler}{DENSE_MARK}","Effect"', 1)

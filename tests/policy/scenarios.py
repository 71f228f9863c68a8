# SPDX-License-Identifier: Apache-2.0
"""
Documents and requests that are likely to meet: both draw from the same few constants.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from daypass.policy import Context, Kind, Layers, Level, NamedPolicy, Request, compile_policy
from daypass.principal import Anonymous, FederatedCaller, FederatedUser, Principal, RoleSession, Root, Service, User

HOME, AWAY = "111111111111", "222222222222"
ALICE = User(HOME, "/team/", "alice", "AIDAALICEALICEALICE01")
SESSION = RoleSession(HOME, "/ops/", "Dev", "AROADEVDEVDEVDEVDEV01", "alice")
PROVIDER = f"arn:aws:iam::{HOME}:oidc-provider/idp.example/a"
CALLERS: tuple[Principal, ...] = (
    *[ALICE] * 9,
    *[SESSION] * 8,
    Root(HOME),
    Root(HOME),
    Root(HOME, for_a_task=True),
    FederatedUser(HOME, "fed", ALICE),
    FederatedUser(HOME, "fed", Root(HOME)),
    User(AWAY, "/", "bob", "AIDABOBBOBBOBBOBBOB01"),
    Service("sns.amazonaws.com"),
    FederatedCaller(PROVIDER),
    Anonymous(),
)
ROLE = f"arn:aws:iam::{HOME}:role/ops/Dev"
ENTRIES: tuple[Any, ...] = (
    "*",
    {"AWS": "*"},
    {"AWS": HOME},
    {"AWS": f"arn:aws:iam::{AWAY}:root"},
    {"AWS": ALICE.arn},
    {"AWS": [ALICE.unique_id, ROLE]},
    {"AWS": ROLE},
    {"AWS": SESSION.arn},
    {"AWS": [f"arn:aws:sts::{HOME}:federated-user/fed", "arn:aws:iam::222222222222:user/bob"]},
    {"Service": "sns.amazonaws.com", "AWS": SESSION.role_id},
    {"Federated": PROVIDER},
)
IDS = (None, {ALICE.arn: ALICE.unique_id, ROLE: SESSION.role_id}, {ALICE.arn: None, ROLE: "AROAOTHEROTHEROTHER01"})
ACTIONS = (
    "s3:GetObject",
    "s3:GetObject",
    "S3:getobject",
    "s3:PutObject",
    "s3:PutObject",
    "sqs:SendMessage",
    "sts:AssumeRole",
)
ACTION_PATTERNS = (
    "*",
    "s3:*",
    "s3:Get*",
    "S3:GETOBJECT",
    "s3:*Object",
    "s3:?etObject",
    "sqs:*",
    "sts:*",
    "sts:*s*e*o*",
)
RESOURCES = (
    "arn:aws:s3:::b/k",
    "arn:aws:s3:::b/alice/k",
    "arn:aws:s3:::b/alice/k:x",
    "arn:aws:sqs:us-east-1:111111111111:q",
    "arn:aws:sqs:us-east-1:111111111111:q:q:k",
    ROLE,
    "*",
)
RESOURCE_PATTERNS = (
    "*",
    "*",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::b/k",
    "arn:aws:s3:::*/k*",
    "arn:aws:s3:::b/${aws:username}/*",
    "arn:aws:s3:::${aws:PrincipalTag/t, 'b'}/k",
    "arn:aws:s3:::${aws:TagKeys}/*",
    "arn:aws:s3:::b/${*}",
    "arn:aws:s3:::?/k?x",
    "arn:aws:s3:::b/*?k*",
    "ARN:aws:S3:::b/k",
    "arn:aws:s3:::B/k",
    "arn:aws:sqs:us-*t-1:*:q",
    "arn:aws:sqs:us-*:q:*",
    "arn:aws:sqs:*:q:k",
    "arn:aws:sqs:us-e?st-1:111111111111:q*",
    "arn:aws:sqs",
    "arn:aws:sqs:us-east-1",
    "arn:aws:sqs*",
    "arn:aws:${aws:username}:::b/k",
    "arn:aws:iam::*:role/*",
)
VALUES: dict[str, tuple[str, ...]] = {
    "String": (
        "alice",
        "ALICE",
        "al*",
        "a?ice",
        "${aws:username}",
        "${aws:PrincipalTag/t, 'alice'}",
        "",
        "blue",
        "a${*}",
        "straße",
    ),
    "Numeric": ("10", "10.0", "1e1", "-3", "11", "ten", "${s:n}"),
    "Date": (
        "2020-01-01T00:00:00Z",
        "1577836800",
        "2020-01",
        "2020-01-01T02:00+02",
        "1970-01-02",
        "2021-02-03T04:05:06",
    ),
    "Bool": ("true", "TRUE", "false", "yes", "${s:b}"),
    "Binary": ("aGk=", "aGs=", "%%"),
    "Ip": ("10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "2001:db8::/32", "::ffff:10.1.2.3", "10.1.2.9/29", "nope"),
    "Arn": (
        "arn:aws:s3:::b/k",
        "arn:aws:s3:::b/*",
        "arn:aws:s*",
        "arn:aws:s3",
        "*",
        "arn:*:s3:::?/${aws:username}",
        "arn:aws:sqs:*:1:q:x",
        "${s:a}",
        "not-an-arn",
    ),
    "Null": ("true", "false", "other"),
}
CONTEXT_VALUES: dict[str, tuple[str, ...]] = {
    "aws:username": ("alice", "ALICE", "", "al*"),
    "aws:PrincipalTag/t": ("alice", "blue", "b", "*"),
    "s:n": ("10", "1e1", "11", "-3", "ten"),
    "s:d": ("2020-01-01T00:00:00Z", "1577836800", "2020-01", "86400", "soon"),
    "s:b": ("true", "false", "True", "maybe"),
    "s:x": ("aGk=", "aGs=", "???"),
    "s:i": ("10.1.2.3", "10.1.2.8", "2001:db8::1", "::ffff:10.1.2.3", "here"),
    "s:a": ("arn:aws:s3:::b/k", "arn:aws:sqs:r:1:q:x", "arn:aws:s3:::b/alice", "arn:short"),
}
FAMILIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "String": (
        (
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
        ),
        ("aws:username", "aws:PrincipalTag/t", "AWS:tagkeys", "s:gone"),
    ),
    "Numeric": (
        ("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan"),
        ("s:n",),
    ),
    "Date": (("DateEquals", "DateNotEquals", "DateLessThan", "DateGreaterThanEquals"), ("s:d",)),
    "Bool": (("Bool",), ("s:b",)),
    "Binary": (("BinaryEquals",), ("s:x",)),
    "Ip": (("IpAddress", "NotIpAddress"), ("s:i",)),
    "Arn": (("ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"), ("s:a",)),
    "Null": (("Null",), ("aws:username", "s:gone", "aws:TagKeys")),
}
PREFIXES = ("", "", "", "", "ForAllValues:", "ForAnyValue:")


@functools.cache
def below(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


def pick(draw: Any, *items: Any) -> Any:
    """One of the items. Strategies are costly to make, so there is one for each number of items."""
    return items[draw(below(len(items)))]


def several(draw: Any, items: Any, least: int, most: int) -> list[Any]:
    return [pick(draw, *items) for _ in range(pick(draw, *range(least, most + 1)))]


@st.composite
def conditions(draw: Any) -> dict[str, Any]:
    block: dict[str, Any] = {}
    for _ in range(pick(draw, 0, 0, 0, 1, 1, 2)):
        family = pick(draw, *FAMILIES)
        bases, keys = FAMILIES[family]
        suffix = pick(draw, "", "", "IfExists") if family != "Null" else ""
        values = several(draw, VALUES[family], 0, 3)
        block.setdefault(pick(draw, *PREFIXES) + pick(draw, *bases) + suffix, {})[pick(draw, *keys)] = values
    return block


@st.composite
def statements(draw: Any, kind: Kind) -> dict[str, Any]:
    denies = pick(draw, *[False] * 7, True)
    statement: dict[str, Any] = {"Effect": "Deny" if denies else "Allow"}
    element = pick(draw, "Action", "Action", "Action", "NotAction")
    pool = [p for p in ACTION_PATTERNS if p.startswith("sts:")] if kind is Kind.TRUST else ACTION_PATTERNS
    statement[element] = several(draw, pool, 1, 2)
    if kind is not Kind.TRUST:
        element = pick(draw, "Resource", "Resource", "Resource", "Resource", "NotResource")
        pool = [p for p in RESOURCE_PATTERNS if kind is not Kind.SESSION or p == "*" or p.count(":") >= 5]
        statement[element] = several(draw, pool, 1, 3)
    if kind in (Kind.RESOURCE, Kind.TRUST, Kind.VPC_ENDPOINT):
        entries = [e for e in ENTRIES if kind is not Kind.TRUST or (e != "*" and e != {"AWS": "*"})]
        negated = denies and kind is not Kind.TRUST and pick(draw, False, True)
        if kind is Kind.TRUST or pick(draw, True, True, True, False):
            statement["NotPrincipal" if negated else "Principal"] = pick(draw, *entries)
    block = draw(conditions())
    if block:
        statement["Condition"] = block
    return statement


@st.composite
def documents(draw: Any, kind: Kind) -> str:
    many = pick(draw, 1, 2, 3, 9) if kind in (Kind.IDENTITY, Kind.RESOURCE) else pick(draw, 1, 2)
    listed = draw(st.lists(statements(kind), min_size=1, max_size=many))
    if kind in (Kind.IDENTITY, Kind.RESOURCE) and pick(draw, *[True] * 5, False):
        broad: dict[str, Any] = {"Effect": "Allow", "Action": ["s3:*", "sqs:*"], "Resource": "*"}
        if kind is Kind.RESOURCE:
            broad["Principal"] = pick(draw, *ENTRIES)
        if pick(draw, *[False] * 3, True):
            broad["Condition"] = draw(conditions())
        listed.append(broad)
    document: dict[str, Any] = {"Statement": listed if len(listed) > 1 or draw(st.booleans()) else listed[0]}
    version = pick(draw, "2012-10-17", "2012-10-17", "2008-10-17", None)
    if kind not in (Kind.RESOURCE, Kind.TRUST, Kind.VPC_ENDPOINT):
        version = "2012-10-17"
    if version:
        document["Version"] = version
    return json.dumps(document, ensure_ascii=draw(st.booleans()))


DENY_TEXTS = tuple(
    json.dumps({"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"} | extra})
    for extra in (
        {"Principal": {"AWS": ALICE.arn}},
        {"NotPrincipal": {"AWS": [HOME, ALICE.arn]}},
        {"NotPrincipal": {"AWS": SESSION.arn}},
    )
)
FULL = """{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"""


@st.composite
def policies(draw: Any, kind: Kind, name: str = "p") -> NamedPolicy:
    full = kind in (Kind.BOUNDARY, Kind.SESSION, Kind.SCP, Kind.VPC_ENDPOINT) and pick(draw, True, True, True, False)
    text = FULL if full else draw(documents(kind))
    if kind is Kind.RESOURCE and pick(draw, *[False] * 6, True):
        text = pick(draw, *DENY_TEXTS)
    return NamedPolicy(name, compile_policy(text, kind), pick(draw, *IDS))


RCP_TEXT = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*",'
    '"Condition":{"StringNotEqualsIfExists":{"aws:username":"alice"}}}}'
)


@st.composite
def layers(draw: Any) -> Layers:
    rarely = (*[False] * 5, True)
    kind = pick(draw, *[Kind.RESOURCE] * 7, Kind.TRUST)
    levels = tuple(Level(name, (draw(policies(Kind.SCP)),)) for name in ("root", "unit")[: pick(draw, 1, 2)])
    rcp = NamedPolicy("r", compile_policy(RCP_TEXT, Kind.RCP))
    return Layers(
        identity=tuple(draw(st.lists(policies(Kind.IDENTITY), min_size=pick(draw, 0, 1, 1, 1, 1, 1), max_size=3))),
        boundary=draw(policies(Kind.BOUNDARY)) if pick(draw, *rarely) else None,
        session=(draw(policies(Kind.SESSION)),) if pick(draw, *rarely) else None,
        resource=draw(policies(kind)) if pick(draw, True, True, False) else None,
        scps=levels if pick(draw, *rarely) else None,
        rcps=(Level("root", (rcp,)), Level("empty")) if pick(draw, *rarely) else None,
        vpc_endpoint=draw(policies(Kind.VPC_ENDPOINT)) if pick(draw, *rarely) else None,
        explicit_trust_required=kind is Kind.TRUST or pick(draw, *rarely),
        service_linked_role=pick(draw, False, False, False, False, True),
    )


@st.composite
def contexts(draw: Any) -> Context:
    found: dict[str, Any] = {}
    for key, pool in CONTEXT_VALUES.items():
        if pick(draw, True, True, False):
            listed = pick(draw, False, False, False, False, False, True)
            found[key] = tuple(several(draw, pool, 0, 2)) if listed else pick(draw, *pool)
    if draw(st.booleans()):
        found["aws:TagKeys"] = tuple(several(draw, ("alice", "blue", ""), 0, 2))
    return Context(found)


@dataclass(frozen=True)
class Scenario:
    """Several layers and several requests: every pair is a case."""

    layers: list[Layers]
    requests: list[Request]


@st.composite
def scenarios(draw: Any, size: int) -> Scenario:
    known = [draw(contexts()) for _ in range(4)]
    made = [
        Request(
            action=pick(draw, *ACTIONS),
            resource=pick(draw, *RESOURCES),
            resource_account=pick(draw, HOME, HOME, HOME, HOME, HOME, HOME, AWAY),
            principal=pick(draw, *CALLERS),
            context=pick(draw, *known),
            long_term_credentials=pick(draw, True, False),
        )
        for _ in range(size)
    ]
    return Scenario([draw(layers()), draw(layers())], made)

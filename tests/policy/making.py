# SPDX-License-Identifier: Apache-2.0
"""
Short ways to make documents, policies and requests.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from daypass.errors import PolicyError, Reason
from daypass.identity import ContextValue
from daypass.policy import Context, Decision, Kind, Layers, NamedPolicy, Policy, Request, compile_policy, decide
from daypass.principal import FederatedUser, Principal, RoleSession, Root, User

HOME, AWAY = "111111111111", "222222222222"
ALICE = User(HOME, "/team/", "alice", "AIDAALICEALICEALICE01")
BOB = User(AWAY, "/", "bob", "AIDABOBBOBBOBBOBBOB01")
SESSION = RoleSession(HOME, "/ops/", "Dev", "AROADEVDEVDEVDEVDEV01", "laptop")
FED = FederatedUser(HOME, "fed", ALICE)
ROOT = Root(HOME)
ROLE = SESSION.role_arn
ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY_ALL = {"Effect": "Deny", "Action": "*", "Resource": "*"}
OBJECT = "arn:aws:s3:::b/k"


def document(*statements: dict[str, Any], version: str | None = "2012-10-17") -> str:
    made: dict[str, Any] = {"Statement": list(statements)}
    if version is not None:
        made["Version"] = version
    return json.dumps(made)


def statement(effect: str = "Allow", /, **elements: Any) -> dict[str, Any]:
    """A statement on everything, but for the elements given; ``None`` takes one out."""
    made = {"Effect": effect, "Action": "*", "Resource": "*"} | elements
    if "NotAction" in elements:
        del made["Action"]
    if "NotResource" in elements:
        del made["Resource"]
    return {name: value for name, value in made.items() if value is not None}


def policy(*statements: dict[str, Any], kind: Kind = Kind.IDENTITY, version: str | None = "2012-10-17") -> Policy:
    return compile_policy(document(*statements, version=version), kind)


def named(
    *statements: dict[str, Any], kind: Kind = Kind.IDENTITY, name: str = "p", ids: dict[str, str | None] | None = None
) -> NamedPolicy:
    return NamedPolicy(name, policy(*statements, kind=kind), ids)


def request(
    action: str = "s3:GetObject",
    resource: str = OBJECT,
    who: Principal = ALICE,
    account: str = HOME,
    context: dict[str, ContextValue] | None = None,
    long_term: bool = False,
) -> Request:
    return Request(action, resource, account, who, Context(context or {}), long_term)


def applies(made: dict[str, Any], asked: Request | None = None, *, version: str | None = "2012-10-17") -> bool:
    """Whether an Allow statement applies: as the only one of a policy on the request."""
    kind = Kind.IDENTITY if version == "2012-10-17" else Kind.RESOURCE
    if kind is Kind.IDENTITY:
        layers = Layers(identity=(NamedPolicy("p", compile_policy(document(made), kind)),))
    else:
        text = document(made | {"Principal": "*"}, version=version)
        layers = Layers(resource=NamedPolicy("p", compile_policy(text, kind)))
    return decide(asked or request(), layers).allowed


def decided(asked: Request, **layers: Any) -> Decision:
    return decide(asked, Layers(**layers))


def refused(text: str, kind: Kind = Kind.IDENTITY) -> PolicyError:
    """The refusal of a document; the test fails when it is accepted."""
    with pytest.raises(PolicyError) as caught:
        compile_policy(text, kind)
    return caught.value


def reason(text: str, kind: Kind = Kind.IDENTITY) -> Reason:
    return refused(text, kind).reason

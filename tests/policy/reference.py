# SPDX-License-Identifier: Apache-2.0
"""
A second evaluator of IAM policies, written to be read next to the specification and nothing else.

It interprets the JSON each time, uses the standard library's own dates, fractions and networks, and shares no code with
``daypass.policy`` but the types that carry a request. Slow on purpose; the section numbers are those of the specification.
"""

from __future__ import annotations

import functools
import json
from typing import Any

from daypass.policy import Kind, Layers, NamedPolicy, Request
from daypass.principal import Anonymous, FederatedCaller, FederatedUser, RoleSession, Root, Service, User
from policy.reference_conditions import Tokens, as_list, conditions_hold, fields_of, glob, lower, substitute, tokenize

NONE, DELEGATED, LIMITED, UNLIMITED = 0, 1, 2, 3


# 4.1 Action


def action_matches(statement: dict[str, Any], action: str) -> bool:
    patterns = as_list(statement.get("Action", statement.get("NotAction")))
    return any(one_action(lower(p), lower(action)) for p in patterns) is ("Action" in statement)


def one_action(pattern: str, action: str) -> bool:
    if pattern == "*":
        return True
    (service, name), (wanted, wanted_name) = pattern.split(":", 1), action.split(":", 1)
    return service == wanted and glob(tokenize(name, False), wanted_name)


# 4.2 Resource


def one_resource(pattern: str, version: str, kind: Kind, resource: str, context: dict[str, Any]) -> bool | None:
    """None: a variable has no value."""
    if pattern == "*":
        return True
    fields = fields_of(tokenize(pattern, version == "2012-10-17"))
    if any(token[0] == "var" for field in fields[:5] for token in field):
        return None
    if len(fields) < 6:
        if kind in (Kind.RESOURCE, Kind.VPC_ENDPOINT) and ("star", "*") not in [
            token for field in fields for token in field
        ]:
            return False
        fields += [[("star", "*")]] * (6 - len(fields))
    last = substitute(fields[5], context)
    if last is None:
        return None
    if resource.count(":") < 5:
        return False
    whole: list[tuple[str, str]] = []
    for field in fields[:5]:
        for place, (token, text) in enumerate(field):
            crosses = token == "star" and place == len(field) - 1
            whole.append((token if crosses else token + "-head", text))
        whole.append(("lit", ":"))
    return arn_glob(whole + list(last), resource)


def arn_glob(tokens: Tokens, text: str) -> bool:
    @functools.cache
    def at(i: int, j: int) -> bool:
        if i == len(tokens):
            return j == len(text)
        kind, literal = tokens[i]
        more = j < len(text)
        inside = more and text[j] != ":"
        if kind in ("star", "star-head"):
            return at(i + 1, j) or ((more if kind == "star" else inside) and at(i, j + 1))
        fits = {
            "one": more,
            "one-head": inside,
            "lit": more and text[j] == literal,
            "lit-head": more and lower(text[j]) == lower(literal),
        }[kind]
        return fits and at(i + 1, j + 1)

    return at(0, 0)


def resource_matches(statement: dict[str, Any], version: str, kind: Kind, request: Request) -> bool:
    if "Resource" not in statement and "NotResource" not in statement:
        return True
    patterns = [p for p in as_list(statement.get("Resource", statement.get("NotResource"))) if p is not None]
    context = dict(request.context.entries)
    hits = [one_resource(p, version, kind, request.resource, context) for p in patterns]
    if "Resource" in statement:
        return True in hits
    return None not in hits and True not in hits


# 7 Principals


def entries_of(element: Any) -> list[tuple[str, str]]:
    if element == "*":
        return [("AWS", "*")]
    return [(kind, text) for kind, texts in element.items() for text in as_list(texts)]


def entry_class(kind: str, text: str, who: Any, ids: Any) -> int:
    if kind == "Service":
        return UNLIMITED if isinstance(who, Service) and who.name == text else NONE
    if kind == "Federated":
        return UNLIMITED if isinstance(who, FederatedCaller) and who.provider == text else NONE
    if text == "*":
        return UNLIMITED
    if not isinstance(who, Root | User | RoleSession | FederatedUser):
        return NONE
    if text in (who.account, f"arn:aws:iam::{who.account}:root"):
        return UNLIMITED if isinstance(who, Root) else DELEGATED
    if isinstance(who, RoleSession | FederatedUser) and text == who.arn:
        return UNLIMITED
    if isinstance(who, User):
        return UNLIMITED if names(text, who.arn, who.unique_id, ids) else NONE
    if isinstance(who, RoleSession):
        same = text.split("/")[0] == f"arn:aws:iam::{who.account}:role" and text.split("/")[-1] == who.role_name
        known = same if ids is None else ids.get(text) == who.role_id
        return LIMITED if known or text == who.role_id else NONE
    if isinstance(who, FederatedUser) and isinstance(who.parent, User):
        return LIMITED if names(text, who.parent.arn, who.parent.unique_id, ids) else NONE
    return NONE


def names(text: str, arn: str, unique_id: str, ids: Any) -> bool:
    return text == unique_id or (text == arn if ids is None else ids.get(text) == unique_id)


def principal_class(statement: dict[str, Any], kind: Kind, named: NamedPolicy, who: Any, boundary: bool) -> int:
    if "Principal" in statement:
        return max(entry_class(k, t, who, named.principal_ids) for k, t in entries_of(statement["Principal"]))
    if "NotPrincipal" in statement:
        if statement["Effect"] == "Deny" and boundary and isinstance(who, User | RoleSession):
            return UNLIMITED
        listed = any(entry_class(k, t, who, named.principal_ids) for k, t in entries_of(statement["NotPrincipal"]))
        return NONE if listed else UNLIMITED
    return UNLIMITED if kind is Kind.VPC_ENDPOINT else NONE


# 8 Statement, policy, set


parse = functools.cache(json.loads)


def evaluate(policies: Any, request: Request, boundary: bool = False) -> tuple[str, int]:
    """``deny``, ``allow`` or ``none``, and the best class of the applying Allow statements."""
    verdict, grant = "none", NONE
    for named in policies:
        document = parse(named.policy.text)
        version = document.get("Version", "2008-10-17")
        kind = named.policy.kind
        for statement in as_list(document["Statement"]):
            reached = UNLIMITED
            if kind in (Kind.RESOURCE, Kind.TRUST, Kind.VPC_ENDPOINT):
                reached = principal_class(statement, kind, named, request.principal, boundary)
            applies = (
                action_matches(statement, request.action)
                and resource_matches(statement, version, kind, request)
                and reached
                and conditions_hold(statement, version, dict(request.context.entries))
            )
            if applies and statement["Effect"] == "Deny":
                verdict = "deny"
            elif applies:
                verdict = "allow" if verdict == "none" else verdict
                grant = max(grant, reached)
    return verdict, grant


# 9 Decision


def decide(request: Request, layers: Layers) -> str:
    who = request.principal
    action = lower(request.action)
    service = action.split(":")[0]
    # A
    if action == "sts:getcalleridentity" and not isinstance(who, Anonymous | FederatedCaller):
        return "allowed"
    if action == "sts:getsessiontoken" and request.long_term_credentials and isinstance(who, User | Root):
        return "allowed"
    if action == "sts:assumerole" and isinstance(who, Root):
        return "implicitDeny"
    # B
    account = isinstance(who, Root | User | RoleSession | FederatedUser)
    of_root = isinstance(who, FederatedUser) and isinstance(who.parent, Root)
    member = account and not layers.service_linked_role
    scps = [evaluate(level.policies, request)[0] for level in layers.scps or ()] if member else []
    with_rcp = layers.rcps is not None and service in layers.rcp_services and not layers.service_linked_role
    rcps = [evaluate(level.policies, request)[0] for level in layers.rcps or ()] if with_rcp else []
    has_boundary = layers.boundary is not None
    vpce = evaluate([layers.vpc_endpoint], request, has_boundary)[0] if layers.vpc_endpoint else "allow"
    resource, grant = evaluate([layers.resource], request, has_boundary) if layers.resource else ("none", NONE)
    own = account and not isinstance(who, Root) and not of_root
    identity = evaluate(layers.identity, request)[0] if own else "absent"
    boundary = evaluate([layers.boundary], request)[0] if own and layers.boundary else "absent"
    session = "absent"
    task = isinstance(who, Root) and who.for_a_task
    if task:
        session = evaluate(layers.session or (), request)[0]
    if isinstance(who, RoleSession | FederatedUser) and layers.session is not None:
        session = evaluate(layers.session, request)[0]
    # C, D
    if "deny" in [*scps, *rcps, vpce, resource, identity, boundary, session]:
        return "explicitDeny"
    if "none" in scps or vpce == "none":
        return "implicitDeny"
    # E
    pb_ok = boundary in ("absent", "allow")
    ses_ok = session == "allow" or (session == "absent" and not isinstance(who, FederatedUser))
    idside = isinstance(who, Root) or ((identity == "allow" or of_root) and pb_ok and ses_ok)
    # F, G, H
    if not account:
        allowed = grant == UNLIMITED
    elif task and session != "allow":
        allowed = False
    elif who.account != request.resource_account:  # type: ignore[union-attr]
        allowed = grant != NONE and idside
    elif grant == UNLIMITED or (grant == LIMITED and pb_ok and ses_ok):
        allowed = True
    else:
        allowed = idside and (grant == DELEGATED or not layers.explicit_trust_required)
    return "allowed" if allowed else "implicitDeny"

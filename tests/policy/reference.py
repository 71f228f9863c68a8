# SPDX-License-Identifier: Apache-2.0
"""
A second evaluator of IAM policies, written to be read next to the specification and nothing else.

It interprets the JSON each time, uses the standard library's own dates, fractions and networks, and shares no code with
``daypass.policy`` but the types that carry a request. Slow on purpose; the section numbers are those of the specification.
"""

from __future__ import annotations

import base64
import datetime
import functools
import ipaddress
import json
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from daypass.policy import Kind, Layers, NamedPolicy, Request
from daypass.principal import Anonymous, FederatedCaller, FederatedUser, RoleSession, Root, Service, User

Tokens = Sequence[tuple[str, str]]  # ("lit" | "star" | "one" | "var", text)
NONE, DELEGATED, LIMITED, UNLIMITED = 0, 1, 2, 3


class TypeMismatch(Exception):
    """A value that the operator cannot read (5.1, type errors)."""


# 3 Globs, 6 variables


@functools.cache
def tokenize(text: str, variables: bool, wildcards: bool = True) -> Tokens:
    tokens: list[tuple[str, str]] = []
    while text:
        if variables and text.startswith("${") and "}" in text:
            body, text = text[2:].split("}", 1)
            tokens.append(("lit", body) if body in ("*", "?", "$") else ("var", body))
            continue
        kind = {"*": "star", "?": "one"}.get(text[0], "lit") if wildcards else "lit"
        tokens.append((kind, text[0]))
        text = text[1:]
    return tokens


def variable(body: str, context: dict[str, Any]) -> str | None:
    match = re.fullmatch(r"\s*([^,]*?)\s*,\s*'(.*)'\s*", body, re.DOTALL)
    key, default = (match[1], match[2]) if match else (body, None)
    value = context.get(key.lower())
    if isinstance(value, tuple):
        return None
    return value if value else default


def substitute(tokens: Tokens, context: dict[str, Any]) -> Tokens | None:
    result: list[tuple[str, str]] = []
    for kind, text in tokens:
        if kind != "var":
            result.append((kind, text))
            continue
        value = variable(text, context)
        if value is None:
            return None
        result += [("lit", character) for character in value]
    return result


def glob(tokens: Tokens, text: str) -> bool:
    @functools.cache
    def at(i: int, j: int) -> bool:
        if i == len(tokens):
            return j == len(text)
        kind, literal = tokens[i]
        if kind == "star":
            return at(i + 1, j) or (j < len(text) and at(i, j + 1))
        return j < len(text) and (kind == "one" or text[j] == literal) and at(i + 1, j + 1)

    return at(0, 0)


def lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


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


def fields_of(tokens: Tokens) -> list[list[tuple[str, str]]]:
    fields: list[list[tuple[str, str]]] = [[]]
    for token in tokens:
        if token == ("lit", ":") and len(fields) < 6:
            fields.append([])
        else:
            fields[-1].append(token)
    return fields


def one_resource(pattern: str, version: str, kind: Kind, resource: str, context: dict[str, Any]) -> bool | None:
    """None: a variable has no value."""
    if pattern == "*":
        return True
    fields = fields_of(tokenize(pattern, version == "2012-10-17"))
    if any(token[0] == "var" for field in fields[:5] for token in field):
        return None
    if len(fields) < 6:
        if kind in (Kind.RESOURCE, Kind.VPC_ENDPOINT) and ("star", "*") not in sum(fields, []):
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


# 5 Conditions


def conditions_hold(statement: dict[str, Any], version: str, context: dict[str, Any]) -> bool:
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            texts = [str(v).lower() if isinstance(v, bool) else str(v) for v in as_list(values)]
            if not pair_holds(operator, context.get(key.lower()), texts, version == "2012-10-17", context):
                return False
    return True


def pair_holds(operator: str, value: Any, policy: list[str], variables: bool, context: dict[str, Any]) -> bool:
    prefix, _, rest = operator.rpartition(":")
    base = rest.removesuffix("IfExists")
    negated = "Not" in base
    if base == "Null":
        return any(
            (p.lower() == "true" and value is None) or (p.lower() == "false" and value is not None) for p in policy
        )
    if value is None:
        if rest != base or prefix == "ForAllValues":
            return True
        return False if prefix == "ForAnyValue" else negated
    if isinstance(value, tuple) and not prefix:
        return False
    values = value if isinstance(value, tuple) else (value,)
    try:
        hits = [value_fits(base.replace("Not", ""), v, policy, variables, context) is not negated for v in values]
    except TypeMismatch:
        return False
    return any(hits) if prefix == "ForAnyValue" else all(hits)


def value_fits(base: str, value: str, policy: list[str], variables: bool, context: dict[str, Any]) -> bool:
    hits = [compare(base, value, p, variables, context) for p in policy]
    if not policy:
        compare(base, value, None, variables, context)
    return any(hits)


def compare(base: str, value: str, pattern: str | None, variables: bool, context: dict[str, Any]) -> bool:
    if base in ("StringLike", "ArnEquals", "ArnLike"):
        tokens = None if pattern is None else substitute(tokenize(pattern, variables), context)
        if base == "StringLike":
            return tokens is not None and glob(tokens, value)
        if value.count(":") < 5 or not value.startswith("arn:"):
            raise TypeMismatch
        return tokens is not None and arn_fits(tokens, value)
    if base in ("StringEquals", "StringEqualsIgnoreCase", "Bool"):
        tokens = None if pattern is None else substitute(tokenize(pattern, variables, wildcards=False), context)
        text = None if tokens is None else "".join(character for _, character in tokens)
        if base == "StringEquals":
            return text == value
        if base == "Bool" and (
            value.lower() not in ("true", "false") or text is not None and text.lower() not in ("true", "false")
        ):
            raise TypeMismatch
        return text is not None and text.lower() == value.lower()
    if base == "IpAddress":
        return ip_fits(value, pattern)
    read = {"N": number, "D": date, "B": binary}[base[0]]
    left = read(value)
    if pattern is None:
        return False
    right = read(pattern)
    order = base.removeprefix("Numeric").removeprefix("Date").removeprefix("Binary")
    return {
        "Equals": left == right,
        "LessThan": left < right,
        "LessThanEquals": left <= right,
        "GreaterThan": left > right,
        "GreaterThanEquals": left >= right,
    }[order]


def arn_fits(tokens: Tokens, value: str) -> bool:
    patterns = fields_of(tokens)
    if len(patterns) < 6:
        if not patterns[-1] or patterns[-1][-1][0] != "star":
            return False
        patterns += [[("star", "*")]] * (6 - len(patterns))
    return all(glob(p, v) for p, v in zip(patterns, value.split(":", 5), strict=True))


def number(text: str) -> Any:
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", text):
        raise TypeMismatch
    return Fraction(text)


def date(text: str) -> Any:
    if re.fullmatch(r"[0-9]+", text):
        return Fraction(int(text))
    normal = text.upper().replace("Z", "+00:00")
    normal = re.sub(r"([+-][0-9]{2})$", r"\1:00", normal) if "T" in normal else normal
    for form in ("%Y-%m", "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"):
        try:
            found = datetime.datetime.strptime(normal, form)  # noqa: DTZ007 - the zone is added below
        except ValueError:
            continue
        return Fraction((found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp())
    raise TypeMismatch


def binary(text: str) -> Any:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise TypeMismatch from None


def ip_fits(value: str, pattern: str | None) -> bool:
    try:
        address = ipaddress.ip_address(value)
        block = None if pattern is None else ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        raise TypeMismatch from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return block is not None and address.version == block.version and address in block


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


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


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
    elif who.account != request.resource_account:  # type: ignore[union-attr]
        allowed = grant != NONE and idside
    elif grant == UNLIMITED or (grant == LIMITED and pb_ok and ses_ok):
        allowed = True
    else:
        allowed = idside and (grant == DELEGATED or not layers.explicit_trust_required)
    return "allowed" if allowed else "implicitDeny"

# SPDX-License-Identifier: Apache-2.0
"""
The engines of ``bench.decisions``: daypass, Cedar (cedarpy) and Rego (regopy), each with the policies of one ``Case``.

Each is used in the fastest way found that its documentation describes, and gets its requests in the form that it takes
fastest, made beforehand: what is timed is from a finished request to the answer as a bool.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, Protocol

import cedarpy
import regopy  # type: ignore[import-untyped]  # the package has no type information

from bench.decision_cases import ACCOUNT, ACTIONS, ROLE, SESSIONS, Call, Case, Equal, Rule, iam_document
from daypass.policy import Context, Kind, Layers, NamedPolicy, PolicySet, Request, compile_policy, decide, explain
from daypass.policy.closest import telling
from daypass.principal import RoleSession

Ask = Callable[[], bool]
"""Decides one request that was made beforehand."""

STATEMENTS_TO_A_DOCUMENT: Final = 50


class Engine(Protocol):
    """An engine that holds the policies of a case. ``how``: in which of its ways it is used, for the report."""

    how: ClassVar[str]

    def __init__(self, case: Case) -> None: ...

    def asks(self, calls: Sequence[Call]) -> list[Ask]:
        """A decision to be called for each of the calls."""
        ...


class Daypass:
    """The layered path: identity policies (as a PolicySet), permissions boundary and session policy of a role session."""

    how: ClassVar[str] = "decide() on a PolicySet, a permissions boundary and a session policy"

    def __init__(self, case: Case) -> None:
        documents = [
            iam_document(case.identity[start : start + STATEMENTS_TO_A_DOCUMENT])
            for start in range(0, len(case.identity), STATEMENTS_TO_A_DOCUMENT)
        ]
        self.layers = Layers(
            identity=PolicySet(_named(f"identity-{n}", text, Kind.IDENTITY) for n, text in enumerate(documents)),
            boundary=_named("boundary", iam_document(case.boundary), Kind.BOUNDARY),
            session=(_named("session", iam_document(case.session), Kind.SESSION),),
        )

    def asks(self, calls: Sequence[Call]) -> list[Ask]:
        """``decide(...).allowed``."""
        return [_deciding(request_of(call), self.layers) for call in calls]

    def explanations(self, calls: Sequence[Call]) -> list[Ask]:
        """What a denied caller is told, as JSON takes it; and whether that says allowed."""
        return [_explaining(request_of(call), self.layers) for call in calls]

    def listings(self, calls: Sequence[Call]) -> list[Ask]:
        """The same with every statement compared: ``explain(...).to_dict()``."""
        return [_listing(request_of(call), self.layers) for call in calls]


def _named(name: str, text: str, kind: Kind) -> NamedPolicy:
    return NamedPolicy(name, compile_policy(text, kind))


def request_of(call: Call) -> Request:
    """The call as daypass's own request."""
    principal = RoleSession(ACCOUNT, "/", ROLE, "AROAQIIAXEXAMPLEROLE5", call.session)
    return Request(call.action, call.resource, ACCOUNT, principal, Context(call.context))


def _deciding(request: Request, layers: Layers) -> Ask:
    return lambda: decide(request, layers).allowed


def _explaining(request: Request, layers: Layers) -> Ask:
    def ask() -> bool:
        explanation = explain(request, layers)
        return bool(explanation.to_dict(telling(explanation))["decision"] == "allowed")

    return ask


def _listing(request: Request, layers: Layers) -> Ask:
    return lambda: explain(request, layers).to_dict()["decision"] == "allowed"


class Cedar:
    """
    A policy per rule, parsed once, with entities parsed once: the role of the sessions, and the groups of the actions.

    The resource's ARN is a key of the context, so that no entity has to be added for each request, which is slower.
    ``is_authorized_batch`` would save a part of each call, but a service is asked one thing at a time. The
    boundary and the session policy are ``forbid ... unless``, for Cedar adds up what policies permit.
    """

    how: ClassVar[str] = "is_authorized() with PolicySet and Entities handles, structured uids, context as JSON text"

    def __init__(self, case: Case) -> None:
        scope = f'principal in Role::"{ROLE}"'
        rules = [f"{'forbid' if rule.denies else 'permit'}({scope}, {_cedar_body(rule)};" for rule in case.identity]
        bounds = [
            f"forbid({scope}, action, resource) unless {{ {' || '.join(map(_cedar_permits, rules))} }};"
            for rules in (case.boundary, case.session)
        ]
        self._policies = cedarpy.PolicySet.from_str("\n".join(rules + bounds))
        self._entities = cedarpy.Entities.from_json_str(json.dumps(_cedar_entities(case)))

    def asks(self, calls: Sequence[Call]) -> list[Ask]:
        """``is_authorized(...).allowed``."""
        return [self._deciding(_cedar_request(call)) for call in calls]

    def _deciding(self, request: dict[str, Any]) -> Ask:
        policies, entities = self._policies, self._entities
        return lambda: cedarpy.is_authorized(request, policies, entities).allowed


def _cedar_request(call: Call) -> dict[str, Any]:
    return {
        "principal": {"type": "Session", "id": call.session},
        "action": {"type": "Action", "id": call.action},
        "resource": {"type": "Resource", "id": call.resource},
        "context": json.dumps(call.context | {"resource": call.resource}),
    }


def _cedar_body(rule: Rule) -> str:
    tests = _cedar_tests(rule)
    return f"{_cedar_action(rule)}, resource)" + (f" when {{ {' && '.join(tests)} }}" if tests else "")


def _cedar_permits(rule: Rule) -> str:
    return f"({' && '.join([_cedar_action(rule), *_cedar_tests(rule)])})"


def _cedar_action(rule: Rule) -> str:
    return f"action in [{', '.join(f'Action::{json.dumps(pattern)}' for pattern in rule.actions)}]"


def _cedar_tests(rule: Rule) -> list[str]:
    tests = []
    if "*" not in rule.resources:
        either = [f"context.resource {'like' if '*' in text else '=='} {json.dumps(text)}" for text in rule.resources]
        tests.append(f"({' || '.join(either)})")
    if rule.when is not None:
        other = f"context[{json.dumps(rule.when.same_as)}]" if rule.when.same_as else json.dumps(rule.when.value)
        tests.append(f"context[{json.dumps(rule.when.key)}] == {other}")
    return tests


def _cedar_entities(case: Case) -> list[dict[str, Any]]:
    """The sessions in their role; every action in the groups that are written as wildcards."""
    role = {"type": "Role", "id": ROLE}
    entities = [_entity({"type": "Session", "id": session}, [role]) for session in SESSIONS] + [_entity(role, [])]
    groups: dict[str, list[dict[str, str]]] = {action: [] for action in ACTIONS}
    for pattern in dict.fromkeys(p for rule in (*case.identity, *case.boundary, *case.session) for p in rule.actions):
        if "*" in pattern:
            for action in Rule((pattern,), ()).actions_covered():
                groups[action].append({"type": "Action", "id": pattern})
    return entities + [_entity({"type": "Action", "id": action}, parents) for action, parents in groups.items()]


def _entity(uid: dict[str, str], parents: list[dict[str, str]]) -> dict[str, Any]:
    return {"uid": uid, "attrs": {}, "parents": parents}


class Rego:
    """
    The rules as data, listed by action and form, and a module that looks them up; compiled to a bundle once.

    Rules without a condition whose resources end in their only ``*`` are one call of a built-in. Generated Rego, a rule for
    every statement, was as fast for 3 statements, and slower by 3 times for 50 and by 30 for 1,000.
    """

    how: ClassVar[str] = "query_bundle() on a built bundle, rules as data by action, Input objects"

    def __init__(self, case: Case) -> None:
        self._interpreter = regopy.Interpreter()
        self._interpreter.add_data(
            {
                "granted": _by_action([rule for rule in case.identity if not rule.denies]),
                "denied": _by_action([rule for rule in case.identity if rule.denies]),
                "bounded": _by_action(case.boundary),
                "passed": _by_action(case.session),
            }
        )
        names = ("granted", "denied", "bounded", "passed")
        self._interpreter.add_module("decision", _REGO + "".join(_REGO_LAYER.replace("LAYER", name) for name in names))
        self._bundle = self._interpreter.build("data.decision.allow")

    def asks(self, calls: Sequence[Call]) -> list[Ask]:
        """``set_input`` and ``query_bundle``; whether the one expression is true."""
        return [
            self._deciding(
                regopy.Input(
                    {"action": call.action, "resource": call.resource, "session": call.session}
                    | {"role": ROLE, "context": call.context}
                )
            )
            for call in calls
        ]

    def _deciding(self, request: Any) -> Ask:
        interpreter, bundle = self._interpreter, self._bundle

        def ask() -> bool:
            interpreter.set_input(request)
            results = interpreter.query_bundle(bundle).results
            return bool(results) and results[0].expressions == [True]

        return ask


_REGO: Final = f"""package decision

allow if {{
    input.role == "{ROLE}"
    granted
    bounded
    passed
    not denied
}}
"""
_REGO_LAYER: Final = """
LAYER if strings.any_prefix_match(input.resource, data.LAYER[input.action].prefixes)
LAYER if data.LAYER[input.action].exact[input.resource]
LAYER if {
    some pattern in data.LAYER[input.action].patterns
    startswith(input.resource, pattern.prefix)
    contains(substring(input.resource, pattern.length, -1), pattern.within)
}
LAYER if {
    some rule in data.LAYER[input.action].valued
    startswith(input.resource, rule.prefix)
    input.context[rule.key] == rule.value
}
LAYER if {
    some rule in data.LAYER[input.action].compared
    startswith(input.resource, rule.prefix)
    input.context[rule.key] == input.context[rule.same_as]
}
"""


def _by_action(rules: Sequence[Rule]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for rule in rules:
        for action in rule.actions_covered():
            forms = found.setdefault(
                action, {"prefixes": [], "exact": {}, "patterns": [], "valued": [], "compared": []}
            )
            for resource in rule.resources:
                _put(forms, resource, rule.when)
    return found


def _put(forms: dict[str, Any], resource: str, when: Equal | None) -> None:
    """A resource of a rule among the forms of one action; every form is told by built-ins faster than ``glob.match``."""
    prefix, star, rest = resource.partition("*")
    if (rest and not rest.endswith("*")) or "*" in rest[:-1] or (when is not None and (rest or not star)):
        raise ValueError(f"the Rego policies have no form for {resource!r}")
    if when is not None and when.same_as:
        forms["compared"].append({"prefix": prefix, "key": when.key, "same_as": when.same_as})
    elif when is not None:
        forms["valued"].append({"prefix": prefix, "key": when.key, "value": when.value})
    elif not star:
        forms["exact"][resource] = True
    elif not rest:
        forms["prefixes"].append(prefix)
    else:
        forms["patterns"].append({"prefix": prefix, "length": len(prefix), "within": rest[:-1]})


ENGINES: Final[dict[str, type[Engine]]] = {"daypass": Daypass, "cedarpy": Cedar, "regopy": Rego}

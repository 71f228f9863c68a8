# SPDX-License-Identifier: Apache-2.0
"""
A record of the audit trail as lines of text: who asked what, what came of it, and the decision as it was made then.

The decision is read from the record (``daypass.access.evidence``), not made again: policies may have changed since.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from daypass.cli.explain.statements import SHOWN, WHY
from daypass.cli.explain.text import HEADLINES, TITLES, printable
from daypass.policy import Layer, Outcome

_SIGNS: Final = {"allow": "✓", "deny": "✕", "none": "–", "absent": "–"}
_WORDS: Final = {"allow": "allowed", "deny": "denied", "none": "no statement allows it", "absent": "none"}


def lines_of(record: Mapping[str, Any]) -> Iterator[str]:
    """What is known of a request, a line at a time, without control characters."""
    for line in _lines(record):
        yield printable(line)


def _lines(record: Mapping[str, Any]) -> Iterator[str]:
    data = record.get("additionalEventData") or {}
    decision = data.get("decision") or {}
    explanation = decision.get("explanation")
    yield _headline(record, decision)
    yield f"  by {_who(record['userIdentity'])}"
    yield from (f"  after {arn}" for arn in data.get("chain", ()))
    yield f"  at {record['eventTime']} from {record['sourceIPAddress']}, request {record['requestID']}"
    if record.get("userAgent"):
        yield f"  with {record['userAgent']}"
    if record.get("errorMessage"):
        yield f"  {record['errorMessage']}"
    if "reason" in data:
        yield f"  reason: {data['reason']} (docs/errors.md)"
    yield from _named("asked", record.get("requestParameters"))
    yield from _named("answered", record.get("responseElements"))
    told = {name: value for name, value in data.items() if name not in ("decision", "reason", "chain")}
    yield from _named("besides", told)
    if explanation is not None:
        yield ""
        yield from _explained(explanation, decision["context"])


def _headline(record: Mapping[str, Any], decision: Mapping[str, Any]) -> str:
    service = record["eventSource"].partition(".")[0]
    action = f"{service}:{record['eventName'] or 'unknown operation'}"
    explanation = decision.get("explanation")
    if explanation is not None:
        asked = decision["context"]
        on = "" if asked["resource"] == "*" else f" on {asked['resource']}"
        return f"{HEADLINES[Outcome(explanation['decision'])]}  {asked['action']}{on}"
    if "errorCode" in record:
        return f"REFUSED ({record['errorCode']})  {action}"
    return f"DONE  {action}"


def _who(identity: Mapping[str, Any]) -> str:
    name = identity.get("arn") or identity.get("userName")
    if name is None:
        return "nobody that is known"
    provider = identity.get("identityProvider")
    session = identity.get("sessionContext") or {}
    federated = session.get("webIdFederationData")
    if provider is not None:
        return f"{name}, for whom {provider} vouches"
    if federated is not None:
        subject = (federated.get("attributes") or {}).get("sub")
        return f"{name}, begun by {subject or 'somebody'} of {federated['federatedProvider']}"
    return str(name)


def _named(title: str, values: Mapping[str, Any] | None) -> Iterator[str]:
    for name, value in (values or {}).items():
        yield f"  {title}: {name} = {value if isinstance(value, str) else json.dumps(value)}"


def _explained(explanation: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[str]:
    cause = explanation["cause"] or {}
    sids = {one["ref"]: one["sid"] for one in explanation["statements"]}
    silent = {change.removeprefix("allow in ") for change in explanation["counterfactual"]}
    for row in explanation["layers"]:
        place = row["layer"] if row.get("level") is None else f"{row['layer']}:{row['level']}"
        decides = (cause.get("layer"), cause.get("level")) == (row["layer"], row.get("level"))
        sign = "✕" if place in silent else _SIGNS[row["result"]]
        words = _WORDS[row["result"]]
        if row["result"] == "none" and place not in silent:
            words += ", and none needs to"
        by = row["deny"] or row["allow"]
        words += f" by {', '.join(_label(ref, sids.get(ref)) for ref in by[:SHOWN])}" if by else ""
        yield f"{'→' if decides else ' '} {sign} {_title(place)}: {words}{' (this decides)' if decides else ''}"
        yield from _statements(explanation["statements"], place)
    if explanation["missing_context"]:
        keys = ", ".join(explanation["missing_context"])
        yield f"Context keys that statements ask for and the request does not have: {keys}"
    if explanation["counterfactual"]:
        yield ""
        yield "To allow it:"
        yield from (f"  - {_advice(change, asked, sids)}" for change in explanation["counterfactual"])


def _statements(statements: list[dict[str, Any]], place: str) -> Iterator[str]:
    for one in statements:
        if not one["ref"].startswith(f"{place}:"):
            continue
        label = _label(one["ref"], one["sid"])
        if one["applies"]:
            yield f"      ✓ {label}: {one['effect']}, applies"
            continue
        yield f"      – closest: {label}: {one['effect']}, does not apply"
        yield from (f"          {line}" for line in _elements(one))


def _elements(one: Mapping[str, Any]) -> Iterator[str]:
    action, principal, resource = one["action"], one["principal"], one["resource"]
    yield f"Action {_sign(action['match'])} {action['by'] or WHY[action['why']]}"
    if principal is not None:
        yield f"Principal {_sign(principal['match'])} {WHY.get(principal['why'], 'means the caller')}"
    if resource is not None:
        name = "NotResource" if resource["negated"] else "Resource"
        for entry in resource["entries"][:SHOWN]:
            why = f" ({WHY[entry['why']]})" if entry["why"] else ""
            yield f"{name} {_sign(resource['match'])} {entry['resolved']}{why}"
    for condition in one["conditions"]:
        has = ", ".join(condition["values"][:SHOWN]) if condition["present"] else "nothing"
        wants = ", ".join(condition["policy"][:SHOWN])
        yield f"Condition {_sign(condition['result'])} {condition['op']} {condition['key']}: {wants} (the request has {has})"


def _advice(change: str, asked: Mapping[str, Any], sids: Mapping[str, str | None]) -> str:
    if change.startswith("allow in "):
        place = _title(change.removeprefix("allow in "))
        return f"add a statement that allows {asked['action']} on {asked['resource']} ({place})"
    if change.startswith("remove "):
        ref = change.removeprefix("remove ")
        return f"remove or narrow {_label(ref, sids.get(ref))}, which denies it"
    return change


def _title(place: str) -> str:
    layer, _, level = place.partition(":")
    return f"{TITLES[Layer(layer)]}, {level}" if level else TITLES[Layer(layer)]


def _label(ref: str, sid: str | None = None) -> str:
    """A statement as people know it, from ``identity:inline:main#1`` (counted from 0 there) or ``identity:inline:main#Sid``."""
    policy, _, place = ref.partition(":")[2].rpartition("#")
    return f"{sid or (f'statement {int(place) + 1}' if place.isdecimal() else place)} of {policy}"


def _sign(fits: bool) -> str:
    return "✓" if fits else "✕"

# SPDX-License-Identifier: Apache-2.0
"""EventBridge (Service Authorization Reference, "Amazon EventBridge")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.rules import (
    Asked,
    Resources,
    Rule,
    invalid,
    name_or_arn,
    named,
    on,
    own_arn,
    passed_role,
    passing_role,
    together,
)
from daypass.gateway.asking import Needed
from daypass.identity import ContextValue

_BUS_NAME: Final = "[A-Za-z0-9_.-]{1,256}"
_RULE_NAME: Final = "[A-Za-z0-9_.-]{1,64}"
BUS: Final = Resources("event-bus/{}", re.compile(_BUS_NAME, re.ASCII))
_RULE: Final = Resources("rule/{}", re.compile(rf"(?:{_BUS_NAME}/)?{_RULE_NAME}", re.ASCII))
_ONE_RULE: Final = re.compile(_RULE_NAME, re.ASCII)
_ARCHIVE: Final = Resources("archive/{}", re.compile("[A-Za-z0-9_.-]{1,48}", re.ASCII))
_REPLAY: Final = Resources("replay/{}", re.compile(_RULE_NAME, re.ASCII))


def _bus(asked: Asked) -> Sequence[str]:
    if not asked.has("Name"):
        return (BUS.of_name(asked, "default", "Name"),)
    return name_or_arn("Name", BUS)(asked)


def _rule(parameter: str) -> Rule:
    """A rule of the default bus is ``rule/NAME``, one of another bus ``rule/BUS/NAME``."""

    def read(asked: Asked) -> Sequence[str]:
        name, bus = asked.text(parameter), "default"
        if _ONE_RULE.fullmatch(name) is None:
            raise invalid(parameter, "the name of a rule")
        if asked.has("EventBusName"):
            bus = BUS.of_name_or_arn(asked, asked.text("EventBusName"), "EventBusName").rpartition("/")[2]
        return (_RULE.of_name(asked, name if bus == "default" else f"{bus}/{name}", parameter),)

    return on(read)


def _events(asked: Asked) -> Sequence[Needed]:
    """Every event is decided by its bus, its source and its kind."""
    if asked.has("EndpointId"):
        raise RequestError(Reason.UNSUPPORTED_PARAMETER, "PutEvents with EndpointId is not supported here.")
    needed = []
    for item in asked.items("Entries"):
        entry = asked.structure(item, "PutEventsRequestEntry", "Entries")
        bus, source, kind = (entry.get(name) for name in ("EventBusName", "Source", "DetailType"))
        if not isinstance(source, str) or not isinstance(kind, str) or not isinstance(bus, str | None):
            raise invalid("Entries", "a list of events with a Source and a DetailType")
        keys: Mapping[str, ContextValue] = {"events:source": (source,), "events:detail-type": (kind,)}
        arn = BUS.of_name_or_arn(asked, bus or "default", "Entries")
        needed.append(Needed("events:PutEvents", arn, keys))
    return needed


def _targets(asked: Asked) -> Sequence[Needed]:
    """PutTargets on the rule, with the targets' ARNs as condition key; and the roles that are passed to them."""
    arns, passed = [], []
    for item in asked.items("Targets"):
        target = asked.structure(item, "Target", "Targets")
        arn, role = target.get("Arn"), target.get("RoleArn", "")
        if not isinstance(arn, str) or not isinstance(role, str):
            raise invalid("Targets", "a list of targets with an Arn each")
        arns.append(arn)
        if "RoleArn" in target:
            passed.append(passed_role(role, "events.amazonaws.com", "Targets"))
    keys: Mapping[str, ContextValue] = {"events:targetarn": tuple(arns)}
    return [*(Needed(needed.action, needed.resource, keys) for needed in _rule("Rule")(asked)), *passed]


def _rule_tagging(asked: Asked) -> Sequence[Needed]:
    """Tags of a new rule need TagResource on it as well."""
    if not asked.has("Tags"):
        return ()
    return [Needed("events:TagResource", needed.resource) for needed in _rule("Name")(asked)]


ROWS: Final[Mapping[str, Rule]] = {
    "PutEvents": _events,
    "CreateEventBus": on(
        named("Name", BUS), tagging="TagResource", refused=("EventSourceName", "KmsKeyIdentifier", "LogConfig")
    ),
    "DeleteEventBus": on(named("Name", BUS)),
    "DescribeEventBus": on(_bus),
    "PutRule": together(_rule("Name"), passing_role("RoleArn", "events.amazonaws.com"), _rule_tagging),
    **dict.fromkeys(("DeleteRule", "DescribeRule", "DisableRule", "EnableRule"), _rule("Name")),
    "PutTargets": _targets,
    **dict.fromkeys(("RemoveTargets", "ListTargetsByRule"), _rule("Rule")),
    **dict.fromkeys(
        ("TagResource", "UntagResource", "ListTagsForResource"),
        on(own_arn("ResourceARN", f"event-bus/{_BUS_NAME}", f"rule/(?:{_BUS_NAME}/)?{_RULE_NAME}")),
    ),
    **dict.fromkeys(("DescribeArchive", "DeleteArchive"), on(named("ArchiveName", _ARCHIVE))),
    **dict.fromkeys(("DescribeReplay", "CancelReplay"), on(named("ReplayName", _REPLAY))),
}

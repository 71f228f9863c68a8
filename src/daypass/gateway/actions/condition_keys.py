# SPDX-License-Identifier: Apache-2.0
"""
The condition keys that requests of named services bring (Service Authorization Reference, condition keys by service).

Keys whose value is a parameter's are set from it. Keys of one value that we cannot tell are absent, so that what a policy
allows on their condition is not allowed. Of keys with several values an absent one would satisfy ``ForAllValues``; they are
set to one value that nothing has, UNDETERMINED. docs/action-maps.md lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.reference import Reference
from daypass.gateway.actions.rules import MAX_ITEMS, Asked, invalid
from daypass.gateway.actions.tags import tag_keys
from daypass.gateway.asking import Needed
from daypass.identity import ContextValue

UNDETERMINED: Final[ContextValue] = ("(not determined)",)
"""The value of a key of several values that we cannot tell."""

OF_PARAMETERS: Final[Mapping[str, str]] = {
    "dynamodb:select": "Select",
    "dynamodb:returnvalues": "ReturnValues",
    "dynamodb:returnconsumedcapacity": "ReturnConsumedCapacity",
    "sns:protocol": "Protocol",
    "sns:endpoint": "Endpoint",
    "kms:grantoperations": "Operations",
    "secretsmanager:name": "Name",
    "secretsmanager:versionid": "VersionId",
    "secretsmanager:versionstage": "VersionStage",
    "secretsmanager:forcedeletewithoutrecovery": "ForceDeleteWithoutRecovery",
    "ssm:overwrite": "Overwrite",
    "ssm:recursive": "Recursive",
}
"""Keys that have the value of a parameter, where the action has the key and the request the parameter."""

OF_RULES: Final = frozenset(
    {
        *("dynamodb:enclosingoperation", "events:source", "events:detail-type", "events:targetarn"),
        "kms:encryptioncontextkeys",
        *("aws:requesttag/${tagkey}", "aws:tagkeys"),
    }
)
"""Keys that are set in another way: by a rule, or from tags or an encryption context."""

_NEVER: Final = frozenset({"dynamodb:fistargetarns", "kinesis:fistargetarns", "secretsmanager:addreplicaregions"})
"""Keys of several values that no request has which we let pass: of AWS's own fault injection, and of a refused parameter."""


class ConditionKeys:
    """What keys the actions of one service have, and where they come from."""

    def __init__(self, prefix: str, reference: Reference) -> None:
        self._prefix = prefix
        self._parameters: dict[str, tuple[tuple[str, str], ...]] = {}
        self._undetermined: dict[str, dict[str, ContextValue]] = {}
        for name, action in reference.actions.items():
            keys = sorted(action.keys)
            self._parameters[name] = tuple((key, OF_PARAMETERS[key]) for key in keys if key in OF_PARAMETERS)
            self._undetermined[name] = {
                key: UNDETERMINED
                for key in keys
                if key in reference.many and key not in OF_RULES | _NEVER and "${" not in key
            }

    @property
    def undetermined(self) -> tuple[str, ...]:
        """The keys that are set to UNDETERMINED with some action, whatever the request."""
        return tuple(sorted({key for keys in self._undetermined.values() for key in keys if key not in OF_PARAMETERS}))

    @property
    def of_parameters(self) -> tuple[str, ...]:
        """The keys that are set from a parameter with some action."""
        return tuple(sorted({key for pairs in self._parameters.values() for key, _ in pairs}))

    def of_request(self, asked: Asked) -> dict[str, ContextValue]:
        """The keys that every permission of a request has: of its tags and its encryption context. Raises RequestError."""
        keys = tag_keys(asked.parameters)
        if self._prefix == "kms" and asked.has("EncryptionContext"):
            keys.update(_encryption_context(asked.parameters["EncryptionContext"]))
        return keys

    def added(self, needed: Needed, asked: Asked, shared: Mapping[str, ContextValue]) -> Needed:
        """A permission with all its keys: its own, the request's, its action's. Raises RequestError."""
        name = needed.action.partition(":")[2]
        keys = {**self._undetermined.get(name, {}), **shared, **needed.keys}
        for key, parameter in self._parameters.get(name, ()):
            if asked.has(parameter):
                keys[key] = _as_value(asked.parameters[parameter], parameter)
        return Needed(needed.action, needed.resource, keys) if keys else needed


def _as_value(value: Any, parameter: str) -> ContextValue:
    if not isinstance(value, list):
        return _as_text(value, parameter)
    if len(value) > MAX_ITEMS:
        raise invalid(parameter, f"a list of at most {MAX_ITEMS} texts")
    return tuple(_as_text(item, parameter) for item in value)


def _as_text(value: Any, parameter: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise invalid(parameter, "a text")
    return value


def _encryption_context(value: Any) -> dict[str, ContextValue]:
    """KMS Developer Guide, "kms:EncryptionContext:context-key" and "kms:EncryptionContextKeys"."""
    if not isinstance(value, dict) or len(value) > MAX_ITEMS:
        raise invalid("EncryptionContext", f"a map of at most {MAX_ITEMS} texts")
    keys: dict[str, ContextValue] = {
        f"kms:encryptioncontext:{name.lower()}": _as_text(text, "EncryptionContext") for name, text in value.items()
    }
    if len(keys) != len(value):
        raise RequestError(
            Reason.INVALID_PARAMETER, "EncryptionContext has a key twice; names of condition keys ignore case."
        )
    if value:
        keys["kms:encryptioncontextkeys"] = tuple(value)
    return keys

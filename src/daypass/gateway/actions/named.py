# SPDX-License-Identifier: Apache-2.0
"""
The action map of services whose requests name their operation: DynamoDB, SQS, SNS and the like.

    Incoming -- read_request --> NamedRequest -- the row of the operation --> Needed -- condition keys --> AskedOperation

An operation is an IAM action of the same name on the resources that its parameters name, with the exceptions of AWS's
Service Authorization Reference, as the tables in ``rows`` say. What has no row needs its action on ``*`` where the reference
says that the action has no resource type, and is refused otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from daypass.errors import ConfigurationError, Reason, RequestError
from daypass.gateway.actions.condition_keys import ConditionKeys
from daypass.gateway.actions.named_request import Speech, is_json, read_request
from daypass.gateway.actions.reference import ReferencedAction, read_model, read_reference
from daypass.gateway.actions.rows import dynamodb, events, kinesis, kms, logs, secretsmanager, sns, sqs, ssm, states
from daypass.gateway.actions.rules import Asked, Rule, everything
from daypass.gateway.asking import AskedOperation, Incoming, Needed
from daypass.gateway.denials import DenialForm
from daypass.sigv4 import RawRequest

_MIB: Final = 1024 * 1024


class _Description(msgspec.Struct, frozen=True):
    """A service that is mapped: its models, its rows, and how large its requests may be."""

    models: tuple[tuple[str, str], ...]
    rows: Mapping[str, Rule]
    body_limit: int = 4 * _MIB  # 1 MiB is the most that any of them takes; escapes and base64 in JSON make it longer
    query_version: str = ""
    form_names: Mapping[str, str] = {}
    denied_code: str = ""


_SERVICES: Final[Mapping[str, _Description]] = {
    "dynamodb": _Description(
        (("dynamodb", "2012-08-10"), ("dynamodbstreams", "2012-08-10")),
        dynamodb.ROWS,
        body_limit=16 * _MIB,  # what DynamoDB takes in one BatchWriteItem
    ),
    "sqs": _Description((("sqs", "2012-11-05"),), sqs.ROWS, query_version="2012-11-05", form_names=sqs.FORM_NAMES),
    "sns": _Description(
        (("sns", "2010-03-31"),), sns.ROWS, query_version="2010-03-31", denied_code="AuthorizationError"
    ),
    "kinesis": _Description(
        (("kinesis", "2013-12-02"),),
        kinesis.ROWS,
        body_limit=16 * _MIB,  # 10 MiB of records, in base64
    ),
    "secretsmanager": _Description((("secretsmanager", "2017-10-17"),), secretsmanager.ROWS),
    "ssm": _Description((("ssm", "2014-11-06"),), ssm.ROWS),
    "kms": _Description((("kms", "2014-11-01"),), kms.ROWS),
    "logs": _Description((("logs", "2014-03-28"),), logs.ROWS),
    "events": _Description((("events", "2015-10-07"),), events.ROWS),
    "states": _Description((("stepfunctions", "2016-11-23"),), states.ROWS),
}

NAMED_SERVICES: Final = tuple(_SERVICES)
"""The services that are mapped, by the prefix of their actions, which is also the service in their credential scopes."""

_SQS_NAMESPACE: Final = "http://queue.amazonaws.com/doc/2012-11-05/"


class NamedActions:
    """The action map of one service. Raises ConfigurationError (CONFIGURATION_INVALID) for one that is not mapped."""

    def __init__(self, service: str) -> None:
        described = _SERVICES.get(service)
        if described is None:
            raise ConfigurationError(
                Reason.CONFIGURATION_INVALID,
                f"there is no action map for the service {service!r}; expected one of {', '.join(NAMED_SERVICES)}. Services "
                "whose operations are told by method and path (REST) need a table of actions.",
            )
        models = tuple(read_model(name, version) for name, version in described.models)
        reference = read_reference(service)
        self._service = service
        self._body_limit = described.body_limit
        self._denied_code = described.denied_code
        self._actions = reference.actions
        self._keys = ConditionKeys(service, reference)
        self._speech = Speech(models, described.query_version, described.form_names, queue_paths=service == "sqs")
        self._rules = _rules([name for model in models for name in model.inputs], described.rows, reference.actions)

    @property
    def refused(self) -> tuple[str, ...]:
        """The operations of the service that are refused, by name."""
        return tuple(sorted(name for name, rule in self._rules.items() if rule is None))

    @property
    def without_resource(self) -> tuple[str, ...]:
        """The operations that need their action on ``*``."""
        return tuple(sorted(name for name, rule in self._rules.items() if rule is everything))

    @property
    def with_resource(self) -> tuple[str, ...]:
        """The operations that need an action on the resources that the request names."""
        return tuple(sorted({*self._rules} - {*self.refused} - {*self.without_resource}))

    @property
    def condition_keys(self) -> ConditionKeys:
        """The condition keys of the service's actions."""
        return self._keys

    def denial_form(self, raw: RawRequest) -> DenialForm:
        """How a request is to be denied: in the protocol that it speaks."""
        model = self._speech.models[0]
        if is_json(raw) or not self._speech.query_version:
            compatible = bool(self._speech.query_version) and any(
                name == b"x-amzn-query-mode" for name, _ in raw.headers
            )
            return DenialForm("json", json_version=model.json_version, query_errors=compatible)
        return DenialForm("query", xml_namespace=model.xml_namespace or _SQS_NAMESPACE, denied_code=self._denied_code)

    def body_limit(self, incoming: Incoming) -> int | None:  # noqa: ARG002 - of the protocol
        """The service's own limit: what is asked stands in the body, or it must be seen that there is none."""
        return self._body_limit

    def operation(self, incoming: Incoming) -> AskedOperation:
        """
        What is asked. Raises RequestError: UNSUPPORTED_OPERATION, UNSUPPORTED_PARAMETER for what is not mapped,
        REQUEST_TOO_LARGE, and what ``read_request`` and the rules raise for what is malformed.
        """
        if incoming.body is not None and len(incoming.body) > self._body_limit:
            raise RequestError(Reason.REQUEST_TOO_LARGE, f"The body is longer than {self._body_limit} bytes.")
        request = read_request(self._speech, incoming)
        rule = self._rules[request.operation]
        if rule is None:
            raise RequestError(
                Reason.UNSUPPORTED_OPERATION, f"The operation {request.operation} is not supported here."
            )
        asked = Asked(
            self._service, request.operation, request.parameters, incoming.region, incoming.account, request.model
        )
        needed = rule(asked)
        _refuse_unpassed_roles(asked, needed)
        shared = self._keys.of_request(asked)
        return AskedOperation(
            self._service,
            request.operation,
            _without_repetitions(self._keys.added(item, asked, shared) for item in needed),
            read_only=all(self._reads_only(item) for item in needed),
        )

    def _reads_only(self, needed: Needed) -> bool:
        action = self._actions.get(needed.action.partition(":")[2])
        return action is not None and action.read_only


def _rules(
    operations: Iterable[str], rows: Mapping[str, Rule], actions: Mapping[str, ReferencedAction]
) -> Mapping[str, Rule | None]:
    """The rule of every operation; None for those that are refused."""
    rules: dict[str, Rule | None] = {}
    for name in operations:
        action = actions.get(name)
        rules[name] = rows.get(name) or (everything if action is not None and not action.has_resources else None)
    return rules


def _refuse_unpassed_roles(asked: Asked, needed: Sequence[Needed]) -> None:
    """Whoever gives a role to a service must be allowed to pass it; where no rule says so, the parameter is refused."""
    if any(item.action == "iam:PassRole" for item in needed):
        return
    for name, value in asked.parameters.items():
        # Attributes of SNS have names that are values here, in a parameter of their own or in a map.
        words = (
            (name, value) if name == "AttributeName" else (name, *_words(value)) if name == "Attributes" else (name,)
        )
        if any(isinstance(word, str) and "role" in word.lower() and len(word) <= 64 for word in words):
            raise RequestError(Reason.UNSUPPORTED_PARAMETER, f"{asked.operation} with {name} is not supported here.")


def _words(value: object) -> Iterable[object]:
    return (*value, *value.values()) if isinstance(value, dict) else ()


def _without_repetitions(needed: Iterable[Needed]) -> tuple[Needed, ...]:
    return tuple({(item.action, item.resource, *sorted(item.keys.items())): item for item in needed}.values())

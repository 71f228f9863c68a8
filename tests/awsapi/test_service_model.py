# SPDX-License-Identifier: Apache-2.0
"""The service models: found without botocore's code, complete, and of the one protocol that is built."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

import daypass
from daypass.awsapi import query
from daypass.awsapi.model import ServiceModel, Shape, load_service

SOURCE = Path(daypass.__file__).parents[1]
SERVICES: tuple[Literal["sts", "iam"], ...] = ("sts", "iam")
TINY: dict[str, Any] = {
    "metadata": {
        "endpointPrefix": "sts",
        "apiVersion": "2011-06-15",
        "xmlNamespace": "urn:tiny",
        "protocols": ["query"],
    },
    "operations": {"Wave": {"name": "Wave"}},
    "shapes": {},
}


def run(program: str, *path: Path) -> str:
    """What a fresh interpreter prints, with these folders first on its path."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*path, SOURCE)))}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60).stdout


def fake_botocore(folder: Path) -> Path:
    """A package called botocore that must not be imported; returns the folder for the model."""
    package = folder / "botocore"
    data = package / "data" / "sts" / "2011-06-15"
    data.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('botocore was imported')")
    return data


@pytest.mark.parametrize("name", SERVICES)
def test_both_models_list_the_query_protocol_only(name: Literal["sts", "iam"]) -> None:
    assert load_service(name).protocols == ("query",)


@pytest.mark.parametrize(
    ("name", "version", "namespace", "at_least"),
    [
        ("sts", "2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/", 11),
        ("iam", "2010-05-08", "https://iam.amazonaws.com/doc/2010-05-08/", 176),
    ],
)
def test_a_service_has_its_version_namespace_and_operations(
    name: Literal["sts", "iam"], version: str, namespace: str, at_least: int
) -> None:
    service = load_service(name)
    assert (service.name, service.api_version, service.xml_namespace) == (name, version, namespace)
    assert len(service.operations) >= at_least


@pytest.mark.parametrize("name", SERVICES)
def test_every_operation_has_a_reader_and_no_parameters_are_no_parameters(name: Literal["sts", "iam"]) -> None:
    for operation in load_service(name).operations.values():
        assert query.parse_input(operation, {}) == {}


def test_a_model_is_read_once() -> None:
    assert load_service("sts") is load_service("sts")


def test_only_the_two_federation_operations_are_unsigned() -> None:
    operations = [operation for name in SERVICES for operation in load_service(name).operations.values()]
    unsigned = {operation.name for operation in operations if operation.unsigned}
    assert unsigned == {"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"}


@pytest.mark.parametrize(
    ("name", "code", "status", "fault"),
    [
        ("sts", "IDPRejectedClaim", 403, "Sender"),
        ("sts", "RegionDisabledException", 403, "Sender"),
        ("iam", "NoSuchEntity", 404, "Sender"),
        ("iam", "ServiceFailure", 500, "Receiver"),
        ("iam", "OrganizationNotFoundException", 400, "Sender"),
    ],
)
def test_a_modelled_error_has_its_status_and_fault(
    name: Literal["sts", "iam"], code: str, status: int, fault: str
) -> None:
    error = load_service(name).errors[code]
    assert (error.code, error.status, error.fault) == (code, status, fault)


@pytest.mark.parametrize("name", SERVICES)
def test_every_error_that_an_operation_declares_is_among_the_services_errors(name: Literal["sts", "iam"]) -> None:
    service = load_service(name)
    for operation in service.operations.values():
        assert {error.code for error in operation.errors} <= service.errors.keys()


def test_loading_the_models_imports_none_of_botocores_code() -> None:
    program = (
        "import sys; from daypass.awsapi.model import load_service; load_service('sts'); load_service('iam');"
        "print([name for name in sys.modules if name.startswith('botocore')])"
    )
    assert run(program).strip() == "[]"


def test_only_a_list_has_elements_and_only_a_map_has_entries() -> None:
    text = Shape("Text", "string")
    with pytest.raises(ValueError, match="elements"):
        text.its_element()
    with pytest.raises(ValueError, match="entries"):
        text.its_entry()


@pytest.mark.parametrize("suffix", ["service-2.json", "service-2.json.gz"])
def test_a_model_is_found_plain_and_compressed(tmp_path: Path, suffix: str) -> None:
    text = json.dumps(TINY).encode()
    (fake_botocore(tmp_path) / suffix).write_bytes(gzip.compress(text) if suffix.endswith("gz") else text)
    program = "from daypass.awsapi.model import load_service; print(load_service('sts').xml_namespace)"
    assert run(program, tmp_path).strip() == "urn:tiny"


def test_a_botocore_without_the_model_is_a_configuration_error(tmp_path: Path) -> None:
    fake_botocore(tmp_path)
    program = (
        "from daypass.awsapi.model import load_service\n"
        "from daypass.errors import ConfigurationError\n"
        "try: load_service('sts')\n"
        "except ConfigurationError as error: print(error.reason.name)"
    )
    assert run(program, tmp_path).strip() == "CONFIGURATION_INVALID"


@pytest.mark.parametrize(
    "shapes",
    [
        {"In": {"type": "structure", "members": {"A": {"shape": "Odd"}}}, "Odd": {"type": "document"}},
        {"In": {"type": "structure", "members": {"A": {"shape": "In"}}}},
    ],
    ids=["of an unknown kind", "inside itself"],
)
def test_a_shape_that_cannot_be_read_is_refused_when_the_operation_is_first_used(shapes: dict[str, Any]) -> None:
    operation = {"name": "Wave", "input": {"shape": "In"}}
    service = ServiceModel.from_document({**TINY, "operations": {"Wave": operation}, "shapes": shapes})
    with pytest.raises(ValueError, match="shape"):
        query.parse_input(service.operations["Wave"], {})

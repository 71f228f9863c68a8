# SPDX-License-Identifier: Apache-2.0
"""Results become XML that every parser reads; a result that the model does not describe is our mistake and raises."""

from __future__ import annotations

import enum
import math
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.awsapi import query
from daypass.awsapi.model import OperationModel, ServiceModel, load_service

STS, IAM = load_service("sts"), load_service("iam")
CALLER = STS.operations["GetCallerIdentity"]
SESSION_TOKEN = STS.operations["GetSessionToken"]
LIST_POLICIES = IAM.operations["ListRolePolicies"]
CREDENTIALS = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": 0}


def flattening(shapes: dict[str, Any]) -> OperationModel:
    """An operation whose answer is the shape Out."""
    return ServiceModel.from_document(
        {
            "metadata": {"endpointPrefix": "x", "apiVersion": "1", "xmlNamespace": "urn:x", "protocols": ["query"]},
            "operations": {"Do": {"name": "Do", "output": {"shape": "Out"}}},
            "shapes": {"Text": {"type": "string"}, **shapes},
        }
    ).operations["Do"]


def test_an_answer_has_awss_form() -> None:
    result = {"UserId": "AIDA", "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/Alice"}
    assert query.serialize_result(CALLER, result, "an-id") == (
        b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        b"<UserId>AIDA</UserId><Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/Alice</Arn>"
        b"</GetCallerIdentityResult><ResponseMetadata><RequestId>an-id</RequestId></ResponseMetadata>"
        b"</GetCallerIdentityResponse>"
    )


def test_an_answer_without_members_has_metadata_only() -> None:
    assert query.serialize_result(IAM.operations["DeleteRole"], {}, "an-id") == (
        b'<DeleteRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        b"<ResponseMetadata><RequestId>an-id</RequestId></ResponseMetadata></DeleteRoleResponse>"
    )


def test_an_error_has_awss_form() -> None:
    data = query.serialize_error(STS, code="AccessDenied", message="No <way>.", fault="Sender", request_id="an-id")
    assert data == (
        b'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        b"<Code>AccessDenied</Code><Message>No &lt;way&gt;.</Message></Error><RequestId>an-id</RequestId></ErrorResponse>"
    )


def test_a_member_that_is_none_is_left_out_and_an_empty_list_is_an_empty_element() -> None:
    data = query.serialize_result(LIST_POLICIES, {"PolicyNames": [], "IsTruncated": False, "Marker": None}, "an-id")
    assert b"<PolicyNames/><IsTruncated>false</IsTruncated>" in data
    assert b"Marker" not in data


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0, b"1970-01-01T00:00:00Z"),
        (1769860800, b"2026-01-31T12:00:00Z"),
        (1769860800.999, b"2026-01-31T12:00:00Z"),
        (1772323199, b"2026-02-28T23:59:59Z"),
        (951782400, b"2000-02-29T00:00:00Z"),
        (-0.5, b"1969-12-31T23:59:59Z"),
        (253402300799, b"9999-12-31T23:59:59Z"),
        (-62135596800, b"0001-01-01T00:00:00Z"),
    ],
)
def test_a_time_is_written_in_whole_seconds_rounded_down(instant: float, text: bytes) -> None:
    data = query.serialize_result(SESSION_TOKEN, {"Credentials": {**CREDENTIALS, "Expiration": instant}}, "an-id")
    assert b"<Expiration>" + text + b"</Expiration>" in data


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        (CALLER, {"UserID": "AIDA"}),
        (CALLER, {"UserId": "AIDA", "Color": None}),
        (CALLER, {"UserId": 1}),
        (CALLER, {"UserId": b"AIDA"}),
        (CALLER, {"UserId": ["AIDA"]}),
        (CALLER, []),
        (SESSION_TOKEN, {"Credentials": "x"}),
        (SESSION_TOKEN, {"Credentials": {**CREDENTIALS, "More": "x"}}),
        (SESSION_TOKEN, {"Credentials": {**CREDENTIALS, "SessionToken": None}}),
        (SESSION_TOKEN, {"Credentials": {}}),
        *((SESSION_TOKEN, {"Credentials": {**CREDENTIALS, "Expiration": instant}}) for instant in ("0", True, b"")),
        *((SESSION_TOKEN, {"Credentials": {**CREDENTIALS, "Expiration": instant}}) for instant in (math.nan, math.inf)),
        *(
            (SESSION_TOKEN, {"Credentials": {**CREDENTIALS, "Expiration": i}})
            for i in (253402300800, -62135596801, 1e300)
        ),
        (LIST_POLICIES, {"PolicyNames": "abc"}),
        (LIST_POLICIES, {"PolicyNames": {"a": "b"}}),
        (LIST_POLICIES, {"PolicyNames": [1]}),
        (LIST_POLICIES, {"PolicyNames": [None]}),
        (LIST_POLICIES, {"IsTruncated": False}),
        (LIST_POLICIES, {"PolicyNames": [], "IsTruncated": "false"}),
        (LIST_POLICIES, {"PolicyNames": [], "IsTruncated": 0}),
        (IAM.operations["GetAccountSummary"], {"SummaryMap": [("Users", 1)]}),
        (IAM.operations["GetAccountSummary"], {"SummaryMap": {"Users": True}}),
        (IAM.operations["GetAccountSummary"], {"SummaryMap": {1: 1}}),
        (IAM.operations["GetCredentialReport"], {"Content": "text"}),
        (IAM.operations["DeleteRole"], {"Role": {}}),
    ],
    ids=str,
)
def test_a_result_that_the_model_does_not_describe_raises(operation: OperationModel, result: Any) -> None:
    with pytest.raises(TypeError):
        query.serialize_result(operation, result, "an-id")


def test_a_refused_value_is_not_told() -> None:
    with pytest.raises(TypeError) as caught:
        query.serialize_result(CALLER, {"UserId": b"hunter2"}, "an-id")
    assert "hunter2" not in str(caught.value)


def test_an_enumerations_member_is_written_as_its_text() -> None:
    class Plain(str, enum.Enum):  # noqa: UP042 - the older form, whose str() is the member's name
        USER = "AIDA<"

    assert b"<UserId>AIDA&lt;</UserId>" in query.serialize_result(CALLER, {"UserId": Plain.USER}, "an-id")


@given(st.text(max_size=30))
def test_whatever_a_text_contains_the_document_parses(text: str) -> None:
    document = ET.fromstring(query.serialize_result(CALLER, {"UserId": text}, text))
    legal = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
    namespace = "{https://sts.amazonaws.com/doc/2011-06-15/}"
    assert (document.findtext(f".//{namespace}UserId") or "") == legal
    assert (document.findtext(f".//{namespace}RequestId") or "") == legal


@pytest.mark.parametrize("code", [0, 1, 8, 0xB, 0xC, 0x1F, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF])
def test_a_character_that_xml_does_not_have_becomes_the_replacement_character(code: int) -> None:
    mark = chr(code)
    for data in (
        query.serialize_result(CALLER, {"UserId": f"a{mark}b"}, "an-id"),
        query.serialize_error(STS, code="X", message=f"a{mark}b", fault="Sender", request_id="an-id"),
    ):
        assert "a\ufffdb" in ET.tostring(ET.fromstring(data), encoding="unicode")


@pytest.mark.parametrize(
    ("shapes", "result", "inner"),
    [
        (
            {
                "Out": {"type": "structure", "members": {"Names": {"shape": "Names"}}},
                "Names": {"type": "list", "flattened": True, "member": {"shape": "Text"}},
            },
            {"Names": ["a", "b"]},
            b"<Names>a</Names><Names>b</Names>",
        ),
        (
            {
                "Out": {"type": "structure", "members": {"Names": {"shape": "Names"}}},
                "Names": {"type": "list", "flattened": True, "member": {"shape": "Text", "locationName": "Name"}},
            },
            {"Names": ["a", "b"]},
            b"<Name>a</Name><Name>b</Name>",
        ),
        (
            {
                "Out": {"type": "structure", "members": {"Pairs": {"shape": "Pairs", "flattened": True}}},
                "Pairs": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
            },
            {"Pairs": {"a": "b"}},
            b"<Pairs><key>a</key><value>b</value></Pairs>",
        ),
        (
            {
                "Out": {"type": "structure", "members": {"Names": {"shape": "Names"}}},
                "Names": {"type": "list", "flattened": True, "member": {"shape": "Text"}},
            },
            {"Names": []},
            b"",
        ),
        (
            {"Out": {"type": "structure", "members": {"Name": {"shape": "Text", "locationName": "wireName"}}}},
            {"Name": "a"},
            b"<wireName>a</wireName>",
        ),
    ],
    ids=["list", "named list", "map", "empty list", "name of the wire"],
)
def test_what_the_services_do_not_use_is_written_by_the_protocols_rules(
    shapes: dict[str, Any], result: dict[str, Any], inner: bytes
) -> None:
    data = query.serialize_result(flattening(shapes), result, "an-id")
    assert data.startswith(b'<DoResponse xmlns="urn:x">' + inner + b"<ResponseMetadata>")

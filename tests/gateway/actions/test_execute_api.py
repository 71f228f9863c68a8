# SPDX-License-Identifier: Apache-2.0
"""Any HTTP service as API Gateway authorises it: by method and path, which have one reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.errors import ConfigurationError, Reason, RequestError
from daypass.gateway.actions.execute_api import ExecuteApiActions
from daypass.gateway.actions.rest_path import read_path
from daypass.gateway.asking import Incoming
from daypass.sigv4 import RawRequest

ACTIONS = ExecuteApiActions("prod", "shop")
START = "arn:aws:execute-api:eu-central-1:123456789012:shop/prod/"


def incoming(path: bytes, method: str = "GET", headers: tuple[tuple[bytes, bytes], ...] = ()) -> Incoming:
    return Incoming(RawRequest(method, path, b"", headers), [], "eu-central-1", "123456789012")


PATHS = [
    (b"/", "GET/"),
    (b"/things/7", "GET/things/7"),
    (b"/things/", "GET/things/"),
    (b"/Things", "GET/Things"),
    (b"/a%20b", "GET/a b"),
    (b"/%C3%A9", "GET/é"),
    (b"/a:b", "GET/a:b"),
    (b"/*", "GET/*"),
    (b"/%2A/%3F", "GET/*/?"),
    (b"/100%25", "GET/100%"),
]


@pytest.mark.parametrize(("path", "resource"), PATHS)
def test_the_resource_is_the_method_and_the_path_decoded_once(path: bytes, resource: str) -> None:
    asked = ACTIONS.operation(incoming(path))
    assert [(needed.action, needed.resource) for needed in asked.needed] == [("execute-api:Invoke", START + resource)]
    assert (asked.service, asked.name, asked.read_only) == ("execute-api", "Invoke", True)


@pytest.mark.parametrize(
    ("method", "read_only"), [("HEAD", True), ("OPTIONS", True), ("POST", False), ("DELETE", False)]
)
def test_a_method_changes_something_unless_it_is_a_safe_one(method: str, read_only: bool) -> None:
    asked = ACTIONS.operation(incoming(b"/x", method))
    assert (asked.needed[0].resource, asked.read_only) == (f"{START}{method}/x", read_only)


TWO_READINGS = [
    *(
        b"things",
        b"",
        b"//",
        b"/a//b",
        b"/a/./b",
        b"/a/../b",
        b"/a/%2e%2e/b",
        b"/a/%2E",
        b"/a%2Fb",
        b"/a%2fb",
        b"/a%5Cb",
    ),
    *(b"/a\\b", b"/a?b", b"/a#b", b"/a%00", b"/a%0Ab", b"/%FF", b"/a%", b"/a%2", b"/a%252Fb", b"/a%252e%252e/b"),
    *(b"/a;x=1/b", b"/a%3Bx", b"/a%2F..%2Fb"),
]


@pytest.mark.parametrize("path", TWO_READINGS)
def test_a_path_with_more_than_one_reading_is_refused(path: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        ACTIONS.operation(incoming(path))
    assert refused.value.reason is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize(
    "name", [b"x-http-method-override", b"x-http-method", b"x-method-override", b"x-original-url", b"x-rewrite-url"]
)
def test_a_header_that_replaces_the_method_or_path_is_refused(name: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        ACTIONS.operation(incoming(b"/x", headers=((name, b"DELETE"),)))
    assert refused.value.reason is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize("method", ["get", "G*T", "", "*", "GET/x"])
def test_a_method_that_is_no_word_in_capitals_is_refused(method: str) -> None:
    with pytest.raises(RequestError) as refused:
        ACTIONS.operation(incoming(b"/x", method))
    assert refused.value.reason is Reason.MALFORMED_REQUEST


@given(st.binary(max_size=30))
def test_a_path_is_read_as_it_goes_on_or_refused_whatever_its_bytes(path: bytes) -> None:
    try:
        read = read_path(RawRequest("GET", b"/" + path, b"", ()))
    except RequestError:
        return
    segments = read.split("/")[1:]
    assert len(segments) == path.count(b"/") + 1
    assert not {".", ".."} & set(segments)
    assert "" not in segments[:-1]


def test_no_body_is_read() -> None:
    assert ACTIONS.body_limit(incoming(b"/x", "POST")) is None


@pytest.mark.parametrize(
    ("stage", "api_id"), [("", "shop"), ("prod", ""), ("a/b", "shop"), ("prod", "*"), ("$x", "shop")]
)
def test_a_stage_or_api_that_api_gateway_would_not_have_is_refused_when_configured(stage: str, api_id: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        ExecuteApiActions(stage, api_id)
    assert refused.value.reason is Reason.CONFIGURATION_INVALID


def test_the_default_stage_of_http_apis_is_a_stage() -> None:
    assert ":shop/$default/GET/x" in ExecuteApiActions("$default", "shop").operation(incoming(b"/x")).needed[0].resource

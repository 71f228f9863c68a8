# SPDX-License-Identifier: Apache-2.0
"""A table of actions: the first row that fits says what is needed, and no row can be written that misleads."""

from __future__ import annotations

import pytest

from daypass.errors import ConfigurationError, Reason, RequestError
from daypass.gateway.actions.table import ActionRow, TableActions
from daypass.gateway.asking import AskedOperation, Incoming
from daypass.sigv4 import RawRequest

THING = "arn:aws:things:{region}:{account}:thing/{id}"
ROWS = [
    ActionRow("GET", "/things/new", "things:DescribeForm", "*"),
    ActionRow("GET", "/things/{id}", "things:GetThing", THING),
    ActionRow("*", "/things/{id}/parts/{part}", "things:UsePart", THING + "/part/{part}"),
    ActionRow("GET", "/files/*", "things:GetFile", "arn:aws:things:::file/{*}"),
    ActionRow("GET", "/", "things:Home", "*"),
    ActionRow("GET", "/lists/", "things:ListThings", "arn:aws:things:{region}:{account}:list"),
]
TABLE = TableActions(ROWS)


def ask(path: bytes, method: str = "GET", table: TableActions = TABLE) -> AskedOperation:
    raw = RawRequest(method, path, b"", ())
    return table.operation(Incoming(raw, [], "eu-central-1", "123456789012"))


FITTING = [
    ("GET", b"/things/new", "things:DescribeForm", "*"),
    ("GET", b"/things/7", "things:GetThing", "arn:aws:things:eu-central-1:123456789012:thing/7"),
    ("GET", b"/things/New", "things:GetThing", "arn:aws:things:eu-central-1:123456789012:thing/New"),
    ("GET", b"/things/a%20%C3%A9", "things:GetThing", "arn:aws:things:eu-central-1:123456789012:thing/a é"),
    ("GET", b"/things/*", "things:GetThing", "arn:aws:things:eu-central-1:123456789012:thing/*"),
    ("GET", b"/things/%7Baccount%7D", "things:GetThing", "arn:aws:things:eu-central-1:123456789012:thing/{account}"),
    ("PUT", b"/things/7/parts/8", "things:UsePart", "arn:aws:things:eu-central-1:123456789012:thing/7/part/8"),
    ("GET", b"/files/a", "things:GetFile", "arn:aws:things:::file/a"),
    ("GET", b"/files/a/b/", "things:GetFile", "arn:aws:things:::file/a/b/"),
    ("GET", b"/", "things:Home", "*"),
    ("GET", b"/lists/", "things:ListThings", "arn:aws:things:eu-central-1:123456789012:list"),
]


@pytest.mark.parametrize(("method", "path", "action", "resource"), FITTING)
def test_the_first_row_that_fits_says_what_is_needed(method: str, path: bytes, action: str, resource: str) -> None:
    asked = ask(path, method)
    assert [(needed.action, needed.resource) for needed in asked.needed] == [(action, resource)]
    assert f"{asked.service}:{asked.name}" == action
    assert asked.read_only is (method == "GET")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", b"/things/7"), ("GET", b"/things"), ("GET", b"/things/"), ("GET", b"/things/7/parts")),
        *(("GET", b"/files"), ("GET", b"/files/"), ("GET", b"/lists"), ("GET", b"/Lists/"), ("GET", b"/x")),
        ("GET", b"/things/7/parts/8/9"),
    ],
)
def test_a_request_that_no_row_fits_is_refused(method: str, path: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        ask(path, method)
    assert refused.value.reason is Reason.UNSUPPORTED_OPERATION


@pytest.mark.parametrize(
    "path", [b"/things/7%2F8", b"/things/%2e%2e", b"/things//7", b"/things/7%252F8", b"/things/7;8"]
)
def test_a_path_with_more_than_one_reading_is_refused(path: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        ask(path)
    assert refused.value.reason is Reason.MALFORMED_REQUEST


def test_no_body_is_read() -> None:
    assert TABLE.body_limit(Incoming(RawRequest("POST", b"/", b"", ()), [], "r", "a")) is None


GOOD = ActionRow("GET", "/things/{id}", "things:GetThing", THING)
WRONG = [
    ActionRow("get", "/x", "things:Get", "*"),
    ActionRow("", "/x", "things:Get", "*"),
    ActionRow("GET", "x", "things:Get", "*"),
    ActionRow("GET", "", "things:Get", "*"),
    ActionRow("GET", "/a//b", "things:Get", "*"),
    ActionRow("GET", "/a/../b", "things:Get", "*"),
    ActionRow("GET", "/a/*/b", "things:Get", "*"),
    ActionRow("GET", "/a*", "things:Get", "*"),
    ActionRow("GET", "/pre{id}", "things:Get", "*"),
    ActionRow("GET", "/{id}.json", "things:Get", "*"),
    ActionRow("GET", "/{id", "things:Get", "*"),
    ActionRow("GET", "/{1}", "things:Get", "*"),
    ActionRow("GET", "/{id}/{id}", "things:Get", "*"),
    ActionRow("GET", "/{account}", "things:Get", "*"),
    ActionRow("GET", "/a%20b", "things:Get", "*"),
    ActionRow("GET", "/x", "GetThing", "*"),
    ActionRow("GET", "/x", "things:*", "*"),
    ActionRow("GET", "/x", "Things:Get", "*"),
    ActionRow("GET", "/x", "things:Get", "thing/7"),
    ActionRow("GET", "/x", "things:Get", ""),
    ActionRow("GET", "/x", "things:Get", "arn:aws:things:::thing/*"),
    ActionRow("GET", "/x", "things:Get", "arn:aws:things:::thing/?"),
    ActionRow("GET", "/x", "things:Get", "arn:aws:things:::thing/{id}"),
    ActionRow("GET", "/x", "things:Get", "arn:aws:things:::thing/{*}"),
    ActionRow("GET", "/x", "things:Get", "arn:aws:things:::thing/{"),
    ActionRow("GET", "/{id}", "things:Get", "arn:aws:things::{id}:thing"),
    ActionRow("GET", "/{id}", "things:Get", "arn:aws:{id}:::thing"),
    ActionRow("GET", "/{id}", "things:Get", "{id}"),
]


@pytest.mark.parametrize("row", WRONG, ids=lambda row: f"{row.method} {row.path} {row.action} {row.resource}")
def test_a_row_that_cannot_be_read_is_refused_by_its_number(row: ActionRow) -> None:
    with pytest.raises(ConfigurationError, match=r"^row 2 of the table") as refused:
        TableActions([GOOD, row])
    assert refused.value.reason is Reason.CONFIGURATION_INVALID


def simple(path: str, method: str = "GET") -> ActionRow:
    return ActionRow(method, path, "things:Get", "*")


HIDDEN = [
    (simple("/a"), simple("/a")),
    (simple("/a", "*"), simple("/a", "PUT")),
    (simple("/a", "*"), simple("/a", "*")),
    (simple("/{x}"), simple("/a")),
    (simple("/{x}"), simple("/{y}")),
    (simple("/a/*"), simple("/a/b")),
    (simple("/a/*"), simple("/a/b/")),
    (simple("/a/*"), simple("/a/{x}/c")),
    (simple("/a/*"), simple("/a/b/*")),
    (simple("/*"), simple("/{x}/*")),
]


@pytest.mark.parametrize(("first", "second"), HIDDEN, ids=lambda row: f"{row.method} {row.path}")
def test_a_row_that_no_request_can_reach_is_refused_with_the_row_that_hides_it(
    first: ActionRow, second: ActionRow
) -> None:
    with pytest.raises(ConfigurationError, match=r"^row 3 .* row 2 takes them all"):
        TableActions([simple("/elsewhere", "PATCH"), first, second])


SEEN = [
    (simple("/a"), simple("/{x}")),
    (simple("/a", "PUT"), simple("/a", "*")),
    (simple("/{x}"), simple("/{x}/")),
    (simple("/{x}"), simple("/")),
    (simple("/a/*"), simple("/a/")),
    (simple("/a/*"), simple("/a")),
    (simple("/*"), simple("/")),
    (simple("/a/b/*"), simple("/a/*")),
    (simple("/a/{x}"), simple("/a/*")),
    (simple("/{x}/b"), simple("/a/{y}")),
]


@pytest.mark.parametrize(("first", "second"), SEEN, ids=lambda row: f"{row.method} {row.path}")
def test_a_row_that_some_request_can_reach_is_taken(first: ActionRow, second: ActionRow) -> None:
    TableActions([first, second])


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(ConfigurationError) as refused:
        TableActions([])
    assert refused.value.reason is Reason.CONFIGURATION_INVALID

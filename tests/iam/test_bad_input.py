# SPDX-License-Identifier: Apache-2.0
"""
Bad input, made from AWS's model, for every parameter of every operation of IAM: it is refused with AWS's code, never met by
an error of ours, and changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote_plus

import pytest
import pytest_asyncio
from botocore.awsrequest import AWSRequest
from botocore.model import StringShape

from daypass.api.table import IAM_ROWS
from iam.bad_input import BEYOND, Form, cases, encoded, leaves, text_of
from iam.kitchen import Kitchen, form, kitchen, model_of
from iam.recipe import plain
from iam.recipes import RECIPES
from in_process import ROOT, Answer, sign

pytestmark = pytest.mark.asyncio(loop_scope="module")

COOKED = sorted({row.name for row in IAM_ROWS} & RECIPES.keys())
HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Host": "daypass.test"}
HUGE = b"a" * (10 * 1024 * 1024)
STRANGE = (
    "\U0001f600",
    "\u202e",
    "\uffff",
    "a\u0301",
    "\u0130",
    "'\"<>&;--",
    "../../..",
    "*",
    "${aws:username}",
    "arn:aws:iam::aws:x/y",
)
DOCUMENTS = (
    "{}",
    "[]",
    "null",
    "0",
    '"',
    "[" * 20_000,
    '{"a":' * 20_000,
    '{"Version":"2012-10-17","Statement":[]}',
    '{"Version":"2012-10-17","Statement":[' + '{"Effect":"Allow","Action":"*","Resource":"*"},' * 20 + "{}]}",
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":[]}}}',
    '{"Version":"2012-10-17","Version":"2008-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}',
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":1e999,"Resource":"*"}}',
    "{" + " " * 130_000 + "}",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kitchen]:
    """One service for all: nothing that is refused leaves a trace."""
    async with kitchen(tmp_path_factory.mktemp("data")) as running:
        yield running


async def send(iam: Kitchen, operation: str, parameters: Form) -> Answer:
    """One request of root with these names and values, which are encoded already."""
    pairs = {"Action": operation, "Version": "2010-05-08", **parameters}
    return await send_body(iam, "&".join(f"{name}={value}" for name, value in pairs.items()).encode("ascii"))


async def send_body(iam: Kitchen, body: bytes) -> Answer:
    request = AWSRequest(method="POST", url="http://daypass.test/", data=body, headers=HEADERS)
    sign(request, ROOT, "iam", iam.service.clock())
    return await iam.service.send(
        headers=[(name.lower().encode(), value.encode()) for name, value in request.headers.items()], body=body
    )


@pytest.mark.parametrize("name", COOKED)
async def test_a_request_that_is_wrong_in_one_place_is_refused_with_awss_code(iam: Kitchen, name: str) -> None:
    before = iam.contents()
    wrong = []
    for case in cases(name, plain(RECIPES[name].parameters)):
        answer = await send(iam, name, case.form)
        if not 400 <= answer.status < 500 or answer.code not in case.codes:
            wrong.append(f"{case.what}: {answer.status} {answer.code} {answer.message[:100]}")
    assert wrong == []
    assert iam.contents() == before


@pytest.mark.parametrize("name", COOKED)
async def test_a_parameter_that_is_sent_twice_is_refused(iam: Kitchen, name: str) -> None:
    good = encoded(form(name, plain(RECIPES[name].parameters)))
    before = iam.contents()
    text = "&".join(f"{key}={value}" for key, value in good.items())
    for twice in good:
        body = f"Action={name}&Version=2010-05-08&{text}&{twice}={good[twice]}".encode("ascii")
        answer = await send_body(iam, body)
        assert (answer.status, answer.code) == (400, "InvalidParameterCombination"), twice
    assert iam.contents() == before


@pytest.mark.parametrize("name", COOKED)
async def test_ten_megabytes_are_too_many_for_any_parameter(iam: Kitchen, name: str) -> None:
    for wire_name in wire_names(name):
        body = f"Action={name}&Version=2010-05-08&{wire_name}=".encode("ascii") + HUGE
        answer = await iam.service.send(headers=[(b"content-type", b"application/x-www-form-urlencoded")], body=body)
        assert (answer.status, answer.code) == (413, "RequestEntityTooLarge"), wire_name


def wire_names(name: str) -> list[str]:
    shape = model_of(name).input_shape
    found = {} if shape is None else shape.members
    return [wire_name for member, inner in found.items() for wire_name, _ in leaves(member, inner)]


@pytest.mark.parametrize("name", COOKED)
async def test_whatever_the_model_allows_is_never_met_by_an_error_of_ours(iam: Kitchen, name: str) -> None:
    """The bounds themselves and strange texts, one parameter at a time, on things that are there."""
    recipe, shape = RECIPES[name], model_of(name).input_shape
    failures = []
    for member, inner in ({} if shape is None else shape.members).items():
        order = iam.order()
        caller = await iam.caller(order, ALLOW_ALL)
        await iam.make_room()
        await iam.do(order, *recipe.before)
        await iam.do(order, *recipe.asked, credentials=caller)
        good = encoded(form(name, order.fill(dict(recipe.parameters))))
        for wire_name, leaf in leaves(member, inner):
            for value in allowed(leaf):
                answer = await send(iam, name, {**good, wire_name: quote_plus(value)})
                if answer.status >= 500 and answer.code != recipe.never:
                    failures.append(f"{wire_name} {value[:60]!r}: {answer.status} {answer.code}")
    assert failures == []


ALLOW_ALL = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'


def allowed(shape: Any) -> list[str]:
    """The smallest and the largest value, and strange ones, which may be allowed or not."""
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", BEYOND)
    if not isinstance(shape, StringShape):
        return ["true", "false"] if shape.type_name == "boolean" else [str(least), str(min(most, 2**31 - 1)), "1", "7"]
    if shape.enum:
        return list(shape.enum)
    longest = text_of(shape, min(most, 8 * BEYOND))
    documents = (
        DOCUMENTS if "ocument" in shape.name or shape.name.startswith(("certificate", "private", "public")) else ()
    )
    return [text_of(shape, max(1, least)), longest, *STRANGE, *documents]

# SPDX-License-Identifier: Apache-2.0
"""Role templates: that there is none, said to those who may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from iam.kitchen import statement
from iam.people import denial, person, refused
from in_process import Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEMPLATE = "arn:aws:iam::aws:role-template/lambda.amazonaws.com/Execution:1"
OPERATIONS = ("AcquireRole", "GetRoleTemplateVersion")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: nothing is made."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_no_template_is_found(iam: Service, operation: str) -> None:
    found = await refused(iam, operation, TemplateArn=TEMPLATE)
    assert found == ("NoSuchEntity", f"The role template with ARN {TEMPLATE} cannot be found.")
    wrong = "arn:aws:iam::123456789012:role/Execution"
    assert await refused(iam, operation, TemplateArn=wrong) == ("InvalidInput", f"ARN {wrong} is not valid.")
    assert (await refused(iam, operation))[0] == "ValidationError"


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_who_may_not_ask_is_not_told(iam: Service, operation: str) -> None:
    other = await person(iam, f"other-{operation}", statement("Allow", f"iam:{operation}", f"{TEMPLATE}0"))
    denied = ("AccessDenied", denial(f"other-{operation}", operation, TEMPLATE))
    assert await refused(iam, operation, other, TemplateArn=TEMPLATE) == denied
    asker = await person(iam, f"asker-{operation}", statement("Allow", f"iam:{operation}", TEMPLATE))
    assert (await refused(iam, operation, asker, TemplateArn=TEMPLATE))[0] == "NoSuchEntity"

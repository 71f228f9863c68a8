# SPDX-License-Identifier: Apache-2.0
"""A person with a browser: signs in at a real identity provider, comes back to us, chooses a role, and has credentials."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from journeys.roles import ACCOUNT, allow, role_arn, unique
from journeys.saml import Federation
from real import browser as chromium
from real.person import Person
from running import Keys, Server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # NOTE: for a module, not for the run: playwright has an event loop in this thread, and asynchronous tests need theirs.
    with chromium.chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    with chromium.person(browser, server.url) as made:
        yield made


def choose(page: Page, role: str) -> None:
    """Choose a role on the page that lists them."""
    expect(page).to_have_title(re.compile("Choose a role"))
    page.get_by_role("radio", name=role).check()
    page.get_by_role("button", name="Get credentials").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Credentials for {role}")


def shown(page: Page, name: str) -> str:
    """The text of one of the blocks to copy."""
    return str(page.locator(f"#{name}").text_content())


def keys_of(page: Page) -> Keys:
    return Keys(shown(page, "access-key-id"), shown(page, "secret-access-key"), shown(page, "session-token"))


def test_somebody_who_begins_at_the_provider_ends_with_credentials(
    page: Page, federation: Federation, server: Server
) -> None:
    developer, auditor = federation.role(allow("iam:GetRole")), federation.role()
    login = federation.person(developer, auditor)
    page.goto(federation.provider.start_url(federation.entity_id))
    chromium.sign_in(page, login)
    expect(page.locator("input[name=roleIndex]")).to_have_count(2)
    expect(page.get_by_text("Signed in as")).to_contain_text(f"{login}@example.org")
    choose(page, developer)
    keys = keys_of(page)
    whoami = server.client("sts", keys).get_caller_identity()
    assert whoami["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{developer}/{login}@example.org"
    assert server.client("iam", keys).get_role(RoleName=auditor)


def test_somebody_who_begins_here_is_sent_to_the_provider_and_back(
    page: Page, federation: Federation, server: Server
) -> None:
    role = federation.role()
    login = federation.person(role)
    page.goto(federation.start)
    assert page.url.startswith(federation.provider.url)
    chromium.sign_in(page, login)
    choose(page, role)
    assert server.client("sts", keys_of(page)).get_caller_identity()["Account"] == ACCOUNT


def test_a_provider_that_takes_requests_by_post_only_is_asked_by_a_form(
    page: Page, federation: Federation, server: Server
) -> None:
    metadata = federation.provider.metadata()
    service = re.search(r"<(?:md:)?SingleSignOnService [^>]*HTTP-Redirect[^>]*>", metadata)
    assert service is not None
    posting = metadata.replace(service[0], "" if "HTTP-POST" in metadata else service[0].replace("Redirect", "POST"))
    by_post = replace(federation, name=unique("by-post"))
    federation.iam.create_saml_provider(Name=by_post.name, SAMLMetadataDocument=posting)
    role = by_post.role()
    login = by_post.person(role)
    with page.expect_request(lambda request: request.method == "POST") as asked:
        page.goto(by_post.start)
    assert "SAMLRequest" in (asked.value.post_data or "")
    chromium.sign_in(page, login)
    choose(page, role)
    assert server.client("sts", keys_of(page)).get_caller_identity()["Account"] == ACCOUNT


def test_the_shell_lines_of_the_page_work_in_the_aws_command(
    page: Page, federation: Federation, server: Server
) -> None:
    role = federation.role()
    login = federation.person(role)
    page.goto(federation.start)
    chromium.sign_in(page, login)
    choose(page, role)
    lines = shown(page, "sh").splitlines()
    variables = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    assert variables.pop("AWS_ENDPOINT_URL_STS") == variables.pop("AWS_ENDPOINT_URL_IAM") == server.url
    assert server.aws("sts", "get-caller-identity", keys=None, **variables).answer["Account"] == ACCOUNT


def test_the_choice_counts_once(page: Page, federation: Federation) -> None:
    role = federation.role()
    login = federation.person(role)
    page.goto(federation.start)
    chromium.sign_in(page, login)
    with page.expect_request(re.compile("/portal/saml/credentials")) as asked:
        choose(page, role)
    again = page.request.post(
        asked.value.url, headers={"content-type": "application/x-www-form-urlencoded"}, data=asked.value.post_data or ""
    )
    assert again.status >= 400
    assert "AKIA" not in again.text()
    assert "ASIA" not in again.text()


def test_a_response_to_a_question_that_another_browser_asked_is_refused(federation: Federation) -> None:
    role = federation.role()
    login = federation.person(role)
    asking, other = Person(), Person()
    form = asking.sign_in(federation.start, login)
    refused = other.open(form.action, form.fields)
    assert refused.status >= 400
    assert "saml-account" not in refused.text
    assert "saml-account" in asking.open(form.action, form.fields).text


def test_a_person_without_a_role_is_told_so(federation: Federation) -> None:
    somebody = Person()
    form = somebody.sign_in(federation.start, federation.person())
    page = somebody.open(form.action, form.fields)
    assert page.status >= 400
    assert "There is no role for you" in page.text


def test_programs_that_read_the_page_of_roles_find_what_they_look_for(federation: Federation) -> None:
    # saml2aws, aws_account.go: fieldset > div.saml-account, div.saml-account-name, label[for=<role ARN>]
    role = federation.role()
    somebody = Person()
    form = somebody.sign_in(federation.start, federation.person(role))
    page = somebody.open(form.action, form.fields)
    assert page.status == 200
    assert re.search(
        r"<fieldset>.*<div class=\"saml-account\">\s*<div class=\"saml-account-name\">Account: ", page.text, re.S
    )
    assert f'<label for="{role_arn(role)}"' in page.text

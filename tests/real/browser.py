# SPDX-License-Identifier: Apache-2.0
"""
The system's Chromium, headless, driven by playwright.

    with chromium() as browser:
        page = browser.new_page()

A page that a test leaves behind is closed with its context; nothing is kept from one context to the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from real import needed
from real.saml_provider import PASSWORD

FLAGS = (
    "--no-sandbox",  # CI is root; the pages are the tests' own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Without these it looks for its maker's servers as soon as it starts.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 15_000.0
"""Milliseconds that a page may take; the machine may be busy."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, until the block ends."""
    executable = needed.chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def person(browser: Browser, ours: str) -> Iterator[Page]:
    """A person's page: cookies of its own. Errors of scripts and refused content below ``ours`` fail the test."""
    context: BrowserContext = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    troubles: list[str] = []

    def trouble(url: str, text: str) -> None:
        if url.startswith(ours):
            troubles.append(f"{url}: {text}")

    def said(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            trouble(message.location["url"], message.text)

    page.on("pageerror", lambda error: trouble(page.url, str(error)))
    page.on("console", said)
    page.on("requestfailed", lambda request: trouble(request.url, str(request.failure)))
    try:
        yield page
        assert not troubles, "; ".join(troubles)
    finally:
        context.close()


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the identity provider's form, whichever of the two it is."""
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.locator("button[type=submit]").click()

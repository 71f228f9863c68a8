# SPDX-License-Identifier: Apache-2.0
"""
What the real SAML identity providers of the tests have in common, as an administrator sees them.

Each keeps what may change in one JSON file, which it reads again at every request: changing it is changing a running
provider, without a restart.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from real.key_pairs import KeyPair

START_SECONDS = 30.0
PASSWORD = "correct horse battery staple"  # of every person, at every provider of the tests

Attributes = Mapping[str, Sequence[str]]


class SamlProvider(ABC):
    """A running identity provider."""

    name: str
    """What it is, in a word: the tests' parameter."""

    def __init__(self, url: str, settings_file: Path) -> None:
        self.url = url
        self._settings_file = settings_file

    @property
    @abstractmethod
    def entity_id(self) -> str:
        """What it calls itself."""

    @property
    @abstractmethod
    def metadata_url(self) -> str:
        """Where it publishes its metadata."""

    @property
    @abstractmethod
    def sign_in_url(self) -> str:
        """Where it takes requests to sign somebody in, by redirect."""

    @abstractmethod
    def start_url(self, service_provider: str) -> str:
        """Where a sign-in begins that no service provider asked for."""

    @abstractmethod
    def trust(self, metadata: str) -> None:
        """Serve the service provider that has published this metadata."""

    @abstractmethod
    def sign_with(self, pair: KeyPair) -> None:
        """Sign with this key from now on."""

    @abstractmethod
    def sign(self, *, response: bool, assertion: bool) -> None:
        """What is signed from now on."""

    @abstractmethod
    def use_sha1(self, wanted: bool) -> None:
        """Whether signatures are made with SHA-1 from now on, as old providers make them."""

    @abstractmethod
    def encrypt(self, wanted: bool) -> None:
        """Whether assertions are encrypted from now on, to the certificate in the service provider's metadata."""

    def people(self, people: Mapping[str, Attributes]) -> None:
        """Who can sign in, with ``PASSWORD``, and what is said of them."""
        self.change(people=people)

    def metadata(self) -> str:
        """What it publishes now."""
        with urllib.request.urlopen(self.metadata_url, timeout=10) as answer:
            return str(answer.read().decode())

    def change(self, **settings: Any) -> None:
        """Write settings; the file is replaced in one step, a request reads the old ones or the new ones."""
        old = json.loads(self._settings_file.read_text(encoding="utf-8"))
        write_settings(self._settings_file, old | settings)


def write_settings(file: Path, settings: Mapping[str, Any]) -> None:
    """Replace the settings file in one step."""
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(settings), encoding="utf-8")
    beside.rename(file)


def wait_for(url: str, process: subprocess.Popen[Any], log: Path) -> None:
    """Until the URL answers 200."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, f"the provider ended: {log.read_text(errors='replace')}"
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(
                    f"{error.code}: {error.read().decode()} {log.read_text(errors='replace')}"
                ) from None
        except OSError:
            assert time.monotonic() < deadline, f"the provider does not answer: {log.read_text(errors='replace')}"
            time.sleep(0.02)


@contextmanager
def ends_with_the_block(process: subprocess.Popen[Any]) -> Iterator[None]:
    """Kill it, whatever happens."""
    try:
        yield
    finally:
        process.kill()
        with process:
            process.wait(timeout=10)

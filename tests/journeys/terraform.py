# SPDX-License-Identifier: Apache-2.0
"""
Terraform's AWS provider, as far as its calls go: replays the sequences of docs/terraform-sequences.toml with boto3.

    world = World(server)
    role = world.resource("aws_iam_role", [])
    role.apply()
    role.refresh()
    role.destroy()
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.handlers import json_decode_policies

from iam.materials import SshKeys, certificate, private_key, saml_metadata
from journeys.roles import ACCOUNT, allow, trusting, unique

SEQUENCES: Final[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent.parent.parent / "docs" / "terraform-sequences.toml").read_text(encoding="utf-8")
)
PLACE: Final = re.compile(r"<([\w.-]+)>")
DOCUMENTS: Final = ("AssumeRolePolicyDocument", "PolicyDocument", "Document")
CONSTANTS: Final[dict[str, str]] = {
    "account": ACCOUNT,
    # What a template leaves in a document is kept: spaces, signs that a URL has another use for, letters of all kinds.
    "document": json.dumps(json.loads(allow("s3:GetObject", resource="arn:aws:s3:::a+b/c d%20&=?/*")), indent=2),
    "trust": trusting("https://idp.example.org", subject="repo:acme/app:ref:refs/heads/main"),
}

MATERIALS: Final[Mapping[str, Callable[[], str]]] = {
    "certificate": certificate,
    "private-key": private_key,
    "saml-metadata": saml_metadata,
    "ssh-key": lambda: SshKeys()[0],
}
"""What takes a while to make, and is made when it is asked for."""

Call = Mapping[str, Any]


def raw_documents(client: Any) -> Any:
    """A boto3 client that leaves policy documents as they come, URL-encoded, as Terraform gets them."""
    client.meta.events.unregister("after-call.iam", json_decode_policies)
    return client


def decoded(text: Any) -> Any:
    """A document as Terraform decodes it. Fails when it is not encoded to the letter of RFC 3986."""
    assert isinstance(text, str)
    assert quote(unquote(text), safe="-._~") == text
    return unquote(text)


def refused_with(error: ClientError) -> str:
    """The code of an error."""
    return str(error.response["Error"]["Code"])


@dataclass
class Resource:
    """One resource of a configuration: its type, its name, those it needs, and what its calls were answered."""

    clients: Mapping[str, Any]
    kind: str
    needs: Mapping[str, Resource]
    name: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = self.name or unique("tf")
        self.values |= {"name": self.name, **CONSTANTS}

    @property
    def sequence(self) -> Mapping[str, Any]:
        """Its table of the data file."""
        found: Mapping[str, Any] = SEQUENCES[self.kind]
        return found

    # The steps of a plan

    def apply(self) -> None:
        """Make it, and read it."""
        self.run("create")
        self.refresh()

    def refresh(self) -> None:
        """Read it, as every plan begins."""
        self.run("read")

    def look_up(self) -> None:
        """What data sources ask."""
        self.run("data")

    def update(self) -> None:
        """Change everything that can be changed, and read it."""
        self.run("update")
        self.run("read", strictly=False)

    def destroy(self, step: str = "delete") -> None:
        """Delete it."""
        self.run(step)

    def assert_gone(self) -> None:
        """It is not there any more, in the way that the provider expects."""
        gone = self.sequence.get("gone")
        if gone is not None:
            self._answer(gone)
        else:
            assert self.refusal(self.sequence["read"][0]) == "NoSuchEntity"

    def made_again(self) -> str:
        """What making it a second time is answered with."""
        return self.refusal(self.sequence["create"][0]) if "create" in self.sequence else "OK"

    def refusal(self, call: Call) -> str:
        """The error code of a call, or OK."""
        try:
            self.make(call)
        except ClientError as error:
            return refused_with(error)
        return "OK"

    def run(self, step: str, *, strictly: bool = True) -> None:
        """The calls of a step. ``strictly``: what an answer must have is looked at."""
        for call in self.sequence.get(step, ()):
            for each in self._each(call):
                self.values["each"] = each
                self._answer(call, strictly=strictly)

    # Calls

    def _each(self, call: Call) -> Iterator[Any]:
        if "each" not in call:
            yield None
            return
        wanted = call.get("where", {})
        for element in self.look(call["each"]):
            if all(element[name] == value for name, value in wanted.items()):
                yield element

    def _answer(self, call: Call, *, strictly: bool = True) -> None:
        try:
            answer = self.make(call)
        except ClientError as error:
            if refused_with(error) not in call.get("may", ()):
                raise
            return
        tries = 0
        while any(answer[name] != value for name, value in call.get("until", {}).items()):
            answer, tries = self.make(call), tries + 1
            assert tries < 100, (self.kind, answer)
        self.values[call["call"]] = answer
        if strictly:
            for path, value in call.get("gives", {}).items():
                self._compare(call["call"], path, dig(answer, path), self.fill(value))

    def _compare(self, operation: str, path: str, found: Any, wanted: Any) -> None:
        if path.rpartition(".")[2] in DOCUMENTS:
            found = decoded(found)
        if isinstance(wanted, str) and "*" in wanted and "{" not in wanted:
            assert fnmatchcase(found, wanted), (self.kind, operation, path, found, wanted)
        else:
            assert found == wanted, (self.kind, operation, path, found, wanted)

    def make(self, call: Call) -> Any:
        """One call; its answer."""
        service, _, operation = call["call"].rpartition(":")
        client = self.clients[service or "iam"]
        return getattr(client, xform_name(operation))(**self.fill(call.get("with", {})))

    # Places

    def fill(self, value: Any) -> Any:
        """A value with its places filled."""
        if isinstance(value, str):
            whole = PLACE.fullmatch(value)
            if whole is not None:
                return self.look(whole[1])
            return PLACE.sub(self._filled, value)
        if isinstance(value, Mapping):
            return {name: self.fill(inner) for name, inner in value.items()}
        return [self.fill(inner) for inner in value] if isinstance(value, list) else value

    def _filled(self, match: re.Match[str]) -> str:
        return str(self.look(match[1]))

    def look(self, place: str) -> Any:
        """What stands at a place."""
        head, _, rest = place.partition(".")
        if head in self.needs:
            return self.needs[head].look(rest)
        if head not in self.values and head in MATERIALS:
            self.values[head] = MATERIALS[head]()
        found = self.values[head]
        return dig(found, rest) if rest else found


def dig(value: Any, path: str) -> Any:
    """What stands in an answer at ``Members.0.Name``."""
    for part in path.split("."):
        value = value[int(part)] if part.isdigit() else value[part]
    return value


def build(clients: Mapping[str, Any], kinds: Sequence[str]) -> dict[str, Resource]:
    """One resource of each kind, in this order, every one tied to those it needs; all that they need must be among them."""
    built: dict[str, Resource] = {}
    for kind in kinds:
        built[kind] = Resource(clients, kind, {need: built[need] for need in SEQUENCES[kind].get("needs", ())})
    return built


def orders(kind: str) -> list[list[str]]:
    """The orders in which a resource and all that it needs can be made: what it needs, in both orders, then itself."""
    needs = SEQUENCES[kind].get("needs", [])
    return [[*needs, kind]] if len(needs) < 2 else [[*needs, kind], [*reversed(needs), kind]]

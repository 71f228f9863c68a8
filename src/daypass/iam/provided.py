# SPDX-License-Identifier: Apache-2.0
"""
Managed policies that come with the service, and those that its operator adds (IAM User Guide, "AWS managed policies").

They belong to the account ``aws``, so that ``arn:aws:iam::aws:policy/ReadOnlyAccess`` means here what it means elsewhere.
Ours are written in the least words that mean what the name says, and are not copies of AWS's; an operator who wants
AWS's text puts it into the data directory.

    daypass/iam/provided/*.json, then {data_dir}/managed-policies/*.json -- load_provided --> records of every view

A file is one JSON object: name, path, description, created (RFC 3339), document.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import textwrap
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec

from daypass.errors import ConfigurationError, PolicyError, Reason
from daypass.policy import Kind, compile_policy
from daypass.policy.limits import MAX_DOCUMENT
from daypass.store import ManagedPolicy, PolicyVersion

PROVIDER: Final = "aws"
"""The account of these policies, in their ARNs."""

DIRECTORY: Final = "managed-policies"
"""Where the operator's files are, in the data directory. A policy there replaces one of ours of the same name."""

_Name = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_+=,.@-]{1,128}\Z")]
_Path = Annotated[str, msgspec.Meta(pattern=r"\A/(?:[A-Za-z0-9_+=,.@-]+/)*\Z", max_length=512)]


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file says; the constraints are those of CreatePolicy. ``document`` is kept as it is written."""

    name: _Name
    path: _Path
    description: Annotated[str, msgspec.Meta(max_length=1000)]
    created: Annotated[datetime.datetime, msgspec.Meta(tz=True)]
    document: msgspec.Raw


class _Source(NamedTuple):
    shown: str
    content: bytes


_DECODER: Final = msgspec.json.Decoder(_Written)


def load_provided(data_dir: Path | None) -> tuple[ManagedPolicy, ...]:
    """
    Every policy of the account ``aws``, by name: ours, and those of the files in ``data_dir``; None: ours alone.

    Raises ConfigurationError that names the file which cannot be read, is not such an object, holds a policy that IAM
    would refuse, or has the name of another file's policy.
    """
    policies = _by_name(_ours())
    if data_dir is not None:
        policies |= _by_name(_of_operator(data_dir / DIRECTORY), checked=True)
    return tuple(policies[name] for name in sorted(policies))


def _ours() -> Iterable[_Source]:
    for entry in files("daypass.iam").joinpath("provided").iterdir():
        yield _Source(entry.name, entry.read_bytes())


def _of_operator(directory: Path) -> Iterable[_Source]:
    for path in sorted(directory.glob("*.json")):
        try:
            yield _Source(str(path), path.read_bytes())
        except OSError as error:
            raise _refused(str(path), error.strerror or "the operating system refused") from error


def _by_name(sources: Iterable[_Source], *, checked: bool = False) -> dict[str, ManagedPolicy]:
    """Policies by their names in lower case: names are unique without regard to it."""
    found: dict[str, ManagedPolicy] = {}
    for source in sources:
        policy = _policy(source, checked=checked)
        if policy.name.casefold() in found:
            raise _refused(source.shown, f"another file has a policy named {policy.name!r}")
        found[policy.name.casefold()] = policy
    return found


def _policy(source: _Source, *, checked: bool) -> ManagedPolicy:
    """``checked``: see that the document is a policy. Of ours a test has seen it, and every start would pay for it."""
    try:
        written = _DECODER.decode(source.content)
        document = _unindented(bytes(written.document).decode())
        if checked:
            compile_policy(document, Kind.IDENTITY)
    except (msgspec.DecodeError, UnicodeDecodeError, PolicyError) as error:
        raise _refused(source.shown, str(error)) from error
    if len(document) > MAX_DOCUMENT:
        raise _refused(source.shown, f"the document is longer than {MAX_DOCUMENT} characters")
    created = int(written.created.timestamp())
    return ManagedPolicy(
        account=PROVIDER,
        path=written.path,
        name=written.name,
        unique_id=_unique_id(written.name),
        description=written.description,
        created_at=created,
        updated_at=created,
        default_version=1,
        next_version=2,
        versions=(PolicyVersion(1, document, created),),
    )


def _unindented(document: str) -> str:
    """The document as it would stand alone in a file. No string of JSON has a line break, so none is touched."""
    first, line_break, rest = document.partition("\n")
    return first + line_break + textwrap.dedent(rest)


def _unique_id(name: str) -> str:
    """An id of AWS's form that stays the same from start to start, on every node."""
    digest = hashlib.sha256(b"daypass provided policy " + name.casefold().encode()).digest()
    return "ANPA" + base64.b32encode(digest).decode("ascii")[:17]


def _refused(shown: str, why: str) -> ConfigurationError:
    message = f"The managed policy in {shown!r} cannot be used: {why.rstrip('.')}."
    return ConfigurationError(Reason.CONFIGURATION_INVALID, message)

# SPDX-License-Identifier: Apache-2.0
"""
From records to rows and back: a table per record class, a column per field.

A field that is a text, a number or bytes is a column of that type; anything else (tags, versions, lists) is JSON in a text
column. Nothing here knows a particular kind, so a new one is a class, a line in ``RECORDS`` and a migration.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

import msgspec

from daypass.store import belongings, controls, declared, records, resources
from daypass.store.records import Record

R = TypeVar("R", bound=Record)

Row = tuple[Any, ...]
"""A row as the database gives it, its values in the order of ``Kind.columns``."""

RECORDS: Final[tuple[type[Record], ...]] = (
    records.Account,
    records.AccessKey,
    records.Role,
    records.User,
    records.Group,
    records.ManagedPolicy,
    records.OidcProvider,
    records.SealingKey,
    belongings.LoginProfile,
    belongings.SshPublicKey,
    belongings.SigningCertificate,
    belongings.ServiceSpecificCredential,
    belongings.InstanceProfile,
    belongings.ServerCertificate,
    belongings.AccountSettings,
    belongings.ServiceLinkedRoleDeletion,
    belongings.CredentialReport,
    belongings.AccessReport,
    belongings.LastUse,
    belongings.DelegationRequest,
    belongings.SamlProvider,
    controls.Revocation,
    controls.MfaDevice,
    controls.Organization,
    controls.OrganizationalUnit,
    controls.Membership,
    controls.OrganizationPolicy,
    controls.IssuerKey,
    resources.Bucket,
    resources.AccountPublicAccess,
    resources.ResourcePolicy,
    declared.Managed,
    declared.StateFile,
)
"""Every class of record; accounts first, for all others belong to one."""


class Kind(Generic[R]):
    """
    One class of record and its table.

    ``columns`` are the fields in the order of the class, without the derived ones. ``plain`` says for each its Python type
    (str, int, bytes), or None where it is JSON; ``optional``, which of them may be NULL.
    """

    def __init__(self, record: type[R]) -> None:
        self.record = record
        self.name = record.kind
        fields = [field for field in msgspec.structs.fields(record) if field.name not in record.derived]
        self.columns = tuple(field.name for field in fields)
        self.plain = {field.name: _plain(field.type)[0] for field in fields}
        self.optional = {field.name: _plain(field.type)[1] for field in fields}
        self._json: list[tuple[int, msgspec.json.Decoder[Any]]] = [
            (place, msgspec.json.Decoder(field.type))
            for place, field in enumerate(fields)
            if self.plain[field.name] is None
        ]
        self._set_fields: dict[str, Callable[[Any], Any]] = {
            name: _encode for name, kind in self.plain.items() if kind is None
        }
        names = ", ".join(self.columns)
        self.select = f"SELECT {names} FROM {self.name}"  # noqa: S608 - constants of ours
        where = " AND ".join(f"{column} = ?" for column in record.identity)
        self.select_one = f"{self.select} WHERE {where}"
        self._identity = [self.columns.index(column) for column in record.identity]
        self._linking = [self.columns.index(column) for column in record.linking]

    def read(self, row: Row) -> R:
        """The record of a row whose values come in the order of ``columns``."""
        if not self._json:
            return self.record(*row)
        values = list(row)
        for place, decoder in self._json:
            text = values[place]
            values[place] = () if text == "[]" else decoder.decode(text)
        return self.record(*values)

    def key(self, row: Row) -> str:
        """The key of the record that ``read`` would make."""
        if len(self._identity) == 1 and isinstance(value := row[self._identity[0]], str):
            return value
        return self.read(row).key

    def may_link(self, row: Row) -> bool:
        """Whether the record that ``read`` would make may have links."""
        return any(row[place] not in (None, "[]") for place in self._linking)

    def values(self, record: R) -> dict[str, object]:
        """The row of a record, by column."""
        row = {column: getattr(record, column) for column in self.columns}
        for column, encode in self._set_fields.items():
            row[column] = encode(row[column])
        if record.named and record.folded:
            row["folded_name"] = record.sort_name.casefold()
        return row

    def identity(self, key: str) -> tuple[str | bytes, ...]:
        """The identity that a key of the change log stands for. No part but the last may contain a colon."""
        parts = key.split(":", len(self.record.identity) - 1)
        columns = zip(self.record.identity, parts, strict=True)
        return tuple(bytes.fromhex(part) if self.plain[column] is bytes else part for column, part in columns)


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _plain(annotation: Any) -> tuple[type | None, bool]:
    """The type of a column, None for JSON, and whether it may be NULL. JSON never is: ``null`` is JSON too."""
    members = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    optional = type(None) in members
    kinds = [member for member in members if member is not type(None)]
    if len(kinds) != 1:
        return None, False
    kind = kinds[0]
    if typing.get_origin(kind) is typing.Literal:
        kind = str
    return (kind, optional) if kind in (str, int, bytes) else (None, False)


KINDS: Final[dict[str, Kind[Any]]] = {record.kind: Kind(record) for record in RECORDS}
"""By name, in the order of ``RECORDS``."""


def kind_of(record: Record) -> Kind[Any]:
    """How this record is kept."""
    return KINDS[record.kind]

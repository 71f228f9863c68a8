# SPDX-License-Identifier: Apache-2.0
"""A verified assertion (SAML Core 2.3): what ``daypass.saml.verify`` makes, and nobody else."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Assertion(msgspec.Struct, frozen=True):
    """
    What a registered identity provider said about a person, for us, now. Printed without values.

    - ``subject``, ``subject_format``, ``name_qualifier``, ``sp_name_qualifier``: the NameID; absent attributes are "".
    - ``audience``, ``recipient``: the expected ones that matched.
    - ``attributes``: by name; values in the order of the message, empty ones included.
    - ``authn_instant``, ``session_not_on_or_after``, ``not_on_or_after``, ``replay_until``: seconds since 1970.
      ``not_on_or_after`` is the earliest end of the conditions and of the confirmation, without leeway.
    - ``one_time_use``: the provider itself demands that it is used once (SAML Core 2.5.1.5).
    - ``replay_until``: until then the caller must remember ``(issuer, assertion_id)`` as spent.
    - ``signed_with``: the signature algorithm's identifier; ``signed_by``: SHA-256 of the certificate, in hexadecimal.
    - ``sha1``: of a signature that it rests on, or of its digest. ``encrypted_with_cbc``: it was encrypted, and with AES-CBC.
    """

    assertion_id: str
    issuer: str
    subject: str
    subject_format: str
    name_qualifier: str
    sp_name_qualifier: str
    audience: str
    recipient: str
    attributes: Mapping[str, tuple[str, ...]]
    authn_instant: int
    session_index: str | None
    session_not_on_or_after: int | None
    not_on_or_after: int
    in_response_to: str | None
    signed_with: str
    signed_by: str
    encrypted: bool
    one_time_use: bool
    replay_until: int
    sha1: bool = False
    encrypted_with_cbc: bool = False

    def __repr__(self) -> str:
        return "Assertion(...)"

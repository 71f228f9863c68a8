# SPDX-License-Identifier: Apache-2.0
"""
Identities: who a verified proof says is asking.

An ``Identity`` is made in one place per kind of provider, after every check of that provider's protocol has passed (an
architecture test lists the modules that may construct one). Nothing in it comes from an unverified message.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

ContextValue = str | tuple[str, ...]
"""A condition key's value: a string, or a list of strings. Which of the two is a type, not a count."""


class Identity(msgspec.Struct, frozen=True):
    """The subject of a verified proof, with everything that trust policies may ask about it.

    - ``account``: the account in which the provider is registered.
    - ``provider_arn``: what a trust policy's ``Federated`` principal names.
    - ``provider``: how STS names it in an answer (an OIDC issuer's URL, a SAML issuer).
    - ``subject``, ``audience``: as the proof has them; the audience is the one that matched the registration.
    - ``context``: condition keys by full lower-case name (``accounts.example.org/realm:aud``).
    - ``session_tags``, ``transitive_tag_keys``, ``source_identity``: what the proof asks to put on the session.
    - ``not_after``: the instant that no session made from it may outlive; None where the proof does not say.
    """

    account: str
    provider_arn: str
    provider: str
    subject: str
    audience: str
    context: Mapping[str, ContextValue]
    session_tags: Mapping[str, str] = msgspec.field(default_factory=dict)
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str | None = None
    not_after: int | None = None

    def __repr__(self) -> str:
        return "Identity(...)"

# SPDX-License-Identifier: Apache-2.0
"""What the operations of STS work with; made once, when the process is wired."""

from __future__ import annotations

from dataclasses import dataclass

from daypass.federation import OidcIdentities, SamlIdentities
from daypass.issuer import TokenIssuer
from daypass.sessions import Sessions
from daypass.sessions.log import SessionLog
from daypass.store import Store


@dataclass(frozen=True, slots=True)
class Sts:
    """
    The sessions that are issued here, the providers that are asked who somebody is, what is stored, the log of what was
    issued, our own issuer of tokens, and the providers that vouch for somebody by SAML.
    """

    sessions: Sessions
    oidc: OidcIdentities
    store: Store
    issued: SessionLog
    issuer: TokenIssuer
    saml: SamlIdentities

# SPDX-License-Identifier: Apache-2.0
"""What the operations of STS work with; made once, when the process is wired."""

from __future__ import annotations

from dataclasses import dataclass

from daypass.federation import OidcIdentities
from daypass.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Sts:
    """The sessions that are issued here, and the providers that are asked who somebody is."""

    sessions: Sessions
    oidc: OidcIdentities

# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: outbound web identity federation, which an account has or has not."""

from __future__ import annotations

from typing import Final

from daypass.api.resources import everything
from daypass.api.row import Row
from daypass.iam import outbound_federation

ROWS: Final = (
    Row("EnableOutboundWebIdentityFederation", everything, outbound_federation.enable_outbound_web_identity_federation),
    Row(
        "DisableOutboundWebIdentityFederation", everything, outbound_federation.disable_outbound_web_identity_federation
    ),
    Row(
        "GetOutboundWebIdentityFederationInfo",
        everything,
        outbound_federation.get_outbound_web_identity_federation_info,
    ),
)

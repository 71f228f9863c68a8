# SPDX-License-Identifier: Apache-2.0
"""The status of what users own: Active or Inactive, as its owner sets it (IAM API, statusType)."""

from __future__ import annotations

from daypass.awsapi.parameters import Parameters, text
from daypass.errors import EntityError, Reason
from daypass.store import Status


def settable_status(parameters: Parameters) -> Status:
    """
    ``Status`` of an Update operation. Raises EntityError for ``Expired``, which the model knows too and which only the
    passing of time brings about.
    """
    match text(parameters, "Status"):
        case "Active":
            return "Active"
        case "Inactive":
            return "Inactive"
    raise EntityError(Reason.INVALID_INPUT, "The status can be set to Active or Inactive only.")

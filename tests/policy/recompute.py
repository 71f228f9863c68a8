# SPDX-License-Identifier: Apache-2.0
"""
The decision, from nothing but the ``layers`` block of an explanation.
"""

from __future__ import annotations

from typing import Any


def recompute(layers: list[dict[str, Any]]) -> str:
    results = [layer["result"] for layer in layers]
    if layers[0]["layer"] == "operation":
        return "allowed" if results == ["allow"] else "implicitDeny"
    if "deny" in results:
        return "explicitDeny"
    if any(layer["layer"] in ("scp", "rcp", "vpce") and layer["result"] == "none" for layer in layers):
        return "implicitDeny"
    said = {layer["layer"]: layer["result"] for layer in layers}
    resource = next(layer for layer in layers if "needs" in layer)
    grant, needs = resource["grant"], resource["needs"]
    unhindered = said.get("boundary") != "none" and said.get("session") != "none"
    caller_side = said.get("identity") != "none" and unhindered
    allowed = {
        "unlimited": grant == "UNLIMITED",
        "grant": grant != "NONE" and caller_side,
        "trust": grant == "UNLIMITED" or (grant == "LIMITED" and unhindered) or (grant == "DELEGATED" and caller_side),
        "task": unhindered,
        "nothing": grant == "UNLIMITED" or (grant == "LIMITED" and unhindered) or caller_side,
    }[needs]
    return "allowed" if allowed else "implicitDeny"

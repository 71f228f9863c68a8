# SPDX-License-Identifier: Apache-2.0
"""Names and ids of the parts of an organisation, in AWS's forms (AWS Organizations API, data types)."""

from __future__ import annotations

import re
import secrets
from typing import Final

from daypass.errors import EntityError, Reason

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_PRINTABLE: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def new_organization_id() -> str:
    """A fresh id of an organisation: ``o-`` and ten letters and digits."""
    return f"o-{_chance(10)}"


def new_root_id() -> str:
    """A fresh id of a root: ``r-`` and four letters and digits."""
    return f"r-{_chance(4)}"


def new_unit_id(root_id: str) -> str:
    """A fresh id of a unit: ``ou-``, the root's letters, and eight of its own."""
    return f"ou-{root_id.removeprefix('r-')}-{_chance(8)}"


def new_policy_id() -> str:
    """A fresh id of an organisation policy: ``p-`` and ten letters and digits."""
    return f"p-{_chance(10)}"


def _chance(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def check_name(name: str, longest: int, what: str) -> None:
    """
    Refuse a name that is empty, too long, begins or ends with a space, or has control characters or line ends.

    Raises EntityError. ``what`` is what it names, as in "account".
    """
    if not 1 <= len(name) <= longest or name != name.strip() or _PRINTABLE.fullmatch(name) is None:
        message = f"The name of the {what} must have 1 to {longest} printable characters, and no spaces around them."
        raise EntityError(Reason.INVALID_INPUT, message)

# SPDX-License-Identifier: Apache-2.0
"""
The size of a document against what entities take (IAM and STS quotas; the figures are those of ``daypass.policy.limits``).
"""

from __future__ import annotations

from typing import Final

from daypass.lint.located import Span
from daypass.lint.stated import Inspection
from daypass.policy import limits
from daypass.policy.document import Kind

_MOST: Final = {
    Kind.IDENTITY: (limits.ROLE_INLINE_SUM, "the inline policies of a role, which may have most"),
    Kind.BOUNDARY: (limits.MANAGED_POLICY, "a managed policy, which every boundary is"),
    Kind.SESSION: (limits.SESSION_POLICY, "session policies"),
    Kind.TRUST: (limits.TRUST_POLICY_RAISED, "a trust policy, even with a raised quota"),
    Kind.SCP: (limits.SCP, "a service control policy"),
    Kind.RCP: (limits.RCP, "a resource control policy"),
}
_BY_DEFAULT: Final = {
    Kind.IDENTITY: (limits.MANAGED_POLICY, "a managed policy; only roles have room for it, inline"),
    Kind.TRUST: (limits.TRUST_POLICY, "a trust policy unless the quota was raised"),
}
_WHOLE: Final = (Kind.SESSION, Kind.SCP, Kind.RCP)
"""Kinds whose white space counts."""


def check_size(work: Inspection, text: str) -> None:
    """Report a document that is too large for what it is meant for."""
    size = len(text) if work.kind in _WHOLE else limits.policy_size(text)
    for code, table in (("size-over-limit", _MOST), ("size-over-default", _BY_DEFAULT)):
        if work.kind in table and size > table[work.kind][0]:
            most, what = table[work.kind]
            message = f"The document has {size} characters; {most} are the most for {what}."
            work.out.add(code, Span(work.root.start, work.root.start + 1), message)
            return

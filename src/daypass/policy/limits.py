# SPDX-License-Identifier: Apache-2.0
"""
Every size and count of the policy language, in one place (IAM quotas; IAM API, parameter constraints).

``compile_policy`` enforces only what protects the reader itself (the raw size, the depth). The quotas belong to whoever
stores a document: they depend on what else is attached to the same entity, and have errors of their own.
"""

from __future__ import annotations

import re
from typing import Final

MAX_DOCUMENT: Final = 131_072
"""Characters of the raw ``policyDocument`` parameter (IAM API). Checked before anything is parsed."""

MAX_DEPTH: Final = 8
"""Nesting of brackets. The grammar needs 6: document, Statement, statement, Condition, operator, list of values."""

USER_INLINE_SUM: Final = 2_048
"""Characters of all inline policies of a user, white space outside strings not counted (IAM quotas)."""
GROUP_INLINE_SUM: Final = 5_120
"""Characters of all inline policies of a group, white space outside strings not counted (IAM quotas)."""
ROLE_INLINE_SUM: Final = 10_240
"""Characters of all inline policies of a role, white space outside strings not counted (IAM quotas)."""
MANAGED_POLICY: Final = 6_144
"""Characters of one version of a managed policy, white space outside strings not counted (IAM quotas)."""
MANAGED_POLICY_VERSIONS: Final = 5
"""Versions kept of a managed policy (IAM quotas)."""
TRUST_POLICY: Final = 2_048
"""Characters of a role trust policy by default: ACLSizePerRole (IAM quotas)."""
TRUST_POLICY_RAISED: Final = 4_096
"""What AWS raises ACLSizePerRole to on request (IAM quotas, 2023)."""
POLICIES_PER_ENTITY: Final = 10
"""Managed policies attached to a user, group or role by default (IAM quotas)."""
POLICIES_PER_ENTITY_RAISED: Final = 20
"""What AWS raises the number of managed policies of a user or role to on request (IAM quotas, 2023)."""
SESSION_POLICY: Final = 2_048
"""Characters of the inline session policy and the managed policies named with it, in plain text (STS API)."""
SESSION_POLICY_ARNS: Final = 10
"""Managed policies that may be named as session policies (STS API)."""
SCP: Final = 5_120
"""Characters of a service control policy, white space counted (Organizations quotas; 10,240 elsewhere)."""
RCP: Final = 5_120
"""Characters of a resource control policy, white space counted (Organizations quotas)."""
POLICIES_PER_LEVEL: Final = 5
"""Service control policies attached to one root, unit or account (Organizations quotas)."""

MAX_COMPILED: Final = 4_096
"""Compiled documents remembered per kind; the oldest leaves first."""
MAX_COMPILED_CHARACTERS: Final = 16_000_000
"""Characters of document text remembered per kind, so that few large documents cannot fill the memory."""
MAX_REMEMBERED_ACTIONS: Final = 256
"""Actions whose statements a policy remembers. Actions come from tables; a caller who invents names empties the memory."""
MAX_REMEMBERED_TEXTS: Final = 64
"""Resolved texts of one pattern with variables that are remembered."""
MAX_COMPILED_TEXT: Final = 65_536
"""Characters up to which a pattern is compiled ahead of the text; longer ones are made long by variables in them."""
MAX_REMEMBERED_LENGTH: Final = 2_048
"""Characters of a resolved text that is remembered; what is longer is no ARN (an S3 key has at most 1,024 bytes)."""
MAX_SHOWN: Final = 10_000
"""Characters of a resolved text that an explanation shows."""
MAX_ADDRESS: Final = 45
"""Characters of the longest textual IP address (RFC 4291 section 2.2, form 3)."""

RCP_SERVICES: Final = frozenset({"s3", "sts", "sqs", "kms", "secretsmanager"})
"""Services that resource control policies apply to: those of the launch in 2024 (from memory; see ``Layers``)."""

_OUTSIDE_STRINGS = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+"?)|[ \t\r\n]++', re.DOTALL)


def policy_size(text: str) -> int:
    """Characters of a document as IAM counts them: white space outside strings is free."""
    return len(_OUTSIDE_STRINGS.sub(r"\1", text))

# SPDX-License-Identifier: Apache-2.0
"""
The IAM policy language: documents, matching, conditions, and the decision (IAM User Guide, "Policies and permissions").

    text -- compile_policy --> Policy;  Request + Layers -- decide --> Decision, or -- explain --> Explanation

Pure: no store, no clock, no I/O. What time it is and who is calling come in as condition keys and principals; which
policies apply to a caller is for ``daypass.access`` to gather. A compiled policy never changes and may be shared by threads
(what it remembers is only a memory of the same answers).
"""

from daypass.policy.compile import compile_policy
from daypass.policy.compiled import Policy
from daypass.policy.document import Kind
from daypass.policy.evaluate import decide
from daypass.policy.explain import Explanation, explain
from daypass.policy.messages import denial_message
from daypass.policy.policy_set import PolicySet
from daypass.policy.principals import Grant
from daypass.policy.request import (
    Cause,
    Context,
    Decision,
    Layer,
    Layers,
    Level,
    NamedPolicy,
    Outcome,
    Request,
)

__all__ = [
    "Cause",
    "Context",
    "Decision",
    "Explanation",
    "Grant",
    "Kind",
    "Layer",
    "Layers",
    "Level",
    "NamedPolicy",
    "Outcome",
    "Policy",
    "PolicySet",
    "Request",
    "compile_policy",
    "decide",
    "denial_message",
    "explain",
]

# SPDX-License-Identifier: Apache-2.0
"""
The Security Token Service (STS API 2011-06-15): one module an operation, and ``assume``, which they share.

    proof -- identify --> Identity -- trust --> Trusted -- assume --> temporary credentials

Every AssumeRole* operation is ``assume`` with another proof. The wire is ``daypass.api``'s, the verdict on a proof
``daypass.federation``'s, the decision ``daypass.access``'s.
"""

from daypass.sts.assume import Assumed, SessionWishes, assume
from daypass.sts.service import Sts

__all__ = ["Assumed", "SessionWishes", "Sts", "assume"]

# SPDX-License-Identifier: Apache-2.0
"""
Who is calling, may they, and does this role trust them: the three decisions that every door makes through here.

    raw request -- authenticate --> Caller -- authorize --> Permitted
    Identity, role -- trust --> Trusted

``authenticate`` is Signature Version 4 over live keys and sealed sessions; ``authorize`` and ``trust`` gather the layers
and the context, and leave the verdict to ``daypass.policy``. None of them has a way around it.
"""

from daypass.access.authenticate import Authenticator, Caller
from daypass.access.authorize import Permitted, authorize
from daypass.access.context import RequestFacts
from daypass.access.resource import Resource
from daypass.access.trust import Trusted, trust

__all__ = ["Authenticator", "Caller", "Permitted", "RequestFacts", "Resource", "Trusted", "authorize", "trust"]

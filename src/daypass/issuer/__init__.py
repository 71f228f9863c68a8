# SPDX-License-Identifier: Apache-2.0
"""
Our own OpenID issuer: the tokens of GetWebIdentityToken, the keys that sign them, and what it publishes for whoever verifies
them (IAM User Guide, "Federating AWS identities to external services"; OpenID Connect Discovery 1.0).

    claims -- TokenIssuer.sign --> compact token        IssuerKey records -- documents --> configuration, key set

An account has an issuer, ``{public URL}/oidc/{account}``, once outbound web identity federation has been enabled in it. Who
may have a token, and what it says, is for ``daypass.sts``; over what wire the documents go, for ``daypass.api``.
"""

from daypass.issuer.tokens import TokenIssuer

__all__ = ["TokenIssuer"]

# SPDX-License-Identifier: Apache-2.0
"""
``daypass demo``: the whole path on a throw-away server, with the real ``aws`` command.

    server.py     daypass serve, as a process of its own, in a temporary directory
    provider.py   a development identity provider (OpenID Connect), on 127.0.0.1 only
    sign_in.py    a relying party of that provider: authorization code, PKCE, state, nonce
    aws.py        runs the aws command, away from the configuration of whoever started the demo
    story.py      the steps: register, trust, permit, sign in, assume the role, be allowed, be denied
    report.py     what is printed of them

Nothing below ``cli`` may import this package, so no setting of ``daypass serve`` can start the identity provider.
"""

from daypass.cli.demo.command import app

__all__ = ["app"]

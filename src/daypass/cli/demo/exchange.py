# SPDX-License-Identifier: Apache-2.0
"""The command of the documentation that exchanges an ID token for credentials, for the steps and for the page alike."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

JWT_FILE: Final = "token.jwt"
REGION: Final = "us-east-1"
_WIDTH: Final = 100  # characters; a longer command is broken before its options


@dataclass(frozen=True, slots=True)
class Exchange:
    """Where a token is exchanged, and for a session of which role."""

    endpoint_url: str
    role_arn: str
    role_session_name: str

    def arguments(self) -> tuple[str, ...]:
        """The arguments of the ``aws`` command."""
        return (
            "sts",
            "assume-role-with-web-identity",
            *("--role-arn", self.role_arn),
            *("--role-session-name", self.role_session_name),
            *("--web-identity-token", f"file://{JWT_FILE}"),
        )

    def script(self, token: str) -> str:
        """Lines for a shell that do it, in an empty directory and with no other configuration."""
        where = ("--endpoint-url", self.endpoint_url, "--region", REGION)
        return f"printf %s {shlex.quote(token)} > {JWT_FILE}\n\n{shell_line(('aws', *self.arguments(), *where))}"


def shell_line(command: Sequence[str]) -> str:
    """A command as one would type it: quoted for the shell, a long one broken before its options."""
    line = shlex.join(command)
    if len(line) <= _WIDTH:
        return line
    lines = [""]
    for argument in command:
        if argument.startswith("--"):
            lines.append("")
        lines[-1] += f" {shlex.quote(argument)}"
    return " \\\n    ".join(part.strip() for part in lines)

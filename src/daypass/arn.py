# SPDX-License-Identifier: Apache-2.0
"""
Amazon Resource Names: taken apart, put together (AWS General Reference, "Amazon Resource Names (ARNs)").

Syntax only. Whether an ARN names something that exists is for the store; matching patterns against ARNs is for
``daypass.policy``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PARTITION = "aws"
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Arn:
    """``arn:partition:service:region:account:resource``; the resource keeps its own colons."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def name(self) -> str:
        """The last segment of the resource path: ``Dev`` of ``role/team/Dev``."""
        return self.resource.rpartition("/")[2]

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Take an ARN apart. Raises ValueError unless it has six fields and begins with ``arn:``."""
        fields = text.split(":", 5)
        if len(fields) != 6 or fields[0] != "arn":
            raise ValueError("expected arn:partition:service:region:account:resource")
        return cls(*fields[1:])


def is_account_id(text: str) -> bool:
    """Whether the text is an account id: twelve ASCII digits."""
    return _ACCOUNT.fullmatch(text) is not None


def iam_arn(account: str, resource: str) -> str:
    """``arn:aws:iam::ACCOUNT:RESOURCE``."""
    return f"arn:{PARTITION}:iam::{account}:{resource}"


def sts_arn(account: str, resource: str) -> str:
    """``arn:aws:sts::ACCOUNT:RESOURCE``."""
    return f"arn:{PARTITION}:sts::{account}:{resource}"


def role_arn(account: str, path: str, name: str) -> str:
    """The ARN of a role; the path begins and ends with a slash."""
    return iam_arn(account, f"role{path}{name}")


def user_arn(account: str, path: str, name: str) -> str:
    """The ARN of a user; the path begins and ends with a slash."""
    return iam_arn(account, f"user{path}{name}")


def root_arn(account: str) -> str:
    """The ARN of an account's root user."""
    return iam_arn(account, "root")


def oidc_provider_arn(account: str, issuer_host_and_path: str) -> str:
    """The ARN of an OpenID Connect provider; it is named by its issuer URL without the scheme."""
    return iam_arn(account, f"oidc-provider/{issuer_host_and_path}")


def saml_provider_arn(account: str, name: str) -> str:
    """The ARN of a SAML provider."""
    return iam_arn(account, f"saml-provider/{name}")


def assumed_role_arn(account: str, role_name: str, session_name: str) -> str:
    """The ARN of a role session. It has the role's name, without the role's path."""
    return sts_arn(account, f"assumed-role/{role_name}/{session_name}")


def federated_user_arn(account: str, name: str) -> str:
    """The ARN of a session made by GetFederationToken."""
    return sts_arn(account, f"federated-user/{name}")


def group_arn(account: str, path: str, name: str) -> str:
    """The ARN of a group; the path begins and ends with a slash."""
    return iam_arn(account, f"group{path}{name}")


def policy_arn(account: str, path: str, name: str) -> str:
    """The ARN of a managed policy; the account is ``aws`` for those that come with the service."""
    return iam_arn(account, f"policy{path}{name}")


def instance_profile_arn(account: str, path: str, name: str) -> str:
    """The ARN of an instance profile; the path begins and ends with a slash."""
    return iam_arn(account, f"instance-profile{path}{name}")


def server_certificate_arn(account: str, path: str, name: str) -> str:
    """The ARN of a server certificate; the path begins and ends with a slash."""
    return iam_arn(account, f"server-certificate{path}{name}")


def mfa_arn(account: str, path: str, name: str) -> str:
    """The ARN, and serial number, of a virtual MFA device; the path begins and ends with a slash."""
    return iam_arn(account, f"mfa{path}{name}")

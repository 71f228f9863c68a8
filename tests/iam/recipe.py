# SPDX-License-Identifier: Apache-2.0
"""What a recipe is, and the ingredients that many have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from iam.kitchen import PLACE, Parameters, Step
from in_process import ACCOUNT

PATH: Final = "/team/"
TAGS: Final = [{"Key": "team", "Value": "red"}]
ALLOW: Final = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
)
TRUST: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example.org"},
                "Action": "sts:AssumeRoleWithWebIdentity",
            }
        ],
    }
)

USER: Final = Step("CreateUser", {"UserName": "<name>", "Path": PATH, "Tags": TAGS})
GROUP: Final = Step("CreateGroup", {"GroupName": "<name>", "Path": PATH})
ROLE: Final = Step(
    "CreateRole",
    {"RoleName": "<name>", "Path": PATH, "AssumeRolePolicyDocument": TRUST, "Description": "A role.", "Tags": TAGS},
)
POLICY: Final = Step(
    "CreatePolicy",
    {"PolicyName": "<name>", "Path": PATH, "PolicyDocument": ALLOW, "Description": "A policy.", "Tags": TAGS},
)
POLICY_ARN: Final = "<CreatePolicy.Policy.Arn>"
BOUNDED_USER: Final = Step("CreateUser", {**USER.parameters, "PermissionsBoundary": POLICY_ARN})
BOUNDED_ROLE: Final = Step("CreateRole", {**ROLE.parameters, "PermissionsBoundary": POLICY_ARN})
PROFILE: Final = Step("CreateInstanceProfile", {"InstanceProfileName": "<name>", "Path": PATH, "Tags": TAGS})


@dataclass(frozen=True)
class Pages:
    """
    How to fill a list: ``more`` makes the item number ``<i>``, ``less`` takes ``<item>`` away again.

    ``lists``: the output members that hold items. ``count``: how many there may be at once. ``alone``: the list is of
    everything there is, so the walk has a service of its own.
    """

    lists: tuple[str, ...]
    more: tuple[Step, ...]
    less: tuple[Step, ...]
    count: int = 4
    alone: bool = False


@dataclass(frozen=True)
class Recipe:
    """
    One good call of an operation.

    - ``before``: what it needs, made by root.
    - ``kind``: the resource type, where the operation acts on several.
    - ``resource``: what stands in the ARN behind the account, where that is not ``kind/team/NAME``; or the whole ARN.
    - ``shown``: how a denial calls the resource, where that is neither the ARN nor the ARN without its path.
    - ``also``: what else the caller must be permitted, and on what.
    - ``by_caller``: the call is about the user who makes it; root has no such thing. ``asked``: what that user did before.
    - ``never``: the code that it is always refused with, where nothing is there that it could succeed with.
    - ``new``: parameters that name what the call makes, so that an unknown name is no mistake.
    - ``pages``: for operations that page.
    """

    parameters: Parameters = field(default_factory=dict)
    before: tuple[Step, ...] = ()
    kind: str | None = None
    resource: str | None = None
    also: Mapping[str, str] = field(default_factory=dict)
    shown: str | None = None
    by_caller: bool = False
    asked: tuple[Step, ...] = ()
    never: str | None = None
    new: frozenset[str] = frozenset()
    pages: Pages | None = None


def recipe(*before: Step, new: str = "", **parameters: Any) -> Recipe:
    """A recipe in few words; ``new``: names of parameters, with spaces between them."""
    return Recipe(parameters, before, new=frozenset(new.split()))


UNKNOWN: Final[Mapping[str, str]] = {
    "AWSServiceName": "nobody.amazonaws.com",
    "AccessKeyId": "AKIA2222222222222222",
    "AccountAlias": "nobody-has-this",
    "Arn": f"arn:aws:iam::{ACCOUNT}:user/nobody",
    "CertificateId": "NOBODYHASTHISNOBODYHASTHIS",
    "ClientID": "nobody",
    "DelegationRequestId": "nobody-has-this-one",
    "DeletionTaskId": "task/aws-service-role/nobody.amazonaws.com/nobody/6f9b3e1a-0000-0000-0000-000000000000",
    "EntityArn": f"arn:aws:iam::{ACCOUNT}:delegation-request/nobody-has-this-one",
    "GroupName": "nobody",
    "InstanceProfileName": "nobody",
    "JobId": "6f9b3e1a-0000-0000-0000-000000000000",
    "OpenIDConnectProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/nobody.example.org",
    "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/nobody",
    "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/nobody",
    "PolicyName": "nobody",
    "PolicyTemplateArn": f"arn:aws:iam::{ACCOUNT}:policy/nobody",
    "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/nobody",
    "RoleName": "nobody",
    "SAMLProviderArn": f"arn:aws:iam::{ACCOUNT}:saml-provider/nobody",
    "SSHPublicKeyId": "APKA2222222222222222",
    "TemplateArn": "arn:aws:iam::aws:role-template/nobody.amazonaws.com/nobody:1",
    "SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/nobody",
    "ServerCertificateName": "nobody",
    "ServiceSpecificCredentialId": "ACCA2222222222222222",
    "UserName": "nobody",
    "VersionId": "v99",
}
"""Names that nobody has, by the parameter that refers to something by them."""


def plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's parameters with names that nobody has, where they refer to something."""

    def fill(name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: fill(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(name, inner) for inner in value]
        if isinstance(value, str) and PLACE.fullmatch(value) and name in UNKNOWN:
            return UNKNOWN[name]
        if name == "SAMLMetadataDocument":
            return "x" * 1000  # the shortest that the model allows
        if name.startswith("AuthenticationCode"):
            return "123456"
        return PLACE.sub("x", value) if isinstance(value, str) else value

    return {name: fill(name, value) for name, value in parameters.items()}

# SPDX-License-Identifier: Apache-2.0
"""Secrets Manager (Service Authorization Reference, "AWS Secrets Manager"; User Guide, "IAM policies").

A secret's ARN ends in a hyphen and six characters that nobody but the service knows. A request that names the secret
without them is decided with six question marks in their place, which both usual forms of policies (``NAME-??????`` and
``NAME-*``) match.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.rules import Asked, Rule, invalid, on, own_resource
from daypass.gateway.asking import Needed

_NAME: Final = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}", re.ASCII)
_SUFFIXED: Final = re.compile(r".{1,506}-[A-Za-z0-9]{6}", re.ASCII)


def _secret_arn(asked: Asked, text: str, parameter: str) -> str:
    name = text
    if text.startswith("arn:"):
        resource = own_resource(asked, text, parameter)
        if not resource.startswith("secret:"):
            raise invalid(parameter, "the ARN of a secret")
        name = resource.removeprefix("secret:")
    if _NAME.fullmatch(name) is None:
        raise invalid(parameter, "the name or the ARN of a secret")
    whole = text.startswith("arn:") and _SUFFIXED.fullmatch(name) is not None
    return asked.arn(f"secret:{name}") if whole else asked.arn(f"secret:{name}-??????")


def _secret(asked: Asked) -> Sequence[str]:
    return (_secret_arn(asked, asked.text("SecretId"), "SecretId"),)


def _new_secret(asked: Asked) -> Sequence[str]:
    name = asked.text("Name")
    if name.startswith("arn:"):
        raise invalid("Name", "a name")
    return (_secret_arn(asked, name, "Name"),)


def _batch(asked: Asked) -> Sequence[Needed]:
    """The action itself on ``*``, and GetSecretValue on every secret (User Guide, "Retrieve a group of secrets")."""
    if asked.has("Filters"):
        raise RequestError(
            Reason.UNSUPPORTED_PARAMETER, "BatchGetSecretValue is supported here with SecretIdList, not with Filters."
        )
    needed = [Needed("secretsmanager:BatchGetSecretValue", "*")]
    for item in asked.items("SecretIdList"):
        if not isinstance(item, str):
            raise invalid("SecretIdList", "a list of texts")
        needed.append(Needed("secretsmanager:GetSecretValue", _secret_arn(asked, item, "SecretIdList")))
    return needed


_REPLICAS: Final = ("AddReplicaRegions", "CrossAccountPrimaryARN")
_KEYED: Final = ("KmsKeyId",)

ROWS: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(
        (
            *("GetSecretValue", "DescribeSecret", "PutSecretValue", "DeleteSecret", "RestoreSecret"),
            *("ListSecretVersionIds", "UpdateSecretVersionStage", "CancelRotateSecret", "TagResource", "UntagResource"),
            *("GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy", "ValidateResourcePolicy"),
        ),
        on(_secret),
    ),
    "UpdateSecret": on(_secret, refused=_KEYED),
    "CreateSecret": on(_new_secret, tagging="TagResource", refused=(*_REPLICAS, *_KEYED)),
    "RotateSecret": on(_secret, refused=("RotationLambdaARN", "ExternalSecretRotationRoleArn")),
    "BatchGetSecretValue": _batch,
}

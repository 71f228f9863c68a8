# SPDX-License-Identifier: Apache-2.0
"""
Whether conditions narrow an Allow, and whether they say whose request it is.

A condition narrows when it asks for something that not every request has: a positive operator, without ``IfExists`` and
without ``ForAllValues:`` (both hold for an absent key), and no value that fits everything.
"""

from __future__ import annotations

from typing import Final

from daypass.lint.conditions import is_claim
from daypass.lint.stated import Asked, Stated

_CALLER_KEYS: Final = frozenset(
    key.lower()
    for group in (
        "aws:PrincipalArn aws:PrincipalAccount aws:PrincipalOrgID aws:PrincipalOrgPaths aws:userid aws:username",
        "aws:PrincipalServiceName aws:PrincipalServiceNamesList aws:FederatedProvider aws:SourceIdentity",
        "aws:SourceArn aws:SourceAccount aws:SourceOrgID aws:SourceOrgPaths aws:SignInSessionArn",
        "aws:SourceIp aws:SourceVpc aws:SourceVpcArn aws:SourceVpce aws:VpcSourceIp",
        "aws:VpceAccount aws:VpceOrgID aws:VpceOrgPaths kms:CallerAccount sns:Endpoint sts:ExternalId",
        "s3:DataAccessPointAccount s3:DataAccessPointArn ec2:SourceInstanceARN ssm:SourceInstanceARN",
        "lambda:SourceFunctionArn lambda:EventSourceToken codebuild:BuildArn codebuild:ProjectArn",
    )
    for key in group.split()
)
"""Keys that tell strangers apart from one's own (Amazon S3 User Guide, "The meaning of public"; data perimeter keys)."""
_EVERYWHERE: Final = frozenset({"0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1"})


def is_narrowed(stated: Stated) -> bool:
    """Whether some condition narrows the statement."""
    return any(map(narrows, stated.asked))


def is_for_own_callers(stated: Stated) -> bool:
    """Whether some condition narrows who is asking, so that a principal ``*`` does not mean the whole world."""
    return any(narrows(asked) and _is_of_caller(asked.lookup) for asked in stated.asked)


def _is_of_caller(key: str) -> bool:
    return key in _CALLER_KEYS or key.startswith(("aws:principaltag/", "saml:")) or is_claim(key)


def narrows(asked: Asked) -> bool:
    """Whether the condition asks for something that not every request has."""
    operator = asked.operator
    if operator.if_exists or operator.prefix == "ForAllValues" or operator.negated or operator.base == "Null":
        return False
    return bool(asked.values) and not any(_fits_everything(operator.base, text) for text in asked.texts)


def _fits_everything(base: str, text: str) -> bool:
    if base == "IpAddress":
        return text in _EVERYWHERE
    if base == "StringLike":
        return not text.strip("*?")
    if base.startswith("Arn"):
        return not text.replace("arn:", "", 1).strip("*:")
    return False

# SPDX-License-Identifier: Apache-2.0
"""
Role templates (IAM API): AcquireRole, GetRoleTemplateVersion. Services of AWS own them, for roles in their customers'
accounts; no such service is here, so no template is found.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, text
from daypass.errors import EntityError, Reason
from daypass.iam.service import Iam

_TEMPLATE: Final = re.compile(r"arn:aws:iam::aws:role-template/[a-z0-9.-]+/[\w+=,.-]{1,128}:[0-9]+", re.ASCII)
"""Service Authorization Reference: ``role-template/SERVICE/NAME:MAJOR``."""


async def acquire_role(_iam: Iam, _permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """No role, for there is no template to make it of."""
    _not_found(parameters)


async def get_role_template_version(_iam: Iam, _permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """No template."""
    _not_found(parameters)


def _not_found(parameters: Parameters) -> NoReturn:
    template = text(parameters, "TemplateArn")
    if _TEMPLATE.fullmatch(template) is None:
        raise EntityError(Reason.INVALID_INPUT, f"ARN {template} is not valid.")
    raise EntityError(Reason.NO_SUCH_ENTITY, f"The role template with ARN {template} cannot be found.")

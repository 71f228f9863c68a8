# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: role templates."""

from __future__ import annotations

from typing import Final

from daypass.access import Caller
from daypass.api.resources import Resource
from daypass.api.row import Row
from daypass.awsapi.parameters import Parameters, text
from daypass.iam import role_templates
from daypass.store import View


def role_template(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The template that ``TemplateArn`` names. None exists, so what the caller wrote can name no other than it says."""
    return Resource(text(parameters, "TemplateArn"), caller.principal.account)


ROWS: Final = (
    Row("AcquireRole", role_template, role_templates.acquire_role),
    Row("GetRoleTemplateVersion", role_template, role_templates.get_role_template_version),
)

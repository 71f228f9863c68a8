# SPDX-License-Identifier: Apache-2.0
"""
The rows of IAM in the table of operations, one module a resource: for each operation its name, what it acts on, and the
function that does it. An operation that has no row cannot be reached.
"""

from typing import Final

from daypass.api.row import Row
from daypass.api.table import (
    access_keys,
    account,
    attachments,
    delegation_requests,
    groups,
    instance_profiles,
    last_accessed,
    login_profiles,
    managed_policies,
    mfa_devices,
    oidc_providers,
    outbound_federation,
    role_templates,
    roles,
    saml_providers,
    server_certificates,
    service_linked_roles,
    simulation,
    user_belongings,
    users,
)

IAM_ROWS: Final[tuple[Row, ...]] = (
    *roles.ROWS,
    *users.ROWS,
    *groups.ROWS,
    *access_keys.ROWS,
    *managed_policies.ROWS,
    *attachments.ROWS,
    *account.ROWS,
    *login_profiles.ROWS,
    *mfa_devices.ROWS,
    *last_accessed.ROWS,
    *user_belongings.ROWS,
    *service_linked_roles.ROWS,
    *role_templates.ROWS,
    *instance_profiles.ROWS,
    *server_certificates.ROWS,
    *delegation_requests.ROWS,
    *oidc_providers.ROWS,
    *saml_providers.ROWS,
    *outbound_federation.ROWS,
    *simulation.ROWS,
)

__all__ = ["IAM_ROWS"]

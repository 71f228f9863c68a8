# SPDX-License-Identifier: Apache-2.0
"""The quotas of IAM (IAM User Guide, "IAM and STS quotas"); AWS's default figures, which clients know."""

from __future__ import annotations

from typing import Final

TAGS_PER_ENTITY: Final = 50
ROLES_PER_ACCOUNT: Final = 1_000_000
"""AWS: 1,000, raisable to 5,000. Ours only keeps the memory of one process within reason."""

USERS_PER_ACCOUNT: Final = 1_000_000
"""AWS: 5,000. Ours only keeps the memory of one process within reason."""

GROUPS_PER_ACCOUNT: Final = 500
"""AWS: 300, raisable to 500."""

GROUPS_PER_USER: Final = 10
ACCESS_KEYS_PER_USER: Final = 2
POLICIES_PER_ACCOUNT: Final = 5_000
"""Managed policies. AWS: 1,500, raisable to 5,000."""

OIDC_PROVIDERS_PER_ACCOUNT: Final = 700
"""AWS: 100, raisable to 700."""

SAML_PROVIDERS_PER_ACCOUNT: Final = 100
PRIVATE_KEYS_PER_SAML_PROVIDER: Final = 2
SAML_KEY_BITS: Final = (2_048, 4_096)
"""The shortest and the longest RSA key that assertions are encrypted for. A longer one would take a third of a second of every
sign-in."""

CLIENT_IDS_PER_PROVIDER: Final = 100
THUMBPRINTS_PER_PROVIDER: Final = 5
SIMULATED_CHARACTERS: Final = 4_000_000
"""Characters of policy that one page of a simulation goes through, over all its actions and resources: about a second.
A page that would take more is shorter (IAM API, SimulateCustomPolicy: MaxItems)."""

SCANNED_FOR_A_PAGE: Final = 10_000
"""Records looked at for one page of a list with a filter; a few milliseconds."""

PAGE_ITEMS: Final = 100
"""Items on a page when MaxItems is absent (IAM API, ListRoles: MaxItems)."""

INSTANCE_PROFILES_PER_ACCOUNT: Final = 1_000_000
"""AWS: 1,000, raisable to 5,000. Ours, like that of roles, only keeps the memory of one process within reason."""

SERVER_CERTIFICATES_PER_ACCOUNT: Final = 20
SIGNING_CERTIFICATES_PER_USER: Final = 2
SSH_PUBLIC_KEYS_PER_USER: Final = 5
MFA_DEVICES_PER_USER: Final = 8
"""Of the root user too (IAM User Guide, "AWS Multi-factor authentication in IAM")."""

MFA_DEVICES_PER_ACCOUNT: Final = USERS_PER_ACCOUNT
"""Assigned or not; AWS's quota is that of users too."""

SERIAL_NUMBER_CHARACTERS: Final = 256
"""Of a device's serial number (IAM API, serialNumberType). A longer path and name could not be referred to."""

SERVICE_CREDENTIALS_PER_SERVICE: Final = 2
"""Of one user (IAM API, CreateServiceSpecificCredential)."""

CHAIN_CERTIFICATES: Final = 10
"""Certificates in one chain; AWS bounds its characters only. Every one costs a signature check."""

CERTIFIED_KEY_BITS: Final = 4_096
"""The longest RSA key of a server certificate: what load balancers of AWS take at most. Checking one takes a third of a
second, and time grows with the fourth power."""
PRIVATE_KEY_CHARACTERS: Final = 4_096
"""Of a private key in PEM: an RSA key of 4,096 bits has 3,272. AWS: 16,384."""

DELEGATION_REQUESTS_PER_ACCOUNT: Final = 1_000
"""Delegation requests of an account that have not expired. AWS states no figure."""

HASH_PASSES: Final = 2
HASH_MEMORY_KIB: Final = 19_456
HASH_LANES: Final = 1
"""argon2id for passwords: the first choice of OWASP's Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane), some 30 ms. The
second choice of RFC 9106 (64 MiB, 3 passes, 4 lanes) takes 270 ms on a small machine, and preventing reuse may verify a new
password against 24 old ones. The string names its parameters, so they can be raised: what is stored keeps verifying."""
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
"""RFC 9106 section 4: a salt of 128 bits, a tag of 256."""

HASHES_AT_ONCE: Final = 2
"""Passwords hashed at the same time by one process: 40 MB, and no more threads than a small machine has cores."""

FORMER_PASSWORDS: Final = 23
"""Hashes kept of the passwords before the present one: with it, the 24 that PasswordReusePrevention may ask for."""

REPORT_SECONDS: Final = 4 * 3600
"""How long a credential report is good for (IAM User Guide, "Generate credential reports for your AWS account")."""

REPORT_ROWS_AT_ONCE: Final = 200
"""Rows of a report made before other requests have their turn; a few milliseconds."""

ACCESS_REPORTS_KEPT: Final = 1_000
"""Questions about last access that an account may have open; the oldest goes when there are more. AWS gives no figure."""

TRACKED_SECONDS: Final = 400 * 86_400
"""How far back reports of last use go (IAM API, RoleLastUsed: "the trailing 400 days")."""

DETAILS_ON_A_PAGE: Final = 100
"""Items on a page of GetAccountAuthorizationDetails, whatever MaxItems asks: with all versions of policies at their longest,
a page is 3 MB and some tens of milliseconds. IAM may return fewer too (IAM API, MaxItems)."""

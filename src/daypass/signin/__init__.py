# SPDX-License-Identifier: Apache-2.0
"""
The browser door: people sign in at their identity provider, choose a role, and get temporary credentials.

    GET start --> AuthnRequest --> identity provider --> POST /saml --> roles --> choice --> AssumeRoleWithSAML --> credentials

    door               the routes; every answer's headers, every refusal's page
    desk               what the pages work with, and one visit
    service_provider   our metadata and keys
    start              asks the identity provider
    consumer           takes its answer, and then the choice of a role
    registrations      whose answer it may be
    roles              the roles that an assertion names and that trust it
    sealed, cookies    what the browser keeps for us
    same_origin        whether a form came from a page of ours
    addresses          where a browser may be sent
    handover           credentials in the forms in which people take them
    pages, refusals    what is shown

Nobody is signed in here: there is no session of the browser, and nothing that a page of another site could use. What decides
(``daypass.saml``, ``access.trust``, AssumeRoleWithSAML) is the same for the AWS door (docs/adr/0010-the-browser-door.md).
"""

from daypass.signin.door import CONSUMER, PREFIXES, SigninDoor
from daypass.signin.wiring import open_door

__all__ = ["CONSUMER", "PREFIXES", "SigninDoor", "open_door"]

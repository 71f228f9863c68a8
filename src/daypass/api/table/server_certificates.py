# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: server certificates."""

from __future__ import annotations

from typing import Final

from daypass import arn
from daypass.access import Caller
from daypass.api.resources import Resource, everything
from daypass.api.row import Row
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.iam import server_certificates
from daypass.store import View


def server_certificate_to_be(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The certificate that UploadServerCertificate would make."""
    account, path = caller.principal.account, optional_text(parameters, "Path") or "/"
    return Resource(arn.server_certificate_arn(account, path, text(parameters, "ServerCertificateName")), account)


def server_certificate(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The certificate that ``ServerCertificateName`` names. A denial names it without its path."""
    account, name = caller.principal.account, text(parameters, "ServerCertificateName")
    found = view.server_certificates.with_name(account, name)
    shown = arn.server_certificate_arn(account, "/", name)
    return Resource(shown, account) if found is None else Resource(found.arn, account, found.tags, shown)


def renamed_server_certificate(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """
    What UpdateServerCertificate would make of it, which its caller must be permitted too (IAM API,
    UpdateServerCertificate: "permission to change the server certificate with the old name and the new name").
    """
    account, name = caller.principal.account, text(parameters, "ServerCertificateName")
    found = view.server_certificates.with_name(account, name)
    old_path, tags = ("/", ()) if found is None else (found.path, found.tags)
    path = optional_text(parameters, "NewPath") or old_path
    new_name = optional_text(parameters, "NewServerCertificateName") or name
    return Resource(arn.server_certificate_arn(account, path, new_name), account, tags)


ROWS: Final = (
    Row("UploadServerCertificate", server_certificate_to_be, server_certificates.upload_server_certificate),
    Row("GetServerCertificate", server_certificate, server_certificates.get_server_certificate),
    Row("ListServerCertificates", everything, server_certificates.list_server_certificates),
    Row(
        "UpdateServerCertificate",
        server_certificate,
        server_certificates.update_server_certificate,
        also=(("iam:UpdateServerCertificate", renamed_server_certificate),),
    ),
    Row("DeleteServerCertificate", server_certificate, server_certificates.delete_server_certificate),
    Row("TagServerCertificate", server_certificate, server_certificates.tag_server_certificate),
    Row("UntagServerCertificate", server_certificate, server_certificates.untag_server_certificate),
    Row("ListServerCertificateTags", server_certificate, server_certificates.list_server_certificate_tags),
)

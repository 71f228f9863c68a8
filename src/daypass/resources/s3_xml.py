# SPDX-License-Identifier: Apache-2.0
"""
The S3 documents that are read and written here (S3 API, PublicAccessBlockConfiguration, PolicyStatus, AccessControlPolicy).

They are read by the parser that reads SAML, with the same refusals: no DOCTYPE, no comment, no instruction, UTF-8, bounded.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from daypass.errors import ProofError, Reason, RequestError
from daypass.resources.limits import ACL_BODY, PUBLIC_ACCESS_BODY, XML_ELEMENTS
from daypass.saml.xml import Element, is_blank, read_open_xml
from daypass.store import PublicAccess

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SETTINGS: Final = {
    "BlockPublicAcls": "block_public_acls",
    "IgnorePublicAcls": "ignore_public_acls",
    "BlockPublicPolicy": "block_public_policy",
    "RestrictPublicBuckets": "restrict_public_buckets",
}
"""The elements of a public access block, in the order in which S3 answers them."""
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


def read_public_access(body: bytes) -> PublicAccess:
    """The settings in the body of PutPublicAccessBlock; what is not there is off. Raises RequestError (MALFORMED_XML)."""
    root = _read(body, PUBLIC_ACCESS_BODY, "PublicAccessBlockConfiguration")
    found: dict[str, bool] = {}
    for child in root:
        field = _SETTINGS.get(_local_name(child))
        value = _TRUTHS.get((child.text or "").strip().lower())
        if field is None or field in found or value is None or len(child) or not is_blank(child.tail):
            raise _malformed()
        found[field] = value
    if not found:
        raise _malformed()
    return PublicAccess(**found)


def public_access_xml(settings: PublicAccess) -> bytes:
    """The body of the answer to GetPublicAccessBlock."""
    inner = "".join(f"<{name}>{_truth(getattr(settings, field))}</{name}>" for name, field in _SETTINGS.items())
    return _document("PublicAccessBlockConfiguration", inner)


def policy_status_xml(*, public: bool) -> bytes:
    """The body of the answer to GetBucketPolicyStatus."""
    return _document("PolicyStatus", f"<IsPublic>{_truth(public)}</IsPublic>")


def read_grantee_uris(body: bytes) -> list[str]:
    """
    The groups that an access control list (AccessControlPolicy) grants anything. Raises RequestError (MALFORMED_XML).

    Elements count in whatever namespace and case: nobody knows how closely the backend looks. One with elements in it is
    refused: some readers take the text before the first of them, and some all of it.
    """
    root = _read(body, ACL_BODY, "AccessControlPolicy")
    found = [element for element in root.iter() if etree.QName(element).localname.lower() == "uri"]
    if any(len(element) for element in found):
        raise _malformed()
    return [(element.text or "").strip() for element in found]


def _read(body: bytes, max_bytes: int, name: str) -> Element:
    try:
        root = read_open_xml(body, max_bytes=max_bytes, max_elements=XML_ELEMENTS)
    except ProofError:
        raise _malformed() from None
    if _local_name(root) != name:
        raise _malformed()
    return root


def _local_name(element: Element) -> str:
    """The name of an element, in S3's namespace or in none; S3 takes both. Empty for other namespaces."""
    namespace, brace, name = str(element.tag).rpartition("}")
    return name if not brace or namespace[1:] == NAMESPACE else ""


def _document(name: str, inner: str) -> bytes:
    return f'{_DECLARATION}<{name} xmlns="{NAMESPACE}">{inner}</{name}>'.encode()


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _malformed() -> RequestError:
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return RequestError(Reason.MALFORMED_XML, message)

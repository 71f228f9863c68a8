# SPDX-License-Identifier: Apache-2.0
"""
Asking an identity provider to sign somebody in (SAML Core 3.4.1, Bindings 3.4 and 3.5).

The caller chooses the request's ID (at random, and remembers it) and the relay state (an opaque name, at most 80 bytes).
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from lxml import etree

from daypass.saml.algorithms import RSA_SHA256
from daypass.saml.names import ASSERTION_NS, BINDING_POST, PROTOCOL_NS, SA, SP
from daypass.saml.signature_shape import signature_within
from daypass.saml.writing import Signer, child, instant_text, sign_enveloped, written
from daypass.saml.xml import read_xml

MAX_RELAY_STATE: Final = 80  # bytes; SAML Bindings 3.4.3 and 3.5.3


@dataclass(frozen=True, slots=True)
class PostForm:
    """A form that the browser posts to ``action``: names and values of its hidden fields, in order. Not escaped."""

    action: str
    fields: tuple[tuple[str, str], ...]


def authn_request(
    *,
    request_id: str,
    issued_at: float,
    issuer: str,
    destination: str,
    consumer_url: str,
    name_id_format: str | None = None,
    force_authn: bool = False,
) -> bytes:
    """An AuthnRequest, unsigned XML, whose answer comes to ``consumer_url`` by POST. ``request_id``: an NCName."""
    request = etree.Element(
        f"{SP}AuthnRequest",
        {
            "ID": request_id,
            "Version": "2.0",
            "IssueInstant": instant_text(issued_at),
            "Destination": destination,
            "AssertionConsumerServiceURL": consumer_url,
            "ProtocolBinding": BINDING_POST,
        },
        nsmap={"samlp": PROTOCOL_NS, "saml": ASSERTION_NS},
    )
    if force_authn:
        request.set("ForceAuthn", "true")
    child(request, f"{SA}Issuer", issuer)
    child(request, f"{SP}NameIDPolicy", Format=name_id_format, AllowCreate="true")
    return written(request)


def redirect_url(
    destination: str, request: bytes, *, relay_state: str | None = None, signer: Signer | None = None
) -> str:
    """
    The URL that carries a request by HTTP redirect (Bindings 3.4.4.1), signed if a signer is given.

    The signature covers the very octets of the query that is sent, which are built once, here.
    """
    deflated = zlib.compressobj(9, zlib.DEFLATED, -15)
    message = base64.b64encode(deflated.compress(request) + deflated.flush()).decode("ascii")
    query = "SAMLRequest=" + quote(message, safe="")
    if relay_state is not None:
        query += "&RelayState=" + quote(_relay_state(relay_state), safe="")
    if signer is not None:
        query += "&SigAlg=" + quote(RSA_SHA256, safe="")
        signature = base64.b64encode(signer.sign(query.encode("ascii"))).decode("ascii")
        query += "&Signature=" + quote(signature, safe="")
    joint = "&" if urlsplit(destination).query else "?"
    return f"{destination.partition('#')[0]}{joint}{query}"


def post_form(
    destination: str, request: bytes, *, relay_state: str | None = None, signer: Signer | None = None
) -> PostForm:
    """The form that carries a request by HTTP POST (Bindings 3.5), signed (enveloped) if a signer is given."""
    if signer is not None:
        root = read_xml(request)
        if signature_within(root) is not None:
            raise ValueError("the request is signed already")
        sign_enveloped(root, signer, after=1)
        request = written(root)
    fields = [("SAMLRequest", base64.b64encode(request).decode("ascii"))]
    if relay_state is not None:
        fields.append(("RelayState", _relay_state(relay_state)))
    return PostForm(destination, tuple(fields))


def _relay_state(relay_state: str) -> str:
    if len(relay_state.encode("utf-8")) > MAX_RELAY_STATE:
        raise ValueError(f"relay state of more than {MAX_RELAY_STATE} bytes")
    return relay_state

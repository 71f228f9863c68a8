# SPDX-License-Identifier: Apache-2.0
"""
SAML 2.0, service provider side (Core, Bindings, Profiles 4.1, Metadata; XML Signature and XML Encryption as these use them).

Pure: no network, no store, no clock. The caller brings the bytes, the registered keys and the time, so every check here
can be reached by a test vector. Replay and the meaning of attributes (roles, tags) are for the caller.

    base64 -- decode_response --> bytes -- parse_response --> UnverifiedResponse -- verify_response --> Assertion

    xml               the one parser: what XML is read at all
    shape             which elements stand where (the structural profile); nothing else is accepted
    signature_shape   the one form of a signature, and the one thing it refers to
    signature         whether a registered key made it; the bytes that it covers
    algorithms, keys  the closed list of algorithms; the keys of registered certificates
    encryption        the assertion out of an EncryptedAssertion
    response          a response, taken apart
    verify            the numbered list
    statements        each part of a response and its assertion, read and checked
    assertion         what comes of it
    trust             what the caller brings
    metadata          what an identity provider says about itself
    authn_request     asking it to sign somebody in
    service_provider  what we say about ourselves
    writing           documents of ours, made and signed
"""

from daypass.saml.assertion import Assertion
from daypass.saml.authn_request import PostForm, authn_request, post_form, redirect_url
from daypass.saml.limits import DEFAULT_LEEWAY, MAX_LEEWAY
from daypass.saml.metadata import Endpoint, ProviderMetadata, parse_metadata
from daypass.saml.response import UnverifiedResponse, decode_response, parse_response
from daypass.saml.service_provider import service_provider_metadata
from daypass.saml.trust import Expectations, Trust
from daypass.saml.verify import verify_response
from daypass.saml.writing import Signer

__all__ = [
    "DEFAULT_LEEWAY",
    "MAX_LEEWAY",
    "Assertion",
    "Endpoint",
    "Expectations",
    "PostForm",
    "ProviderMetadata",
    "Signer",
    "Trust",
    "UnverifiedResponse",
    "authn_request",
    "decode_response",
    "parse_metadata",
    "parse_response",
    "post_form",
    "redirect_url",
    "service_provider_metadata",
    "verify_response",
]

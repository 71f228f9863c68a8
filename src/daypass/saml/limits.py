# SPDX-License-Identifier: Apache-2.0
"""The limits of this package: each with its reason, and who else chose the figure."""

from __future__ import annotations

from typing import Final

MAX_ENCODED_RESPONSE: Final = 100_000
"""Characters of a response in base64: the STS model's bound of SAMLAssertion. ruby-saml stops at 250 000 bytes."""

MAX_RESPONSE: Final = 75_000
"""Bytes of a response, decoded: what fits into MAX_ENCODED_RESPONSE."""

MAX_METADATA: Final = 10_000_000
"""Bytes of metadata: the IAM model's bound of SAMLMetadataDocument, 10 000 000 characters."""

MAX_DEPTH: Final = 24
"""Elements within elements. A response with an encrypted assertion has 12, metadata with extensions 14; libxml2 itself
stops at 256."""

MAX_ELEMENTS: Final = 5_000
"""Elements of a response. One with 1 000 attribute values, more than AWS takes, has 2 100."""

MAX_METADATA_ELEMENTS: Final = 10_000
"""Elements of metadata. A provider's has about 40, of AD FS about 600; federations, which we do not take, have millions. It is
read again by whoever signs in first after a start: with 100 000 elements, which may have attributes, that took a second."""

MAX_XML_ATTRIBUTES: Final = 24
"""XML attributes of one element of metadata (of a response the shape says which). The richest known has 12."""

MAX_NAMESPACES: Final = 24
"""Namespace declarations of one element, and prefixes of a signature's list. Providers write fewer than ten, and one."""

MAX_NAMESPACE_NAME: Final = 256
"""Bytes of a namespace name, as it is written. The longest that SAML has is of 51 characters."""

MAX_ID: Final = 256
"""Characters of an ID. The profiles ask for 128 to 160 random bits, 32 to 40 characters; libraries prefix them."""

MAX_URI: Final = 1024
"""Characters of an entity id, a format or an audience (SAML Core 8.3.6)."""

MAX_NAME_ID: Final = 1024
"""Characters of a NameID. SAML Core 8.3.7 bounds persistent ones at 256."""

MAX_ATTRIBUTES: Final = 500
"""Attributes of an assertion. AWS's console takes about 100 roles and 50 tags, one attribute each in the worst form."""

MAX_ATTRIBUTE_NAME: Final = 512
"""Characters of an attribute's name; they are URIs."""

MAX_ATTRIBUTE_VALUE: Final = 4096
"""Characters of an attribute's value. Group paths of directories reach 1 000."""

MAX_CERTIFICATE: Final = 20_000
"""Bytes of a signing certificate. Those of providers have 700 to 2 000; they are kept in memory, some 1 000 of them."""

MAX_CERTIFICATES: Final = 20
"""Signing certificates of one provider. Rollover needs two; Entra publishes up to five."""

MAX_AUDIENCES: Final = 100
"""Audiences of one restriction; as many as an ID token may have here."""

MAX_KEY_BITS: Final = 16_384
"""Bits of an RSA modulus: verification takes time with its square. OpenSSL stops at the same figure."""

MIN_KEY_BITS: Final = 2048
"""Bits of an RSA modulus, unless the provider opted in (NIST SP 800-131A)."""

DEFAULT_LEEWAY: Final = 60.0
"""Seconds that clocks may differ; what Keycloak, Spring and the OpenID side here allow."""

MAX_LEEWAY: Final = 300.0
"""Seconds; more would be a longer life, not a difference of clocks."""

MAX_AGE: Final = 300.0
"""Seconds after its issue in which an assertion is taken: AWS's five minutes."""

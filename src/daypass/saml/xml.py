# SPDX-License-Identifier: Apache-2.0
"""
The one parser (XML 1.0, Namespaces in XML 1.0): what XML is read at all.

libxml2 through lxml reads everything here: responses, what was signed, what was encrypted, metadata. There is no second
reading that could differ (DESIGN.md, invariant 8). What may stand where is for ``daypass.saml.shape``.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from lxml import etree

from daypass.errors import ProofError, Reason
from daypass.saml.limits import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_NAMESPACE_NAME,
    MAX_NAMESPACES,
    MAX_RESPONSE,
    MAX_XML_ATTRIBUTES,
)

Element: TypeAlias = etree._Element

PARSER: Final = etree.XMLParser(
    encoding="utf-8",  # whatever the declaration says, and it may say nothing else
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    attribute_defaults=False,
    huge_tree=False,  # libxml2 keeps its own bounds of depth, names and text while it reads
    recover=False,
    remove_blank_text=False,
    remove_comments=False,  # removed, they could not be refused
    remove_pis=False,
    strip_cdata=False,
    collect_ids=False,  # no table of IDs that a lookup could be answered from
)
"""The parser of everything. Libraries that parse for us are given this one."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_DECLARATION: Final = re.compile(
    rb"""<\?xml\s+version\s*=\s*(["'])1\.0\1(?:\s+encoding\s*=\s*(["'])(?i:utf-8|us-ascii)\2)?"""
    rb"""(?:\s+standalone\s*=\s*(["'])(?:yes|no)\3)?\s*\?>"""
)
# Every "xmlns", and what follows it if that is a long namespace name. No quantifier can run over the beginning of another
# match: it takes linear time.
_NAMESPACES: Final = re.compile(
    rb"""xmlns((?::[^\s=<>"':]*)?\s*=\s*(?:"[^"]{%(n)d}|'[^']{%(n)d}))?""" % {b"n": MAX_NAMESPACE_NAME + 1}
)
_SPACE: Final = " \t\r\n"  # white space of XML 1.0, and no other


def read_xml(data: bytes) -> Element:
    """
    The root of a document that ``daypass.saml.shape`` will judge. Raises ProofError, and nothing else, whatever the bytes.

    1. Size.
    2. UTF-8 without NUL, by its declaration too: otherwise the next step would look at other characters than the parser.
    3. No ``<!`` and, after the declaration, no ``<?``: in XML each is markup wherever it stands, because text and
       attribute values write ``<`` as ``&lt;``. So there is no DOCTYPE, no entity, no comment, no CDATA section, no
       processing instruction, before any parser has seen one.
    4. Not more ``<`` than the tags of the largest document that is accepted. Few namespace declarations in each: an element is
       copied and canonicalised in time with the square of those in scope. No long namespace name: every name of an element
       or attribute has a copy of it.
    5. Well-formed, with namespaces.
    6. Bounded depth.
    """
    return _read(data, MAX_RESPONSE, MAX_ELEMENTS)


def read_open_xml(data: bytes, *, max_bytes: int, max_elements: int) -> Element:
    """The same for a document in which anything may stand: its elements are counted and looked at, all of them."""
    root = _read(data, max_bytes, max_elements)
    # INVARIANT: step 3 has left no comment, instruction or entity; should it ever fail to, here they are seen.
    if _NOT_AN_ELEMENT(root):
        raise ProofError(Reason.SAML_MARKUP_REFUSED, "The document has markup that is not an element.")
    if _TOO_MANY_ATTRIBUTES(root):
        raise ProofError(Reason.SAML_TOO_LARGE, "An element of the document has too many attributes.")
    return root


def read_canonical(data: bytes) -> Element:
    """The root of what ``daypass.saml.signature_shape.canonical`` wrote: it has no markup but tags, and its bounds are those of
    what it was made of. Raises ProofError."""
    try:
        return etree.fromstring(data, PARSER)
    except (etree.XMLSyntaxError, ValueError):
        raise ProofError(Reason.SAML_MALFORMED, "The document is not well-formed XML.") from None


def _read(data: bytes, max_bytes: int, max_elements: int) -> Element:
    if len(data) > max_bytes:  # 1
        raise ProofError(Reason.SAML_TOO_LARGE, f"The document is larger than {max_bytes} bytes.")
    body = _body(data)  # 2, 3
    if len(body) > 2 * max_elements and body.count(b"<") > 2 * max_elements:  # 4
        raise ProofError(Reason.SAML_TOO_LARGE, "The document has too many elements.")
    declared = _NAMESPACES.findall(body)
    if len(declared) > MAX_NAMESPACES and _declares_many(body):
        raise ProofError(Reason.SAML_TOO_LARGE, "An element of the document has too many namespace declarations.")
    if any(declared):
        raise ProofError(Reason.SAML_TOO_LARGE, "A namespace of the document has too long a name.")
    root = read_canonical(body)  # 5
    if _TOO_DEEP(root):  # 6
        raise ProofError(Reason.SAML_TOO_LARGE, "The document's elements are nested too deeply.")
    return root


def _declares_many(body: bytes) -> bool:
    """Whether there are many ``xmlns`` in one tag, or behind it before the next, where no document has them."""
    return any(tag.count(b"xmlns") > MAX_NAMESPACES for tag in body.split(b"<"))


def _body(data: bytes) -> bytes:
    """The document without its declaration, in which no ``<`` begins anything but a tag."""
    body = data.removeprefix(_BYTE_ORDER_MARK)
    if b"\0" in body:
        raise ProofError(Reason.SAML_MALFORMED, "Expected a document in UTF-8.")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        raise ProofError(Reason.SAML_MALFORMED, "Expected a document in UTF-8.") from None
    if declaration := _DECLARATION.match(body):
        body = body[declaration.end() :]
    if _has_markup(body, b"!"):
        if body.count(b"<!") == body.count(b"<!--") + body.count(b"<![CDATA["):
            raise ProofError(Reason.SAML_MARKUP_REFUSED, "The document has a comment or a CDATA section.")
        raise ProofError(Reason.SAML_DOCTYPE_REFUSED, "The document has a document type declaration.")
    if _has_markup(body, b"?"):
        raise ProofError(Reason.SAML_MARKUP_REFUSED, "The document has a processing instruction, or another encoding.")
    return body


def _has_markup(body: bytes, kind: bytes) -> bool:
    """Whether a ``<`` stands before this character, which is looked for first: few documents have one, and one byte is found in
    a fiftieth of the time of two."""
    return kind in body and b"<" + kind in body


_NOT_AN_ELEMENT: Final = etree.XPath("boolean(//comment() | //processing-instruction())")
_TOO_MANY_ATTRIBUTES: Final = etree.XPath(f"boolean(//*[count(@*) > {MAX_XML_ATTRIBUTES}])")
_TOO_DEEP: Final = etree.XPath(f"boolean({'/*' * (MAX_DEPTH + 1)})")
_MIXED: Final = etree.XPath("boolean(descendant-or-self::*[*]/text()[normalize-space()])")


def has_mixed_content(root: Element) -> bool:
    """Whether text stands beside an element anywhere within: more than XML's white space."""
    return bool(_MIXED(root))


def is_blank(text: str | None) -> bool:
    """Whether there is nothing but XML's white space (not Unicode's: those characters are text)."""
    return not text or not text.strip(_SPACE)

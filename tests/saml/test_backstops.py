# SPDX-License-Identifier: Apache-2.0
"""Behaviours of lxml, libxml2 and cryptography that the verification rests on (STYLE 18). When one of these fails, read
``daypass.saml.xml`` and ``daypass.saml.signature`` again before anything is upgraded."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from daypass.errors import ProofError
from daypass.saml.limits import MAX_DEPTH, MAX_ID, MAX_XML_ATTRIBUTES
from daypass.saml.shape import SHAPES
from daypass.saml.signature_shape import canonical, decode_base64, strict_base64, take_signature
from daypass.saml.values import instant, is_line
from daypass.saml.xml import PARSER, has_mixed_content, is_blank, read_canonical, read_open_xml, read_xml


def parsed(text: str) -> Any:
    return etree.fromstring(text.encode(), PARSER)


def test_libxml2_is_one_with_its_security_fixes() -> None:
    assert etree.LIBXML_VERSION >= (2, 14, 0)
    assert etree.LXML_VERSION >= (6, 1, 1)


def test_the_parser_expands_no_entity_and_fetches_nothing_even_if_a_doctype_came_so_far() -> None:
    root = parsed('<!DOCTYPE r [<!ENTITY e "mallory"><!ENTITY f SYSTEM "file:///etc/hostname">]><r>a&e;&f;b</r>')
    assert root.text == "a"
    assert all(not isinstance(child.tag, str) for child in root)


def test_the_parser_adds_no_default_attributes() -> None:
    assert dict(parsed('<!DOCTYPE r [<!ATTLIST r ID CDATA "_forged">]><r/>').attrib) == {}


def test_the_parser_keeps_comments_and_instructions_so_that_they_can_be_refused() -> None:
    assert len(parsed("<r>a<!--b-->c<?d e?></r>")) == 2


def test_the_parser_repairs_nothing() -> None:
    for text in (
        "<r>",
        "<r></s>",
        "<r a='1' a='2'/>",
        "<r>&nothing;</r>",
        "<r/><r/>",
        "<r>\x01</r>",
        "<a:r/>",
        "<r>]]></r>",
    ):
        with pytest.raises(etree.XMLSyntaxError):
            parsed(text)


def test_two_attributes_of_one_expanded_name_are_not_well_formed() -> None:
    with pytest.raises(etree.XMLSyntaxError):
        parsed("<r xmlns:a='urn:u' xmlns:b='urn:u' a:ID='1' b:ID='2'/>")


def test_the_parser_takes_the_document_for_utf_8_whatever_it_declares() -> None:
    assert etree.fromstring(b'<?xml version="1.0" encoding="ISO-8859-1"?><r>\xc3\xa4</r>', PARSER).text == "ä"


def test_canonicalisation_is_exclusive_and_without_comments() -> None:
    root = parsed("<a:r xmlns:a='urn:u' xmlns:b='urn:v' z='1' a:y='2'><!--c--><a:s/></a:r>")
    assert canonical(root) == b'<a:r xmlns:a="urn:u" z="1" a:y="2"><a:s></a:s></a:r>'


def test_a_part_is_canonicalised_as_it_stands_without_what_follows_it() -> None:
    root = parsed("<a:r xmlns:a='urn:u' xmlns:b='urn:v'><a:s>t</a:s>tail</a:r>")
    assert canonical(root[0]) == b'<a:s xmlns:a="urn:u">t</a:s>'


def test_a_part_is_canonicalised_where_it_stands_as_it_is_alone() -> None:
    """What is signed is not copied out of what it came in: nothing around it takes part."""
    root = parsed(
        "<r xmlns='urn:d' xmlns:a='urn:u' xmlns:b='urn:v' xml:lang='en' xml:space='preserve'>text"
        "<s xmlns='urn:e' xmlns:a='urn:w' a:y='1' z='2'><a:t/> <b:u xmlns='' b:x='3' xml:lang='de'/><t/></s>tail</r>"
    )
    alone = parsed(etree.tostring(root[0], with_tail=False, encoding="unicode"))
    assert canonical(root[0]) == canonical(alone)
    assert canonical(root[0]) == (
        b'<s xmlns="urn:e" xmlns:a="urn:w" z="2" a:y="1"><a:t></a:t> '
        b'<b:u xmlns:b="urn:v" xml:lang="de" b:x="3"></b:u><t></t></s>'
    )


def test_a_signature_is_taken_out_and_the_white_space_around_it_stays() -> None:
    ds = "xmlns:ds='http://www.w3.org/2000/09/xmldsig#'"
    for text, left in (
        (f"<r {ds}>a<ds:Signature><ds:x/></ds:Signature>b<s/></r>", b"<r>ab<s></s></r>"),
        (f"<r {ds}><ds:Signature/>\n<s/></r>", b"<r>\n<s></s></r>"),
        (f"<r {ds}><s/>a<ds:Signature/>b</r>", b"<r><s></s>ab</r>"),
        (f"<r {ds}><s/><ds:Signature/></r>", b"<r><s></s></r>"),
    ):
        root = parsed(text)
        signature = take_signature(root)
        assert signature is not None
        assert canonical(root) == left
        assert canonical(signature).startswith(b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">')
        assert take_signature(root) is None
    with pytest.raises(ProofError):
        take_signature(parsed(f"<r {ds}><ds:Signature/><ds:Signature/></r>"))


def test_an_element_alone_keeps_the_namespaces_that_were_declared_around_it() -> None:
    root = parsed("<a:r xmlns:a='urn:u' xmlns:xs='urn:w'><a:s/>tail</a:r>")
    alone = etree.fromstring(etree.tostring(root[0], with_tail=False), PARSER)
    assert canonical(alone, ("xs",)) == b'<a:s xmlns:a="urn:u" xmlns:xs="urn:w"></a:s>'


def test_a_relative_namespace_name_has_no_canonical_form() -> None:
    with pytest.raises(ProofError):
        canonical(parsed("<r xmlns:x='../x'/>"))


def test_canonical_text_read_again_is_the_same_text() -> None:
    root = parsed("<r a='&#9;&quot;&lt;'>&amp;&#13;&lt;ä\u2028</r>")
    assert canonical(read_canonical(canonical(root))) == canonical(root)


def test_text_is_one_piece_where_there_is_no_markup() -> None:
    assert parsed("<r>&#97;l&amp;i&#x63;e</r>").text == "al&ice"


def test_mixed_content_is_seen_anywhere_and_white_space_is_xmls_alone() -> None:
    assert not has_mixed_content(parsed("<r> <a>x</a>\n\t<b/> </r>"))
    for text in ("<r>x<a/></r>", "<r><a/>x</r>", "<r><a><b/>x</a></r>", "<r><a/>\u00a0</r>", "<r><a/>\u2003</r>"):
        assert has_mixed_content(parsed(text)), text
    assert is_blank(" \t\r\n")
    assert is_blank(None)
    assert not is_blank("\u00a0")


def test_depth_and_attributes_are_bounded_exactly() -> None:
    assert read_xml(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH) is not None
    with pytest.raises(ProofError):
        read_xml(b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1))
    for number, fits in ((MAX_XML_ATTRIBUTES, True), (MAX_XML_ATTRIBUTES + 1, False)):
        text = b"<r><a" + b"".join(b" a%d=''" % n for n in range(number)) + b"/></r>"
        if fits:
            read_open_xml(text, max_bytes=1000, max_elements=9)
        else:
            with pytest.raises(ProofError):
                read_open_xml(text, max_bytes=1000, max_elements=9)


def test_a_tag_of_gcm_is_never_shorter_than_sixteen_bytes() -> None:
    box = AESGCM(bytes(32))
    text = box.encrypt(bytes(12), b"text", None)
    for length in range(len(text)):
        with pytest.raises(InvalidTag):
            box.decrypt(bytes(12), text[:length], None)


@pytest.mark.parametrize("text", ["QQ=", "QQ", "QR==", "Q Q = = =", "QQ==QQ==", "QQ==x", "-_==", "Q\u00a0Q==", "é"])
def test_base64_has_one_spelling(text: str) -> None:
    assert decode_base64(" Q\nQ=\t= ") == b"A"
    with pytest.raises(ProofError):
        decode_base64(text)


def test_a_character_that_is_not_of_base64_is_refused_wherever_it_stands() -> None:
    """binascii decodes in another way, and writes again what it understood: its judgement is the same for every text."""

    def judged(text: str) -> bytes | None:
        try:
            decoded = base64.b64decode(text, validate=True)
        except ValueError:
            return None
        return decoded if base64.b64encode(decoded) == text.encode() else None

    def found(text: str) -> bytes | None:
        try:
            return strict_base64(text)
        except ValueError:
            return None

    for text in ("QUJDREVG", "QUJDREU=", "QUJDRA=="):
        assert found(text) == judged(text) == b"ABCDEF"[: len(text.rstrip("=")) * 3 // 4]
        for at in range(len(text)):
            assert found(text[:at]) == judged(text[:at])
            for code in (*range(256), 0x0130, 0x2028, 0xD800, 0x1F600):
                changed = text[:at] + chr(code) + text[at + 1 :]
                assert found(changed) == judged(changed), changed


def test_every_part_of_a_shape_has_a_shape() -> None:
    assert {tag for shape in SHAPES.values() for tag in shape.parts} <= set(SHAPES)
    assert MAX_ID == 256


def test_an_instant_is_read_to_the_second_before_it() -> None:
    assert instant("2027-01-15T08:00:00.999Z") == instant("2027-01-15T08:00:00Z") == 1_800_000_000
    assert instant("1969-12-31T23:59:59Z") == -1
    assert not is_line(None, 5)

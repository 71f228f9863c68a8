# SPDX-License-Identifier: Apache-2.0
"""A provider changes its signing certificate while everybody goes on signing in; and a key that is gone opens nothing."""

from __future__ import annotations

from journeys.saml import Federation
from real.key_pairs import KeyPair, rsa_pair
from real.saml_provider import SamlProvider
from real.simplesamlphp import SimpleSamlPhp


def both_certificates(provider: SamlProvider, new: KeyPair) -> str:
    """Metadata with the old and the new certificate, from a provider that signs with the old one."""
    if isinstance(provider, SimpleSamlPhp):
        provider.announce(new)
        return provider.metadata()
    # samlp publishes the certificate that signs, and no other: an administrator adds the next one by hand.
    metadata = provider.metadata()
    begin, end = metadata.index("<KeyDescriptor"), metadata.index("</KeyDescriptor>") + len("</KeyDescriptor>")
    old = metadata[begin:end]
    inside = old.partition("<X509Certificate>")[2].partition("</X509Certificate>")[0]
    second = old.replace(inside, "".join(new.certificate.splitlines()[1:-1]))
    return metadata[:end] + second + metadata[end:]


def test_a_signing_certificate_is_rolled_over_while_serving(federation: Federation) -> None:
    provider, role = federation.provider, federation.role()
    login = federation.person(role)
    new = rsa_pair("new")

    def update(metadata: str) -> None:
        federation.iam.update_saml_provider(SAMLProviderArn=federation.arn, SAMLMetadataDocument=metadata)

    assert federation.assume(role, federation.response(login))["Credentials"]

    both = both_certificates(provider, new)
    update(both)
    assert federation.assume(role, federation.response(login))["Credentials"]

    last_of_the_old = federation.response(login)
    unused_of_the_old = federation.response(login)
    provider.sign_with(new)
    assert federation.assume(role, federation.response(login))["Credentials"]
    assert federation.assume(role, last_of_the_old)["Credentials"], "both are good while both are registered"

    update(provider.metadata())
    assert federation.assume(role, federation.response(login))["Credentials"]
    assert federation.refused(role, unused_of_the_old) == ("InvalidIdentityToken", "saml-signature-invalid")


def test_a_key_that_was_never_registered_is_refused(federation: Federation) -> None:
    role = federation.role()
    login = federation.person(role)
    registered = federation.provider.metadata()
    federation.iam.update_saml_provider(SAMLProviderArn=federation.arn, SAMLMetadataDocument=registered)
    federation.provider.sign_with(rsa_pair("stranger"))
    form = federation.response(login)
    assert federation.refused(role, form) == ("InvalidIdentityToken", "saml-signature-invalid")
    federation.provider.sign_with(rsa_pair("after"))
    federation.iam.update_saml_provider(
        SAMLProviderArn=federation.arn, SAMLMetadataDocument=federation.provider.metadata()
    )
    assert federation.assume(role, federation.response(login))["Credentials"]

# SPDX-License-Identifier: Apache-2.0
"""
SSH public keys as IAM takes and shows them: RSA in the form of ssh-rsa (RFC 4253 section 6.6) or in PEM (IAM API,
UploadSSHPublicKey, GetSSHPublicKey).

Pure: texts in, texts out; raises EntityError.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
    load_ssh_public_key,
)

from daypass.errors import EntityError, Reason

MINIMUM_BITS: Final = 2_048
"""IAM API, UploadSSHPublicKey: SSHPublicKeyBody."""

_SSH_RSA: Final = "ssh-rsa "
_PEM: Final = "-----BEGIN "


def read_ssh_public_key(body: str) -> rsa.RSAPublicKey:
    """
    The key in a text of either form. Raises EntityError: SSH_KEY_ENCODING when the text is of neither form,
    SSH_KEY_INVALID when it is and the key is not RSA of 2,048 bits or more.
    """
    text = body.strip()
    if not text.startswith((_SSH_RSA, _PEM)):
        message = "The public key must be encoded in ssh-rsa format or PEM format."
        raise EntityError(Reason.SSH_KEY_ENCODING, message)
    load = load_ssh_public_key if text.startswith(_SSH_RSA) else load_pem_public_key
    try:
        key = load(text.encode("latin-1", "replace"))
    except (ValueError, UnsupportedAlgorithm):
        raise EntityError(Reason.SSH_KEY_INVALID, "The public key is malformed.") from None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MINIMUM_BITS:
        message = f"The public key must be an RSA key of at least {MINIMUM_BITS} bits."
        raise EntityError(Reason.SSH_KEY_INVALID, message)
    return key


def in_encoding(body: str, encoding: str) -> str:
    """The key of a text that was read before, as ``SSH`` or ``PEM``. One that is of that form already stays as it is."""
    text = body.strip()
    if text.startswith(_SSH_RSA if encoding == "SSH" else _PEM):
        return body
    return _written(read_ssh_public_key(body), encoding)


def _written(key: rsa.RSAPublicKey, encoding: str) -> str:
    if encoding == "SSH":
        return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def fingerprint_of(key: rsa.RSAPublicKey) -> str:
    """MD5 of the key in SSH's binary form, in colon form, as ``ssh-keygen -l -E md5`` shows it (RFC 4716 section 4)."""
    blob = base64.b64decode(_written(key, "SSH").split(" ")[1])
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))

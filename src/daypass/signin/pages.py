# SPDX-License-Identifier: Apache-2.0
"""
The pages: Jinja2 with autoescape, one style sheet, one script; nothing inline, nothing from elsewhere.

What is sent with every answer is in ``SECURITY_HEADERS``; a page can allow its form one more target, and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

_HERE: Final = Path(__file__).parent
_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

STATIC: Final = "/portal/static/"
"""What the paths of the style sheet and the script begin with. The rest has a hash of the content, so it never changes."""

SECURITY_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    # NOTE: under no-referrer, browsers send our own forms with ``Origin: null`` (Fetch, "append a request Origin header").
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
"""Sent with every answer (OWASP Secure Headers Project)."""


def content_security_policy(form_target: str = "'self'") -> bytes:
    """The policy of a page whose forms go to ``form_target`` (a source expression) and nowhere else."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; "
        f"require-trusted-types-for 'script'; form-action {form_target}"
    ).encode("ascii")


class Asset:
    """A file that pages refer to: its content, and the name that changes with it."""

    def __init__(self, file: Path) -> None:
        self.content: Final = file.read_bytes()
        self.media_type: Final = _TYPES[file.suffix]
        self.name: Final = f"{file.stem}.{hashlib.sha256(self.content).hexdigest()[:16]}{file.suffix}"


class Pages:
    """Renders the pages. ``host`` is shown on each, so that people see where they are."""

    def __init__(self, host: str) -> None:
        assets = {file.name: Asset(file) for file in sorted((_HERE / "static").iterdir()) if file.suffix in _TYPES}
        self._assets = {asset.name: asset for asset in assets.values()}
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
        )
        self._environment.globals.update(
            host=host, assets={name: STATIC + asset.name for name, asset in assets.items()}
        )

    def page(
        self,
        name: str,
        request_id: str,
        values: Mapping[str, object],
        *,
        status: int = 200,
        form_target: str = "'self'",
    ) -> Response:
        """A page that nobody keeps. ``values`` are escaped wherever the template shows them."""
        text = self._environment.get_template(f"{name}.html").render(values, request_id=request_id)
        headers = {
            "cache-control": "no-store",
            "content-security-policy": content_security_policy(form_target).decode("ascii"),
        }
        return Response(text, status, headers, "text/html; charset=utf-8")

    def asset(self, name: str) -> Response | None:
        """A file under its name of now; None under every other."""
        asset = self._assets.get(name)
        if asset is None:
            return None
        headers = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(asset.content, 200, headers, asset.media_type)

# SPDX-License-Identifier: Apache-2.0
"""A browser, as far as the browser door can tell: it keeps cookies by their rules, fills in forms, and follows nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from daypass.server.asgi import _door
from in_process import Service

Header = tuple[bytes, bytes]
ORIGIN = "http://127.0.0.1:8450"
FORM = (b"content-type", b"application/x-www-form-urlencoded")


@dataclass
class Page:
    """An answer, taken apart."""

    status: int
    headers: Sequence[Header]
    body: bytes

    def header(self, name: str) -> str:
        """The one header of a name."""
        (value,) = [value.decode() for key, value in self.headers if key == name.encode()]
        return value

    def has(self, name: str) -> bool:
        return any(key == name.encode() for key, _ in self.headers)

    @property
    def cookies(self) -> dict[str, str]:
        """What was set: the whole header by the cookie's name."""
        values = [value.decode() for key, value in self.headers if key == b"set-cookie"]
        return {value.partition("=")[0]: value for value in values}

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def read(self) -> Reader:
        reader = Reader()
        reader.feed(self.text)
        return reader


class Reader(HTMLParser):
    """Elements with their attributes, and the text within each, as a browser's parser finds them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self._open: list[int] = []

    VOID = frozenset({"input", "meta", "link", "br", "hr", "img"})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}, []))
        if tag not in self.VOID:
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self.elements[self._open.pop()][0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for index in self._open:
            self.elements[index][2].append(data)

    def all(self, tag: str, **attributes: str) -> list[tuple[dict[str, str], str]]:
        """The elements of a tag that have these attributes (``class_`` for class), with their text."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            (found, "".join(text).strip())
            for name, found, text in self.elements
            if name == tag and all(found.get(key) == value for key, value in wanted.items())
        ]

    @property
    def hidden(self) -> dict[str, str]:
        """The hidden fields."""
        return {found["name"]: found.get("value", "") for found, _ in self.all("input", type="hidden")}


@dataclass
class Browser:
    """One browser. Whom a request comes from is said by ``site``: same-origin, cross-site, none."""

    service: Service
    jar: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Cookies: value and SameSite, by name."""

    async def get(self, path: str, *, method: str = "GET", site: str = "none", headers: Sequence[Header] = ()) -> Page:
        return await self.send(method, path, b"", site, list(headers))

    async def post(
        self,
        path: str,
        fields: Mapping[str, str] | bytes,
        *,
        site: str = "cross-site",
        headers: Sequence[Header] | None = None,
    ) -> Page:
        body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
        return await self.send("POST", path, body, site, [FORM] if headers is None else list(headers))

    async def send(self, method: str, path: str, body: bytes, site: str, headers: list[Header]) -> Page:
        """One request, as a navigation of the browser, through the routing of the server."""
        raw_path, _, query = path.encode().partition(b"?")
        allowed = {"none", "lax", "strict"} if site != "cross-site" else {"none"}
        kept = [f"{name}={value}" for name, (value, same_site) in self.jar.items() if same_site.lower() in allowed]
        if kept:
            headers.append((b"cookie", "; ".join(kept).encode()))
        if not any(name in (b"sec-fetch-site", b"origin") for name, _ in headers):
            headers.append((b"sec-fetch-site", site.encode()))
        scope = {
            "type": "http",
            "method": method,
            "raw_path": raw_path,
            "path": raw_path.decode(),
            "query_string": query,
            "headers": headers,
            "client": ("127.0.0.1", 5000),
            "scheme": "http",
        }
        sent: list[Any] = []
        parts = [body]

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: Any) -> None:
            sent.append(message)

        door = _door(self.service.app, raw_path)
        assert door is not None, "the server has nobody at this path"
        await door(scope, receive, send)
        page = Page(sent[0]["status"], sent[0]["headers"], b"".join(message.get("body", b"") for message in sent[1:]))
        self._keep(page)
        return page

    def _keep(self, page: Page) -> None:
        for name, header in page.cookies.items():
            value, *attributes = header.partition("=")[2].split("; ")
            words = dict(attribute.partition("=")[::2] for attribute in attributes)
            assert {"Secure", "HttpOnly", "Path", "SameSite"} <= words.keys()
            assert words["Path"] == "/"
            assert "Domain" not in words
            if words["Max-Age"] == "0":
                self.jar.pop(name, None)
            else:
                self.jar[name] = (value, words["SameSite"])

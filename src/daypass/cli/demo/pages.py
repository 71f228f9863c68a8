# SPDX-License-Identifier: Apache-2.0
"""
The pages of the development identity provider: plain HTML and one style sheet, without JavaScript.

Text is escaped unless it is ``Html``, and ``Html`` is made here only.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from typing import Final

from daypass.cli.demo.authorization import Person
from daypass.cli.demo.exchange import Exchange

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Sent with every answer: nothing from elsewhere, no script at all, nothing kept."""

STYLE: Final = """\
:root { color-scheme: light dark; --ink: #1c2430; --soft: #566173; --page: #f5f6f8; --card: #fff; --line: #d6dbe3;
  --accent: #1f5fbf; --on-accent: #fff; --warn: #8a1c1c; --on-warn: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf0; --soft: #a3adbd; --page: #14181f; --card: #1d232d;
  --line: #38414f; --accent: #8ab8ff; --on-accent: #0d1a2d; --warn: #f2a8a8; --on-warn: #2d0d0d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
.notice { margin: 0; padding: .5rem 1rem; background: var(--warn); color: var(--on-warn); text-align: center; }
main { max-width: 46rem; margin: 2.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .5rem; }
p { margin: .5rem 0 1rem; }
.soft { color: var(--soft); }
a.button { display: inline-block; padding: .6rem 1.4rem; border-radius: .4rem; background: var(--accent);
  color: var(--on-accent); font-weight: 600; text-decoration: none; }
a { color: var(--accent); }
.people { list-style: none; margin: 1.5rem 0; padding: 0; display: grid; gap: .75rem; }
.people button { width: 100%; padding: .9rem 1.1rem; text-align: left; font: inherit; color: inherit; cursor: pointer;
  background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
.people button:hover { border-color: var(--accent); }
.people strong, .people span { display: block; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); }
th, td { padding: .4rem .75rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { width: 9rem; font-weight: 600; }
td, pre, textarea, code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .875rem; }
td { overflow-wrap: anywhere; }
pre, textarea { width: 100%; margin: 0; padding: .75rem; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: .4rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
textarea { resize: vertical; }
"""

NOTICE: Final = "Development only: anybody who can open this page can sign in as anybody on its list."


class Html(str):
    """Text that is HTML already, and is not escaped again."""

    __slots__ = ()


def render(template: str, **values: object) -> Html:
    """The template with its ``{names}`` filled in; a value that is not ``Html`` is escaped."""
    return Html(template.format_map({name: _escaped(value) for name, value in values.items()}))


def home_page(issuer: str) -> str:
    """The page to open."""
    body = render(
        "<h1>daypass demo</h1>"
        "<p>This is a development identity provider that <code>daypass demo</code> started on this machine, to show how"
        " a sign-in becomes temporary AWS credentials; it is for development only.</p>"
        '<p><a class="button" href="/start">Sign in</a></p>'
        '<p class="soft">Issuer: <code>{issuer}</code></p>',
        issuer=issuer,
    )
    return _page("daypass demo", body)


def sign_in_page(action: str, handle: str, people: Iterable[Person]) -> str:
    """The list of people. ``handle`` stands for the authorization request that the choice answers."""
    items = _joined(
        render(
            '<li><button name="person" value="{subject}"><strong>{name}</strong><span class="soft">{about}</span>'
            "</button></li>",
            subject=person.subject,
            name=person.name,
            about=f"{person.email}. {person.about}",
        )
        for person in people
    )
    body = render(
        "<h1>Who are you?</h1><p>Choose somebody to sign in as.</p>"
        '<form method="post" action="{action}"><input type="hidden" name="request" value="{handle}">'
        '<ul class="people">{items}</ul></form>',
        action=action,
        handle=handle,
        items=items,
    )
    return _page("Sign in", body)


def token_page(text: str, claims: Mapping[str, object], exchange: Exchange) -> str:
    """What the sign-in brought, and what to do with it."""
    rows = _joined(
        render('<tr><th scope="row">{name}</th><td>{value}</td></tr>', name=name, value=_shown(value))
        for name, value in claims.items()
    )
    body = render(
        "<h1>Signed in as {name}</h1><p>The identity provider vouches for it with this signed ID token.</p>"
        "<h2>What the token says</h2><table><tbody>{rows}</tbody></table>"
        '<h2><label for="token">The token itself</label></h2>'
        '<textarea id="token" rows="7" readonly spellcheck="false">{text}</textarea>'
        "<h2>Exchange it for credentials</h2><p>One click selects all of it; paste it into a terminal. Whether the role"
        " may be assumed with it, the role's trust policy decides.</p><pre>{script}</pre>"
        '<p><a href="/start">Sign in as somebody else</a></p>',
        name=claims.get("name", claims.get("sub", "")),
        rows=rows,
        text=text,
        script=exchange.script(text),
    )
    return _page("Signed in", body)


def refusal_page(message: str) -> str:
    """What went wrong, and the way back."""
    body = render('<h1>That did not work</h1><p>{message}</p><p><a href="/">Start again</a></p>', message=message)
    return _page("That did not work", body)


def _page(title: str, body: Html) -> str:
    return render(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title} - daypass demo</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/style.css">'
        '</head><body><p class="notice" role="note">{notice}</p><main>{body}</main></body></html>\n',
        title=title,
        notice=NOTICE,
        body=body,
    )


def _escaped(value: object) -> Html:
    return value if isinstance(value, Html) else Html(html.escape(str(value), quote=True))


def _joined(parts: Iterable[Html]) -> Html:
    return Html("".join(parts))


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)

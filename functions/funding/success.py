"""The page on which a person lands who has paid on a page of the provider's.

An agent sent them there, and waits: it wants to know the session's id. Whoever opens the page needs
no credential, so it knows nothing and asks nobody. It shows what stands in its own address, if that
can be the id of a session and nothing else: no stranger's words are spoken in this place.
"""

import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from http import HTTPStatus
from time import perf_counter
from typing import Any, override

from holdfast import observability
from holdfast.errors import Unreadable
from holdfast.http.api import Api
from holdfast.http.incoming import Call, call_of, query_of
from holdfast.http.provider import SUCCESS_PATH

METHODS = ("GET", "HEAD")
_SESSION = re.compile(r"cs_[A-Za-z0-9_]{1,252}")

_STYLE = """
:root { color-scheme: light dark; --page: #f4f5f7; --card: #fff; --ink: #1b1f24; --soft: #57606a;
  --line: #d0d7de; --button: #1f6f43; --on-button: #fff; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --card: #161b22; --ink: #e6edf3;
  --soft: #9da7b3; --line: #3d444d; --button: #3fb950; --on-button: #0d1117; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { width: 100%; max-width: 36rem; padding: 1.75rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 12px; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
p, ol { margin: 0 0 1rem; }
main > :last-child { margin-bottom: 0; }
ol { padding-left: 1.25rem; }
label { display: block; margin-bottom: .25rem; font-weight: 600; }
.row { display: flex; flex-wrap: wrap; gap: .5rem; margin-bottom: .25rem; }
input { flex: 1 1 14rem; min-width: 0; padding: .625rem .75rem; color: inherit;
  background: var(--page); border: 1px solid var(--line); border-radius: 8px;
  font: .9375rem/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
button { flex: 0 0 auto; min-height: 2.75rem; padding: 0 1.25rem; font: inherit; font-weight: 600;
  color: var(--on-button); background: var(--button); border: 0; border-radius: 8px;
  cursor: pointer; }
@media (max-width: 30rem) { main { padding: 1.25rem; } button { flex: 1 1 100%; } }
.soft { color: var(--soft); }
#said { min-height: 1.5em; }
"""
_SCRIPT = """
"use strict";
const field = document.getElementById("session");
const said = document.getElementById("said");
document.getElementById("copy").addEventListener("click", async () => {
  field.focus();
  field.select();
  let copied = false;
  try {
    await navigator.clipboard.writeText(field.value);
    copied = true;
  } catch (refused) {
    copied = document.execCommand("copy");
  }
  said.textContent = copied ? "Copied." : "Press Ctrl-C, or \\u2318-C, to copy it.";
});
"""

_PAID = """<h1>Thank you</h1>
<p>The payment is on its way to the wallet. One thing is left to do:</p>
<label for="session">Session id</label>
<div class="row"><input id="session" readonly spellcheck="false" autocomplete="off" value="{id}">
<button id="copy" type="button">Copy</button></div>
<p id="said" class="soft" role="status"></p>
<ol><li>Copy the session id.</li>
<li>Give it to the agent that sent you here: with it, the agent confirms the payment.</li>
<li>Close this page. It is not needed any more.</li></ol>
<p class="soft">The money arrives even if nobody confirms it; that may take a few minutes
longer.</p>"""
_CANCELED = """<h1>Nothing was paid</h1>
<p>You left the payment page before paying. That is all right: no money was moved.</p>
<p class="soft">To pay after all, open the link again that the agent gave you, or ask the agent for
a new one. You can close this page.</p>"""
_NO_SESSION = """<h1>No session id here</h1>
<p>The address of this page should end in a session id, and it does not. Perhaps it was cut off when
it was copied.</p>
<p class="soft">If you have paid, the money arrives by itself within a few minutes: ask the agent
that sent you for the balance. If you have not, ask it for a new link.</p>"""
_NO_METHOD = """<h1>This page is only for reading</h1>
<p class="soft">Nothing can be sent to it. You can close it.</p>"""


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; script-src {_hash(_SCRIPT)}; style-src {_hash(_STYLE)};"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": POLICY,
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


class Hosted(Api):
    """Operations, and beside them one page for people: no operation, and in no dialect."""

    @override
    def handler(self, event: object, context: Any = None) -> dict[str, Any]:
        call = call_of(event)
        return _answered(call) if call.path == SUCCESS_PATH else super().handler(event, context)


def _answered(call: Call) -> dict[str, Any]:
    started = perf_counter()
    status, body = _page(call)
    headers = {**HEADERS, "X-Request-Id": call.request_id}
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(METHODS)
    observability.record_request(
        request_id=call.request_id,
        method="GET" if call.method in METHODS else "",
        route=SUCCESS_PATH,
        status=int(status),
        duration_ms=(perf_counter() - started) * 1000,
        tenant="",
        code="",
    )
    return {
        "statusCode": int(status),
        "headers": headers,
        "body": "" if call.method == "HEAD" else body,
        "isBase64Encoded": False,
    }


def _page(call: Call) -> tuple[HTTPStatus, str]:
    if call.method not in METHODS:
        return HTTPStatus.METHOD_NOT_ALLOWED, _html("Only for reading", _NO_METHOD)
    try:
        told = query_of(call)
    except Unreadable:
        told = {}
    if told.get("outcome") == ["canceled"]:
        return HTTPStatus.OK, _html("Nothing was paid", _CANCELED)
    match told.get("session_id"):
        case [str(session_id)] if _SESSION.fullmatch(session_id):
            shown = _PAID.format(id=escape(session_id, quote=True))
            return HTTPStatus.OK, _html("Thank you", shown, script=_SCRIPT)
    return HTTPStatus.BAD_REQUEST, _html("No session id", _NO_SESSION)


def _html(title: str, body: str, *, script: str = "") -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n"
        f"{f'<script>{script}</script>' if script else ''}\n</body>\n</html>\n"
    )

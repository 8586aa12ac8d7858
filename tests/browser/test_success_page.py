"""The page on which whoever has paid lands, in a browser: it is read, copied from, and safe."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from funding.success import Hosted
from tests.browser import chromium
from tests.http.events import event

PATH = "/checkout/success"
SESSION_ID = "cs_test_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6"
PICTURES = Path("build") / "screenshots"
SIZES = {"desktop": (1200, 900), "phone": (420, 860)}


class Site(BaseHTTPRequestHandler):
    """The function of the page, as the gateway would put it behind an address."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        answer = Hosted().handler(event("GET", path, query=query, claims=None))
        self.send_response(answer["statusCode"])
        for name, value in answer["headers"].items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer["body"].encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - it is called so
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PATH}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.opened() as there:
        yield there


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_fits_its_window_and_can_be_read(browser, site, size, dark):
    width, height = SIZES[size]
    page = browser.page(width=width, height=height, dark=dark, mobile=size == "phone")

    page.go(f"{site}?session_id={SESSION_ID}")
    page.screenshot(PICTURES / f"success-{size}-{'dark' if dark else 'light'}.png")

    assert page.text("h1") == "Thank you"
    assert page.value("#session") == SESSION_ID
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.querySelector('main').getBoundingClientRect().bottom") <= height
    assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('p')).fontSize)") >= 16
    assert page.evaluate("document.querySelector('#copy').getBoundingClientRect().height") >= 44
    assert contrast(page, "p") >= 7
    assert contrast(page, ".soft:last-child") >= 4.5
    assert contrast(page, "button") >= 4.5
    assert page.complaints() == []


def test_the_id_is_copied_by_a_click_and_the_page_says_so(browser, site):
    browser.ask(
        "Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"]
    )
    page = browser.page()
    page.go(f"{site}?session_id={SESSION_ID}")
    assert page.text("#said") == ""

    page.click("#copy")
    page.wait_until("document.querySelector('#said').textContent !== ''")

    assert page.text("#said") == "Copied."
    assert page.evaluate("navigator.clipboard.readText()") == SESSION_ID


def test_where_the_clipboard_is_closed_the_id_is_copied_all_the_same(browser, site):
    page = browser.page()
    page.go(f"{site}?session_id={SESSION_ID}")
    page.evaluate("navigator.clipboard.writeText = () => Promise.reject(new Error('closed')), 0")

    page.click("#copy")
    page.wait_until("document.querySelector('#said').textContent !== ''")

    assert page.evaluate("getSelection().toString()") == SESSION_ID
    assert page.text("#said") == "Copied."


def test_the_id_cannot_be_changed_by_typing(browser, site):
    page = browser.page()
    page.go(f"{site}?session_id={SESSION_ID}")

    page.type("#session", "cs_other")

    assert page.value("#session") == SESSION_ID


@pytest.mark.parametrize(
    "query",
    [
        "session_id=%3Cscript%3Ewindow.ran=1%3C/script%3E",
        "session_id=cs_test_1%22%3E%3Cscript%3Ewindow.ran=1%3C/script%3E",
        "session_id=%22%20autofocus%20onfocus=%22window.ran=1",
        "session_id=%22%3E%3Cimg%20src=x%20onerror=window.ran=1%3E",
        "session_id=javascript:window.ran=1",
        "session_id=cs_test_1#%3Cscript%3Ewindow.ran=1%3C/script%3E",
    ],
)
def test_a_script_in_the_address_is_not_run(browser, site, query):
    page = browser.page()

    page.go(f"{site}?{query}")

    assert page.evaluate("window.ran === undefined")
    assert page.evaluate("document.querySelectorAll('img, main script').length") == 0


def test_a_script_that_got_into_the_page_would_not_be_run(browser, site):
    """The policy is a second lock: what is put into the document by force stays dead."""
    page = browser.page()
    page.go(f"{site}?session_id={SESSION_ID}")

    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran=1\">'), 0"
    )
    page.evaluate(
        "(() => { const own = document.createElement('script'); own.text = 'window.ran = 1';"
        " document.body.append(own); })()"
    )

    assert page.evaluate("window.ran === undefined")
    assert any("Content Security Policy" in each for each in page.complaints())


def test_the_page_asks_for_nothing_but_itself(browser, site):
    page = browser.page()

    page.go(f"{site}?session_id={SESSION_ID}")

    others = [each for each in page.requested() if not each.startswith(site)]
    assert [each for each in others if not each.endswith("/favicon.ico")] == []


def test_the_page_is_shown_in_no_frame_not_even_by_its_own_site(browser, site):
    page = browser.page()
    page.go(site.replace(PATH, "/other"))
    framed = (
        "(() => {{ const frame = document.createElement('iframe'); frame.src = {address!r};"
        " document.body.append(frame);"
        " return new Promise(done => {{ frame.onload = done; }}).then(() =>"
        " frame.contentDocument === null ? null : frame.contentDocument.body.innerText); }})()"
    )

    assert "unauthenticated" in page.evaluate(framed.format(address="/other"))
    assert page.evaluate(framed.format(address=f"{PATH}?session_id={SESSION_ID}")) is None


@pytest.mark.parametrize(
    ("query", "title"),
    [("", "No session id here"), ("outcome=canceled", "Nothing was paid")],
    ids=["nothing", "canceled"],
)
def test_without_a_session_the_page_says_what_to_do(browser, site, query, title):
    page = browser.page(width=420, height=860, mobile=True)

    page.go(f"{site}?{query}")
    page.screenshot(PICTURES / f"success-{query.partition('=')[2] or 'nothing'}.png")

    assert page.text("h1") == title
    assert page.evaluate("document.querySelectorAll('input, button').length") == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def contrast(page: chromium.Page, place: str) -> float:
    """How far the text of a place stands out from what is behind it: 1 is not at all, 21 most."""
    ink, ground = page.evaluate(
        f"(() => {{ let at = document.querySelector({place!r}); const ink = "
        "getComputedStyle(at).color; let ground = getComputedStyle(at).backgroundColor;"
        " while (ground === 'rgba(0, 0, 0, 0)') { at = at.parentElement;"
        " ground = getComputedStyle(at).backgroundColor; }"
        " return [ink, ground].map(each => each.match(/\\d+/g).map(Number)); })()"
    )
    light, dark = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: list[int]) -> float:
    def linear(part: float) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

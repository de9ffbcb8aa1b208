"""The page in a real browser: it opens, obeys the keyboard, asks no network, and no body can run a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetrace.trace.exchange import Exchange, Purpose, Request, Response, Timings, WatchEventReceived
from kubetrace.trace.exchanges import Frames, Recorded, WatchEvents
from kubetrace.trace.views.html import render
from tests.conftest import Kubetrace
from tests.trace_views.chromium import Page, page
from tests.trace_views.conversation import written

RUNS = "document.title='owned';document.body.dataset.owned=1"
EVIL = (
    f"</script></pre></style></title><script>{RUNS}</script><img src=x onerror={RUNS}><svg onload={RUNS}>"
    f"<iframe srcdoc='<script>{RUNS}</script>'></iframe><a href=\"javascript:{RUNS}\">x</a>"
    f"<!-- ]]> \"'`${{{RUNS}}} \\u003c"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with page(tmp_path_factory.mktemp("browser")) as found:
        yield found


def opened(browser: Page, path: Path, text: str, fragment: str = "") -> Page:
    path.write_text(text)
    browser.open(path, fragment)
    browser.until("document.documentElement.dataset.opened")
    return browser


def rows(browser: Page) -> list[str]:
    found = browser.run("[...document.querySelectorAll('#calls tbody tr')].map(row => row.cells[0].textContent)")
    return [str(one) for one in found]


def many(count: int, body: bytes = b"") -> Iterator[Recorded]:
    for number in range(1, count + 1):
        path = f"/api/v1/namespaces/n{number % 7}/pods/p{number}"
        text = (
            body or json.dumps({"kind": "Pod", "metadata": {"name": f"p{number}", "labels": {"x": "y" * 500}}}).encode()
        )
        request = Request("GET" if number % 9 else "DELETE", f"https://h{path}", (("Accept", "application/json"),))
        response = Response(200 if number % 50 else 404, "OK", (("Content-Type", "application/json"),))
        timings = Timings(dns=0.001, connect=0.002, tls=0.003, first_byte=0.01, headers=0.02, body=0.01, total=0.03)
        yield Recorded(number, Exchange(number, number, 1, request, response, text, len(text), timings, started=number))


def test_a_conversation(browser: Page, kubetrace: Kubetrace, tmp_path: Path) -> None:
    trace = str(written(tmp_path / "t.jsonl"))
    opened(browser, tmp_path / "t.html", kubetrace("trace", "html", trace).out, "#3")
    assert rows(browser) == ["1", "2", "3", "4", "5", "6", "7", "8"]
    assert browser.run("document.title") == "kubetrace: 8 exchanges"
    detail = browser.until(
        "document.querySelectorAll('#detail pre').length == 2 && document.getElementById('detail').innerText"
    )
    for words in ("3. POST /api/v1/namespaces/default/secrets", "Read the object.", "old thing", '"kind": "Secret"',
                  "<masked:1>", "Bearer <masked>", "server processing", "127.0.0.1:6443"):  # fmt: skip
        assert words in detail
    assert browser.run("document.querySelectorAll('#calls .waterfall rect').length") >= 8


def test_it_asks_no_network_and_breaks_no_rule_of_its_own(browser: Page, kubetrace: Kubetrace, tmp_path: Path) -> None:
    trace = str(written(tmp_path / "t.jsonl"))
    opened(browser, tmp_path / "t.html", kubetrace("trace", "html", trace).out, "#1")
    browser.until("!!document.querySelector('#detail pre')")
    asked = {event["request"]["url"].partition(":")[0] for event in browser.events("Network.requestWillBeSent")}
    assert asked == {"file"}
    assert browser.events("Runtime.exceptionThrown") == []
    assert browser.events("Log.entryAdded") == []


def test_a_hostile_trace_stays_text(browser: Page, tmp_path: Path) -> None:
    frames, watched = Frames(EVIL, EVIL), WatchEvents()
    watched.add(WatchEventReceived(1, 1, EVIL, EVIL, EVIL, EVIL, EVIL, EVIL))
    request = Request(EVIL, "https://h/" + EVIL, ((EVIL, EVIL),), EVIL.encode(), purpose=Purpose(EVIL, EVIL))
    bodies = [EVIL.encode(), json.dumps({EVIL: [EVIL]}).encode(), b"\0" + EVIL.encode(), b"k8s\0" + EVIL.encode()]
    found = []
    for number, body in enumerate(bodies, 1):
        response = Response(500, EVIL, ((EVIL, EVIL), ("Warning", f'299 - "{EVIL}"')), EVIL)
        exchange = Exchange(number, 1, 1, request, response, body, 5, error=EVIL)
        found.append(Recorded(number, exchange, frozenset({"response"}), frames, watched=watched))
    for number in range(1, len(bodies) + 1):
        opened(browser, tmp_path / "t.html", "".join(render(found)), f"#{number}")
        browser.until("document.querySelectorAll('#detail pre').length == 2")
        browser.run("new Promise(done => setTimeout(done, 50))")
        assert browser.run("document.title") == "kubetrace: 4 exchanges"
        assert browser.run("document.body.dataset.owned") is None
        assert (
            browser.run("document.querySelectorAll('img, iframe, a, object, embed, body script ~ script + *').length")
            == 0
        )
        text = browser.run("document.getElementById('detail').textContent")
        assert EVIL[:30] in text.partition("Watch events")[0] and EVIL[:30] in text.partition("Watch events")[2]
    # Even a script that got into the page could not run.
    browser.run("document.body.insertAdjacentHTML ? 1 : 0")
    browser.run(f"(() => {{ const s = document.createElement('script'); try {{ s.text = `{RUNS}` }} catch (e) {{}};"
                " document.body.append(s); })()")  # fmt: skip
    assert browser.run("document.body.dataset.owned") is None


def test_keyboard(browser: Page, tmp_path: Path) -> None:
    opened(browser, tmp_path / "t.html", "".join(render(many(1000))))
    focused = "document.activeElement.tagName + ' ' + (document.activeElement.dataset.at || document.activeElement.id)"
    assert len(rows(browser)) == 200 and browser.run("document.getElementById('calls').ariaRowCount") == "1001"
    browser.run("document.querySelector('#calls tbody tr').focus()")
    for key, at in (("ArrowDown", "1"), ("ArrowDown", "2"), ("ArrowUp", "1"), ("End", "999"), ("Home", "0")):
        browser.press(key)
        assert browser.run(focused) == f"TR {at}"
        assert browser.run("document.querySelectorAll('#calls tr[tabindex=\"0\"]').length") == 1
    browser.press("PageDown")
    assert int(browser.run("document.activeElement.dataset.at")) > 5
    browser.press("Enter")
    assert browser.run(focused) == "BUTTON close" and not browser.run("document.getElementById('detail').hidden")
    browser.press("Escape")
    assert browser.run(focused).startswith("TR ") and browser.run("document.getElementById('detail').hidden")
    browser.press("/")
    assert browser.run(focused) == "INPUT search"


def test_search(browser: Page, tmp_path: Path) -> None:
    found = [*many(120), *(Recorded(121, one.exchange) for one in many(1, b'{"only":"in-this-body"}'))]
    opened(browser, tmp_path / "t.html", "".join(render(found)))
    shown = "document.getElementById('count').textContent"

    def search(text: str, kind: str = "all", bodies: bool = False) -> str:
        browser.run(f"document.getElementById('kind').value = {kind!r};"
                    f"document.getElementById('in-bodies').checked = {str(bodies).lower()};"
                    f"document.getElementById('search').value = {text!r};"
                    "document.getElementById('search').dispatchEvent(new Event('input'))")  # fmt: skip
        return str(browser.until(f"{shown} != 'Searching…' && {shown}"))

    assert search("pods/p77") == "1 of 121 shown" and rows(browser) == ["77"]
    assert search("in-this-body") == "0 of 121 shown"
    search("in-this-body", bodies=True)
    browser.until(f"{shown} == '1 of 121 shown'")
    assert rows(browser) == ["121"]
    assert search("", "failed") == "2 of 121 shown" and rows(browser) == ["50", "100"]
    assert search("p9", "writes") == "3 of 121 shown" and rows(browser) == ["9", "90", "99"]
    assert search("") == "121 shown"


def test_what_is_left_out_is_said(browser: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubetrace.trace.views.html.MOST", 30)
    monkeypatch.setattr("kubetrace.trace.views.html.ALL_BODIES", 2000)
    monkeypatch.setattr("kubetrace.trace.views.html.LONGEST_BODY", 300)
    opened(browser, tmp_path / "t.html", "".join(render(many(100))), "#30")
    header = browser.run("document.querySelector('header').innerText")
    assert "70 more exchanges are left out: filters choose others." in header
    assert "bodies are left out: the page holds no more." in header
    assert "This body" in browser.run("document.getElementById('detail').innerText")
    opened(browser, tmp_path / "t.html", "".join(render(many(100))), "#1")
    browser.until("!!document.querySelector('#detail pre')")
    assert "more characters are left out." in browser.run("document.getElementById('detail').innerText")


def test_light_and_dark(browser: Page, tmp_path: Path) -> None:
    colours = set()
    for scheme in ("light", "dark"):
        browser.scheme(scheme)
        opened(browser, tmp_path / "t.html", "".join(render(many(20))))
        colours.add(browser.run("getComputedStyle(document.body).backgroundColor"))
    browser.scheme("light")
    assert len(colours) == 2

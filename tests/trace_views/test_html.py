"""The page as text: one file, its own script and style let in by hash, everything from the trace as data. (What it does
in a browser: test_html_in_chromium.py.)"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from kubetrace.trace.exchange import Exchange, Request, Response
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.views import html
from kubetrace.trace.views.html import render
from tests.conftest import Kubetrace
from tests.trace_views.conversation import written

ALLOWED = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "header",
    "h1",
    "p",
    "form",
    "label",
    "input",
    "select",
    "option",
    "output",
    "span",
    "svg",
    "rect",
    "main",
    "div",
    "table",
    "thead",
    "tr",
    "th",
    "tbody",
    "section",
    "script",
}
EVIL = "</pre></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'><!--\x1b[31m\x00\u202e"


class Page(HTMLParser):
    """The tags, their attributes and the texts of script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.code: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.code:
            self.code[tag].append("")
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.code:
            self.code[self.open[-1]][-1] += data

    @property
    def trace(self) -> Any:
        return json.loads(self.code["script"][0])

    def body(self, found: list[Any]) -> str:
        """A body as the page unpacks it; `found` is its place and what is said about it."""
        return zlib.decompress(base64.b64decode(self.trace["bodies"][found[0]]), -15).decode()


def check(text: str) -> Page:
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag in ALLOWED
        refused = [name for name in attributes if name.startswith("on") or name in ("style", "src", "href")]
        assert refused == [], (tag, attributes)
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    assert policy and policy.startswith("default-src 'none'; ")
    (style,), (_, script) = page.code["style"], page.code["script"]
    for kind, code in (("script", script), ("style", style)):
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in policy
    assert [attributes for tag, attributes in page.tags if tag == "script"] == [
        {"type": "application/json", "id": "trace"},
        {},
    ]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(", script)
    return page


def test_a_page_with_everything(kubetrace: Kubetrace, tmp_path: Path) -> None:
    done = kubetrace("trace", "html", str(written(tmp_path / "t.jsonl")))
    page = check(done.out)
    calls = page.trace["calls"]
    assert [call["number"] for call in calls] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert calls[0]["why"] == "Read the object." and calls[0]["meant"] == "1 object was found."
    assert json.loads(page.body(calls[0]["got"]))["kind"] == "PodList"
    assert calls[2]["warnings"] == ["old thing"] and "<masked:1>" in page.body(calls[2]["sent"])
    assert "connection refused" in calls[5]["error"] and (calls[5]["status"], calls[5]["line"]) == (0, "")
    assert page.body(calls[6]["got"]) == "(9 bytes that are no text)"
    assert not re.search(r"https?://(?!127\.0\.0\.1|www\.w3\.org/2000/svg)", done.out)


def test_a_hostile_server_stays_data() -> None:
    request = Request(EVIL, "https://h/" + EVIL, ((EVIL, EVIL),), EVIL.encode())
    response = Response(200, EVIL, ((EVIL, EVIL),), EVIL)
    text = "".join(render([Recorded(1, Exchange(1, 1, 1, request, response, EVIL.encode(), 5, error=EVIL))]))
    (call,) = check(text).trace["calls"]
    assert (
        call["method"]
        == call["asked"][0][0]
        == EVIL.replace("\x1b", "\\x1b").replace("\0", "\\x00").replace("\u202e", "\\u202e")
    )


def test_equal_bodies_are_kept_once_and_long_ones_cut() -> None:
    one = Exchange(1, 1, 1, Request("GET", "https://h/"), Response(200, ""), b"x" * (html.LONGEST_BODY + 7))
    page = check("".join(render(Recorded(number, one) for number in range(1, 4))))
    assert len(page.trace["bodies"]) == 1
    assert [call["got"] for call in page.trace["calls"]] == [[0, "7 more characters are left out."]] * 3
    assert page.body([0]) == "x" * html.LONGEST_BODY


def test_what_is_left_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MOST", 5)
    monkeypatch.setattr(html, "ALL_BODIES", 40)
    found = [
        Recorded(n, Exchange(n, n, 1, Request("GET", "https://h/"), Response(200, ""), b"body %d" % n))
        for n in range(9)
    ]
    text = "".join(render(found))
    assert '<p class="left-out" id="left-out">4 more exchanges are left out' in text
    kept = [call["got"] for call in check(text).trace["calls"]]
    assert kept[0][0] == 0 and kept[-1] == [None, "This body (6 B) is left out: the page holds no more."]
    assert check("".join(render([]))).trace == {"calls": [], "bodies": []}


def test_a_huge_header_does_not_fill_the_page() -> None:
    huge = "x" * 1_000_000
    exchange = Exchange(1, 1, 1, Request("GET", "https://h/" + huge, ((huge, huge),)), Response(200, huge))
    text = "".join(render([Recorded(1, exchange)]))
    assert len(text) < 100_000 and check(text).trace["calls"][0]["asked"][0][1].endswith("… (995904 more)")

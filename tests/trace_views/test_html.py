"""The page: complete, escaped, and closed to whatever a server sent."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

from kubetrace.trace.exchange import Exchange, Request, Response
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.views.html import LONGEST_BODY, MOST, render
from tests.conftest import Kubetrace
from tests.trace_views.conversation import written

ALLOWED = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "h1",
    "p",
    "label",
    "input",
    "output",
    "ol",
    "li",
    "details",
    "summary",
    "span",
    "svg",
    "rect",
    "h2",
    "table",
    "tr",
    "th",
    "td",
    "pre",
    "script",
}
EVIL = "</pre></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'><!--\x1b[31m\x00"


class Page(HTMLParser):
    """The tags, their attributes and the texts of script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.code: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.code:
            self.code[self.open[-1]].append(data)


def check(text: str) -> Page:
    page = Page(text)
    assert page.open == []
    for tag, attributes in page.tags:
        assert tag in ALLOWED
        assert not any(name.startswith("on") or name in ("style", "src", "href") for name in attributes), (
            tag,
            attributes,
        )
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    assert policy and policy.startswith("default-src 'none'; ")
    for kind in ("script", "style"):
        (code,) = ["".join(page.code[kind])]
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
        assert sum(tag == kind for tag, _ in page.tags) == 1
    return page


def test_a_page_with_everything(kubetrace: Kubetrace, tmp_path: Path) -> None:
    done = kubetrace("trace", "html", str(written(tmp_path / "t.jsonl")))
    page = check(done.out)
    assert sum(tag == "li" for tag, _ in page.tags) == 8
    assert "Read the object." in done.out and "&quot;kind&quot;: &quot;PodList&quot;" in done.out
    assert "(9 bytes that are no text)" in done.out and "connection refused" in done.out
    assert not re.search(r"https?://(?!127\.0\.0\.1)", done.out)


def test_a_hostile_server_stays_text() -> None:
    request = Request(EVIL, "https://h/" + EVIL, ((EVIL, EVIL),), EVIL.encode())
    response = Response(200, EVIL, ((EVIL, EVIL),), EVIL)
    page = check("".join(render([Recorded(1, Exchange(1, 1, 1, request, response, EVIL.encode(), 5, error=EVIL))])))
    assert sum(tag == "li" for tag, _ in page.tags) == 1


def test_what_is_left_out_is_said() -> None:
    big = Exchange(1, 1, 1, Request("GET", "https://h/"), Response(200, ""), b"x" * (LONGEST_BODY + 7))
    text = "".join(render([Recorded(1, big)]))
    assert "<p>7 more characters are left out.</p>" in text
    small = Exchange(1, 1, 1, Request("GET", "https://h/"), Response(200, ""))
    text = "".join(render(Recorded(number, small) for number in range(MOST + 3)))
    assert "3 more exchanges are left out" in text
    check("".join(render([])))

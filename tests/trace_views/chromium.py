"""A real browser for tests: headless Chromium, driven over the DevTools protocol through a pair of pipes."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

WAIT = 60.0


def program() -> str:
    """The browser; skips the test where there is none."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), "")
    if not found:
        pytest.skip("no chromium (CHROMIUM may name one)")
    return found


class Page:
    """One open page. `seen` are the events that the browser told of."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._numbers = itertools.count(1)
        self._rest = b""
        self._session: str | None = None
        self.seen: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self.seen.append(answer)

    def _message(self) -> Any:
        deadline = time.monotonic() + WAIT
        while b"\0" not in self._rest:
            assert select.select([self._receive], [], [], deadline - time.monotonic())[0], "the browser says nothing"
            self._rest += os.read(self._receive, 1 << 20)
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def open(self, path: Path, fragment: str = "") -> None:
        """Opens a file and waits until it has been loaded."""
        self.seen.clear()
        # A query makes each opening a navigation, where another fragment alone would not be one.
        self.call("Page.navigate", url=f"{path.as_uri()}?{next(self._numbers)}{fragment}")
        deadline = time.monotonic() + WAIT
        while not self.events("Page.loadEventFired"):
            assert time.monotonic() < deadline, "the page does not load"
            self.run("0")

    def run(self, expression: str) -> Any:
        """A script's value, as the page's console would give it."""
        got = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    def until(self, expression: str) -> Any:
        deadline = time.monotonic() + WAIT
        while not (value := self.run(expression)):
            assert time.monotonic() < deadline, expression
            time.sleep(0.02)
        return value

    def press(self, key: str) -> None:
        text = {"Enter": "\r", "/": "/", " ": " "}.get(key)
        more = {"text": text} if text else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def scheme(self, name: str) -> None:
        """ "light" or "dark"."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def events(self, method: str) -> list[Any]:
        return [event["params"] for event in self.seen if event.get("method") == method]


@contextlib.contextmanager
def page(folder: Path) -> Iterator[Page]:
    """A browser with one page; its files are in the folder, it is gone at the end."""
    to_browser, send = os.pipe()
    receive, from_browser = os.pipe()
    command = (
        f'exec "$0" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking '
        f'--user-data-dir="$1" --window-size=1400,900 --remote-debugging-pipe 3<&{to_browser} 4>&{from_browser}'
    )
    with subprocess.Popen(
        ["bash", "-c", command, program(), str(folder)],
        pass_fds=(to_browser, from_browser), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        try:
            yield Page(send, receive)
        finally:
            process.kill()
            os.close(send)
            os.close(receive)

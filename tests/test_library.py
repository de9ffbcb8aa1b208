"""The library face as README and docs/library.md show it."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b'{"kind":"Status"}\n'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/"
        httpd.shutdown()
        thread.join()


def examples() -> list[str]:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/library.md")]
    return [code for text in texts for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


@pytest.mark.parametrize("number", range(len(examples())))
def test_documented_examples_run(server: str, number: int) -> None:
    code = examples()[number].replace("https://example.com/", server).replace('"https://"', '"http://"')
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    if "verbosity=8" in code:
        assert re.search(rf"\] GET {server}\n", done.stderr)
        assert '] Response Body: {"kind":"Status"}\n' in done.stderr
        assert "Response Status: 200 OK in " in done.stderr
    else:
        assert re.fullmatch(rf"GET {server} 200 [\d.e-]+\n", done.stdout)


def test_public_names() -> None:
    import kubetrace

    for name in kubetrace.__all__:
        assert getattr(kubetrace, name)

"""What a plain call never uses is not loaded, and is there all the same when somebody asks."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from kubetrace.deferred import MODULES
from tests.transport.scripted import ScriptedServer, reply

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
PODS = {
    "resource": "pods",
    "responseKind": {"group": "", "version": "v1", "kind": "Pod"},
    "scope": "Namespaced",
    "singularResource": "pod",
    "verbs": ["get", "list"],
}
CORE = {"metadata": {}, "versions": [{"version": "v1", "resources": [PODS]}]}
META = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
TABLE = {
    "kind": "Table",
    "apiVersion": "meta.k8s.io/v1",
    "metadata": {},
    "columnDefinitions": [{"name": "Name", "type": "string", "format": "name", "priority": 0}],
    "rows": [{"cells": ["web"], "object": {**META, "metadata": {"name": "web"}}}],
}


def discovery(*items: object) -> bytes:
    document = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": list(items)}
    return reply(json.dumps(document).encode()).replace(b"application/json", AGGREGATED.encode(), 1)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder whose kubeconfig names a TLS server that answers one `get pods`."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    steps = [discovery(CORE), discovery(), reply(json.dumps(TABLE).encode())]
    with ScriptedServer(steps, context) as server:
        config = f"""
current-context: test
clusters:
- name: test
  cluster:
    server: {server.url}
    certificate-authority: ca.pem
contexts:
- name: test
  context:
    cluster: test
    user: test
users:
- name: test
  user:
    token: some-token
"""
        (tmp_path / "config").write_text(config)
        yield tmp_path


def python(code: str, *argv: str, home: Path | str = "/nonexistent") -> str:
    """stdout of a program of its own, which must succeed and say nothing else."""
    environ = {"HOME": str(home), "KUBECONFIG": f"{home}/config"}
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, check=False, env=environ)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


PROGRAM = """
import atexit, sys
from types import ModuleType
from kubetrace.__main__ import main
atexit.register(lambda: print(*(n for n, m in sys.modules.items() if type(m) is ModuleType), sep="\\n"))
main()
"""


def loaded(*argv: str, home: Path | str = "/nonexistent") -> tuple[str, set[str]]:
    """What the program printed first, and the modules that it loaded."""
    first, *names = python(PROGRAM, *argv, home=home).splitlines()
    return first, set(names)


def test_the_version_needs_next_to_nothing() -> None:
    printed, modules = loaded("version", "--client")
    assert printed.startswith("Client Version: v")
    assert "typer.core" in modules
    assert not modules & {
        "dataclasses",
        "json",
        "pathlib",
        "platform",
        "ssl",
        "subprocess",
        "typer",
        "typer.main",
        "uuid",
    }


def test_get_loads_nothing_that_it_does_not_use(home: Path) -> None:
    loaded("get", "pods", home=home)  # writes the discovery cache, through temporary files
    printed, modules = loaded("get", "pods", home=home)
    assert printed == "NAME"
    assert {"requests", "kubetrace.transport.client"} < modules
    assert modules & set(MODULES) == set()
    unused = {"cryptography", "dataclasses", "importlib.metadata", "msgspec", "rich", "shutil", "subprocess", "uuid"}
    own = {"kubetrace.trace.klog", "kubetrace.trace.dialects", "kubetrace.wire.protobuf", "kubetrace.wire.schema"}
    assert modules & (unused | own) == set()


def test_each_deferred_module_would_have_been_loaded(home: Path) -> None:
    without = f"import kubetrace.deferred; kubetrace.deferred.MODULES = ()\n{PROGRAM}"
    names = set(python(without, "get", "pods", home=home).splitlines())
    assert set(MODULES) <= names


def test_a_deferred_module_answers_as_the_real_one() -> None:
    code = """
import importlib, json, sys
print(json.dumps({name: [*vars(importlib.import_module(name))] for name in sys.argv[1:]}))
"""
    names = json.loads(python(code, *MODULES))
    code = """
import importlib, json, sys
from kubetrace.deferred import Deferred, defer
defer()
all_deferred = {name: importlib.import_module(name) for name in json.loads(sys.argv[1])}
assert {type(module) for module in all_deferred.values()} == {Deferred}
for name, attributes in json.loads(sys.argv[1]).items():
    deferred = all_deferred[name]
    wanted = [attribute for attribute in attributes if not attribute.startswith("__")]
    assert wanted and all(hasattr(deferred, attribute) for attribute in wanted)
    real = sys.modules[name]
    assert real is not deferred, name
    assert all(getattr(real, attribute) is getattr(deferred, attribute) for attribute in wanted), name
"""
    python(code, json.dumps(names))


def test_submodules_of_a_deferred_package_survive_its_loading() -> None:
    code = """
from kubetrace.deferred import defer
defer()
from typer.core import TyperGroup
import typer
assert "typer.main" not in __import__("sys").modules
assert issubclass(typer.core.TyperGroup, object) and typer.core.TyperGroup is TyperGroup
assert typer.Typer
import typer as again
assert again.core is typer.core and "typer.main" in __import__("sys").modules
"""
    python(code)


def test_a_deferred_submodule_is_an_attribute_of_its_package() -> None:
    code = """
from kubetrace.deferred import defer
defer()
import email.header
import urllib.request
assert type(urllib.request).__name__ == "Deferred"
assert urllib.request.Request is not None and email.header.Header is not None
import urllib
assert type(urllib.request).__name__ == "module"
"""
    python(code)


def test_names_that_do_not_exist_are_told_as_usual() -> None:
    code = """
from kubetrace.deferred import defer
defer()
import random
try:
    random.nothing
except AttributeError as error:
    assert "nothing" in str(error)
else:
    raise SystemExit("no error")
try:
    from random import nothing
except ImportError:
    pass
"""
    python(code)


def test_several_threads_may_ask_at_once() -> None:
    code = """
import sys, threading
from kubetrace.deferred import defer
defer()
sys.setswitchinterval(1e-6)
import tempfile, zipfile, random
barrier, seen = threading.Barrier(16), []
def work():
    barrier.wait()
    seen.append((tempfile.NamedTemporaryFile, zipfile.ZipFile, random.random))
threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join(20)
assert len(seen) == 16 and all(one == seen[0] for one in seen)
"""
    python(code)


def test_the_library_face_defers_nothing() -> None:
    python("import sys, kubetrace; kubetrace.TracingAdapter; assert 'charset_normalizer.api' in sys.modules")


def test_a_function_that_was_handed_out_imports_its_module_when_it_is_called() -> None:
    code = """
from kubetrace.deferred import defer
defer()
from urllib.request import getproxies_environment
from difflib import get_close_matches
print(getproxies_environment(), get_close_matches("pod", ["pods", "services"]))
"""
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env={"http_proxy": "x"})
    assert done.stdout == "{'http': 'x'} ['pods']\n", done.stderr


def test_patterns_are_compiled_when_something_is_matched() -> None:
    code = """
import re
from kubetrace.deferred import DeferredPattern, defer
defer()
from urllib3.util import url
assert type(url._IPV6_RE) is DeferredPattern and type(re.compile("x")) is re.Pattern
assert url.parse_url("https://[::1]:8443/a?b").host == "[::1]" and url.parse_url("https://x.y").port is None
from http.cookiejar import ISO_DATE_RE, http2time
assert ISO_DATE_RE.flags & re.VERBOSE and http2time("Wed, 09 Feb 1994 22:23:32 GMT") == 760832612
"""
    python(code)

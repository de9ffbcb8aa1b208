"""Exchanges as a Python program that sends the same requests again with requests; credentials come from the kubeconfig
when it runs, as in `kubetrace.trace.views.curl`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from kubetrace.trace.access import Access, Material, Words, endless, scripted, sent_headers
from kubetrace.trace.exchange import Request
from kubetrace.trace.exchanges import Recorded

_WITH_COMMANDS = '''
def printed(*command):
    """What a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

'''
_WITH_FILES = '''
folder = tempfile.TemporaryDirectory()

def written(name, *command):
    """A file of a private folder with what a command prints in base64."""
    path = pathlib.Path(folder.name, name)
    path.write_bytes(base64.b64decode(printed(*command)))
    return str(path)

'''
_WITH_NAME = '''
class NamedServer(requests.adapters.HTTPAdapter):
    """For a server whose certificate has another name than its URL."""

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, server_hostname=NAME, assert_hostname=NAME, **options)

'''


def render(exchanges: Iterable[Recorded], access: Access | None = None) -> Iterator[str]:
    access = access or Access()
    yield from scripted(exchanges, access, _preamble(access), call, problem)


def problem(request: Request, access: Access) -> str:
    """What requests cannot send."""
    names = Counter(name.lower() for name, _ in sent_headers(request))
    repeated = sorted(name for name, count in names.items() if count > 1)
    return f"requests cannot send a header more than once ({', '.join(repeated)}): use curl" if repeated else ""


def call(request: Request, access: Access) -> str:
    """One request's statements."""
    session = "session" if access.server else "requests.Session()"
    headers = "".join(f"        {name!r}: {value!r},\n" for name, value in sent_headers(request))
    parts = [f"    {request.method!r},\n    {request.url!r},\n"]
    if headers:
        parts.append(f"    headers={{\n{headers}    }},\n")
    if request.body:
        parts.append(f"    data={request.body!r},\n")
    parts.append("    allow_redirects=False,\n")
    if endless(request):
        parts.append("    stream=True,\n")
        shown = "for line in response.iter_lines(decode_unicode=True):\n    print(line)\n"
    else:
        shown = "print(response.status_code, response.text)\n"
    return f"response = {session}.request(\n{''.join(parts)})\n{shown}"


def _preamble(access: Access) -> str:
    files = [found for found in (access.authority, access.certificate, access.key) if found and found.command]
    commands = files or access.token or access.password
    modules = [*(["base64", "pathlib"] if files else []), *(["subprocess"] if commands else [])]
    modules += ["tempfile"] if files else []
    parts = [*(f"import {name}\n" for name in modules), "\n" if modules else "", "import requests\n"]
    parts += [_WITH_COMMANDS] if commands else []
    parts += [_WITH_FILES.removeprefix("\n")] if files else []
    if access.server_name:
        parts += [f"\nNAME = {access.server_name!r}\n", _WITH_NAME]
    if access.server:
        parts += ["" if commands or access.server_name else "\n", *_session(access)]
    return "".join(parts)


def _session(access: Access) -> Iterator[str]:
    yield "session = requests.Session()\nsession.trust_env = False\nsession.headers.clear()\n"
    if access.server_name:
        yield f"session.mount({access.server!r}, NamedServer())\n"
    if access.insecure:
        yield "session.verify = False\n"
    elif access.authority is not None:
        yield f"session.verify = {_file('ca', access.authority)}\n"
    if access.certificate is not None and access.key is not None:
        yield f"session.cert = ({_file('cert', access.certificate)}, {_file('key', access.key)})\n"
    if access.proxy:
        yield f"session.proxies = dict.fromkeys(('http', 'https'), {access.proxy!r})\n"
    if access.token:
        yield f'session.headers["Authorization"] = "Bearer " + {_printed(access.token)}\n'
    elif access.password:
        yield f"session.auth = ({access.username!r}, {_printed(access.password)})\n"


def _file(name: str, material: Material) -> str:
    if material.path:
        return repr(material.path)
    return f"written({', '.join(map(repr, (name, *material.command)))})"


def _printed(command: Words) -> str:
    return f"printed({', '.join(map(repr, command))})"

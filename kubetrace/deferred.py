"""Modules that our libraries import and a plain call never uses: the program puts them off until something asks.

Typer, requests, urllib3 and the standard library bring a good deal along for cases of their own: guessing the
encoding of a text, HTTP/2, host names beyond ASCII, opening a browser. Reading that code took a third of a command's
time. A `Deferred` module stands in its place, knows nothing, and hands every question to the real module, which it
imports then.

This changes what `import` means for a whole process, so only the program does it (`kubetrace.__main__`), never the
library face.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from time import sleep
from types import ModuleType
from typing import Any

MODULES = (
    # Typer: functions as commands, prompts, its own completion (kubetrace uses the groups and contexts of typer.core).
    "typer",
    # requests and urllib3: guessing encodings, proxies of the system, host names beyond ASCII, uploads, HTTP/2, SOCKS.
    "certifi",
    "charset_normalizer",
    "idna",
    "mimetypes",
    "socks",
    "tempfile",
    "urllib.request",
    "urllib3.http2",
    "zipfile",
    # The standard library's: what errors, other languages and rare answers need.
    "difflib",
    "email.header",
    "gettext",
    "locale",
    "random",
    "selectors",
    "textwrap",
    "tokenize",
    "traceback",
)


class Deferred(ModuleType):
    """Stands for a module until an attribute is asked for, and forwards to it from then on. A package's submodules can
    be imported without it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._in_place = True

    def __getattr__(self, attribute: str) -> Any:
        name = self.__name__
        if sys.modules.get(name) is self:
            if attribute == "__path__":
                return _search_path(name)
            hand_out = _HANDED_OUT.get(name, {}).get(attribute)
            if hand_out is not None:
                return hand_out(self)
            if _is_submodule(name, attribute):
                return import_module(f"{name}.{attribute}")
            self._give_way()
        return getattr(import_module(name), attribute)

    def _give_way(self) -> None:
        """Makes room for the real module; of several threads that ask, one does."""
        name = self.__name__
        if self.__dict__.pop("_in_place", False):
            del sys.modules[name]
            module = import_module(name)
            for attribute, part in self.__dict__.items():
                if isinstance(part, ModuleType):  # a submodule that was imported while this stood for its package
                    setattr(module, attribute, part)
        while sys.modules.get(name) is self:
            sleep(0)


def defer() -> None:
    """Puts the modules off that nothing has imported yet."""
    for name in MODULES:
        if name not in sys.modules:
            sys.modules[name] = Deferred(name)


def _search_path(name: str) -> list[str]:
    """Where a package's submodules are. AttributeError for a module that is no package."""
    from importlib.machinery import PathFinder

    parent = name.rpartition(".")[0]
    spec = PathFinder.find_spec(name, sys.modules[parent].__path__ if parent else None)
    if spec is None or spec.submodule_search_locations is None:
        raise AttributeError("__path__")
    return spec.submodule_search_locations


def _is_submodule(name: str, attribute: str) -> bool:
    from importlib.machinery import PathFinder

    try:
        return PathFinder.find_spec(f"{name}.{attribute}", _search_path(name)) is not None
    except AttributeError:
        return False


def _later(function: str) -> Callable[[Deferred], Callable[..., Any]]:
    """A function of the module that imports it when it is called."""
    return lambda module: lambda *args, **kwargs: getattr(module, function)(*args, **kwargs)


_HANDED_OUT: dict[str, dict[str, Callable[[Deferred], Any]]] = {
    "certifi": {"where": lambda module: lambda: f"{module.__path__[0]}/cacert.pem"},
    "charset_normalizer": {"__version__": lambda module: module.version.__version__},
    "difflib": {"get_close_matches": _later("get_close_matches")},
    "gettext": {name: _later(name) for name in ("gettext", "ngettext")},
    "urllib.request": {
        name: _later(name)
        for name in (
            "getproxies",
            "getproxies_environment",
            "parse_http_list",
            "proxy_bypass",
            "proxy_bypass_environment",
        )
    },
}
"""Names that are imported from a module but used later, or cheaper to tell without it."""

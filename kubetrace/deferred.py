"""Modules that our libraries import and a plain call never uses: the program puts them off until something asks.

Typer, requests, urllib3 and the standard library bring a good deal along for cases of their own: guessing the
encoding of a text, HTTP/2, host names beyond ASCII, opening a browser. Reading that code took a third of a command's
time. A `Deferred` module stands in its place, knows nothing, and hands every question to the real module, which it
imports then. Of some modules that every call does need, the regular expressions are put off: a `DeferredPattern` is
compiled when something is first matched with it.

This changes what `import` means for a whole process, so only the program does it (`kubetrace.__main__`), never the
library face.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from time import sleep
from types import ModuleType
from typing import Any

MODULES = (
    # Typer: functions as commands, prompts, its own completion (kubetrace uses the groups and contexts of typer.core).
    "inspect",
    "typer",
    "typer.utils",
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
    # ruamel.yaml: all but the C parser and what that one imports itself.
    "ruamel.yaml",
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

PATTERNS_OF = frozenset(
    {
        # Cookies and their dates; times of log records; host names beyond ASCII; addresses of version 6.
        "encodings.idna",
        "http.cookiejar",
        "http.cookies",
        "logging",
        "urllib3.util.url",
    }
)
"""Modules that compile regular expressions when they are imported, of which a plain call needs few or none."""


class Deferred(ModuleType):
    """Stands for a module until an attribute is asked for, and forwards to it from then on. A package's submodules can
    be imported without it."""

    def __getattr__(self, attribute: str) -> Any:
        name = self.__name__
        if name in _put_off:
            if sys.modules.get(name) is not self:  # the import system is still making it
                raise AttributeError(attribute)
            if attribute == "__path__":
                return _search_path(name)
            hand_out = _HANDED_OUT.get(name, {}).get(attribute)
            if hand_out is not None:
                return hand_out(self)
            if _is_submodule(name, attribute):
                return import_module(f"{name}.{attribute}")
            self._give_way()
        while sys.modules.get(name) is self:  # another thread is about to make room
            sleep(0)
        return getattr(import_module(name), attribute)

    def _give_way(self) -> None:
        """Makes room for the real module; of several threads that ask, one does."""
        name = self.__name__
        try:
            _put_off.remove(name)
        except KeyError:
            return
        del sys.modules[name]
        module = import_module(name)
        for attribute, part in self.__dict__.items():
            if isinstance(part, ModuleType):  # a submodule that was imported while this stood for its package
                setattr(module, attribute, part)


class _Finder:
    """Finds `Deferred` modules, before the import system looks for real ones."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, _Finder) if name in _put_off else None  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> ModuleType:
        return Deferred(spec.name)

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        pass


class DeferredPattern:
    """Stands for a regular expression; compiles it when it is first used."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(_compile(*self._arguments), attribute)  # which keeps what it has compiled
        setattr(self, attribute, found)
        return found


def _compile_later(pattern: Any, flags: int = 0) -> Any:
    if sys._getframe(1).f_globals.get("__name__") in PATTERNS_OF:
        return DeferredPattern(pattern, flags)
    return _compile(pattern, flags)


_compile = re.compile
_put_off: set[str] = set()


def defer() -> None:
    """Puts off the modules that nothing has imported yet, and the compiling of patterns."""
    _put_off.update(name for name in MODULES if name not in sys.modules)
    sys.meta_path.insert(0, _Finder)
    re.compile = _compile_later


def _search_path(name: str) -> list[str]:
    """Where a package's submodules are. AttributeError for a module that is no package."""
    parent = name.rpartition(".")[0]
    spec = PathFinder.find_spec(name, sys.modules[parent].__path__ if parent else None)
    if spec is None or spec.submodule_search_locations is None:
        raise AttributeError("__path__")
    return spec.submodule_search_locations


def _is_submodule(name: str, attribute: str) -> bool:
    try:
        return PathFinder.find_spec(f"{name}.{attribute}", _search_path(name)) is not None
    except AttributeError:
        return False


def _later(function: str) -> Callable[[Deferred], Callable[..., Any]]:
    """A function of the module that imports it when it is called."""

    def hand_out(module: Deferred) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            module._give_way()
            return getattr(import_module(module.__name__), function)(*args, **kwargs)

        return call

    return hand_out


def _switch(module: Deferred) -> Callable[[str | None, bool], bool]:
    """Typer's reading of an environment variable as a switch: unset, it is the default."""

    def parse_boolean_env_var(env_var_value: str | None, default: bool) -> bool:
        if env_var_value is None:
            return default
        return bool(_later("parse_boolean_env_var")(module)(env_var_value, default))

    return parse_boolean_env_var


_HANDED_OUT: dict[str, dict[str, Callable[[Deferred], Any]]] = {
    "certifi": {"where": lambda module: lambda: f"{module.__path__[0]}/cacert.pem"},
    "charset_normalizer": {"__version__": lambda module: module.version.__version__},
    "difflib": {"get_close_matches": _later("get_close_matches")},
    "gettext": {name: _later(name) for name in ("gettext", "ngettext")},
    "typer.utils": {"parse_boolean_env_var": _switch},
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

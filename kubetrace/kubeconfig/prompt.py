"""The question for a user name and a password, where a server gets no credentials (client-go
tools/clientcmd/auth_loaders.go)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from kubetrace.kubeconfig.errors import ConfigError


class Prompt:
    """Asks on stdout (`say` writes there at once) and reads stdin: a word, and from a terminal a line unseen."""

    def __init__(self, stdin: BinaryIO, say: Callable[[str], object]) -> None:
        self._stdin = stdin
        self._say = say

    def __call__(self) -> tuple[str, str]:
        """User name and password. Raises ConfigError at the end of the input, and where there is no terminal."""
        self._say("Please enter Username: ")
        username = self._word()
        with self._unseen():
            self._say("Please enter Password: ")
            if not self._stdin.isatty():
                raise ConfigError("error reading input for Password")
            line = self._stdin.readline()
        if not line:
            raise ConfigError("EOF")
        return username, line.removesuffix(b"\n").replace(b"\r", b"").decode("utf-8", "surrogateescape")

    def _word(self) -> str:
        """The next word; what follows it on its line is left for the password, as Go's Fscan leaves it."""
        word = b""
        while sign := self._stdin.read(1):
            if not sign.isspace():
                word += sign
            elif word:
                break
        if not word:
            raise ConfigError("EOF")
        return word.decode("utf-8", "surrogateescape")

    @contextlib.contextmanager
    def _unseen(self) -> Iterator[None]:
        """A terminal shows nothing of what is typed meanwhile."""
        if not self._stdin.isatty():
            yield
            return
        import termios

        descriptor = self._stdin.fileno()
        before = termios.tcgetattr(descriptor)
        silent = [*before]
        silent[3] = (silent[3] & ~termios.ECHO) | termios.ICANON | termios.ISIG
        termios.tcsetattr(descriptor, termios.TCSANOW, silent)
        try:
            yield
        finally:
            termios.tcsetattr(descriptor, termios.TCSANOW, before)

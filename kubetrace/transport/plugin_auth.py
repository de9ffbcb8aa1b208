"""An exec plugin's credentials on one request, put on below the log as client-go does (exec.roundTripper)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kubetrace.trace.events import Events
from kubetrace.trace.exchange import Note
from kubetrace.transport.exec_plugin import Authenticator, CredentialError, Credentials

if TYPE_CHECKING:
    from requests.models import PreparedRequest


class PluginAuth:
    """Authorizes one request: its token goes into the headers, its certificate to `show`."""

    def __init__(
        self,
        plugin: Authenticator,
        show: Callable[[tuple[bytes, bytes] | None], None],
        events: Events,
        learn: Callable[[str], object] | None = None,
    ) -> None:
        self._learn = learn
        self._plugin = plugin
        self._show = show
        self._events = events
        self._used: Credentials | None = None

    def __call__(self, request: PreparedRequest) -> None:
        """Raises CredentialError."""
        self._used = self._plugin.credentials()
        try:
            self._show(self._used.certificate)
        except CredentialError:
            self._plugin.forget(self._used)
            raise
        if self._used.token:
            if self._learn is not None:
                self._learn(self._used.token)
            request.headers["Authorization"] = f"Bearer {self._used.token}"

    def refused(self) -> None:
        """The server said 401: fetches new credentials for the next request; a failure is only told."""
        if self._used is None:
            return
        try:
            self._plugin.refresh(self._used)
        except CredentialError as error:
            self._events.emit(Note("refreshing-credentials", {"error": error.problem}))

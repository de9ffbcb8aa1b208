"""What a kubelet remembers of one pod while it runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from kubetrace.playground.controllers.probes import Probes

RESTART_SECONDS = 1.0
BACKOFF_SECONDS = 10.0
MAX_BACKOFF_SECONDS = 300.0


@dataclass
class Worker:
    due: dict[str, float] = field(default_factory=dict)
    """Step → when it may happen (loop time)."""
    pulls: dict[str, int] = field(default_factory=dict)
    """Container → how often its image could not be pulled."""
    probes: dict[str, Probes] = field(default_factory=dict)
    hooks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    wakes: list[float] = field(default_factory=list)
    """Seconds after which this round wants to look again."""

    def wait(self, step: str, seconds: float) -> bool:
        """Whether a step must wait still; counts from the first call."""
        clock = asyncio.get_running_loop().time()
        left = self.due.setdefault(step, clock + seconds) - clock
        if left > 0:
            self.wakes.append(left + 0.01)
            return True
        del self.due[step]
        return False

    def once(self, text: str) -> bool:
        """True at the first call with that text."""
        if text in self.told:
            return False
        self.told.add(text)
        return True

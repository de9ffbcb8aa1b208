"""`python -m kubetrace`, and the console script."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    # Start-up allocates much and frees next to nothing: the collector would only look in vain.
    gc.disable()
    from kubetrace.cli import main as run

    gc.freeze()
    gc.enable()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

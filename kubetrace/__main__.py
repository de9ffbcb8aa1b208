"""`python -m kubetrace`, and the console script."""

from __future__ import annotations

import sys


def main() -> None:
    from kubetrace.cli import main as run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

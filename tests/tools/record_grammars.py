"""Records how the real kubectl reads quantities and label selectors, for tests/wire and tests/api.

    python -m tests.tools.record_grammars KUBECTL

Quantities: `create quota --dry-run=client -o json` shows the canonical form, or the error. Selectors: `create pdb`.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
QUANTITIES = TESTS / "wire" / "data" / "quantities.json"
SELECTORS = TESTS / "api" / "data" / "selectors.json"
_DRY = ["--dry-run=client", "-o", "json"]
_SIGNS = ("", "", "", "-", "+")
_SUFFIXES = ("", "m", "k", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "M", "G", "T", "P", "E", "u", "n", "e3", "E2", "e-2",
             "e+5", "e21")  # fmt: skip
_BAD_QUANTITIES = ("", "x", "1x", "1ki", "--1", "1.2.3", "1e", "1 ", "Ei", "0x10", "1m1", "é")
_TOKENS = ("a", "b", "in", "notin", "x/y", "-q", "1", "12", "=", "==", "!=", "!", "(", ")", ",", ">", "<", " ")
_PLAIN = (
    "a=b",
    "a==b,c=d",
    "a in (b,c),d",
    "a notin (x)",
    "!a",
    "a!=b",
    "a>1",
    "a<x",
    "a in ()",
    "a in (,)",
    "a=",
    "a,",
)


def quantities() -> list[str]:
    choose = random.Random(36)
    found = []
    for _ in range(600):
        digits = "".join(
            choose.choice("0001234567898") for _ in range(choose.choice([1, 1, 2, 3, 4, 5, 8, 12, 19, 20]))
        )
        fraction = choose.choice(["", "", "", ".", ".5", ".25", ".001", ".0000000001", ".500", ".123456789012"])
        found.append(choose.choice(_SIGNS) + digits + fraction + choose.choice(_SUFFIXES))
    return list(dict.fromkeys(found))


def selectors() -> list[str]:
    choose = random.Random(36)
    made = ["".join(choose.choice(_TOKENS) for _ in range(choose.randint(2, 8))) for _ in range(120)]
    return [text for text in dict.fromkeys([*_PLAIN, *made]) if text.strip()]


def run(kubectl: str, *argv: str) -> Any:
    """What JSON kubectl prints, or its error's text."""
    done = subprocess.run([kubectl, *argv, *_DRY], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.removeprefix("error: ").strip()


def record(kubectl: str) -> None:
    version = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True, check=True).stdout
    head = {"version": version.splitlines()[0]}
    good: dict[str, str] = {}
    texts = quantities()
    for start in range(0, len(texts), 100):
        named = {f"r{number}": text for number, text in enumerate(texts[start : start + 100])}
        hard = ",".join(f"{name}={text}" for name, text in named.items())
        shown = run(kubectl, "create", "quota", "q", f"--hard={hard}")["spec"]["hard"]
        good |= {text: shown[name] for name, text in named.items()}
    bad = {text: run(kubectl, "create", "quota", "q", f"--hard=r={text}") for text in _BAD_QUANTITIES}
    QUANTITIES.parent.mkdir(parents=True, exist_ok=True)
    _write(QUANTITIES, {**head, "command": "create quota q --hard=r=QUANTITY", "good": good, "bad": bad})
    read = {}
    for text in selectors():
        shown = run(kubectl, "create", "pdb", "p", "--max-unavailable=1", f"--selector={text}")
        read[text] = shown if isinstance(shown, str) else shown["spec"]["selector"]
    _write(SELECTORS, {**head, "command": "create pdb p --max-unavailable=1 --selector=SELECTOR", "selectors": read})


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=0, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    record(sys.argv[1])

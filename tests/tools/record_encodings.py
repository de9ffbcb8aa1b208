"""Records how kubectl writes values as YAML, JSON and KYAML: tests/wire/data/encodings.json.

    KUBECTL=path/to/kubectl python -m tests.tools.record_encodings

Each vector is the `value` field of an object of an unknown kind that goes through
`kubectl annotate --local -f - recorded=x -o yaml` (`-o json`, `-o kyaml`), without a server.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import tempfile
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "wire" / "data" / "encodings.json"
WORDS = [
    "true",
    "No",
    "on",
    "null",
    "~",
    "y",
    "N",
    "1e3",
    "0x1F",
    "0o17",
    "017",
    "089",
    "1_000",
    "1:30",
    "12:30:45",
    "2001-01-01",
    "2001-1-1T1:2:3Z",
    "2001-02-30",
    ".5",
    ".inf",
    "-.INF",
    "+1",
    "-",
    "--",
    "---",
    "...",
    "---a",
    "<<",
    "=",
    "0b11",
    "0b-1",
    "-0b1",
    "1.",
    "1.5e400",
    "99999999999999999999",
    "18446744073709551615",
    "0xFFFFFFFFFFFFFFFFF",
    "a:b",
    "key:",
    "*.x",
    "%a",
    "@a",
    "`a",
    "!a",
    "&a",
    "|a",
    ">a",
    "2024-01-01T00:00:00Z",
    "2024-01-01T00:00:00+25:00",
    "2024-01-01T00:00:00+24:60",
    "_1",
    "1__0",
    "0.",
    "-0",
    "+.inf",
    "1.2.3",
    "1e",
    "2024-1-1",
    "2024-13-01",
    "{a}",
    "[a]",
    "a,b",
    "?a",
    "?",
]
TEXTS = [
    "", " ", "a ", " a", "a: b", "a #b", "- a", "? a", ": a", "2001-01-01 10:00:00", "it's", 'say "so"', "back\\slash",
    "tab\there", "\n", "\n\n", "a\n", "a\nb", "a\nb\n", "a\nb\n\n", " a\nb", "\na", "a \nb", "a\n b", "a\nb ", "a\r\nb",
    "é", "日本", "😀", "\u00a0", "a\u0085b", "a \u0085\u0085 b", "a\u2028b", "a\u2029\n", "\ufeffa b", "\x01", "\x1b[0m",  # noqa: E501
    "\x00", "<a&b>", "long words " * 12, "long  words " * 12, "it's long " * 12, '"q" ' * 30, " lead " * 20, "x" * 200,
    "é " * 60, "# no comment " * 10, "1 " * 60, "a: " + "word " * 30, "line one is long " * 6 + "\n" + "line two " * 12,
    "\u2028x " * 30,
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 1.5, 1.0, 1e6, 1e19, 1e20, -1e20, 1e21, 1e-6, 1e-7,
    0.0001, 0.00001, 123456.5, 1234567.5, -0.0, 3.0e-30, {}, [], [[]], [{}], {"a": {}}, {"a": []}, {"a": [1, [2, [3]]]},
    [[1, 2], [3]], {"a": [{"b": 1, "c": [1]}]}, {"a": None}, [None, True],
    dict.fromkeys(("a10", "a9", "a1", "a100", "a"), 1),
    dict.fromkeys(("a-b", "a.b", "a/b", "ab", "a", "B", "0", "10"), 1),
    *({word: 1} for word in WORDS),
    {"k" * 128: 1, "l" * 129: 2, "m" * 130: {"a": [1]}, "n" * 131: [1, 2], "a\nb": "c\nd"},
    {"": 1, " ": 2, "a: b": 3, "it's": 4, 'q"q': 5, "\t": 6, "#": 7, "😀": 8, "a b": 9},
]  # fmt: skip


def vectors() -> list[Any]:
    generator = random.Random(36)
    nested: list[Any] = []
    pool = [*VALUES, *WORDS, *TEXTS]
    for _ in range(60):
        keys = generator.sample(["a", "b1", "b10", "b9", "c/d", "c-d", "on", "1", "x y", "é"], 3)
        nested.append(
            {keys[0]: [generator.choice(pool), {keys[1]: generator.choice(TEXTS)}], keys[2]: generator.choice(pool)}
        )
    deep: Any = "words that fold " * 10
    for level in range(8):
        deep = {f"level-{level}": [deep]}
    return [*VALUES, WORDS, *TEXTS, TEXTS, *nested, deep]


def kubectl(value: Any, output: str, home: str) -> str:
    document = {"apiVersion": "example.com/v1", "kind": "Vector", "metadata": {"name": "v"}, "value": value}
    command = [os.environ["KUBECTL"], "annotate", "--local", "-f", "-", "recorded=x", "-o", output]
    environment = {"HOME": home, "PATH": os.environ["PATH"]}
    done = subprocess.run(
        command, input=json.dumps(document).encode(), capture_output=True, check=True, env=environment
    )
    return done.stdout.decode()


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        version = subprocess.run(
            [os.environ["KUBECTL"], "version", "--client"], capture_output=True, check=True, env={"HOME": home}
        ).stdout.decode()
        recorded = [
            {"value": value, **{output: kubectl(value, output, home) for output in ("yaml", "json", "kyaml")}}
            for value in vectors()
        ]
    facts = {
        "program": version.splitlines()[0],
        "command": "kubectl annotate --local -f - recorded=x -o yaml|json|kyaml",
        "vectors": recorded,
    }
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Records what kubectl makes of Go templates: tests/printing/data/go_templates.json.

A failing template's dump of the object is recorded once, and stands as {RAW} and {DATA} in the cases.

    KUBECTL=path/to/kubectl python -m tests.tools.record_templates

No server is needed: `patch --local` with an empty patch prints the object that it read.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.tools.template_cases import OBJECT, STRICT, TEMPLATES

DATA = Path(__file__).parent.parent / "printing" / "data"


def run(kubectl: str, template: str, strict: bool = False, value: dict[str, Any] = OBJECT) -> dict[str, Any]:
    """One template through kubectl: what it wrote, and its code."""
    with tempfile.TemporaryDirectory() as home:
        file, text = Path(home) / "object.json", Path(home) / "template"
        file.write_text(json.dumps(value))
        text.write_text(template)
        output = "go-template=" if not template else f"go-template-file={text}"
        flags = ["--allow-missing-template-keys=false"] if strict else []
        words = ["patch", "--local", "-f", str(file), "--type=json", "-p", "[]", "-o", output, *flags]
        done = subprocess.run([kubectl, *words], capture_output=True, env={"HOME": home}, check=False)
        out, err = (stream.decode("utf-8", "surrogateescape") for stream in (done.stdout, done.stderr))
    case = {"template": template, "out": out, "err": err, "code": done.returncode}
    return case | ({"strict": True} if strict else {})


def main() -> None:
    kubectl = os.environ["KUBECTL"]
    version = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True, check=True).stdout
    with ThreadPoolExecutor(2) as pool:
        lenient = pool.map(lambda template: run(kubectl, template), TEMPLATES)
        strict = pool.map(lambda template: run(kubectl, template, True), STRICT)
        cases = [*lenient, *strict]
    dump = run(kubectl, "{{len 1}}")["out"].splitlines()
    raw, data = dump[-4].strip("\t"), dump[-2].strip("\t")
    for case in cases:
        head, mark, tail = case["out"].rpartition("\traw data was:")
        if mark:
            case["out"] = head + mark + tail.replace(raw, "{RAW}").replace(data, "{DATA}")
    facts = {"program": version.splitlines(), "object": OBJECT, "raw": raw, "data": data, "cases": cases}
    (DATA / "go_templates.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()

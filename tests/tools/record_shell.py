"""Records what a real busybox makes of shell scripts, for tests/playground/test_shell.py.

`python -m tests.tools.record_shell /usr/bin/busybox`, as root: each script of golden/shell_scripts.txt (parted by lines
of three hyphens) runs in a folder of its own, without a network and without the host's files.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_GOLDEN = Path(__file__).parent.parent / "playground" / "golden"
_ENVIRONMENT = {"HOME": "/root", "HOSTNAME": "web", "COLOR": "blue", "PATH": "/bin"}


def recorded(busybox: str, script: str) -> tuple[str, int, str]:
    """(script, exit code, stdout)."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("bin", "dev", "etc", "root", "tmp"):
            (root / name).mkdir()
        root.chmod(0o755)
        (root / "dev" / "null").touch()
        (root / "etc" / "hostname").write_text("web\n")
        shutil.copy(busybox, root / "bin" / "busybox")
        inside = ["unshare", "-n", "chroot", folder, "/bin/busybox"]
        subprocess.run([*inside, "--install", "-s", "/bin"], check=True)
        values = [f"{name}={value}" for name, value in _ENVIRONMENT.items()]
        found = subprocess.run(
            [*inside, "env", "-i", *values, "sh", "-c", f"cd /tmp; {script}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )
    return script, found.returncode, found.stdout


def main(busybox: str) -> None:
    told = subprocess.run([busybox], capture_output=True, text=True).stdout
    scripts = [script.strip("\n") for script in (_GOLDEN / "shell_scripts.txt").read_text().split("\n---\n")]
    found = {"version": told.partition("\n")[0], "scripts": [recorded(busybox, script) for script in scripts]}
    (_GOLDEN / "shell.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])

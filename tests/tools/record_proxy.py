"""Records what the real kubectl's proxy answers: `python -m tests.tools.record_proxy KUBECTL` writes
tests/gateway/golden.json."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.gateway.echo import echo
from tests.gateway.requests import KUBECONFIG, SETTINGS, answer, make_files, proxy

GOLDEN = Path(__file__).parents[1] / "gateway" / "golden.json"


def record(kubectl: str) -> dict[str, object]:
    version = json.loads(
        subprocess.run([kubectl, "version", "--client", "-o", "json"], capture_output=True, check=True).stdout
    )
    found: dict[str, object] = {}
    for name, setting in SETTINGS.items():
        with tempfile.TemporaryDirectory() as folder, echo() as server:
            make_files(Path(folder))
            config = Path(folder) / "kubeconfig"
            config.write_text(KUBECONFIG.format(port=server.port, path=setting.server_path))
            command = [kubectl, "--kubeconfig", str(config), "proxy", *setting.flags]
            with proxy(command, Path(folder), {}) as running:
                answers = {"\n".join(request): answer(running.port, request) for request in setting.requests}
            found[name] = {"answers": answers, "log": running.log}
    return {"kubectl": version["clientVersion"]["gitVersion"], "settings": found}


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(record(sys.argv[1]), indent=1) + "\n")

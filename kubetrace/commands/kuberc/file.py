"""The kuberc file: where it is, what it holds, and how it is written (kubectl pkg/kuberc)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetrace.errors import KubetraceError, os_words, read_words
from kubetrace.wire.go_struct import TypedObject

if TYPE_CHECKING:
    from kubetrace.environment import Environment

API_VERSION, KIND = "kubectl.config.k8s.io/v1beta1", "Preference"
_ALIAS = ("name", "command", "prependArgs", "appendArgs", "options")


def kuberc_path(environment: Environment) -> tuple[Path, bool]:
    """The file that --kuberc, KUBERC, or ~/.kube names, and whether it was named. Raises KubetraceError."""
    given, variable = environment.options.kuberc, environment.environ.get("KUBERC", "")
    if variable == "off":
        if given:
            raise KubetraceError("disabling kuberc via KUBERC=off and passing kuberc flag are mutually exclusive")
        raise KubetraceError("KUBERC is disabled via KUBERC=off environment variable")
    if given or variable:
        return Path(given or variable), True
    return environment.home / ".kube" / "kuberc", False


def preference(content: Mapping[str, Any]) -> TypedObject:
    """A file's content with kubectl's fields, in kubectl's order; others are lost."""
    found: dict[str, Any] = {key: content[key] for key in ("kind", "apiVersion") if content.get(key)}
    for key in ("defaults", "aliases"):
        value = content.get(key)
        order = ("command", "options") if key == "defaults" else _ALIAS
        found[key] = value if value is None else [_ordered(item, order) for item in value]
    for key in ("credentialPluginPolicy", "credentialPluginAllowlist"):
        if content.get(key):
            found[key] = content[key]
    return TypedObject(found)


def _ordered(item: Mapping[str, Any], order: tuple[str, ...]) -> dict[str, Any]:
    ordered = {key: item.get(key) or "" for key in order if key in ("name", "command")}
    for key in order[len(ordered) :]:
        value = item.get(key)
        if key == "options" and value:
            value = [{"name": str(one.get("name", "")), "default": str(one.get("default", ""))} for one in value]
        if value or order[0] == "command":  # a default's options are written even where there are none
            ordered[key] = value
    return ordered


def parsed(data: bytes) -> dict[str, Any]:
    """A file's content. Raises KubetraceError."""
    from kubetrace.wire.yaml_reader import InvalidYAML, loads

    try:
        content = loads(data)
    except InvalidYAML as error:
        raise KubetraceError(f"error parsing kuberc file: error converting YAML to JSON: {error}") from None
    if content is not None and not isinstance(content, dict):
        from kubetrace.wire.go_json import json_type

        raise KubetraceError(
            "error parsing kuberc file: error unmarshaling JSON: while decoding JSON: "
            f"json: cannot unmarshal {json_type(content)} into Go value of type v1beta1.Preference"
        )
    return content or {}


def save(environment: Environment, content: Mapping[str, Any], path: Path) -> None:
    """Writes the file, and says so. Raises KubetraceError."""
    from kubetrace.wire.go_yaml import dumps

    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        words = os_words("mkdir", path.parent, error)
        raise KubetraceError(f"failed to create directory {path.parent}: {words}") from None
    try:
        path.write_text(dumps(preference(content)), encoding="utf-8")
    except OSError as error:
        raise KubetraceError(f"failed to write kuberc file: {os_words('open', path, error)}") from None
    environment.stdout.write(f"Updated {path}\n")


def read(path: Path) -> bytes | None:
    """The file's bytes; None where there is none. Raises KubetraceError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KubetraceError(f"error reading kuberc file: {read_words(path, error)}") from None

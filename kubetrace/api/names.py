"""What names, keys and ports must look like, and the words for those that don't (apimachinery pkg/util/validation and
pkg/api/validate/content). Each check returns the objections to a text, none for a good one."""

from __future__ import annotations

import re
from functools import cache

_DNS1123_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS1123_SUBDOMAIN = _DNS1123_LABEL + "(\\." + _DNS1123_LABEL + ")*"
_QUALIFIED_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED_NAME})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_ENV_NAME = "[-._a-zA-Z][-._a-zA-Z0-9]*"
_NAME_EXAMPLES = ("MyName", "my.name", "123-abc")
_NAME_WORDS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def _matches(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


def _regex_words(words: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{words} (e.g. {shown}regex used for validation is '{pattern}')"


def _too_long(text: str, limit: int, unit: str = "characters") -> list[str]:
    return [f"must be no more than {limit} {unit}"] if len(text.encode("utf-8", "replace")) > limit else []


def _parent_folder(text: str) -> list[str]:
    if text in (".", ".."):
        return [f"must not be '{text}'"]
    return ["must not start with '..'"] if text.startswith("..") else []


def config_key(text: str) -> list[str]:
    """A key of a ConfigMap or Secret (IsConfigMapKey)."""
    problems = _too_long(text, 253)
    if not _matches(_CONFIG_KEY, text):
        words = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        problems.append(_regex_words(words, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    return problems + _parent_folder(text)


def environment_name(text: str) -> list[str]:
    """The name of an environment variable (IsEnvVarName)."""
    problems = []
    if not _matches(_ENV_NAME, text):
        words = (
            "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and "
            "must not start with a digit"
        )
        problems.append(_regex_words(words, _ENV_NAME, "my.env-name", "MY_ENV.NAME", "MyEnvName1"))
    return problems + _parent_folder(text)


def dns_subdomain(text: str, unit: str = "characters") -> list[str]:
    """IsDNS1123Subdomain."""
    problems = _too_long(text, 253, unit)
    if not _matches(_DNS1123_SUBDOMAIN, text):
        words = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
            "start and end with an alphanumeric character"
        )
        problems.append(_regex_words(words, _DNS1123_SUBDOMAIN, "example.com"))
    return problems


def label_key(text: str) -> list[str]:
    """A key of labels or annotations, perhaps with a prefix (IsQualifiedName)."""
    parts = text.split("/")
    if len(parts) > 2:
        words = _regex_words(_NAME_WORDS, _QUALIFIED_NAME, *_NAME_EXAMPLES)
        return [f"a valid label key {words} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    problems = []
    if len(parts) == 2 and not parts[0]:
        problems.append("prefix part must be non-empty")
    elif len(parts) == 2:
        problems += [f"prefix part {problem}" for problem in dns_subdomain(parts[0], "bytes")]
    name = parts[-1]
    if not name:
        problems.append("name part must be non-empty")
    problems += [f"name part {problem}" for problem in _too_long(name, 63, "bytes")]
    if not _matches(_QUALIFIED_NAME, name):
        problems.append(f"name part {_regex_words(_NAME_WORDS, _QUALIFIED_NAME, *_NAME_EXAMPLES)}")
    return problems


def label_value(text: str) -> list[str]:
    """IsValidLabelValue."""
    problems = _too_long(text, 63, "bytes")
    if not _matches(_LABEL_VALUE, text):
        words = f"a valid label must be an empty string or {_NAME_WORDS.removeprefix('must ')}"
        problems.append(_regex_words(words, _LABEL_VALUE, "MyValue", "my_value", "12345"))
    return problems


def port_number(port: int) -> list[str]:
    """IsValidPortNum."""
    return [] if 1 <= port <= 65535 else ["must be between 1 and 65535, inclusive"]


def port_name(text: str) -> list[str]:
    """IsValidPortName."""
    problems = _too_long(text, 15)
    if not _matches("[-a-z0-9]+", text):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", text):
        problems.append("must contain at least one letter (a-z)")
    if "--" in text:
        problems.append("must not contain consecutive hyphens")
    if text and "-" in (text[0], text[-1]):
        problems.append("must not begin or end with a hyphen")
    return problems

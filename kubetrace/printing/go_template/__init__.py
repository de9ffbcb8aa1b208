"""-o go-template: Go's text/template as kubectl sets it up (cli-runtime pkg/printers/template.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubetrace.printing.go_template.execute import Execution
from kubetrace.printing.go_template.functions import FUNCTIONS
from kubetrace.printing.go_template.parser import NAME, TemplateError, parse


class GoTemplate:
    """A parsed template. Raises TemplateError, in Go's words."""

    def __init__(self, text: str, allow_missing_keys: bool = True) -> None:
        self._text = text
        self._templates = parse(text, frozenset(FUNCTIONS))
        self._missing_is_error = not allow_missing_keys

    def execute(self, data: Any, write: Callable[[str], object]) -> None:
        """Writes what the template makes of JSON data, as it goes. Raises TemplateError."""
        template = self._templates[NAME]
        Execution(self._text, self._templates, template, data, write, self._missing_is_error).run(data)


__all__ = ["GoTemplate", "TemplateError"]

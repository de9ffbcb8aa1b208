"""The kubeconfig's own errors, with client-go's words (tools/clientcmd/validation.go, loader.go).

KubetraceError
└── ConfigError                "error: …"
    ├── MissingConfig          an explicit file that is not there
    └── InvalidConfiguration   "Error in configuration: …", a line a problem
"""

from __future__ import annotations

from collections.abc import Sequence

from kubetrace.errors import KubetraceError, aggregate_text

EMPTY_CONFIG = "no configuration has been provided, try setting KUBERNETES_MASTER environment variable"


class ConfigError(KubetraceError):
    """A kubeconfig cannot be read, understood or written."""


class MissingConfig(ConfigError):
    """The file named by --kubeconfig does not exist; `config` commands take that for an empty one."""


class SeveralErrors(ConfigError):
    """Several files are broken: kubectl prints one line each, without a prefix."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("[" + ", ".join(problems) + "]")
        self.problems = tuple(problems)

    def lines(self) -> list[str]:
        return list(self.problems)


class InvalidConfiguration(ConfigError):
    """The selected entries cannot be used. `empty` says that there is no configuration at all, which lets the
    in-cluster configuration step in."""

    def __init__(self, problems: Sequence[str], empty: bool = False) -> None:
        super().__init__("invalid configuration: " + aggregate_text(problems))
        self.problems = tuple(problems)
        self.empty = empty

    def lines(self) -> list[str]:
        # checkErr first unwraps a lone error, which then is no "configuration" error any more
        if len(self.problems) == 1:
            return [self.words_of_one()]
        return self.lines_of_only()

    def lines_of_only(self) -> list[str]:
        if len(self.problems) == 1:
            return [f"Error in configuration: {self.problems[0]}"]
        return ["Error in configuration: ", *(f"* {problem}" for problem in dict.fromkeys(self.problems))]

    def words_of_one(self) -> str:
        problem = self.problems[0]
        if problem.startswith("context was not found for specified context"):
            return f"Error in configuration: {problem}"
        return f"error: {problem}"

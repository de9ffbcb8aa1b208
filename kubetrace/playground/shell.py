"""A small simulated shell for `exec`: a file system that is made up from the pod, and the commands people try first.

Nothing of the host is reachable from here: no process is started and no file is opened.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field

from kubetrace.playground.objects import Object, now

Result = tuple[int, str, str]
"""(exit code, stdout, stderr)"""


@dataclass(slots=True)
class Shell:
    """One session in one container."""

    pod: Object
    container: Object
    folder: str = "/"
    files: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name, namespace = self.pod["metadata"]["name"], self.pod["metadata"]["namespace"]
        status = self.pod.get("status") or {}
        self.environment |= {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOSTNAME": name,
            "HOME": "/root",
            "KUBERNETES_SERVICE_HOST": "10.96.0.1",
            "KUBERNETES_SERVICE_PORT": "443",
        }
        for entry in self.container.get("env") or ():
            self.environment[entry["name"]] = entry.get("value", "")
        self.files |= {
            "/etc/hostname": f"{name}\n",
            "/etc/hosts": f"127.0.0.1\tlocalhost\n{status.get('podIP', '')}\t{name}\n",
            "/etc/os-release": 'NAME="kubetrace playground"\nID=simulated\n',
            "/etc/resolv.conf": f"search {namespace}.svc.cluster.local\nnameserver 10.96.0.10\n",
            "/README": "This container is simulated: no process runs and nothing is kept.\n",
        }

    def run(self, words: list[str]) -> Result:
        """Runs one command as exec gives it: words, no shell syntax."""
        name, rest = words[0].rpartition("/")[2], words[1:]
        if name in ("sh", "bash", "ash"):
            return self.script(rest[rest.index("-c") + 1]) if "-c" in rest[:-1] else (0, "", "")
        command = _COMMANDS.get(name)
        if command is None:
            return 127, "", f"sh: {words[0]}: not found\n"
        return command(self, rest)

    def knows(self, word: str) -> bool:
        return word.rpartition("/")[2] in (*_COMMANDS, "sh", "bash", "ash")

    def script(self, text: str) -> Result:
        """A line of shell: commands with ; && ||, variables, and > into the made-up files."""
        code, out, err = 0, "", ""
        try:
            lexer = shlex.shlex(text.replace("\n", " ; "), posix=True, punctuation_chars=";&|>")
            lexer.whitespace_split = True
            words = list(lexer)
        except ValueError:
            return 2, "", "sh: syntax error: unterminated quoted string\n"
        run, current = True, []
        for word in [*words, ";"]:
            if word not in (";", "&&", "||"):
                current.append(word)
                continue
            if current and run:
                if current[0] == "exit":
                    return (int(current[1]) if len(current) > 1 and current[1].isdigit() else code), out, err
                code, more, wrong = self._simple(current)
                out, err = out + more, err + wrong
            current = []
            run = word == ";" or (word == "&&") is (code == 0)
        return code, out, err

    def _simple(self, words: list[str]) -> Result:
        words = [self._expand(word) for word in words]
        if ">" in words[:-1]:
            target = self.path(words[words.index(">") + 1])
            code, out, err = self._simple(words[: words.index(">")])
            self.files[target] = out
            return code, "", err
        if "|" in words:
            return 2, "", "sh: pipes are not simulated\n"
        return self.run(words) if words else (0, "", "")

    def _expand(self, word: str) -> str:
        for name, value in sorted(self.environment.items(), key=lambda pair: -len(pair[0])):
            word = word.replace(f"${{{name}}}", value).replace(f"${name}", value)
        return word

    def path(self, text: str) -> str:
        parts: list[str] = []
        for part in (text if text.startswith("/") else f"{self.folder}/{text}").split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join(parts)

    def entries(self, folder: str) -> list[str]:
        start = folder.rstrip("/") + "/"
        every = {*self.files, "/bin/sh", "/tmp/.", "/usr/bin/env", "/var/log/."}
        return sorted({path[len(start) :].partition("/")[0] for path in every if path.startswith(start)} - {"."})


def _echo(shell: Shell, words: list[str]) -> Result:
    end = "" if words[:1] == ["-n"] else "\n"
    return 0, " ".join(words[1:] if words[:1] == ["-n"] else words) + end, ""


def _cat(shell: Shell, words: list[str]) -> Result:
    out = ""
    for word in words:
        found = shell.files.get(shell.path(word))
        if found is None:
            why = "Is a directory" if shell.entries(shell.path(word)) else "No such file or directory"
            return 1, out, f"cat: {word}: {why}\n"
        out += found
    return 0, out, ""


def _ls(shell: Shell, words: list[str]) -> Result:
    places = [word for word in words if not word.startswith("-")] or ["."]
    out = ""
    for word in places:
        path = shell.path(word)
        found = [word] if path in shell.files else shell.entries(path)
        if not found and path not in ("/", "/tmp"):
            return 2, out, f"ls: cannot access '{word}': No such file or directory\n"
        out += "".join(f"{name}\n" for name in found)
    return 0, out, ""


def _cd(shell: Shell, words: list[str]) -> Result:
    path = shell.path(words[0] if words else "/root")
    if path != "/" and not shell.entries(path):
        return 1, "", f"sh: cd: can't cd to {words[0]}: No such file or directory\n"
    shell.folder = path
    return 0, "", ""


def _env(shell: Shell, words: list[str]) -> Result:
    return 0, "".join(f"{name}={value}\n" for name, value in shell.environment.items()), ""


def _ps(shell: Shell, words: list[str]) -> Result:
    command = " ".join([*(shell.container.get("command") or ()), *(shell.container.get("args") or ())])
    return 0, f"PID   USER     TIME  COMMAND\n    1 root      0:00 {command or shell.container['image']}\n", ""


_COMMANDS: dict[str, Callable[[Shell, list[str]], Result]] = {
    "echo": _echo,
    "cat": _cat,
    "ls": _ls,
    "cd": _cd,
    "env": _env,
    "printenv": _env,
    "ps": _ps,
    "hostname": lambda shell, words: (0, shell.environment["HOSTNAME"] + "\n", ""),
    "pwd": lambda shell, words: (0, shell.folder + "\n", ""),
    "whoami": lambda shell, words: (0, "root\n", ""),
    "id": lambda shell, words: (0, "uid=0(root) gid=0(root) groups=0(root)\n", ""),
    "uname": lambda shell, words: (0, "Linux\n", ""),
    "date": lambda shell, words: (0, now() + "\n", ""),
    "true": lambda shell, words: (0, "", ""),
    "false": lambda shell, words: (1, "", ""),
    "sleep": lambda shell, words: (0, "", ""),
    "touch": lambda shell, words: (shell.files.update({shell.path(w): "" for w in words}) or 0, "", ""),
}

"""The simulated shell and its programs, without a server."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.playground.containers.filesystem import FileSystem
from kubetrace.playground.containers.machine import Machine
from kubetrace.playground.containers.pipes import Bytes, Kept, Lines
from kubetrace.playground.containers.redirections import Streams
from kubetrace.playground.containers.shell import Shell
from kubetrace.playground.containers.syntax import ShellSyntaxError, parse


class NoNetwork:
    def addresses(self, host: str, namespace: str) -> list[str]:
        return []

    async def request(self, host: str, port: int, namespace: str, raw: bytes) -> bytes:
        raise LookupError(host)


def run(script: str, stdin: str = "") -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a script in a new container named web."""
    files = FileSystem()
    for place in ("/etc", "/root", "/tmp"):
        files.make_folder(place)
    files.write("/etc/hostname", b"web\n")
    pod = {"metadata": {"name": "web", "namespace": "default"}, "spec": {}}
    environment = {"HOME": "/root", "HOSTNAME": "web", "COLOR": "blue"}
    machine = Machine(pod, {"name": "c"}, files, environment, NoNetwork())
    output, error = Kept(), Kept()

    async def main() -> int:
        shell = Shell.fresh(machine, Streams(Lines(Bytes(stdin.encode())), output, error))
        return await asyncio.wait_for(shell.script(script), 20)

    code = asyncio.run(main())
    return code, output.data.decode(), error.data.decode()


@pytest.mark.parametrize(
    ("script", "code", "out"),
    [
        ("echo $HOSTNAME is ${COLOR}", 0, "web is blue\n"),
        ("cd /etc; pwd; cat hostname", 0, "/etc\nweb\n"),
        ("false && echo no || echo yes", 0, "yes\n"),
        ("echo a > /tmp/f && echo b >> /tmp/f; cat < /tmp/f; wc -l < /tmp/f", 0, "a\nb\n2\n"),
        ("exit 7; echo never", 7, ""),
        ("cat /../../etc/hostname", 0, "web\n"),
        ("", 0, ""),
        ("# a remark\necho a#b # c", 0, "a#b\n"),
        ("seq 10 | grep 1 | tail -n 1", 0, "10\n"),
        ("yes | head -n 2", 0, "y\ny\n"),
        ("for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done", 0, "1\n3\n"),
        ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i", 0, "3\n"),
        ("if test -f /etc/nope; then echo a; elif true; then echo b; else echo c; fi", 0, "b\n"),
        ("case abc in x) echo x;; a*|b) echo match;; *) echo other;; esac", 0, "match\n"),
        ('f() { echo "$1-$#"; return 4; }; f a b; echo $?', 0, "a-2\n4\n"),
        ('x=$(echo hi; false); echo "$x $?"', 0, "hi 1\n"),
        ("echo `echo deep`", 0, "deep\n"),
        ("cat <<END\n$COLOR\nEND\ncat <<'END'\n$COLOR\nEND", 0, "blue\n$COLOR\n"),
        (
            "v=a.tar.gz; echo ${v%.*} ${v%%.*} ${v#*.} ${v##*.} ${#v} ${w:-none} ${v:+set}",
            0,
            "a.tar a tar.gz gz 8 none set\n",
        ),
        ("echo 'a  b' \"c  $COLOR\" d\\ e", 0, "a  b c  blue d e\n"),
        ('(cd /etc; x=1); pwd; echo "[$x]"', 0, "/\n[]\n"),
        ("echo err >&2; echo out 2>/dev/null", 0, "out\n"),
        ("{ echo a; echo b >&2; } 2>&1 | sort -r", 0, "b\na\n"),
        ("set -e; false; echo never", 1, ""),
        ("set -e; if false; then :; fi; false || true; echo on", 0, "on\n"),
        ("! false && echo ok", 0, "ok\n"),
        ("mkdir -p /a/b; touch /a/b/c /a/x; cd /a; echo *; ls; find . -type f", 0, "b x\nb\nx\n./b/c\n./x\n"),
        ("echo $((2+3*4)) $((7/2)) $((-7%3)) $((1<<4)) $((3>2&&1))", 0, "14 3 -1 16 1\n"),
        ("printf '%s=%03d\\n' a 1 b 2", 0, "a=001\nb=002\n"),
        ("A=1 env | grep ^A=; echo [$A]", 0, "A=1\n[]\n"),
        ("export B=2; sh -c 'echo $B $0 $1' me you", 0, "2 me you\n"),
        ("seq 3 | while read n; do echo n$n; done", 0, "n1\nn2\nn3\n"),
        ("echo a,b,c | cut -d, -f2,3 | tr a-z A-Z", 0, "B,C\n"),
        ("echo one two | awk '{print $2, \"x\", $1}'", 0, "two x one\n"),
        ("printf 'a\\nb\\n' | sed -n 's/b/c/p'", 0, "c\n"),
        ("printf '3\\n10\\n2\\n' | sort -n | head -1", 0, "2\n"),
        ("echo secret | base64; echo c2VjcmV0Cg== | base64 -d", 0, "c2VjcmV0Cg==\nsecret\n"),
        ("mkdir /d; echo x > /d/f; tar cf - /d 2>/dev/null | tar tf -", 0, "d\nd/f\n"),
        ("sleep 0.05 & wait; echo after", 0, "after\n"),
        ("timeout 0.05 sleep 5; echo $?", 0, "143\n"),
        ("echo a b | xargs -n 1 echo got", 0, "got a\ngot b\n"),
        ("printf '#!/bin/sh\\necho ran $1\\n' > /tmp/s; chmod +x /tmp/s; /tmp/s now", 0, "ran now\n"),
        ("ln -s /etc/hostname /tmp/l; cat /tmp/l; readlink /tmp/l", 0, "web\n/etc/hostname\n"),
        ("echo x | tee /tmp/t; mv /tmp/t /tmp/u; cat /tmp/u; rm /tmp/u; ls /tmp", 0, "x\nx\n"),
    ],
)
def test_scripts(script: str, code: int, out: str) -> None:
    assert run(script)[:2] == (code, out)


@pytest.mark.parametrize(
    ("script", "code", "told"),
    [
        ("nope", 127, "sh: nope: not found\n"),
        ("cat /etc/passwd", 1, "cat: /etc/passwd: No such file or directory\n"),
        ("ls /nope", 2, "ls: cannot access '/nope': No such file or directory\n"),
        ("cd /nope", 1, "sh: cd: can't cd to /nope: No such file or directory\n"),
        ("echo x > /no/where", 1, "sh: can't create /no/where: nonexistent directory\n"),
        ("rm /tmp", 1, "rm: cannot remove '/tmp': Is a directory\n"),
        ("grep -z x", 1, "grep: invalid option -- 'z'\n"),
        ("echo 'open", 2, "sh: syntax error: unterminated quoted string\n"),
        ("if true; then", 2, "sh: syntax error: unexpected end of file\n"),
        ("for; do", 2, "sh: syntax error: bad for loop variable\n"),
        ("echo $((1/0))", 2, "sh: divide by zero\n"),
        ("/etc/hostname", 126, "sh: /etc/hostname: Permission denied\n"),
        ("set -u; echo $none", 2, "sh: none: parameter not set\n"),
        ("curl http://nowhere/", 6, "curl: (6) Could not resolve host: nowhere\n"),
    ],
)
def test_failures_say_what_a_shell_says(script: str, code: int, told: str) -> None:
    found = run(script)
    assert (found[0], found[2]) == (code, told)


def test_lines_typed_at_a_shell_without_a_terminal() -> None:
    assert run("sh", stdin="cd /etc\nif true\nthen echo two; fi\npwd\nexit 3\necho no\n") == (3, "two\n/etc\n", "")


def test_files_are_bounded() -> None:
    assert run("dd if=/dev/zero of=/a bs=1M count=20; dd if=/dev/zero of=/b bs=1M count=20") == (
        1,
        "",
        "20971520 bytes copied\ndd: No space left on device\n",
    )
    assert run("x=aaaaaaaaaa; while true; do x=$x$x || exit 5; done")[0] == 5


def test_a_busy_loop_leaves_time_to_others() -> None:
    async def main() -> int:
        files = FileSystem()
        machine = Machine({"metadata": {"name": "p"}, "spec": {}}, {"name": "c"}, files, {}, NoNetwork())
        shell = Shell.fresh(machine, Streams(Lines(Bytes()), Kept(), Kept()))
        busy = asyncio.create_task(shell.script("while true; do :; done"))
        turns = 0
        for _ in range(50):
            await asyncio.sleep(0)
            turns += 1
        busy.cancel()
        return turns

    assert asyncio.run(main()) == 50


@given(st.text(alphabet="ab$`'\"\\(){};&|<>= \n#*!1", max_size=40))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        parse(text)
    except ShellSyntaxError:
        return

"""The simulated shell and its programs, without a server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.playground.containers.filesystem import FileSystem
from kubetrace.playground.containers.machine import Machine
from kubetrace.playground.containers.pipes import Bytes, Kept, Lines
from kubetrace.playground.containers.redirections import Streams
from kubetrace.playground.containers.shell import Shell
from kubetrace.playground.containers.syntax import ShellSyntaxError, parse

GOLDEN = json.loads((Path(__file__).parent / "golden" / "shell.json").read_text())
"""Recorded from busybox by tests/tools/record_shell.py."""


class NoNetwork:
    def addresses(self, host: str, namespace: str) -> list[str]:
        return []

    def full_name(self, host: str, namespace: str) -> str:
        return host

    def is_api(self, host: str, port: int, namespace: str) -> bool:
        return False

    def is_pod(self, address: str) -> bool:
        return False

    async def request(self, host: str, port: int, namespace: str, raw: bytes, tls: bool = False) -> bytes:
        raise LookupError(host)


def run(script: str, stdin: str = "", context: dict[str, int] | None = None) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a script in a new container named web."""
    files = FileSystem()
    for place in ("/etc", "/root", "/tmp"):
        files.make_folder(place)
    files.get("/tmp").mode = 0o1777
    files.write("/etc/hostname", b"web\n")
    pod = {"metadata": {"name": "web", "namespace": "default"}, "spec": {}}
    environment = {"HOME": "/root", "HOSTNAME": "web", "COLOR": "blue"}
    machine = Machine(pod, {"name": "c", "securityContext": context}, files, environment, NoNetwork())
    files.uid, files.gid, files.groups = machine.user, machine.group, frozenset(machine.groups)
    output, error = Kept(), Kept()

    async def main() -> int:
        shell = Shell.fresh(machine, Streams(Lines(Bytes(stdin.encode())), output, error))
        machine.processes[1] = "sh"
        return await asyncio.wait_for(shell.run(["sh", "-c", script], 1), 20)

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
        ("trap 'echo bye' EXIT; echo hi; exit 3", 3, "hi\nbye\n"),
        ("(trap 'echo sub' EXIT; echo in); echo out", 0, "in\nsub\nout\n"),
        ("trap 'echo usr; exit 4' USR1; kill -USR1 $$; echo never", 4, "usr\n"),
        ("trap 'echo x' TERM; trap; trap - TERM; trap", 0, "trap -- 'echo x' TERM\n"),
        ("sleep 60 & kill $!; wait $!; echo $?", 0, "143\n"),
        ("(exit 5) & wait $!; echo $?", 0, "5\n"),
        ('f() { local a b=3; a=5; echo $a$b; }; a=1; f; echo "[$a$b]"', 0, "53\n[1]\n"),
        ("x=5; echo $((x++)) $x $((++x)) $((x--)) $((--x))", 0, "5 6 7 7 5\n"),
        ("echo $((010)) $((2**10)) $((x=3, x*2))", 0, "8 1024 6\n"),
        ("exec 3>/tmp/f; echo three >&3; exec 3>&-; cat /tmp/f", 0, "three\n"),
        ("exec 3</etc/hostname; read a <&3; echo got $a", 0, "got web\n"),
        ('echo x:y:z:w | while IFS=: read -r a b c; do echo "$a|$b|$c"; done', 0, "x|y|z:w\n"),
        ('IFS=,; set -- $(echo a,b,c); echo $# $2; echo "$*"', 0, "3 b\na,b,c\n"),
        ('for i in "$@"; do echo [$i]; done; set -- a "b c"; printf "<%s>" "$@" $*', 0, "<a><b c><a><b><c>"),
        ("v=hello; echo ${v:1:3} ${v/l/L} ${v//l/L} ${v: -2} $'x\\ty'", 0, "ell heLlo heLLo lo x\ty\n"),
        ('[[ abc == a* && -n x ]] && echo yes; [[ -n "" ]] || echo no', 0, "yes\nno\n"),
        ("set -e; f() { false; echo on; }; f || echo caught; f && echo x; f; echo never", 1, "on\non\nx\n"),
        ("while getopts ab: o -a -b v x; do echo $o $OPTARG; done; echo $OPTIND", 0, "a\nb v\n4\n"),
        ("printf 'a b\\\nc\n' | { read x; echo $x; }", 0, "a bc\n"),
        ("echo a \\\n  b; echo 'c\\\nd' \"e\\\nf\"; ec\\\nho g && \\\necho h", 0, "a b\nc\\\nd ef\ng\nh\n"),
        ("umask; umask 077; umask; mkdir -p d/e; echo */", 0, "0022\n0077\nd/ etc/ root/ tmp/\n"),
        ("cd /tmp; cd /etc; cd -; alias e='echo x'; alias", 0, "/tmp\ne='echo x'\n"),
        ("echo 'echo sourced $1; return 3' > /s; . /s a; echo $?", 0, "sourced a\n3\n"),
        ('[ a \\< b ] && echo lt; cat <<< "$COLOR"', 0, "lt\nblue\n"),
        ("echo x | tee /tmp/t; mv /tmp/t /tmp/u; cat /tmp/u; rm /tmp/u; ls /tmp", 0, "x\nx\n"),
    ],
)
def test_scripts(script: str, code: int, out: str) -> None:
    assert run(script)[:2] == (code, out)


@pytest.mark.parametrize(("script", "code", "out"), GOLDEN["scripts"])
def test_scripts_as_busybox_runs_them(script: str, code: int, out: str) -> None:
    assert run(f"cd /tmp; {script}")[:2] == (code, out)


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
        ("R=1; readonly R; R=2; echo never", 2, "sh: R: is read only\n"),
        (". /none; echo never", 2, "sh: .: can't open '/none': No such file or directory\n"),
        ("set -x; echo 'a b'", 0, "+ echo 'a b'\n"),
        ("set -u; echo $none", 2, "sh: none: parameter not set\n"),
        ("curl http://nowhere/", 6, "curl: (6) Could not resolve host: nowhere\n"),
    ],
)
def test_failures_say_what_a_shell_says(script: str, code: int, told: str) -> None:
    found = run(script)
    assert (found[0], found[2]) == (code, told)


def test_lines_typed_at_a_shell_without_a_terminal() -> None:
    assert run("sh", stdin="cd /etc\nif true\nthen echo two; fi\npwd\nexit 3\necho no\n") == (3, "two\n/etc\n", "")


def test_a_user_who_is_not_root() -> None:
    context = {"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000}
    found = run("id; whoami; touch /etc/x; touch /tmp/y; ls -l /tmp | awk 'NR>1 {print $3, $4}'", context=context)
    assert found == (
        0,
        "uid=1000 gid=3000 groups=2000,3000\n1000 3000\n",
        "whoami: unknown uid 1000\ntouch: /etc/x: Permission denied\n",
    )


def test_files_are_bounded() -> None:
    code, _, told = run("dd if=/dev/zero of=/a bs=1M count=20 status=none; dd if=/dev/zero of=/b bs=1M count=20")
    assert (code, told) == (1, "dd: No space left on device\n")
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

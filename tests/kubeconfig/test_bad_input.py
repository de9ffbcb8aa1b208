"""Kubeconfigs that can't be read: one clear line, never a traceback, no credential in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubetrace.kubeconfig.config import load
from kubetrace.kubeconfig.decode import decode
from kubetrace.kubeconfig.encode import encode, to_yaml
from kubetrace.kubeconfig.errors import ConfigError, MissingConfig
from kubetrace.kubeconfig.overrides import Overrides


def complaint(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load({"KUBECONFIG": str(path)})
    lines = caught.value.lines()
    assert len(lines) == 1
    return lines[0]


def test_an_explicit_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(MissingConfig, match=f"stat {tmp_path}/none: no such file or directory"):
        load({}, str(tmp_path / "none"))


def test_a_folder(tmp_path: Path) -> None:
    assert complaint(tmp_path) == f'error: error loading config file "{tmp_path}": read {tmp_path}: is a directory'


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.touch(mode=0)
    assert complaint(path) == f'error: error loading config file "{path}": open {path}: permission denied'


def test_a_file_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "config"
    assert complaint(path).endswith("config: not a directory")


def test_a_name_with_nul(tmp_path: Path) -> None:
    text = 'users:\n- name: u\n  user: {tokenFile: "a\\0b"}\ncontexts:\n- {name: c, context: {user: u, cluster: k}}\n'
    (tmp_path / "config").write_text(text + "current-context: c\n", encoding="utf-8")
    config = load({"KUBECONFIG": str(tmp_path / "config")})
    from kubetrace.kubeconfig.config import Overrides

    with pytest.raises(ConfigError, match="invalid argument"):
        config.connect(Overrides(server="https://h"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a: \xff\n", "yaml: invalid leading UTF-8 octet"),
        (b"a: \0\n", "yaml: control characters are not allowed"),
        (b"\xff\xfe\n", "yaml: incomplete UTF-16 character"),
        (b"[" * 20000, "yaml: exceeded max depth of 10000"),
        (b"a: &a [x]\nb: &b [" + b"*a," * 99 + b"]\nc: [" + b"*b," * 99 + b"]\nd: [" + b"*b," * 99 + b"]", "excessive"),
    ],
)
def test_bytes_that_are_no_kubeconfig(data: bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        decode(data)


def test_a_duplicate_name_shows_no_credential() -> None:
    with pytest.raises(ConfigError) as caught:
        decode(b"users:\n- {name: a, user: {token: s3cret}}\n- {name: a, user: {token: s3cret}}\n")
    assert 'duplicate name "a" in list' in str(caught.value)
    assert "s3cret" not in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text(alphabet="{}[]:,-&*!|>'\"%@`#? \n\tab1.<", max_size=40)))
def test_any_text_is_read_or_refused_in_words(data: bytes | str) -> None:
    try:
        decode(data if isinstance(data, bytes) else data.encode())
    except ConfigError as error:
        assert error.lines()


_WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(_WORDS, st.tuples(_WORDS, _WORDS), max_size=3),
    st.dictionaries(_WORDS, st.tuples(_WORDS, st.binary(max_size=9)), max_size=3),
    _WORDS,
)
def test_what_is_written_reads_back(
    contexts: dict[str, tuple[str, str]], users: dict[str, tuple[str, bytes]], current: str
) -> None:
    from kubetrace.kubeconfig.sections import Config, Context, User
    from kubetrace.value import replace

    config = Config(
        contexts={name: Context(cluster=cluster, namespace=space) for name, (cluster, space) in contexts.items()},
        users={name: User(token=token, client_key_data=key or None) for name, (token, key) in users.items()},
        current_context=current,
    )
    again = decode(to_yaml(config))
    assert encode(again) == encode(config)
    assert replace(again) == config


def test_an_unknown_cluster_has_no_server(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("contexts: [{name: c, context: {cluster: x, user: u}}]\ncurrent-context: c\n")
    with pytest.raises(ConfigError) as raised:
        load({"KUBECONFIG": str(path)}).namespace(Overrides(cluster="nope"))
    assert raised.value.lines() == ['error: no server found for cluster "nope"']

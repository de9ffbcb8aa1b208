"""go-template. data/go_templates.json holds what kubectl 1.36 made of each template (tests/tools/record_templates)."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kubetrace.errors import KubetraceError
from kubetrace.printing.formats import OutputOptions, get_printer
from kubetrace.wire.go_json import loads
from tests.conformance.plane import assets_from
from tests.tools import record_templates

RECORDED = json.loads((Path(__file__).parent / "data" / "go_templates.json").read_text())
OBJECT = loads(json.dumps(RECORDED["object"]).encode())


def outcome(template: str, strict: bool = False) -> tuple[str, str, int]:
    """stdout, stderr and exit code of a command that prints the recorded object through a template."""
    out = io.StringIO()
    options = OutputOptions(output=f"go-template={template}", allow_missing_keys=not strict)
    try:
        printer = get_printer(options, {})
        assert printer is not None
        printer.print(OBJECT, out)
    except KubetraceError as error:
        return _rejoined(out.getvalue()), "\n".join(error.lines()) + "\n", error.exit_code
    return _rejoined(out.getvalue()), "", 0


def _rejoined(text: str) -> str:
    """As a terminal gets it: halves of a character, printed one after the other, are one."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: case["template"])
def test_templates_give_what_kubectl_gives(case: dict[str, Any]) -> None:
    expected = case["out"].replace("{RAW}", RECORDED["raw"]).replace("{DATA}", RECORDED["data"])
    assert outcome(case["template"], case.get("strict", False)) == (expected, case["err"], case["code"])


# --- generated templates, when the real kubectl is at hand ------------------------------------------------------------

_assets = assets_from(os.environ)
KUBECTL = _assets and next((p for p in (_assets / "kubectl-1.36", _assets / "kubectl") if p.exists()), None)

_OPERANDS = """
1 0 -3 1.5 2.0 0x1F 1i 'a' "text" "é" "" `raw` true false nil . $ .s .n .l .m .one .pi .t .f .nope .rows .m.c.d
.m.nope.x .s.x $.m.a $v $v.x .mixed .uni .metadata.labels (.m).c
"""
_FUNCTIONS = """
and or not len index slice eq ne lt le gt ge print println printf html js urlquery call exists base64decode
"""
_operands = st.sampled_from([*_OPERANDS.split(), "(len .l)", "(index .l 1)", "(print 1 2)"])
_functions = st.sampled_from(_FUNCTIONS.split())
_formats = st.builds(
    '"{}%{}{}{}"'.format,
    st.sampled_from(["", "x", "%d "]),
    st.text("+-# 0", max_size=2),
    st.sampled_from(["", "5", "05", ".1", "8.3", "*", "[1]", "[2]", "[9]"]),
    st.sampled_from("vdsqxXeEfgGtTcUbo%z"),
)


def _call(function: str, arguments: list[str]) -> str:
    return " ".join([function, *arguments])


_calls = st.one_of(
    st.builds(_call, _functions, st.lists(_operands, max_size=3)),
    st.builds(lambda text, rest: _call("printf", [text, *rest]), _formats, st.lists(_operands, max_size=3)),
)
_commands = st.one_of(_operands, _calls, st.builds("({})".format, _calls))
_pipelines = st.one_of(
    st.lists(_commands, min_size=1, max_size=3).map(" | ".join),
    st.builds("{} ({}) {}".format, _functions, _calls, _operands),
)
_openings = st.sampled_from(["{{", "{{- ", "{{ "])
_closings = st.sampled_from(["}}", " -}}", " }}"])
_actions = st.builds("{}{}{}".format, _openings, _pipelines, _closings)
_texts = st.sampled_from(["", "a", " b ", "\n", " \n\t", "{", "}}", "é"])
_leaves = st.one_of(
    _texts,
    _actions,
    st.builds("{{{{$v := {}}}}}".format, _pipelines),
    st.builds("{{{{$v = {}}}}}".format, _operands),
    st.sampled_from(["{{break}}", "{{continue}}", "{{/* c */}}", "{{- /* c */ -}}", '{{template "t" .m}}', "{{end}}"]),
)


def _branches(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    ranges = st.sampled_from(["", "$v := ", "$i, $v := ", "$v = "])
    return st.one_of(
        st.builds("{}{}{}".format, inner, inner, inner),
        st.builds("{{{{if {}}}}}{}{{{{else}}}}{}{{{{end}}}}".format, _pipelines, inner, inner),
        st.builds("{{{{if {}}}}}{}{{{{else if {}}}}}{}{{{{end}}}}".format, _pipelines, inner, _pipelines, inner),
        st.builds("{{{{with {}{}}}}}{}{{{{else}}}}{}{{{{end}}}}".format, ranges, _pipelines, inner, inner),
        st.builds("{{{{range {}{} -}}}}{}{{{{end}}}}".format, ranges, _pipelines, inner),
        st.builds("{{{{range {}{}}}}}{}{{{{else}}}}{}{{{{end}}}}".format, ranges, _operands, inner, inner),
        st.builds('{{{{define "t"}}}}{}{{{{end}}}}'.format, inner),
        st.builds('{{{{block "u" {}}}}}{}{{{{end}}}}'.format, _operands, inner),
    )


templates = st.builds(
    "{}{}".format, st.sampled_from(["", "{{$v := 1}}"]), st.recursive(_leaves, _branches, max_leaves=5)
)


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl in KUBEBUILDER_ASSETS")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(templates, st.booleans())
def test_generated_templates_give_what_kubectl_gives(template: str, strict: bool) -> None:
    assume(template)
    real = record_templates.run(str(KUBECTL), template, strict, RECORDED["object"])
    assert outcome(template, strict) == (real["out"], real["err"], real["code"])

"""Go templates for record_templates.py: what they are run on, and the templates."""

from __future__ import annotations

from itertools import product
from typing import Any

OBJECT: dict[str, Any] = {
    "apiVersion": "example.com/v1",
    "kind": "Thing",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web", "tier/x": "front"}},
    "t": True,
    "f": False,
    "n": None,
    "zero": 0,
    "one": 1,
    "neg": -42,
    "large": 9007199254740993,
    "huge": 12345678901234567890,
    "pi": 3.14159,
    "half": 0.5,
    "whole": 2.0,
    "tiny": 1.5e-7,
    "vast": 1e21,
    "s": "text",
    "empty": "",
    "num": "12",
    "uni": "héllo wörld €",
    "html": "<a href=\"x\" class='y'>&amp;</a>",
    "ctl": "tab\tnew\nline\x01\x7f",
    "b64": "aGVsbG8gd29ybGQ=",
    "bin": "//79",
    "bad64": "abc",
    "l": [1, 2, 3],
    "mixed": [1, 2.5, "x", None, True, {"k": "v"}, [1, "y"]],
    "none": [],
    "names": ["b", "a", "c"],
    "m": {"b": 2, "a": 1, "c": {"d": "deep"}},
    "em": {},
    "nulls": {"x": None},
    "rows": [
        {"name": "a", "size": 1, "tags": ["x", "y"], "on": True},
        {"name": "b", "size": 2.5, "tags": [], "on": False},
        {"name": "c", "size": None, "extra": {"deep": {"er": 1}}},
    ],
}

# %p shows an address.
_OPERANDS = (
    ".t",
    ".zero",
    ".one",
    ".neg",
    ".huge",
    ".pi",
    ".s",
    ".uni",
    ".n",
    ".l",
    ".mixed",
    ".m",
    ".nope",
    "(len .l)",
)
_MORE_OPERANDS = (
    "(index .s 1)",
    "65",
    "'x'",
    "1.5",
    "1i",
    "nil",
    "true",
    '"q\\"q"',
    ".bin",
    ".tiny",
    ".vast",
    ".whole",
    ".ctl",
)
_VERBS = "vTtbcdoOqxXUeEfFgGswz%"
_FLAGS = ("", "+", "-8", "#", "08", " ", "8.2", "08.2", "#8", ".0", "+08")


def _printf_grid() -> list[str]:
    """Each template prints one operand through every verb with every flag."""
    directives = [flags + verb for verb, flags in product(_VERBS, _FLAGS)]
    return [
        "\n".join(f'{{{{printf "[%{directive}]" {operand}}}}}' for directive in directives)
        for operand in (*_OPERANDS, *_MORE_OPERANDS)
    ]


_TEXT = r"""
plain text
{{.s}}
{{.}}
{{ .s }}
{{.s}}{{.one}}
{{$}}
{{$.s}}
{{.metadata.name}}
{{.metadata.nope}}
{{.nope}}
{{.nope.nope}}
{{.n}}
{{.n.x}}
{{.s.x}}
{{.one.x}}
{{.l.x}}
{{.m.c.d}}
{{.m.c.d.e}}
{{(.m).a}}
{{(.m).c.d}}
{{(index .m "c").d}}
{{(index .m "z").d}}
{{(len .l).x}}
{{.l}} {{.mixed}} {{.m}} {{.em}} {{.none}} {{.nulls}}
{{.t}} {{.f}} {{.zero}} {{.neg}} {{.large}} {{.huge}}
{{.pi}} {{.half}} {{.whole}} {{.tiny}} {{.vast}}
{{"quoted \t \u00e9 \x41 \101 \"x\""}}
{{"\xc3\xa9"}}{{"\xff" | printf "%q"}}
{{`raw \n`}}
{{'a'}} {{'\n'}} {{'\''}} {{'\xff'}} {{'é'}} {{'\u20ac'}}
{{''}}
{{'ab'}}
{{'\q'}}
{{1}} {{-1}} {{+1}} {{0x1F}} {{0b101}} {{0o17}} {{017}} {{1_000}} {{0x_F}}
{{1e3}} {{1.5}} {{.5}} {{1.}} {{1e-3}} {{0x1p4}} {{0x1.8p1}} {{1E3}}
{{1i}} {{2.5i}} {{1+2i}} {{1-2i}} {{-1.5+2e1i}} {{0i}}
{{089}}
{{0x}}
{{1__0}}
{{9223372036854775807}}
{{9223372036854775808}}
{{-9223372036854775808}}
{{-9223372036854775809}}
{{18446744073709551615}}
{{18446744073709551616}}
{{1e400}}
{{12x}}
{{1+2}}
{{1+2ix}}
{{+}}
{{.}}{{/* comment */}}x
a {{- /* comment */ -}} b
{{/* unclosed
{{/* comment */x}}
{{ /* comment */}}
a  {{- .s -}}  b
a  {{- .s }}  b
a  {{ .s -}}  b
{{-3}}
{{- 3}}
{{3 -}} x
{{3-}}
{{- .s -}}
{{.s -}}{{- .one}}
{{true}} {{false}}
{{nil}}
{{nil.x}}
{{true.x}}
{{1.x}}
{{"a".x}}
{{..}}
{{.s.}}
{{. s}}
{{.s .one}}
{{.s | .one}}
{{.s | print}}
{{.s | print "a"}}
{{.s | printf "%s-%s" "x"}}
{{"%s" | printf}}
{{.s | printf "%v" | printf "%q"}}
{{1 | 2}}
{{.s | 2}}
{{.s | "x"}}
{{.s | true}}
{{.s | nil}}
{{.s | .}}
{{.s | $}}
{{.s | (print "a")}}
{{1 2}}
{{"a" "b"}}
{{. .s}}
{{$ .s}}
{{$x := 1}}{{$x}}
{{$x := .s}}{{$x}}{{$x = .one}}{{$x}}
{{$x}}
{{$x = 1}}
{{$x := $x}}
{{$x:=1}}{{$x}}
{{$x := 1 | printf "%03d"}}{{$x}}
{{$x, $y := .l}}
{{$x := .m}}{{$x.a}} {{$x.c.d}} {{$x.zz}}
{{$ := 1}}{{$}}
{{with $x := .s}}{{$x}}{{end}}{{$x}}
{{if $x := .s}}{{$x}}{{end}}
{{($x := 1)}}{{$x}}
{{if .t}}yes{{end}}
{{if .f}}yes{{end}}
{{if .f}}yes{{else}}no{{end}}
{{if .zero}}1{{else if .empty}}2{{else if .s}}3{{else}}4{{end}}
{{if .n}}1{{else if .none}}2{{else if .em}}3{{else if .nope}}4{{else}}5{{end}}
{{if .f}}1{{else with .s}}2{{end}}
{{if}}x{{end}}
{{if .t}}x
{{if .t}}x{{else}}y
{{if .t}}x{{else}}y{{else}}z{{end}}
{{end}}
{{else}}
x{{end}}y
{{if .t}}{{end .x}}
{{if .t}}{{else .x}}{{end}}
{{with .m}}{{.a}} {{$.s}}{{end}}
{{with .nope}}x{{else}}none {{.s}}{{end}}
{{with .f}}1{{else with .m}}{{.a}}{{else}}3{{end}}
{{with .f}}1{{else if .m}}2{{end}}
{{with .s}}{{.x}}{{end}}
{{with $y := .m}}{{$y.a}}{{.b}}{{end}}
{{range .l}}{{.}},{{end}}
{{range .none}}x{{else}}empty{{end}}
{{range .nope}}x{{else}}empty{{end}}
{{range .n}}x{{else}}empty{{end}}
{{range .em}}x{{else}}empty{{end}}
{{range $i, $x := .names}}{{$i}}={{$x}} {{end}}
{{range $x := .names}}{{$x}} {{end}}
{{range $k, $v := .m}}{{$k}}={{$v}} {{end}}
{{range .m}}{{.}} {{end}}
{{range $k, $v := .rows}}{{$k}}{{$v.name}}{{.size}}{{end}}
{{range .rows}}{{.name}} {{.size}} {{.on}} {{.extra.deep.er}}{{"\n"}}{{end}}
{{range .rows}}{{range .tags}}{{.}}{{else}}-{{end}}{{end}}
{{range .rows}}{{if .on}}{{.name}}{{end}}{{end}}
{{range .s}}x{{end}}
{{range .t}}x{{end}}
{{range .pi}}x{{end}}
{{range 1.5}}x{{end}}
{{range 3}}{{.}}{{end}}
{{range .one}}{{.}}{{printf "%T" .}}{{end}}
{{range 0}}x{{else}}zero{{end}}
{{range -1}}x{{else}}zero{{end}}
{{range $x := 2}}{{$x}}{{end}}
{{range $i, $x := 2}}{{$x}}{{end}}
{{range $i, $x, $y := .l}}{{end}}
{{range $i, := .l}}{{end}}
{{range $i, 3}}{{end}}
{{range $i,}}{{end}}
{{range $i := .l}}{{end}}{{$i}}
{{range $x, $x := .names}}{{$x}} {{end}}
{{$i := 5}}{{range $i, $x := .l}}{{$i}}{{end}}{{$i}}
{{$i := 5}}{{range $i = .l}}{{$i}}{{end}}{{$i}}
{{$i := 5}}{{$x := 0}}{{range $i, $x = .l}}{{$i}}{{$x}}{{end}}{{$i}}{{$x}}
{{range .l}}{{if eq . 2}}{{break}}{{end}}{{.}}{{end}}
{{range .l}}{{if eq . 2}}{{continue}}{{end}}{{.}}{{end}}
{{range .l}}{{range $.names}}{{break}}{{end}}{{.}}{{end}}
{{range .l}}{{$x := .}}{{if eq . 2}}{{continue}}{{end}}{{$x}}{{end}}
{{break}}
{{continue}}
{{range .l}}{{break .}}{{end}}
{{range .l}}{{end}}{{break}}
{{range .none}}{{else}}{{break}}{{end}}
{{range .l}}x{{else}}{{continue}}{{end}}
{{range .mixed}}[{{.}}]{{end}}
{{range .mixed}}{{printf "%T " .}}{{end}}
{{range .mixed}}{{.x}}{{end}}
{{range .names}}{{.x}}{{end}}
{{range .nulls}}{{.}}{{.x}}{{end}}
{{range}}{{end}}
{{range .l}}
{{range .l}}{{.}}{{else}}{{end}}{{end}}
{{define "a"}}A{{.}}{{end}}{{template "a" .s}}{{template "a"}}
{{define "a"}}{{$.name}}{{end}}{{template "a" .metadata}}
{{define "a"}}{{$x}}{{end}}{{$x := 1}}
{{$x := 1}}{{define "a"}}{{$x}}{{end}}
{{define "a"}}{{end}}
{{define "a"}}1{{end}}{{define "a"}}2{{end}}{{template "a"}}
{{define "a"}} {{end}}{{define "a"}}2{{end}}{{template "a"}}
{{define "output"}}inner{{end}}
{{define "output"}}inner{{end}}outer
{{define "a"}}
{{define a}}{{end}}
{{define "a" .}}{{end}}
{{define "a}}{{end}}
{{define `raw`}}R{{end}}{{template `raw`}}
{{define "a"}}{{else}}{{end}}
{{if .t}}{{define "a"}}{{end}}{{end}}
{{template "nope"}}
{{template "nope" .}}
{{template}}
{{template .s}}
{{template "a" . .}}
{{template "a" .x.}}
{{define "a"}}{{.s.x}}{{end}}{{template "a" .}}
{{define "a"}}{{range .}}{{template "b" .}}{{end}}{{end}}{{define "b"}}<{{.}}>{{end}}{{template "a" .l}}
{{block "a" .m}}{{.a}}{{end}}
{{block "a"}}{{end}}
{{block .x .m}}{{end}}
{{block "a" .m}}{{.a}}{{else}}{{end}}
{{define "a"}}redefined{{end}}{{block "a" .}}x{{end}}
{{and .t .s}} {{and .f .s}} {{and .s .zero .nope.x}} {{and .t}} {{and 1 2 3}}
{{or .f .s}} {{or .zero .empty}} {{or .nope .one}} {{or .s (index .l 99)}} {{or .f}}
{{and .s (index .l 99)}}
{{or .f (index .l 99)}}
{{and}}
{{or}}
{{.s | and .t}} {{.f | or .f}} {{.s | or .one}}
{{not .t}} {{not .f}} {{not .zero}} {{not .nope}} {{not .n}} {{not .em}} {{not "x"}}
{{not}}
{{not 1 2}}
{{and nil}} {{or nil .s}}
{{and .n}} {{or .n}}
{{len .l}} {{len .s}} {{len .uni}} {{len .m}} {{len .none}} {{len .em}} {{len "é"}}
{{len .one}}
{{len .n}}
{{len .nope}}
{{len nil}}
{{len}}
{{len .l .m}}
{{len .t}}
{{index .l 0}} {{index .l 2}} {{index .m "a"}} {{index .m "c" "d"}} {{index .rows 0 "name"}}
{{index .metadata.labels "tier/x"}}
{{index .l 3}}
{{index .l 4}}
{{index .l -1}}
{{index .l "a"}}
{{index .l 1.5}}
{{index .l nil}}
{{index .l .n}}
{{index .m 1}}
{{index .m nil}}
{{index .m .nope}}
{{index .m "zz"}} {{index .m "zz" | printf "%v"}}
{{index .m "zz" "y"}}
{{index .m "a" "y"}}
{{index .s 0}} {{index .s 0 | printf "%c %T"}} {{index .uni 1}}
{{index .s 4}}
{{index .s 5}}
{{index .n 0}}
{{index .nope 0}}
{{index nil}}
{{index .l}}
{{index}}
{{index .one 1}}
{{index .l .one}} {{index .l .whole}}
{{index .l (len .names)}}
{{.l | index}}
{{0 | index .l}}
{{slice .l}} {{slice .l 1}} {{slice .l 1 2}} {{slice .l 0 0}} {{slice .l 0 1 2}}
{{slice .l 0 4}}
{{slice .l 4}}
{{slice .l 0 5}}
{{slice .l 2 1}}
{{slice .l 0 2 1}}
{{slice .l 0 1 2 3}}
{{slice .names 0 4 4}}
{{slice .s 1 3}} {{slice .s 4}} {{slice .uni 0 3}}
{{slice .uni 0 2}}{{slice .uni 2}}
{{slice .s 5}}
{{slice .s 0 1 2}}
{{slice .m}}
{{slice .one}}
{{slice .n}}
{{slice .nope}}
{{slice nil}}
{{slice .l "a"}}
{{slice .l nil}}
{{slice}}
{{eq .one 1}} {{eq .s "text"}} {{eq .pi 3.14159}} {{eq .t true}} {{eq .one 2 1}} {{eq .zero 1 2}}
{{eq .one 1.0}}
{{eq .one "1"}}
{{eq .s 1}}
{{eq .one 2 "x"}}
{{eq .one 1 "x"}}
{{eq .n nil}} {{eq .nope nil}} {{eq nil nil}} {{eq .n .nope}} {{eq .one nil}} {{eq .m nil}} {{eq .l .n}}
{{eq .m .m}}
{{eq .l .l}}
{{eq .l .m}}
{{eq .m 1}}
{{eq .s .m}}
{{eq 1}}
{{eq}}
{{eq (index .s 0) 116}} {{eq 116 (index .s 0)}} {{eq -1 (index .s 0)}} {{eq (index .s 0) (index .s 0)}}
{{eq 1i 1i}} {{eq 1i 2i}} {{eq 'a' 97}}
{{ne .one 1}} {{ne .s "x"}} {{ne .n nil}}
{{ne .one "x"}}
{{ne 1}}
{{ne 1 2 3}}
{{lt 1 2}} {{lt .one .neg}} {{lt .half .pi}} {{lt "a" "b"}} {{lt .s "zz"}} {{lt "é" "z"}}
{{lt 1 1.5}}
{{lt .t .f}}
{{lt .l .l}}
{{lt .n 1}}
{{lt .nope 1}}
{{lt "a" 1}}
{{lt 1i 2i}}
{{lt (index .s 0) 200}} {{lt -1 (index .s 0)}} {{lt (index .s 0) -1}}
{{le 1 1}} {{le 2 1}} {{le "b" "a"}} {{le .pi .pi}}
{{le 1 "a"}}
{{gt 2 1}} {{gt 1 1}} {{gt "b" "a"}} {{gt .large 1}}
{{gt 1 "a"}}
{{ge 1 1}} {{ge 1 2}} {{ge "a" "a"}}
{{ge 1 nil}}
{{print}} {{print 1}} {{print 1 2}} {{print "a" 1 2 "b" "c" 3 nil .t}} {{print .l .m}} {{print nil}}
{{println}}{{println 1 "a" nil .l}}
{{printf}}
{{printf "x"}} {{printf "%d" 1}} {{printf "%d %s" 1 "a"}}
{{printf 1}}
{{printf .one}}
{{printf .n}}
{{printf .nope}}
{{printf nil}}
{{printf .s 1 "x" nil}}
{{printf "%d"}} {{printf "%d %d" 1}} {{printf "%"}} {{printf "%!"}} {{printf "100%%"}} {{printf "%z" 1}}
{{printf "%[2]d %[1]d" 1 2}} {{printf "%[3]d" 1 2}} {{printf "%[0]d" 1}} {{printf "%[x]d" 1}} {{printf "%[" 1}}
{{printf "%[1" 1}}
{{printf "%[2]*[1]d|" 1 5}} {{printf "%*d|" 5 1}} {{printf "%-*d|" 5 1}} {{printf "%*d|" -5 1}} {{printf "%*d" "a" 1}}
{{printf "%.*f|" 2 3.14159}} {{printf "%.*f|" -2 3.14159}} {{printf "%.*d" "a" 1}} {{printf "%[1]d %d %[1]d %d" 1 2}}
{{printf "%6.2f|%-8s|%08.3f|%+d|%x|%X|%o|%b|%e|%g" 3.14159 "ab" 2.5 3 255 255 8 5 12345.678 1e20}}
{{printf "%99999999d" 1}} {{printf "%.99999999d" 1}} {{printf "%[99999999]d" 1}}
{{printf "%5.1q|%-5q|%+q|%#q" "abc" "d" "é" "a`b"}} {{printf "%#q" "plain"}}
{{printf "%x % x %#x %# x %X" "héy" "abc" "abc" "abc" "xyz"}} {{printf "%.2x" "abc"}}
{{printf "%10x|%-10x|%010x" "a" "b" "c"}}
{{printf "%U %#U %#.6U" 8364 8364 97}} {{printf "%c%c" 8364 65}} {{printf "%q %+q %#q" 8364 8364 10}}
{{printf "%t %5t" true false}} {{printf "%v %s" nil nil}} {{printf "%d" .l}} {{printf "%s" .m}} {{printf "%q" .names}}
{{printf "%5d|%-5v|%+v|%#v" .l .l .m .mixed}}
{{printf "%é" 1}} {{printf "é%dé" 1}}
{{html .html}} {{html .l .s 1}} {{html nil}} {{html .nope}} {{.html | html}} {{html "a" 1 2 "\x00"}}
{{html}}|
{{js .html}} {{js .ctl}} {{js .uni}} {{js "a=b\u2028\u00a0"}} {{js nil}} {{js 1 2}}
{{urlquery .html}} {{urlquery .uni}} {{urlquery "a b&c=d/e~f-g.h_i*!'()"}} {{urlquery 1 2 "x"}} {{urlquery nil}}
{{call .s}}
{{call 1}}
{{call nil}}
{{call .nope}}
{{call}}
{{call .s 1 2}}
{{.s | call}}
{{.one | call}}
{{base64decode .b64}} {{.b64 | base64decode | len}} {{base64decode .bin | printf "%q"}}
{{base64decode .bin}}
{{base64decode .bad64}}
{{base64decode "YQ=x"}}
{{base64decode "YW=I"}}
{{base64decode "Y*=="}}
{{base64decode "====" }}
{{base64decode "YQ==\nx"}}
{{base64decode "YWJj\nZGVm"}} {{base64decode ""}}
{{base64decode .one}}
{{base64decode .n}}
{{base64decode .nope}}
{{base64decode 1}}
{{base64decode nil}}
{{base64decode}}
{{base64decode .b64 .b64}}
{{exists .m "a"}} {{exists .m "zz"}} {{exists .m "c" "d"}} {{exists .m "c" "zz"}} {{exists .l 0}} {{exists .l 3}}
{{exists .l -1}}
{{exists .nope "a"}} {{exists .n}} {{exists .s}} {{exists .s 0}} {{exists .s 9}} {{exists .one 1}} {{exists nil}}
{{exists .m nil}} {{exists .m 1}} {{exists .l "a"}} {{exists .nulls "x"}}
{{exists}}
{{if exists .m "a"}}has{{end}}
{{nosuch .s}}
{{nosuch}}
{{.s | nosuch}}
{{print nosuch}}
{{print (nosuch)}}
{{(print .s) }}
{{print (print 1) (print 2)}}
{{(}}
{{)}}
{{(.s}}
{{.s)}}
{{()}}
{{print ()}}
{{( .s )}}
{{(.s) (.one)}}
{{((.s))}}
{{print(.s)}}
{{print .s(.one)}}
{{.s
{{
{{}}
{{ }}
{{|}}
{{.s |}}
{{| .s}}
{{.s || .one}}
{{.s , .one}}
{{,}}
{{:}}
{{: =}}
{{=}}
{{.s = 1}}
{{.s := 1}}
{{$x :=}}
{{$x := }}
{{$x =}}
{{$x 1}}
{{$x | print}}
{{"unterminated}}
{{"new
line"}}
{{`raw
line`}}
{{`unterminated}}
{{'a}}
{{"bad \q escape"}}
{{"\400"}}
{{"\ud800"}}
{{#}}
{{.s#}}
{{.s@x}}
{{a-b}}
{{.a-b}}
{{$a-b}}
{{é}}
{{.é}}
{{.s.é}}
{{$é := 1}}{{$é}}
{{_x}}
{{.x_1}}
{{1a}}
{{☺}}
{{.☺}}
{{"☺"}}
{{if .t}}
  {{.s.x}}
{{end}}
line1
line2 {{.nope.x.y}} {{.s.y}}
héllo {{.s.x}}
{{/* a
b */}}{{.s.x}}
a{{"\n"}}b{{`
`}}{{.s.x}}
{{range .rows}}
{{- .name }}
{{ end -}}
done
{{ range $i, $p := .rows -}}
{{ $i }}: {{ $p.name | printf "%-5s" }}|
{{ end }}
{{ $total := 0 }}{{ range .rows }}{{ $total = .size }}{{ end }}{{ $total }}
{{ $s := "" }}{{range .names}}{{ if $s }}{{ $s = printf "%s,%s" $s . }}{{ else }}{{ $s = . }}{{end}}{{end}}{{ $s }}
{{range .rows}}{{.name}}{{"\t"}}{{with .extra}}{{.deep.er}}{{else}}none{{end}}{{"\n"}}{{end}}
{{with index .rows 0}}{{.name}}{{end}} {{(index .rows 2).extra.deep.er}} {{index (index .rows 0).tags 1}}
{{range $k, $v := .metadata.labels}}{{$k}}={{$v}};{{end}}
{{if and (eq .s "text") (gt .one 0)}}both{{end}} {{if or .f (not .t)}}x{{else}}y{{end}}
{{if eq (printf "%s" .s) "text"}}same{{end}}
{{range $x := .m}}{{$x.d}}{{end}}
{{print .x.y.z}} {{print .nope}} {{printf "%v" .nope}} {{printf "%v" .n}}
{{.metadata.labels.app}} {{.metadata.labels.tier/x}}
{{.mixed.0}}
{{index .mixed 5}} {{(index .mixed 5).k}} {{index .mixed 6 1}} {{index .mixed 3}}
{{index .mixed 3 1}}
{{with .mixed}}{{index . 0}}{{.x}}{{end}}
{{end}}{{end}}
{{if .t}}{{if .f}}{{else}}inner{{end}}{{end}}
{{if .t}}{{range .l}}{{if .}}{{.}}{{end}}{{end}}{{end}}
"""


def _lines() -> list[str]:
    """One template a line."""
    return [line for line in _TEXT.splitlines() if line]


LONGER = [
    "{{.\ns}}",
    "{{.metadata.\nname}}",
    "{{$.\ns}}",
    "{{if .t}}\n  {{.s.x}}\n{{end}}",
    "line1\nline2 {{.nope.x.y}} {{.s.y}}",
    "{{/* a\nb */}}{{.s.x}}",
    'a{{"\\n"}}b{{`\n`}}{{.s.x}}',
    "{{range .rows}}\n{{- .name }}\n{{ end -}}\ndone\n",
    '{{ range $i, $p := .rows -}}\n{{ $i }}: {{ $p.name | printf "%-5s" }}|\n{{ end }}',
    "{{\n.s\n|\nprint\n}}",
    "{{\n.s\n.one\n}}",
    "{{if .t}}\n\n{{else}}\n",
    "{{range .l}}\n{{if .}}\n{{.x}}\n{{end}}\n{{end}}",
    "{{.s\n\n",
    "\n\n{{.s | nosuch}}\n",
    "\n{{ if\n}}x{{end}}",
    '\n{{"new\nline"}}',
    "{{\n\n(.s}}",
    "a\n{{end}}",
    '{{define "a"}}\n{{.s.x}}\n{{end}}\n{{template "a" .}}',
    '{{template\n"a"\n}}',
    "{{range .l}}{{.}}\n{{- end}}\n\n{{- /* c */ -}}\n\nx",
    "{{.s -}}\n\n\t {{- .one}}",
    "\r\n{{- .s}}\r\n",
    "{{with .m}}\n{{with .c}}\n{{.d}}\n{{.d.e}}\n{{end}}\n{{end}}\n",
    '{{"a" |\nprintf "%s%s" "b"\n}}',
    "{{/* comment\n over lines */ -}}\n x",
    "{{ .s }\n}",
    "}} {{.s}} }} { { }",
    "{{{.s}}}",
    "{{.s}}}",
    "{ {{.s}} }",
    "",
    " ",
    "\n",
]

TEMPLATES = [*_lines(), *LONGER, *_printf_grid()]

_STRICT = """
{{.nope}}
{{.metadata.nope}}
{{.nope.x}}
{{.n}}
{{.n.x}}
{{with .nope}}x{{end}}
{{index .m "zz"}}
{{index .m "zz" "y"}}
{{range .rows}}{{.size}}{{.extra}}{{end}}
{{if .nope}}x{{end}}
{{if exists . "nope"}}x{{else}}y{{end}}
{{define "a"}}{{.x}}{{end}}{{template "a"}}
{{define "a"}}{{.}}{{end}}{{template "a"}}
{{and .f .nope}}
{{or .s .nope}}
{{print .nope}}
{{.s.x}}
{{$x := .nope}}
{{range $k, $v := .nope}}{{end}}
{{.m.c.d.e}}
text {{.one}} {{.nope}} rest
"""

STRICT = [line for line in _STRICT.splitlines() if line]
"""Run with --allow-missing-template-keys=false."""

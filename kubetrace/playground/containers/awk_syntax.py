"""awk's grammar (POSIX awk): a program's text into a tree of tuples, whose first element says what it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kubetrace.playground.containers.arguments import UsageFailure
from kubetrace.playground.containers.escapes import unescaped

Tree = tuple[Any, ...]
_KEYWORDS = frozenset(
    ("BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "in", "break", "continue")
) | frozenset(("next", "exit", "return", "delete", "getline", "print", "printf"))
_TOKEN = re.compile(
    r"(?P<blank>(?:[ \t\r]|\\\r?\n|#[^\n]*)+)"
    r"|(?P<newline>\n)"
    r"|(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r'|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<operator>\*\*=|\*\*|\+\+|--|&&|\|\||>>|[-+*/%^]=|[<>=!]=|!~|[-+*/%^<>=!~?:,;$(){}\[\]|])",
    re.DOTALL,
)
_REGEX = re.compile(r"/((?:[^/\\\n\[]|\\.|\[(?:\\.|\[:\w+:\]|[^\]\\])+\])*)/")
_ASSIGNMENTS = ("=", "+=", "-=", "*=", "/=", "%=", "^=", "**=")
_COMPARISONS = ("<", "<=", "==", "!=", ">", ">=")


def parsed(text: str) -> tuple[list[tuple[Tree | None, Tree | None, Tree]], dict[str, tuple[list[str], Tree]]]:
    """(rules as (first, last, action), functions as (parameters, body)). Raises UsageFailure."""
    return _Parser(text).program()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = self._scanned(text)
        self._at = 0
        self._in_condition = False
        self._depth = 0

    @staticmethod
    def _scanned(text: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            before = found[-1] if found else ("", "")
            value_before = before[0] in ("number", "string", "name", "regex") or before[1] in (
                ")",
                "]",
                "$",
                "++",
                "--",
            )
            match = None
            if text[at] == "/" and not (value_before and before[1] not in _KEYWORDS):
                match = _REGEX.match(text, at)
                if match is not None:
                    found.append(("regex", match.group(1).replace("\\/", "/")))
                    at = match.end()
                    continue
            match = _TOKEN.match(text, at)
            if match is None:
                raise UsageFailure("cmd. line:1: Unexpected token")
            kind = str(match.lastgroup)
            if kind == "name" and text[match.end() : match.end() + 1] == "(" and match.group() not in _KEYWORDS:
                kind = "call"
            if kind != "blank":
                found.append((kind, match.group()))
            at = match.end()
        return [*found, ("end", "")]

    def _peek(self) -> str:
        kind, text = self._tokens[self._at]
        return text if kind in ("operator", "newline") or (kind == "name" and text in _KEYWORDS) else ""

    def _kind(self) -> str:
        return self._tokens[self._at][0]

    def _take(self) -> str:
        text = self._tokens[self._at][1]
        self._at += 1
        return text

    def _accept(self, *texts: str) -> str:
        return self._take() if self._peek() in texts and self._peek() else ""

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise UsageFailure("cmd. line:1: Unexpected token")

    def _newlines(self, semicolons: bool = False) -> None:
        while self._peek() == "\n" or (semicolons and self._peek() == ";"):
            self._at += 1

    def program(self) -> tuple[list[tuple[Tree | None, Tree | None, Tree]], dict[str, tuple[list[str], Tree]]]:
        rules: list[tuple[Tree | None, Tree | None, Tree]] = []
        functions: dict[str, tuple[list[str], Tree]] = {}
        self._newlines(semicolons=True)
        while self._kind() != "end":
            if self._accept("function", "func"):
                name = self._take()
                self._expect("(")
                parameters = []
                while not self._accept(")"):
                    parameters.append(self._take())
                    self._accept(",")
                self._newlines()
                functions[name] = (parameters, self._block())
            else:
                rules.append(self._rule())
            self._newlines(semicolons=True)
        return rules, functions

    def _rule(self) -> tuple[Tree | None, Tree | None, Tree]:
        first: Tree | None = None
        last: Tree | None = None
        if self._peek() in ("BEGIN", "END"):
            first = (self._take(),)
        elif self._peek() != "{":
            first = self._expression()
            if self._accept(","):
                self._newlines()
                last = self._expression()
        action = self._block() if self._peek() == "{" else ("print", [], "", None)
        return first, last, action

    def _block(self) -> Tree:
        self._expect("{")
        body = []
        self._newlines(semicolons=True)
        while not self._accept("}"):
            if self._kind() == "end":
                raise UsageFailure("cmd. line:1: Unexpected end of string")
            body.append(self._statement())
            self._newlines(semicolons=True)
        return ("block", body)

    def _ended(self) -> None:
        """After a simple statement."""
        if self._peek() not in (";", "\n", "}") and self._kind() != "end":
            raise UsageFailure("cmd. line:1: Unexpected token")
        self._accept(";", "\n")

    def _statement(self) -> Tree:
        self._depth += 1
        if self._depth > 60:
            raise UsageFailure("cmd. line:1: nested too deeply")
        try:
            return self._one_statement()
        finally:
            self._depth -= 1

    def _one_statement(self) -> Tree:
        word = self._peek()
        if word == "{":
            return self._block()
        if self._accept("if"):
            condition = self._in_parentheses()
            self._newlines()
            then = ("block", []) if self._accept(";") else self._statement()
            here = self._at
            self._newlines(semicolons=True)
            if self._accept("else"):
                self._newlines()
                return ("if", condition, then, self._statement())
            self._at = here
            return ("if", condition, then, None)
        if self._accept("while"):
            condition = self._in_parentheses()
            return ("while", condition, self._body())
        if self._accept("do"):
            self._newlines()
            body = self._statement()
            self._newlines(semicolons=True)
            self._expect("while")
            found = ("do", body, self._in_parentheses())
            self._ended()
            return found
        if self._accept("for"):
            return self._for()
        found = self._simple()
        self._ended()
        return found

    def _in_parentheses(self) -> Tree:
        self._expect("(")
        found = self._expression()
        self._expect(")")
        return found

    def _for(self) -> Tree:
        self._expect("(")
        texts = [text for _, text in self._tokens[self._at : self._at + 4]]
        if texts[1:2] == ["in"] and texts[3:4] == [")"]:
            self._at += 4
            self._newlines()
            return ("each", texts[0], texts[2], self._statement())
        start = None if self._peek() == ";" else self._simple()
        self._expect(";")
        self._newlines()
        condition = None if self._peek() == ";" else self._expression()
        self._expect(";")
        self._newlines()
        step = None if self._peek() == ")" else self._simple()
        self._expect(")")
        return ("for", start, condition, step, self._body())

    def _body(self) -> Tree:
        """A loop's, which may be none but a semicolon."""
        if self._accept(";"):
            return ("block", [])
        self._newlines()
        return self._statement()

    def _simple(self) -> Tree:
        word = self._peek()
        if word in ("break", "continue", "next"):
            return (self._take(),)
        if word in ("exit", "return"):
            self._at += 1
            empty = self._peek() in (";", "\n", "}") or self._kind() == "end"
            return (word, None if empty else self._expression())
        if self._accept("delete"):
            name = self._take()
            if self._accept("["):
                index = self._list("]")
                return ("delete", name, index)
            return ("delete", name, None)
        if word in ("print", "printf"):
            return self._print()
        return ("expression", self._expression())

    def _print(self) -> Tree:
        word = self._take()
        values: list[Tree] = []
        if self._peek() not in (";", "\n", "}", ">", ">>", "|") and self._kind() != "end":
            saved, self._in_condition = self._in_condition, True  # > is a redirection here
            values.append(self._expression())
            while self._accept(","):
                self._newlines()
                values.append(self._expression())
            self._in_condition = saved
            if len(values) == 1 and values[0][0] == "group":
                values = values[0][1]
        mark = self._accept(">", ">>", "|")
        return (word, values, mark, self._concatenation() if mark else None)

    def _list(self, end: str) -> list[Tree]:
        found = []
        saved, self._in_condition = self._in_condition, False
        self._newlines()
        while not self._accept(end):
            found.append(self._expression())
            self._newlines()
            if not self._accept(","):
                self._newlines()
                self._expect(end)
                break
            self._newlines()
        self._in_condition = saved
        return found

    def _expression(self) -> Tree:
        self._depth += 1
        if self._depth > 60:
            raise UsageFailure("cmd. line:1: nested too deeply")
        left = self._ternary()
        operator = self._peek()
        if operator in _ASSIGNMENTS and left[0] in ("name", "index", "field"):
            self._at += 1
            self._newlines()
            left = ("assign", operator[:-1], left, self._expression())
        self._depth -= 1
        return left

    def _ternary(self) -> Tree:
        condition = self._or()
        if not self._accept("?"):
            return condition
        self._newlines()
        first = self._expression()
        self._newlines()
        self._expect(":")
        self._newlines()
        return ("choose", condition, first, self._expression())

    def _or(self) -> Tree:
        return self._logical("||", "or", self._and)

    def _and(self) -> Tree:
        return self._logical("&&", "and", self._in)

    def _logical(self, operator: str, kind: str, inner: Callable[[], Tree]) -> Tree:
        left = inner()
        while self._accept(operator):
            self._newlines()
            left = (kind, left, inner())
        return left

    def _in(self) -> Tree:
        left = self._match()
        while self._peek() == "in":
            self._at += 1
            left = ("in", left[1] if left[0] == "group" else [left], self._take())
        return left

    def _match(self) -> Tree:
        left = self._comparison()
        while self._peek() in ("~", "!~"):
            left = ("match", self._take() == "~", left, self._comparison())
        return left

    def _comparison(self) -> Tree:
        left = self._concatenation()
        operator = self._peek()
        if operator in _COMPARISONS and not (operator == ">" and self._in_condition):
            self._at += 1
            return ("compare", operator, left, self._concatenation())
        while self._peek() == "|" and self._tokens[self._at + 1][1] == "getline":
            self._at += 2
            left = ("getline", "|", left, self._target())
        return left

    def _target(self) -> Tree | None:
        if self._kind() == "name" and not self._peek():
            return self._primary()
        return self._primary() if self._peek() == "$" else None

    def _concatenation(self) -> Tree:
        left = self._sum()
        while self._begins_value():
            left = ("join", left, self._sum())
        return left

    def _begins_value(self) -> bool:
        kind, text = self._tokens[self._at]
        if kind in ("number", "string", "call", "regex"):
            return True
        if kind == "name":
            return text not in _KEYWORDS
        return kind == "operator" and text in ("$", "(", "-", "+", "++", "--")

    def _sum(self) -> Tree:
        return self._arithmetic(("+", "-"), self._product)

    def _product(self) -> Tree:
        return self._arithmetic(("*", "/", "%"), self._unary)

    def _arithmetic(self, operators: tuple[str, ...], inner: Callable[[], Tree]) -> Tree:
        left = inner()
        while self._peek() in operators:
            left = ("arithmetic", self._take(), left, inner())
        return left

    def _unary(self) -> Tree:
        if self._peek() in ("!", "-", "+"):
            return ("unary", self._take(), self._unary())
        return self._power()

    def _power(self) -> Tree:
        left = self._postfix()
        if self._accept("^", "**"):
            return ("arithmetic", "^", left, self._unary())
        return left

    def _postfix(self) -> Tree:
        if self._peek() in ("++", "--"):
            operator = self._take()
            return ("step", operator, True, self._primary())
        found = self._primary()
        if self._peek() in ("++", "--") and found[0] in ("name", "index", "field"):
            return ("step", self._take(), False, found)
        return found

    def _primary(self) -> Tree:
        kind, text = self._tokens[self._at]
        if kind == "number":
            self._at += 1
            return ("number", float(int(text, 16)) if text[:2] in ("0x", "0X") else float(text))
        if kind == "string":
            self._at += 1
            return ("string", unescaped(text[1:-1].replace('\\"', '"').replace("\\/", "/")))
        if kind == "regex":
            self._at += 1
            return ("regex", text)
        if kind == "call":
            self._at += 2
            return ("call", text, self._list(")"))
        if self._accept("$"):
            if self._peek() in ("++", "--"):
                return ("field", self._postfix())
            return ("field", self._primary() if self._peek() != "-" else self._unary())
        if self._accept("("):
            found = self._list(")")
            return ("group", found)
        if self._accept("getline"):
            target = self._target()
            if self._accept("<"):
                return ("getline", "<", self._primary(), target)
            return ("getline", "", None, target)
        if kind == "name" and text not in _KEYWORDS:
            self._at += 1
            if text == "length":
                return ("call", text, [])
            if self._accept("["):
                return ("index", text, self._list("]"))
            return ("name", text)
        raise UsageFailure("cmd. line:1: Unexpected " + ("end of string" if kind == "end" else "token"))

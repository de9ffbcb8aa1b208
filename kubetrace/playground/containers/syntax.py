"""The grammar of a POSIX shell, as far as people practise with it: text into a tree (IEEE 1003.1, chapter 2)."""

from __future__ import annotations

import re

from kubetrace.playground.containers.escapes import unescaped
from kubetrace.playground.containers.tree import (
    Arithmetic,
    Command,
    Compound,
    Function,
    Literal,
    Parameter,
    Part,
    Pipeline,
    Redirect,
    Sequence,
    Simple,
    Substitution,
    Word,
)

_BLANK = " \t"
_META = " \t\n;&|()<>"
_OPENING = ("if", "while", "until", "for", "case", "{")
_RESERVED = frozenset((*_OPENING, "then", "elif", "else", "fi", "do", "done", "esac", "in", "}", "!"))
_REDIRECT = re.compile(r"(\d*)(<<-|<<<|<<|<&|>>|>&|>\||<>|<|>)|(&>)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_MODIFIER = re.compile(r":?[-+=?]|##?|%%?|//?|:")


class ShellSyntaxError(Exception):
    """The text can't be a script."""


class Unfinished(ShellSyntaxError):
    """More text is needed: a quote or an `if` is open."""


def parse(text: str) -> Sequence:
    """Raises ShellSyntaxError, and Unfinished where more lines could make it whole."""
    parser = _Parser(text)
    found = parser.sequence(frozenset())
    if parser.at < len(text):
        raise ShellSyntaxError(f'syntax error: unexpected "{text[parser.at]}"')
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._documents: list[tuple[Redirect, str, bool]] = []
        self._depth = 0

    def _rest(self, size: int) -> str:
        return self.text[self.at : self.at + size]

    def _skip(self, newlines: bool = False) -> None:
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif char in _BLANK:
                self.at += 1
            elif self._rest(2) == "\\\n":
                self.at += 2
            elif char == "\n" and newlines:
                self._newline()
            else:
                return

    def _newline(self) -> None:
        """Past a line's end, and past the here-documents that it starts."""
        self.at += 1
        for redirect, delimiter, strip in self._documents:
            lines = []
            while True:
                if self.at >= len(self.text):
                    raise Unfinished("here-document is open")
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                self.at = min(end + 1, len(self.text))
                line = line.lstrip("\t") if strip else line
                if line == delimiter:
                    break
                lines.append(line + "\n")
            body = "".join(lines)
            redirect.target = (Literal(body, True),) if redirect.quoted else _Parser(body).quoted_text()
        self._documents = []

    def _reserved(self) -> str:
        """The reserved word that comes next, or ""."""
        match = re.compile(r"[a-z]+|[{}!]").match(self.text, self.at)
        if match is None or match.group() not in _RESERVED:
            return ""
        after = self.text[match.end() : match.end() + 1]
        return match.group() if after == "" or after in _META else ""

    def _expect(self, word: str) -> None:
        self._skip(newlines=True)
        if self.at >= len(self.text):
            raise Unfinished(f'syntax error: unexpected end of file (expecting "{word}")')
        if word == ")" and self._rest(1) == ")":
            self.at += 1
            return
        if self._reserved() != word:
            raise ShellSyntaxError(f'syntax error: unexpected "{self._token()}" (expecting "{word}")')
        self.at += len(word)

    def _token(self) -> str:
        match = re.compile(r"[^\s;&|()<>]+|.", re.DOTALL).match(self.text, self.at)
        return "newline" if match is None or match.group() == "\n" else match.group()

    def sequence(self, ends: frozenset[str]) -> Sequence:
        self._depth += 1
        if self._depth > 100:
            raise ShellSyntaxError("syntax error: nested too deeply")
        found, joint = Sequence(), ""
        while True:
            self._skip(newlines=True)
            if self.at >= len(self.text):
                if ends or joint:
                    raise Unfinished("syntax error: unexpected end of file")
                break
            if self._reserved() in ends or (self._rest(1) == ")" and ")" in ends) or self._rest(2) in ends:
                break
            pipeline = self._pipeline()
            self._skip()
            background = self._rest(1) == "&" and self._rest(2) != "&&"
            found.items.append((joint, pipeline, background))
            joint = ""
            if self._rest(2) in ("&&", "||"):
                joint = self._rest(2)
                self.at += 2
            elif self._rest(2) == ";;":
                if ";;" not in ends:
                    raise ShellSyntaxError('syntax error: unexpected ";;"')
            elif self._rest(1) in (";", "&"):
                self.at += 1
            elif self._rest(1) not in ("\n", "", ")"):
                raise ShellSyntaxError(f'syntax error: unexpected "{self._token()}"')
            elif self._rest(1) == ")" and ")" not in ends:
                raise ShellSyntaxError('syntax error: unexpected ")"')
        self._depth -= 1
        return found

    def _pipeline(self) -> Pipeline:
        negated = False
        while self._reserved() == "!":
            self.at += 1
            negated = not negated
            self._skip()
        commands = [self._command()]
        self._skip()
        while self._rest(1) == "|" and self._rest(2) != "||":
            self.at += 1
            self._skip(newlines=True)
            commands.append(self._command())
            self._skip()
        return Pipeline(commands, negated)

    def _command(self) -> Command:
        self._skip()
        word = self._reserved()
        if self._rest(1) == "(" or word in _OPENING:
            compound = self._compound(word)
            while (redirect := self._redirect()) is not None:
                compound.redirects.append(redirect)
            return compound
        if word and word != "in":
            raise ShellSyntaxError(f'syntax error: unexpected "{word}"')
        match = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)[ \t]*\([ \t]*\)").match(self.text, self.at)
        if match is not None:
            self.at = match.end()
            self._skip(newlines=True)
            if self.at >= len(self.text):
                raise Unfinished("function without a body")
            body = self._command()
            if not isinstance(body, Compound):
                raise ShellSyntaxError("syntax error: bad function body")
            return Function(match.group(1), body)
        return self._simple()

    def _compound(self, word: str) -> Compound:
        if self._rest(1) == "(":
            self.at += 1
            body = self.sequence(frozenset((")",)))
            self._expect(")")
            return Compound("(", [(Sequence(), body)])
        self.at += len(word)
        if word == "{":
            body = self.sequence(frozenset(("}",)))
            self._expect("}")
            return Compound("{", [(Sequence(), body)])
        if word == "if":
            return self._if()
        if word in ("while", "until"):
            condition = self.sequence(frozenset(("do",)))
            return Compound(word, [(condition, self._loop_body())])
        return self._for() if word == "for" else self._case()

    def _loop_body(self) -> Sequence:
        self._expect("do")
        body = self.sequence(frozenset(("done",)))
        self._expect("done")
        return body

    def _if(self) -> Compound:
        found = Compound("if")
        while True:
            condition = self.sequence(frozenset(("then",)))
            self._expect("then")
            body = self.sequence(frozenset(("elif", "else", "fi")))
            found.branches.append((condition, body))
            word = self._reserved()
            self.at += len(word)
            if word == "else":
                found.branches.append((Sequence(), self.sequence(frozenset(("fi",)))))
                self._expect("fi")
            if word != "elif":
                return found

    def _for(self) -> Compound:
        self._skip()
        match = _NAME.match(self.text, self.at)
        if match is None:
            raise ShellSyntaxError("syntax error: bad for loop variable")
        self.at = match.end()
        self._skip(newlines=True)
        words: list[Word] | None = None
        if self._reserved() == "in":
            self.at += 2
            words = []
            while (word := self.word()) is not None:
                words.append(word)
        self._skip()
        if self._rest(1) == ";":
            self.at += 1
        return Compound("for", [(Sequence(), self._loop_body())], match.group(), words)

    def _case(self) -> Compound:
        subject = self.word()
        if subject is None:
            raise ShellSyntaxError("syntax error: bad case")
        found = Compound("case", words=[subject])
        self._expect("in")
        while True:
            self._skip(newlines=True)
            if self._reserved() == "esac":
                self.at += 4
                return found
            if self.at >= len(self.text):
                raise Unfinished("case is open")
            if self._rest(1) == "(":
                self.at += 1
            patterns = []
            while (pattern := self.word()) is not None:
                patterns.append(pattern)
                self._skip()
                if self._rest(1) != "|":
                    break
                self.at += 1
            self._expect(")")
            found.cases.append((patterns, self.sequence(frozenset((";;", "esac")))))
            if self._rest(2) == ";;":
                self.at += 2

    def _redirect(self) -> Redirect | None:
        self._skip()
        match = _REDIRECT.match(self.text, self.at)
        if match is None:
            return None
        self.at = match.end()
        operator = match.group(2) or match.group(3)
        default = 0 if operator.startswith("<") else 1
        descriptor = int(match.group(1)) if match.group(1) else default
        start = self.at
        target = self.word()
        if target is None:
            raise ShellSyntaxError(f'syntax error: unexpected "{self._token()}"')
        redirect = Redirect(descriptor, operator, target)
        if operator in ("<<", "<<-"):
            raw = self.text[start : self.at].strip()
            redirect.quoted = any(char in raw for char in "'\"\\")
            delimiter = re.sub(r"['\"\\]", "", raw)
            self._documents.append((redirect, delimiter, operator == "<<-"))
        return redirect

    def _simple(self) -> Simple:
        found = Simple()
        while True:
            redirect = self._redirect()
            if redirect is not None:
                found.redirects.append(redirect)
                continue
            match = _ASSIGNMENT.match(self.text, self.at)
            if match is not None and not found.words:
                self.at = match.end()
                empty = self._rest(1) == "" or self._rest(1) in _META
                found.assignments.append((match.group()[:-1], () if empty else self.word() or ()))
                continue
            word = self.word()
            if word is None:
                break
            found.words.append(word)
            if found.words == [(Literal("[["),)]:
                self._condition(found.words)
        if self._documents and self.at >= len(self.text):
            raise Unfinished("here-document is open")
        if not found.words and not found.assignments and not found.redirects:
            raise ShellSyntaxError(f'syntax error: unexpected "{self._token()}"')
        return found

    def _condition(self, words: list[Word]) -> None:
        """What stands between [[ and ]], its operators as those of test."""
        while words[-1] != (Literal("]]"),):
            self._skip(newlines=True)
            if self.at >= len(self.text):
                raise Unfinished("syntax error: unexpected end of file")
            word = self.word()
            if word is None:
                operator = self._rest(2) if self._rest(2) in ("&&", "||") else self._rest(1)
                self.at += len(operator)
                word = (Literal({"&&": "-a", "||": "-o"}.get(operator, operator)),)
            words.append(word)

    def word(self) -> Word | None:
        self._skip()
        parts: list[Part] = []
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in _META:
            parts += self._piece()
        return tuple(parts) if self.at > start else None

    def _piece(self) -> list[Part]:
        char = self.text[self.at]
        if char == "'":
            end = self.text.find("'", self.at + 1)
            if end < 0:
                raise Unfinished("syntax error: unterminated quoted string")
            text, self.at = self.text[self.at + 1 : end], end + 1
            return [Literal(text, True)]
        if char == '"':
            self.at += 1
            return [Literal("", True), *self.quoted_text('"')]
        if char == "\\":
            self.at += 2
            if self.text[self.at - 1 : self.at] == "\n":
                return []
            return [Literal(self.text[self.at - 1 : self.at], True)]
        if self._rest(2) == "$'":
            return [self._escaped()]
        if char in "$`":
            return [self._dollar(quoted=False)]
        match = re.compile(r"[^ \t\n;&|()<>'\"\\$`]+").match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return [Literal(match.group())]

    def _escaped(self) -> Literal:
        """$'…' with C's escapes."""
        match = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL).match(self.text, self.at)
        if match is None:
            raise Unfinished("syntax error: unterminated quoted string")
        self.at = match.end()
        return Literal(unescaped(match.group(1).replace("\\'", "'").replace('\\"', '"')), True)

    def quoted_text(self, end: str = "") -> Word:
        """Up to a closing quote (or the end of the text): expansions, but no splitting."""
        parts: list[Part] = []
        while True:
            if self.at >= len(self.text):
                if end:
                    raise Unfinished("syntax error: unterminated quoted string")
                return tuple(parts)
            char = self.text[self.at]
            if char == end:
                self.at += 1
                return tuple(parts)
            if char == "\\":
                after = self.text[self.at + 1 : self.at + 2]
                if after == "\n":
                    self.at += 2
                    continue
                known = after and after in '$`\\"'
                parts.append(Literal(after if known else f"\\{after}", True))
                self.at += 2
            elif char in "$`":
                parts.append(self._dollar(quoted=True))
            else:
                match = re.compile(rf"[^\\$`{end}]+").match(self.text, self.at)
                assert match is not None
                parts.append(Literal(match.group(), True))
                self.at = match.end()

    def _dollar(self, quoted: bool) -> Part:
        if self._rest(1) == "`":
            end = self.at + 1
            while end < len(self.text) and self.text[end] != "`":
                end += 2 if self.text[end] == "\\" else 1
            if end >= len(self.text):
                raise Unfinished("syntax error: unterminated quoted string")
            inner = re.sub(r"\\([$`\\])", r"\1", self.text[self.at + 1 : end])
            self.at = end + 1
            return Substitution(parse(inner), quoted)
        if self._rest(3) == "$((":
            return self._arithmetic(quoted)
        if self._rest(2) == "$(":
            self.at += 2
            script = self.sequence(frozenset((")",)))
            self._expect(")")
            return Substitution(script, quoted)
        if self._rest(2) == "${":
            return self._braces(quoted)
        match = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])").match(self.text, self.at)
        if match is None:
            self.at += 1
            return Literal("$", quoted)
        self.at = match.end()
        return Parameter(match.group(1), quoted=quoted)

    def _arithmetic(self, quoted: bool) -> Part:
        depth, end = 0, self.at + 1
        while end < len(self.text):
            depth += {"(": 1, ")": -1}.get(self.text[end], 0)
            end += 1
            if depth == 0:
                break
        if depth:
            raise Unfinished("syntax error: missing '))'")
        inner, self.at = self.text[self.at + 3 : end - 2], end
        return Arithmetic(_Parser(inner).quoted_text(), quoted)

    def _braces(self, quoted: bool) -> Part:
        match = re.compile(r"\$\{(#?)([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!])").match(self.text, self.at)
        if match is None:
            raise ShellSyntaxError("syntax error: bad substitution")
        self.at = match.end()
        operator = "length" if match.group(1) else ""
        word: Word = ()
        replacement: Word = ()
        found = _MODIFIER.match(self.text, self.at)
        if found is not None and not operator:
            operator, self.at = found.group(), found.end()
            pair = {"/": "/", "//": "/", ":": ":"}.get(operator, "")
            word = self._brace_word(pair)
            if pair and self._rest(1) == pair:
                self.at += 1
                replacement = self._brace_word()
        if self._rest(1) != "}":
            if self.at >= len(self.text):
                raise Unfinished("syntax error: missing '}'")
            raise ShellSyntaxError("syntax error: bad substitution")
        self.at += 1
        return Parameter(match.group(2), operator, word, quoted, replacement)

    def _brace_word(self, end: str = "") -> Word:
        """Up to the closing brace, or to what else may end a part of it."""
        parts: list[Part] = []
        while self.at < len(self.text) and self.text[self.at] != "}" and self.text[self.at] != end:
            if self.text[self.at] in " \t\n;&|()<>":
                parts.append(Literal(self.text[self.at], True))
                self.at += 1
                continue
            match = re.compile(rf"[^}}\s;&|()<>'\"\\$`{end}]+").match(self.text, self.at)
            if match is not None:
                parts.append(Literal(match.group()))
                self.at = match.end()
            else:
                parts += self._piece()
        return tuple(parts)

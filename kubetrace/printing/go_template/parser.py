"""Go templates, tokens to nodes (text/template/parse/parse.go).

Errors name the line of the last token that was read, even where the parser has put it back; so tokens are read here
exactly as far ahead as Go reads them.
"""

from __future__ import annotations

from typing import NoReturn

from kubetrace.printing.go_template.lexer import Lexer, Token
from kubetrace.printing.go_template.nodes import (
    ActionNode,
    BoolNode,
    BranchNode,
    BreakNode,
    ChainNode,
    CommandNode,
    ContinueNode,
    DotNode,
    ElseNode,
    EndNode,
    FieldNode,
    IdentifierNode,
    ListNode,
    NilNode,
    Node,
    NumberNode,
    PipeNode,
    StringNode,
    TemplateNode,
    TextNode,
    VariableNode,
)
from kubetrace.printing.go_template.numbers import ConstantError, number, unquote
from kubetrace.value import Value
from kubetrace.wire.go_quote import quote

NAME = "output"
"""What kubectl calls the template in its errors."""
_OPERANDS = frozenset(
    {"bool", "char constant", "complex", ".", "field", "identifier", "number", "nil", "raw string", "string"}
    | {"variable", "left paren"}
)
_NOTHING = Token("error", 0, "", 0)


class TemplateError(ValueError):
    """A template that can't be parsed or executed; the message is Go's."""


class Template(Value):
    """A template or one that it defines: its name and what it consists of."""

    name: str
    root: ListNode


def parse(text: str, functions: frozenset[str]) -> dict[str, Template]:
    """The template (under the name "output") and those that it defines. Raises TemplateError."""
    templates: dict[str, Template] = {}
    parser = _Parser(NAME, Lexer(text), functions, templates)
    try:
        parser.whole()
    except RecursionError:
        parser.fail("max expression depth exceeded")
    return templates


class _Parser:
    """One template's parser; definitions inside have parsers of their own, which share the lexer."""

    def __init__(self, name: str, lexer: Lexer, functions: frozenset[str], templates: dict[str, Template]) -> None:
        self._name = name
        self._lexer = lexer
        self._functions = functions
        self._templates = templates
        self._last = _NOTHING
        self._pushed_back: list[Token] = []
        self._variables = ["$"]
        self._action_line = 0
        self._ranges = 0

    # --- tokens

    def _next(self) -> Token:
        if self._pushed_back:
            return self._pushed_back.pop()
        self._last = self._lexer.next()
        return self._last

    def _back(self, *tokens: Token) -> None:
        """Puts tokens back, the first of them to be read first."""
        self._pushed_back.extend(reversed(tokens))

    def _peek(self) -> Token:
        token = self._next()
        self._back(token)
        return token

    def _next_word(self) -> Token:
        """The next token that is no space."""
        while (token := self._next()).kind == "space":
            pass
        return token

    def _peek_word(self) -> Token:
        token = self._next_word()
        self._back(token)
        return token

    def fail(self, message: str) -> NoReturn:
        raise TemplateError(f"template: {NAME}:{self._last.line}: {message}")

    def _unexpected(self, token: Token, context: str) -> NoReturn:
        if token.kind != "error":
            self.fail(f"unexpected {token} in {context}")
        started = ""
        if self._action_line not in (0, token.line):
            where = " started at" if token.text.endswith(" action") else " in action started at"
            started = f"{where} {NAME}:{self._action_line}"
        self.fail(f"{token}{started}")

    def _expect(self, context: str, *kinds: str) -> Token:
        token = self._next_word()
        if token.kind not in kinds:
            self._unexpected(token, context)
        return token

    # --- templates

    def whole(self) -> None:
        """The top level: text, actions and definitions up to the end."""
        root = ListNode(self._peek().position)
        while self._peek().kind != "EOF":
            if self._peek().kind == "left delim":
                delimiter = self._next()
                token = self._next_word()
                if token.kind == "define":
                    self._inner("").definition()
                    continue
                self._back(delimiter, token)
            node = self._text_or_action()
            if isinstance(node, EndNode | ElseNode):
                self.fail(f"unexpected {node}")
            root.nodes.append(node)
        self._add(root)

    def _inner(self, name: str) -> _Parser:
        return _Parser(name, self._lexer, self._functions, self._templates)

    def definition(self) -> None:
        context = "define clause"
        token = self._expect(context, "string", "raw string")
        self._name = self._unquoted(token)
        self._expect(context, "right delim")
        self._to_end(context)

    def _to_end(self, context: str) -> None:
        root, end = self._list()
        if not isinstance(end, EndNode):
            self.fail(f"unexpected {end} in {context}")
        self._add(root)

    def _add(self, root: ListNode) -> None:
        known = self._templates.get(self._name)
        if known is None or _is_empty(known.root):
            self._templates[self._name] = Template(self._name, root)
        elif not _is_empty(root):
            self.fail(f"template: multiple definition of template {quote(self._name)}")

    def _list(self) -> tuple[ListNode, Node]:
        """Nodes up to an {{end}} or {{else}}, which comes second."""
        result = ListNode(self._peek_word().position)
        while self._peek_word().kind != "EOF":
            node = self._text_or_action()
            if isinstance(node, EndNode | ElseNode):
                return result, node
            result.nodes.append(node)
        self.fail("unexpected EOF")

    def _text_or_action(self) -> Node:
        token = self._next_word()
        if token.kind == "text":
            return TextNode(token.position, token.text)
        if token.kind != "left delim":
            self._unexpected(token, "input")
        self._action_line = token.line
        node = self._action()
        self._action_line = 0
        return node

    def _action(self) -> Node:
        token = self._next_word()
        match token.kind:
            case "block":
                return self._block()
            case "break" | "continue":
                return self._leave_range(token)
            case "else":
                return self._else()
            case "end":
                return EndNode(self._expect("end", "right delim").position)
            case "if" | "range" | "with":
                return self._branch(token.kind)
            case "template":
                return self._template()
        self._back(token)
        position = self._peek().position
        return ActionNode(position, self._pipeline("command", "right delim"))

    def _leave_range(self, token: Token) -> Node:
        shown = f"{{{{{token.kind}}}}}"
        self._expect(shown, "right delim")
        if not self._ranges:
            self.fail(f"{shown} outside {{{{range}}}}")
        return BreakNode(token.position) if token.kind == "break" else ContinueNode(token.position)

    def _else(self) -> Node:
        token = self._peek_word()
        if token.kind not in ("if", "with"):
            token = self._expect("else", "right delim")
        return ElseNode(token.position)

    def _branch(self, word: str) -> Node:
        variables = len(self._variables)
        pipe = self._pipeline(word, "right delim")
        self._ranges += word == "range"
        body, end = self._list()
        self._ranges -= word == "range"
        otherwise = None
        if isinstance(end, ElseNode):
            if word != "range" and self._peek().kind == word:
                self._next()
                otherwise = ListNode(end.position, [self._branch(word)])
            else:
                otherwise, end = self._list()
                if not isinstance(end, EndNode):
                    self.fail(f"expected end; found {end}")
        del self._variables[variables:]
        return BranchNode(pipe.position, word, pipe, body, otherwise)

    def _block(self) -> Node:
        context = "block clause"
        token = self._next_word()
        name = self._template_name(token, context)
        pipe = self._pipeline(context, "right delim")
        self._inner(name)._to_end(context)
        return TemplateNode(token.position, name, pipe)

    def _template(self) -> Node:
        context = "template clause"
        token = self._next_word()
        name = self._template_name(token, context)
        following = self._next_word()
        pipe = None
        if following.kind != "right delim":
            self._back(following)
            pipe = self._pipeline(context, "right delim")
        return TemplateNode(token.position, name, pipe)

    def _template_name(self, token: Token, context: str) -> str:
        if token.kind not in ("string", "raw string"):
            self._unexpected(token, context)
        return self._unquoted(token)

    def _unquoted(self, token: Token) -> str:
        try:
            return unquote(token.text)
        except ConstantError as error:
            self.fail(str(error))

    # --- pipelines

    def _pipeline(self, context: str, end: str) -> PipeNode:
        pipe = PipeNode(self._peek_word().position)
        self._declarations(pipe, context)
        while True:
            token = self._next_word()
            if token.kind == end:
                self._check(pipe, context)
                return pipe
            if token.kind not in _OPERANDS:
                self._unexpected(token, context)
            self._back(token)
            pipe.commands.append(self._command())

    def _declarations(self, pipe: PipeNode, context: str) -> None:
        """$x :=, $x =, or range's $i, $x :=."""
        while self._peek_word().kind == "variable":
            variable = self._next_word()
            after = self._peek()
            following = self._peek_word()
            is_comma = following.kind == "char" and following.text == ","
            if following.kind in ("assign", "declare") or is_comma:
                pipe.assigns = following.kind == "assign"
                self._next_word()
                pipe.declared.append(_variable(variable))
                self._variables.append(variable.text)
            elif after.kind == "space":
                self._back(variable, after)
                return
            else:
                self._back(variable)
                return
            if not is_comma:
                return
            if context == "range" and len(pipe.declared) < 2:
                if self._peek_word().kind in ("variable", "right delim", "right paren"):
                    continue
                self.fail("range can only initialize variables")
            self.fail(f"too many declarations in {context}")

    def _check(self, pipe: PipeNode, context: str) -> None:
        if not pipe.commands:
            self.fail(f"missing value for {context}")
        for stage, command in enumerate(pipe.commands[1:], 2):
            if isinstance(command.arguments[0], BoolNode | DotNode | NilNode | NumberNode | StringNode):
                self.fail(f"non executable command in pipeline stage {stage}")

    def _command(self) -> CommandNode:
        command = CommandNode(self._peek_word().position)
        while True:
            self._peek_word()
            operand = self._operand()
            if operand is not None:
                command.arguments.append(operand)
            token = self._next()
            if token.kind == "space":
                continue
            if token.kind in ("right delim", "right paren"):
                self._back(token)
            elif token.kind != "pipe":
                self._unexpected(token, "operand")
            break
        if not command.arguments:
            self.fail("empty command")
        return command

    def _operand(self) -> Node | None:
        """A term with the fields behind it; None where there is none."""
        node = self._term()
        if node is None or self._peek().kind != "field":
            return node
        position = self._peek().position
        words = []
        while self._peek().kind == "field":
            words.append(self._next().text[1:])
        if isinstance(node, FieldNode):
            return FieldNode(position, [*node.words, *words])
        if isinstance(node, VariableNode):
            return VariableNode(position, [*node.words, *words])
        if isinstance(node, BoolNode | StringNode | NumberNode | NilNode | DotNode):
            self.fail(f"unexpected . after term {quote(str(node))}")
        return ChainNode(position, node, words)

    def _term(self) -> Node | None:
        token = self._next_word()
        position, text = token.position, token.text
        match token.kind:
            case "identifier":
                if text not in self._functions:
                    self.fail(f'function "{text}" not defined')
                return IdentifierNode(position, text)
            case ".":
                return DotNode(position)
            case "nil":
                return NilNode(position)
            case "variable":
                if text not in self._variables:
                    self.fail(f'undefined variable "{text}"')
                return _variable(token)
            case "field":
                return FieldNode(position, [text[1:]])
            case "bool":
                return BoolNode(position, text == "true")
            case "char constant" | "complex" | "number":
                try:
                    return number(position, text, token.kind)
                except ConstantError as error:
                    self.fail(str(error))
            case "left paren":
                return self._pipeline("parenthesized pipeline", "right paren")
            case "string" | "raw string":
                return StringNode(position, text, self._unquoted(token))
        self._back(token)
        return None


def _variable(token: Token) -> VariableNode:
    return VariableNode(token.position, [token.text])


def _is_empty(root: ListNode) -> bool:
    """Nothing but blanks (parse.IsEmptyTree)."""
    return all(isinstance(node, TextNode) and not node.text.strip() for node in root.nodes)

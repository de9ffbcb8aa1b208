"""Go templates, executed (text/template/exec.go).

Errors quote the node at which Go's executor stands; `_at` follows it step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from kubetrace.printing.go_template.functions import FUNCTIONS, CallError, Function
from kubetrace.printing.go_template.nodes import (
    ActionNode,
    BoolNode,
    BranchNode,
    BreakNode,
    ChainNode,
    CommandNode,
    ContinueNode,
    DotNode,
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
from kubetrace.printing.go_template.parser import NAME, Template, TemplateError
from kubetrace.printing.go_template.values import (
    INVALID,
    MISSING,
    Boxed,
    Value,
    is_nil,
    is_true,
    plain,
    static_type,
    unboxed,
)
from kubetrace.printing.go_values import Int, sprint
from kubetrace.wire.go_quote import quote

_DEEPEST = 100_000
"""Templates within templates; Python's own stack ends long before, with the same error."""


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class Execution:
    """One run of a template, which writes as it goes; a template that another calls is an execution of its own."""

    def __init__(
        self,
        text: str,
        templates: Mapping[str, Template],
        template: Template,
        data: Value,
        write: Callable[[str], object],
        missing_is_error: bool,
    ) -> None:
        self._text = text
        self._templates = templates
        self._template = template
        self._write = write
        self._missing_is_error = missing_is_error
        self._variables: list[tuple[str, Value]] = [("$", data)]
        self._node: Node = template.root

    def run(self, dot: Value) -> None:
        """Raises TemplateError; what was written until then stays written."""
        self._walk(dot, self._template.root)

    def _fail(self, message: str) -> NoReturn:
        before = self._text[: self._node.position].encode("utf-8", "surrogateescape")
        line, column = before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1)
        raise TemplateError(
            f"template: {NAME}:{line}:{column}: executing {quote(self._template.name)} at <{self._node}>: {message}"
        )

    # --- variables

    def _set_variable(self, name: str, value: Value) -> None:
        for position in reversed(range(len(self._variables))):
            if self._variables[position][0] == name:
                self._variables[position] = (name, value)
                return
        self._fail(f"undefined variable: {name}")

    def _variable(self, name: str) -> Value:
        for known, value in reversed(self._variables):
            if known == name:
                return value
        self._fail(f"undefined variable: {name}")

    # --- nodes

    def _walk(self, dot: Value, node: Node) -> None:
        self._node = node
        match node:
            case TextNode():
                self._write(node.text)
            case ActionNode():
                value = self._pipeline(dot, node.pipe)
                if not node.pipe.declared:
                    self._node = node
                    self._write("<no value>" if value is INVALID else sprint(plain(value)))
            case ListNode():
                for inner in node.nodes:
                    self._walk(dot, inner)
            case BranchNode(word="range"):
                self._range(dot, node)
            case BranchNode():
                self._if_or_with(dot, node)
            case TemplateNode():
                self._call_template(dot, node)
            case BreakNode():
                raise _Break
            case ContinueNode():
                raise _Continue

    def _if_or_with(self, dot: Value, node: BranchNode) -> None:
        mark = len(self._variables)
        try:
            value = self._pipeline(dot, node.pipe)
            if is_true(value):
                self._walk(value if node.word == "with" else dot, node.body)
            elif node.otherwise is not None:
                self._walk(dot, node.otherwise)
        finally:
            del self._variables[mark:]

    def _range(self, dot: Value, node: BranchNode) -> None:
        mark = len(self._variables)
        try:
            value = unboxed(self._pipeline(dot, node.pipe))
            if not self._iterate(node, value) and node.otherwise is not None:
                self._walk(dot, node.otherwise)
        except _Break:
            pass
        finally:
            del self._variables[mark:]

    def _iterate(self, node: BranchNode, value: Value) -> bool:
        """Walks the body for each element; was there any?"""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._iteration(node, Int(index), Boxed(item))
        elif isinstance(value, dict):
            for key in sorted(value):
                self._iteration(node, key, Boxed(value[key]))
        elif isinstance(value, int) and not isinstance(value, bool):
            if len(node.pipe.declared) > 1:
                self._fail(f"can't use {int(value)} to iterate over more than one variable")
            for number in range(value):
                self._iteration(node, INVALID, type(value)(number))
            return value > 0
        elif value is not INVALID:
            self._fail(f"range can't iterate over {sprint(value)}")
        return value is not INVALID and bool(value)

    def _iteration(self, node: BranchNode, index: Value, element: Value) -> None:
        declared = [variable.words[0] for variable in node.pipe.declared]
        mark = len(self._variables)
        values = (element,) if len(declared) == 1 else (index, element)
        for position, (name, value) in enumerate(zip(declared, values, strict=False)):
            if node.pipe.assigns:
                self._set_variable(name, value)
            else:
                self._variables[mark - len(declared) + position] = (name, value)
        try:
            self._walk(element, node.body)
        except _Continue:
            pass
        finally:
            del self._variables[mark:]

    def _call_template(self, dot: Value, node: TemplateNode) -> None:
        template = self._templates.get(node.name)
        if template is None:
            self._fail(f"template {quote(node.name)} not defined")
        dot = INVALID if node.pipe is None else self._pipeline(dot, node.pipe)
        called = Execution(self._text, self._templates, template, dot, self._write, self._missing_is_error)
        try:
            called.run(dot)
        except RecursionError:
            self._node = node
            self._fail(f"exceeded maximum template depth ({_DEEPEST})")

    # --- pipelines and commands

    def _pipeline(self, dot: Value, pipe: PipeNode) -> Value:
        self._node = pipe
        value: Value = MISSING
        for command in pipe.commands:
            value = unboxed(self._command(dot, command, value))
        for variable in pipe.declared:
            if pipe.assigns:
                self._set_variable(variable.words[0], value)
            else:
                self._variables.append((variable.words[0], value))
        return value

    def _command(self, dot: Value, command: CommandNode, final: Value) -> Value:
        first = command.arguments[0]
        match first:
            case FieldNode():
                return self._field_node(dot, first, command.arguments, final)
            case ChainNode():
                return self._chain_node(dot, first, command.arguments, final)
            case IdentifierNode():
                return self._function(dot, first, command, command.arguments, final)
            case PipeNode():
                self._no_arguments(command.arguments, final)
                return self._pipeline(dot, first)
            case VariableNode():
                return self._variable_node(dot, first, command.arguments, final)
        self._node = first
        self._no_arguments(command.arguments, final)
        if isinstance(first, NilNode):
            self._fail("nil is not a command")
        return dot if isinstance(first, DotNode) else self._constant(first)

    def _no_arguments(self, arguments: list[Node], final: Value) -> None:
        if len(arguments) > 1 or final is not MISSING:
            self._fail(f"can't give argument to non-function {arguments[0]}")

    def _constant(self, node: Node) -> Value:
        self._node = node
        if isinstance(node, StringNode):
            return node.text
        if isinstance(node, BoolNode):
            return node.value
        assert isinstance(node, NumberNode)
        if node.complex is not None:
            return node.complex
        text = node.text
        is_hexadecimal = text[:2].lower() == "0x" and not set(text) & set("pP")
        if node.float is not None and not is_hexadecimal and text[0] != "'" and set(text) & set(".eEpP"):
            return node.float
        if node.integer is None:
            self._fail(f"{text} overflows int")
        return Int(node.integer)

    # --- fields

    def _field_node(self, dot: Value, node: FieldNode, arguments: list[Node], final: Value) -> Value:
        self._node = node
        return self._fields(dot, node.words, arguments, final)

    def _chain_node(self, dot: Value, node: ChainNode, arguments: list[Node], final: Value) -> Value:
        self._node = node
        if isinstance(node.node, NilNode):
            self._fail(f"indirection through explicit nil in {node}")
        return self._fields(self._argument(dot, "", node.node), node.words, arguments, final)

    def _variable_node(self, dot: Value, node: VariableNode, arguments: list[Node], final: Value) -> Value:
        self._node = node
        value = self._variable(node.words[0])
        if len(node.words) == 1:
            self._no_arguments(arguments, final)
            return value
        return self._fields(value, node.words[1:], arguments, final)

    def _fields(self, receiver: Value, words: list[str], arguments: list[Node], final: Value) -> Value:
        for word in words[:-1]:
            receiver = self._field(receiver, word, False)
        return self._field(receiver, words[-1], len(arguments) > 1 or final is not MISSING)

    def _field(self, receiver: Value, name: str, has_arguments: bool) -> Value:
        if receiver is INVALID:
            if self._missing_is_error:
                self._fail(f"nil data; no entry for key {quote(name)}")
            return INVALID
        if is_nil(receiver):
            self._fail(f"nil pointer evaluating interface {{}}.{name}")
        inner = unboxed(receiver)
        if not isinstance(inner, dict):
            self._fail(f"can't evaluate field {name} in type {static_type(receiver)}")
        if has_arguments:
            self._fail(f"{name} is not a method but has arguments")
        if name in inner:
            return Boxed(inner[name])
        if self._missing_is_error:
            self._fail(f"map has no entry for key {quote(name)}")
        return INVALID

    # --- functions

    def _function(self, dot: Value, node: IdentifierNode, place: Node, arguments: list[Node], final: Value) -> Value:
        """Calls a function. `arguments` begins with its name; errors of the call quote `place`."""
        self._node = node
        name, function = node.name, FUNCTIONS[node.name]
        given = arguments[1:]
        self._check_count(name, function, len(given), len(given) + (final is not MISSING))
        if name in ("and", "or"):
            return self._and_or(dot, given, final, name == "or")
        values = [self._argument(dot, function.parameter(i), argument) for i, argument in enumerate(given)]
        if final is not MISSING:
            values.append(self._validated(final, function.parameter(len(given))))
        if name == "call":
            values.insert(0, str(given[0]) if given else _value_words(final))
        try:
            return function.call(*map(_passed, values, map(function.parameter, range(len(values)))))
        except CallError as error:
            self._node = place
            self._fail(f"error calling {name}: {error}")

    def _check_count(self, name: str, function: Function, given: int, count: int) -> None:
        if function.variadic:
            if count < function.fixed:
                self._fail(f"wrong number of args for {name}: want at least {function.fixed} got {given}")
        elif count != function.fixed:
            self._fail(f"wrong number of args for {name}: want {function.fixed} got {count}")

    def _and_or(self, dot: Value, given: list[Node], final: Value, stops_at: bool) -> Value:
        value: Value = INVALID
        for argument in given:
            value = self._argument(dot, "value", argument)
            if is_true(value) == stops_at:
                return value
        return value if final is MISSING else final

    def _argument(self, dot: Value, kind: str, node: Node) -> Value:
        """An argument's value, of the kind that a parameter asks for ("" for any)."""
        self._node = node
        match node:
            case DotNode():
                return self._validated(dot, kind)
            case NilNode():
                if kind == "string":
                    self._fail("cannot assign nil to string")
                return INVALID if kind == "value" else Boxed(None)
            case FieldNode():
                return self._validated(self._field_node(dot, node, [node], MISSING), kind)
            case VariableNode():
                return self._validated(self._variable_node(dot, node, [], MISSING), kind)
            case PipeNode():
                return self._validated(self._pipeline(dot, node), kind)
            case IdentifierNode():
                return self._validated(self._function(dot, node, node, [], MISSING), kind)
            case ChainNode():
                return self._validated(self._chain_node(dot, node, [], MISSING), kind)
        if kind == "string" and not isinstance(node, StringNode):
            self._fail(f"expected string; found {node}")
        return self._constant(node)

    def _validated(self, value: Value, kind: str) -> Value:
        """Is the value what a parameter takes?"""
        if kind != "string":
            return value
        if value is INVALID:
            self._fail("invalid value; expected string")
        inner = unboxed(value)
        if not isinstance(inner, str):
            shown = static_type(value if is_nil(value) else inner)
            self._fail(f"wrong type for value; expected string; got {shown}")
        return inner


def _passed(value: Value, kind: str) -> Any:
    """What the function is given: reflect's value, or what it holds."""
    return plain(value) if kind == "any" else value


def _value_words(value: Value) -> str:
    """reflect.Value.String: of a text itself, of others its type."""
    return value if isinstance(value, str) else f"<{static_type(value)} Value>"

"""The nodes of a parsed Go template. Each knows where it stands (an index into the text) and reads as Go's String()
writes it, because errors quote nodes (text/template/parse/node.go)."""

from __future__ import annotations

from kubetrace.value import Mutable, fresh
from kubetrace.wire.go_quote import quote


class Node(Mutable):
    position: int


class ListNode(Node):
    nodes: list[Node] = fresh(list)

    def __str__(self) -> str:
        return "".join(map(str, self.nodes))


class TextNode(Node):
    text: str

    def __str__(self) -> str:
        return self.text


class VariableNode(Node):
    """$x.Field: the name with its dollar, then fields."""

    words: list[str]

    def __str__(self) -> str:
        return ".".join(self.words)


class CommandNode(Node):
    arguments: list[Node] = fresh(list)

    def __str__(self) -> str:
        return " ".join(f"({node})" if isinstance(node, PipeNode) else str(node) for node in self.arguments)


class PipeNode(Node):
    """`declared` variables are assigned to ("=") or declared (":=")."""

    declared: list[VariableNode] = fresh(list)
    commands: list[CommandNode] = fresh(list)
    assigns: bool = False

    def __str__(self) -> str:
        declared = ", ".join(map(str, self.declared))
        operator = (" = " if self.assigns else " := ") if declared else ""
        return declared + operator + " | ".join(map(str, self.commands))


class ActionNode(Node):
    pipe: PipeNode

    def __str__(self) -> str:
        return f"{{{{{self.pipe}}}}}"


class IdentifierNode(Node):
    """A function's name."""

    name: str

    def __str__(self) -> str:
        return self.name


class DotNode(Node):
    def __str__(self) -> str:
        return "."


class NilNode(Node):
    def __str__(self) -> str:
        return "nil"


class FieldNode(Node):
    words: list[str]

    def __str__(self) -> str:
        return "".join(f".{word}" for word in self.words)


class ChainNode(Node):
    """Fields of a parenthesized pipeline, or of a function's result."""

    node: Node
    words: list[str]

    def __str__(self) -> str:
        first = f"({self.node})" if isinstance(self.node, PipeNode) else str(self.node)
        return first + "".join(f".{word}" for word in self.words)


class BoolNode(Node):
    value: bool

    def __str__(self) -> str:
        return "true" if self.value else "false"


class NumberNode(Node):
    """A number can be used as whatever it is exactly: None where it is not that."""

    text: str
    integer: int | None = None
    unsigned: int | None = None
    float: float | None = None
    complex: complex | None = None

    def __str__(self) -> str:
        return self.text


class StringNode(Node):
    quoted: str
    text: str

    def __str__(self) -> str:
        return self.quoted


class EndNode(Node):
    def __str__(self) -> str:
        return "{{end}}"


class ElseNode(Node):
    def __str__(self) -> str:
        return "{{else}}"


class BreakNode(Node):
    def __str__(self) -> str:
        return "{{break}}"


class ContinueNode(Node):
    def __str__(self) -> str:
        return "{{continue}}"


class BranchNode(Node):
    """if, range or with."""

    word: str
    pipe: PipeNode
    body: ListNode
    otherwise: ListNode | None

    def __str__(self) -> str:
        otherwise = f"{{{{else}}}}{self.otherwise}" if self.otherwise is not None else ""
        return f"{{{{{self.word} {self.pipe}}}}}{self.body}{otherwise}{{{{end}}}}"


class TemplateNode(Node):
    name: str
    pipe: PipeNode | None

    def __str__(self) -> str:
        return f"{{{{template {quote(self.name)}{f' {self.pipe}' if self.pipe is not None else ''}}}}}"

"""The nodes of a parsed Go template. Each knows where it stands (an index into the text) and reads as Go's String()
writes it, because errors quote nodes (text/template/parse/node.go)."""

from __future__ import annotations

from dataclasses import dataclass, field

from kubetrace.wire.go_quote import quote


@dataclass(slots=True)
class Node:
    position: int


@dataclass(slots=True)
class ListNode(Node):
    nodes: list[Node] = field(default_factory=list)

    def __str__(self) -> str:
        return "".join(map(str, self.nodes))


@dataclass(slots=True)
class TextNode(Node):
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class VariableNode(Node):
    """$x.Field: the name with its dollar, then fields."""

    words: list[str]

    def __str__(self) -> str:
        return ".".join(self.words)


@dataclass(slots=True)
class CommandNode(Node):
    arguments: list[Node] = field(default_factory=list)

    def __str__(self) -> str:
        return " ".join(f"({node})" if isinstance(node, PipeNode) else str(node) for node in self.arguments)


@dataclass(slots=True)
class PipeNode(Node):
    """`declared` variables are assigned to ("=") or declared (":=")."""

    declared: list[VariableNode] = field(default_factory=list)
    commands: list[CommandNode] = field(default_factory=list)
    assigns: bool = False

    def __str__(self) -> str:
        declared = ", ".join(map(str, self.declared))
        operator = (" = " if self.assigns else " := ") if declared else ""
        return declared + operator + " | ".join(map(str, self.commands))


@dataclass(slots=True)
class ActionNode(Node):
    pipe: PipeNode

    def __str__(self) -> str:
        return f"{{{{{self.pipe}}}}}"


@dataclass(slots=True)
class IdentifierNode(Node):
    """A function's name."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(slots=True)
class DotNode(Node):
    def __str__(self) -> str:
        return "."


@dataclass(slots=True)
class NilNode(Node):
    def __str__(self) -> str:
        return "nil"


@dataclass(slots=True)
class FieldNode(Node):
    words: list[str]

    def __str__(self) -> str:
        return "".join(f".{word}" for word in self.words)


@dataclass(slots=True)
class ChainNode(Node):
    """Fields of a parenthesized pipeline, or of a function's result."""

    node: Node
    words: list[str]

    def __str__(self) -> str:
        first = f"({self.node})" if isinstance(self.node, PipeNode) else str(self.node)
        return first + "".join(f".{word}" for word in self.words)


@dataclass(slots=True)
class BoolNode(Node):
    value: bool

    def __str__(self) -> str:
        return "true" if self.value else "false"


@dataclass(slots=True)
class NumberNode(Node):
    """A number can be used as whatever it is exactly: None where it is not that."""

    text: str
    integer: int | None = None
    unsigned: int | None = None
    float: float | None = None
    complex: complex | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class StringNode(Node):
    quoted: str
    text: str

    def __str__(self) -> str:
        return self.quoted


@dataclass(slots=True)
class EndNode(Node):
    def __str__(self) -> str:
        return "{{end}}"


@dataclass(slots=True)
class ElseNode(Node):
    def __str__(self) -> str:
        return "{{else}}"


@dataclass(slots=True)
class BreakNode(Node):
    def __str__(self) -> str:
        return "{{break}}"


@dataclass(slots=True)
class ContinueNode(Node):
    def __str__(self) -> str:
        return "{{continue}}"


@dataclass(slots=True)
class BranchNode(Node):
    """if, range or with."""

    word: str
    pipe: PipeNode
    body: ListNode
    otherwise: ListNode | None

    def __str__(self) -> str:
        otherwise = f"{{{{else}}}}{self.otherwise}" if self.otherwise is not None else ""
        return f"{{{{{self.word} {self.pipe}}}}}{self.body}{otherwise}{{{{end}}}}"


@dataclass(slots=True)
class TemplateNode(Node):
    name: str
    pipe: PipeNode | None

    def __str__(self) -> str:
        return f"{{{{template {quote(self.name)}{f' {self.pipe}' if self.pipe is not None else ''}}}}}"

"""Values: small classes that cost next to nothing to define.

    class Endpoint(Value):
        host: str
        port: int = 443

is what a frozen dataclass with slots is: keywords and defaults, equality, hash, repr, `match`, and type checkers read
it as one. The standard library compiles the methods of each dataclass from text, a millisecond a class, and a command
defines a hundred of them before its first byte goes out. A Value's methods are written once, below.

Every annotated name is a field. `Mutable` is the same for what changes while it lives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar, dataclass_transform

_T = TypeVar("_T")
_V = TypeVar("_V", bound="_Fields")
_MISSING: Any = object()


class Field:
    """A default that says more: how to make it anew, or, in subclasses, what else belongs to the field (the flag that
    fills it, its key in a file)."""

    __slots__ = ("default", "make")

    def __init__(self, default: Any = _MISSING, make: Callable[[], Any] | None = None) -> None:
        self.default = default
        self.make = make


def fresh(make: Callable[[], _T]) -> _T:
    """The default of a field that gets a new list, dictionary … in each instance."""
    field: Any = Field(make=make)
    return field  # type: ignore[no-any-return]


class FieldsType(type):
    """Turns annotations into slots."""

    field_names: tuple[str, ...]
    """The fields, in the order of the class."""
    described_fields: dict[str, Field]
    """The fields whose default is a `Field`, by name, in the class's order."""
    _defaults: dict[str, Any]
    _makers: dict[str, Callable[[], Any]]
    _setters: tuple[Any, ...]

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> FieldsType:
        base: Any = next((base for base in bases if isinstance(base, FieldsType)), None)
        names = base.field_names if base else ()
        defaults, makers, described = _inherited(base)
        annotated = namespace.get("__annotations__", ())
        for field in annotated:
            default = namespace.pop(field, _MISSING)
            if isinstance(default, Field):
                described[field] = default
                if default.make is not None:
                    makers[field] = default.make
                default = default.default
            if default is not _MISSING:
                defaults[field] = default
        slots = tuple([field for field in annotated if field not in names])
        cls = super().__new__(mcs, name, bases, {**namespace, "__slots__": slots}, **options)
        cls.field_names = names + slots
        setattr(cls, "__match_args__", cls.field_names)  # noqa: B010 (type checkers see that dataclass_transform's)
        cls.described_fields, cls._defaults, cls._makers = described, defaults, makers
        cls._setters = tuple([getattr(cls, field).__set__ for field in cls.field_names])
        return cls


def _inherited(base: Any) -> tuple[dict[str, Any], dict[str, Callable[[], Any]], dict[str, Field]]:
    if base is None:
        return {}, {}, {}
    return dict(base._defaults), dict(base._makers), dict(base.described_fields)


class _Fields(metaclass=FieldsType):
    """What values of both kinds can."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        cls = self.__class__
        if kwargs or len(args) != len(cls._setters):
            args = _arguments(cls, args, kwargs)
        for set_field, value in zip(cls._setters, args, strict=True):
            set_field(self, value)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return _values(self) == _values(other)

    def __repr__(self) -> str:
        fields = zip(self.__class__.field_names, _values(self), strict=True)
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in fields)})"

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), _values(self)


@dataclass_transform(frozen_default=True)
class Value(_Fields):
    """A value that stays as it was made."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot assign to field {name!r} of a {type(self).__name__}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete field {name!r} of a {type(self).__name__}")

    def __hash__(self) -> int:
        return hash(_values(self))


class Ordered(Value):
    """A value that compares as the tuple of its fields does."""

    def __lt__(self, other: Self) -> bool:
        return _values(self) < _values(other)

    def __le__(self, other: Self) -> bool:
        return _values(self) <= _values(other)

    def __gt__(self, other: Self) -> bool:
        return _values(self) > _values(other)

    def __ge__(self, other: Self) -> bool:
        return _values(self) >= _values(other)


@dataclass_transform()
class Mutable(_Fields):
    """A value whose fields may be assigned to; it has no hash."""

    __hash__ = None  # type: ignore[assignment]


def replace(value: _V, /, **changes: Any) -> _V:
    """A copy with other values in some fields. TypeError for a name that is no field."""
    cls = value.__class__
    return cls(**{**dict(zip(cls.field_names, _values(value), strict=True)), **changes})


def _values(value: _Fields) -> tuple[Any, ...]:
    return tuple([getattr(value, name) for name in value.__class__.field_names])


def _arguments(cls: FieldsType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """One argument a field, in the order of the fields. TypeError where one is missing, unknown or given twice."""
    names = cls.field_names
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    if len(given) != len(args) + len(kwargs):
        raise TypeError(f"{cls.__name__}: an argument too many, or one given twice")
    values = {**cls._defaults, **given}
    for name, make in cls._makers.items():
        if name not in given:
            values[name] = make()
    if len(values) > len(names):
        raise TypeError(f"{cls.__name__} has no field {next(name for name in values if name not in names)!r}")
    try:
        return tuple([values[name] for name in names])
    except KeyError as error:
        raise TypeError(f"{cls.__name__} needs the field {error}") from None

"""Building blocks of the schema: types and fields described by their docstrings, root fields, shared types.

A docstring's first paragraph is the GraphQL description, on one line; paragraphs after it are for developers. An
attribute is described where it is declared: `title: str = strawberry.field(description="…")`.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import fields
from functools import wraps
from types import NoneType, UnionType
from typing import Annotated, Any, NewType, Self, TypeVar, Union, dataclass_transform, get_args, get_origin

import strawberry
from strawberry.schema_directive import Location
from strawberry.types.lazy_type import LazyType
from strawberry.types.scalar import ScalarDefinition

from resolvers.context import Context
from services.access import Right
from services.errors import JmgraphError

Info = strawberry.Info[Context, None]
T = TypeVar("T")
Resolver = Callable[..., Any]

BigInt = NewType("BigInt", int)

SCALARS: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="Integers past 2^31, as JSON numbers.",
        serialize=int,
        parse_value=int,
    ),
}


def description_of(documented: object) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(documented) or "").partition("\n\n")[0].split())


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def object_type(cls: type[T]) -> type[T]:
    """`strawberry.type`, described by the docstring.

    The GraphQL name is that of the class without "View", which a class has where its record has the plain name.
    """
    return strawberry.type(cls, name=cls.__name__.removesuffix("View"), description=description_of(cls))


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def interface_type(cls: type[T]) -> type[T]:
    """`strawberry.interface`, described by the docstring."""
    return strawberry.interface(cls, description=description_of(cls))


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def input_type(cls: type[T]) -> type[T]:
    """`strawberry.input`, described by the docstring."""
    return strawberry.input(cls, description=description_of(cls))


_EXCEPTIONS_OF: dict[Any, tuple[type[JmgraphError], ...]] = {}


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def error_type(*exceptions: type[JmgraphError]) -> Callable[[type[T]], type[T]]:
    """Declare the object type that a mutation returns for these exceptions, where its union has that type.

    The GraphQL name is that of the class without "Result": `AlbumNotFoundResult` is `AlbumNotFound`.
    """

    def declare(cls: type[T]) -> type[T]:
        name = cls.__name__.removesuffix("Result")
        declared = strawberry.type(cls, name=name, description=description_of(cls))
        _EXCEPTIONS_OF[declared] = exceptions
        return declared

    return declare


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="semanticNonNull",
    description="The field is null only when an error stands at its path.",
)
class SemanticNonNull:
    """Marks a nullable field that is null only together with an error at its path."""

    levels: list[int] = strawberry.field(default=(0,), name="levels")  # a list can't be a default


def field(method: Resolver | None = None, *, type: Any = None, semantic_non_null: bool = False) -> Any:
    """Declare a field by its method, described by the method's docstring.

    `type` is for an async method that returns a record: the GraphQL type to show it as (see `root_field`).
    `semantic_non_null` marks a nullable field that is null only together with an error.
    """

    def declare(method: Resolver) -> Any:
        return strawberry.field(
            resolver=method if type is None else _converting(method, type),
            graphql_type=type,
            description=description_of(method),
            directives=[SemanticNonNull()] if semantic_non_null else (),
        )

    return declare if method is None else declare(method)


RIGHT = "right"
"""Key in the metadata of a root field: the `Right` it needs, where that is not the one of its type."""


def root_field(resolver: Resolver, type: Any, *, right: Right | None = None, **inputs: Any) -> Any:
    """Declare a root field: `ranking = root_field(resolvers.albums.ranking, Ranking)`.

    `resolver` is a function of the request's `Context` and the field's arguments. Its docstring describes the field;
    arguments with a default may be left out. It returns a record, which `type` shows: `Ranking.of(record)` for an
    object type, each record for `list[Tag]`, null for None in `Tag | None`. The first type of a union shows the
    record, the others are returned for exceptions (see `error_type`). An async generator makes a subscription.

    `inputs` names input objects: with `filter=TagFilter`, the fields of `TagFilter` are sent as one argument `filter`
    and passed to the resolver one by one. It may be left out when all of its fields may. With
    `inputs=list[StartDownloadInput]` the resolver gets the argument as a list of the fields of each, by their names.

    `right` is what the caller needs; by default READ for a query or subscription, CHANGE for a mutation.
    """
    signature = inspect.signature(resolver, eval_str=True)
    is_subscription = get_origin(signature.return_annotation) is AsyncGenerator
    resolve = (_subscription if is_subscription else _operation)(resolver, type, inputs)
    resolve.__signature__ = _field_signature(signature, type, inputs, is_subscription)  # type: ignore[attr-defined]
    declare = strawberry.subscription if is_subscription else strawberry.field
    metadata = {} if right is None else {RIGHT: right}
    return declare(resolver=resolve, description=description_of(resolver), metadata=metadata)


def _operation(resolver: Resolver, type: Any, inputs: Mapping[str, Any]) -> Resolver:
    convert, caught = _view(type), tuple(_results(type))
    if not inspect.iscoroutinefunction(resolver):
        return lambda info, **arguments: convert(resolver(info.context, **_values(arguments, inputs)))

    async def resolve(info: Info, **arguments: Any) -> Any:
        try:
            return convert(await resolver(info.context, **_values(arguments, inputs)))
        except caught as error:
            return convert(error)

    return resolve


def _subscription(resolver: Resolver, type: Any, inputs: Mapping[str, Any]) -> Resolver:
    convert = _view(type)

    async def subscribe(info: Info, **arguments: Any) -> AsyncGenerator[Any, None]:
        async with aclosing(resolver(info.context, **_values(arguments, inputs))) as records:
            async for record in records:
                yield convert(record)

    return subscribe


def _converting(method: Resolver, type: Any) -> Resolver:
    convert = _view(type)

    @wraps(method)
    async def resolve(*args: Any, **kwargs: Any) -> Any:
        return convert(await method(*args, **kwargs))

    return resolve


def _view(type: Any) -> Callable[[Any], Any]:
    """The function that turns a record into a value of this type."""
    origin, arguments = get_origin(type), get_args(type)
    if origin is Annotated:  # a union: the view, then the results of errors
        return _with_results(_view(get_args(arguments[0])[0]), _results(type))
    if origin is list:
        convert = _view(arguments[0])
        return lambda records: [convert(record) for record in records]
    if origin in (Union, UnionType):
        return _optional(_view(next(member for member in arguments if member is not NoneType)))
    if type in (bool, int, str):
        return _identity
    if isinstance(type, LazyType):
        return lambda record: type.resolve_type().of(record)
    view: Callable[[Any], Any] = type.of
    return view


def _identity(value: Any) -> Any:
    return value


def _optional(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """As `convert`, but None stays None, and an exception stays one: GraphQL reports it at its place in a list."""
    return lambda record: record if record is None or isinstance(record, JmgraphError) else convert(record)


def _with_results(convert: Callable[[Any], Any], results: Mapping[Any, Any]) -> Callable[[Any], Any]:
    """As `convert`, but an exception becomes its result; one that has none stays an exception."""

    def view(record: Any) -> Any:
        if not isinstance(record, JmgraphError):
            return convert(record)
        result = next((results[kind] for kind in record.__class__.__mro__ if kind in results), None)
        return record if result is None else result.of(record)

    return view


def _results(type: Any) -> dict[Any, Any]:
    """The exceptions for which a union has a type, each with that type; of several, the nearest base class counts."""
    members = get_args(get_args(type)[0]) if get_origin(type) is Annotated else ()
    return {exception: member for member in members for exception in _EXCEPTIONS_OF.get(member, ())}


def _field_signature(
    signature: inspect.Signature, type: Any, inputs: Mapping[str, Any], is_subscription: bool
) -> inspect.Signature:
    """The signature that Strawberry reads: `info` in place of the context, input objects in place of their fields."""
    _, *arguments = signature.parameters.values()
    parameters = [_parameter("info", Info)]
    for name, input in inputs.items():
        if get_origin(input) is list:
            arguments = [each.replace(annotation=input) if each.name == name else each for each in arguments]
            continue
        members = {item.name for item in fields(input)}
        collected = [argument for argument in arguments if argument.name in members]
        arguments = [argument for argument in arguments if argument.name not in members]
        is_required = any(argument.default is argument.empty for argument in collected)
        parameters.append(_parameter(name, input) if is_required else _parameter(name, input | None, None))
    parameters += [_parameter(each.name, each.annotation, each.default) for each in arguments]
    returned = AsyncGenerator[type, None] if is_subscription else type
    return signature.replace(parameters=parameters, return_annotation=returned)


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    """An argument of a field. The default UNSET instead of None keeps `= null` out of the SDL."""
    default = strawberry.UNSET if default is None else default
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _values(arguments: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of the resolver: those that the client sent, and the fields of input objects."""
    values = {name: value for name, value in arguments.items() if name not in inputs}
    for name, input in inputs.items():
        if get_origin(input) is list:
            values[name] = [sent_fields(each) for each in arguments[name]]
        else:
            values |= sent_fields(arguments.get(name))
    return {name: value for name, value in values.items() if value is not strawberry.UNSET}


def sent_fields(input: Any) -> dict[str, Any]:
    """The fields of an input object that the client sent; none of one that was left out."""
    return {name: value for name, value in vars(input).items() if value is not strawberry.UNSET} if input else {}


@object_type
class PageInfo:
    """Where a page of a connection stands."""

    has_next_page: bool = strawberry.field(description="True when more follow.")
    has_previous_page: bool = strawberry.field(description="True when some come before.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first item; null on an empty page.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last item, for the next page's `after`; null on an empty page."
    )

    @classmethod
    def of(cls, cursors: Sequence[str], *, has_next: bool, has_previous: bool) -> Self:
        """The position of a page whose items have these cursors."""
        return cls(
            has_next_page=has_next,
            has_previous_page=has_previous,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )

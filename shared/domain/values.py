"""Values on the path of a booking: immutable to the type checker, and as cheap as any object.

A frozen dataclass pays three times as much for being made; a dozen are made for every booking. So
mypy holds everyone to immutability here, before anything runs, and nothing holds it while it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform, overload

T = TypeVar("T")


@overload
def value(cls: type[T], /) -> type[T]: ...


@overload
def value(*, kw_only: bool = False) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(
    cls: type[T] | None = None, /, *, kw_only: bool = False
) -> type[T] | Callable[[type[T]], type[T]]:
    """As `dataclass(frozen=True, slots=True)`, equal and hashed by its fields."""
    make = dataclass(slots=True, kw_only=kw_only, unsafe_hash=True)
    return make if cls is None else make(cls)

"""Gives the functions of a loaded module the code of another source of it, wherever they are held.

Whoever imported a function before calls the other code from then on; nothing is loaded again.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType


def put_in_place(module: ModuleType, source: str) -> None:
    """ValueError when the source does not have the module's functions."""
    codes: defaultdict[str, deque[CodeType]] = defaultdict(deque)
    for code in _codes(compile(source, f"<mutant of {module.__name__}>", "exec")):
        codes[code.co_qualname].append(code)
    functions = {id(function): function for function in _functions(module)}
    for function in sorted(functions.values(), key=lambda one: one.__code__.co_firstlineno):
        namesakes = codes[function.__code__.co_qualname]  # all lambdas are: they go by their order
        if not namesakes:
            raise ValueError(f"{function.__qualname__} is not in the other source")
        function.__code__ = namesakes.popleft()


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """Those that the module itself defines; a dataclass's ready-made methods are not its own."""
    for holder in (module, *_classes(module)):
        for value in vars(holder).values():
            for function in _inside(value):
                if function.__code__.co_filename == module.__file__:
                    yield function


def _classes(module: ModuleType) -> Iterator[type]:
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            yield value


def _inside(value: object) -> Iterator[FunctionType]:
    if isinstance(value, FunctionType):
        yield value
    elif isinstance(value, classmethod | staticmethod):
        yield from _inside(value.__func__)
    elif isinstance(value, property):
        yield from _inside(value.fget)
        yield from _inside(value.fset)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _inside(one)

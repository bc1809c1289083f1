"""Small wrongs, one at a time, in a module's source: what a good test suite must notice."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitOr: ast.BitAnd,
}
UNSAID = ("_log.", "reached(", "APPEND_", "self._count(")
"""Log lines, fault points and figures: they decide nothing."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A whole module with one thing wrong in it."""

    line: int
    what: str
    source: str


Change = Callable[[ast.AST], None]


def mutants_of(source: str) -> Iterator[Mutant]:
    """Every mutant of a module's functions, without their signatures."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    inside = {id(node) for node in _inside_functions(tree)}
    for index, node in enumerate(nodes):
        if id(node) not in inside:
            continue
        for what, change in _changes(node):
            changed = copy.deepcopy(tree)
            change(list(ast.walk(changed))[index])
            text = ast.unparse(ast.fix_missing_locations(changed))
            yield Mutant(getattr(node, "lineno", 0), what, text)


def _inside_functions(tree: ast.Module) -> Iterator[ast.AST]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            body = [function.body] if isinstance(function, ast.Lambda) else function.body
            for statement in body:
                yield from _without_annotations(statement)


def _without_annotations(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name not in ("annotation", "returns"):
                yield from _without_annotations(child)


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    said = ast.unparse(node) if isinstance(node, ast.expr | ast.stmt) else ""
    if isinstance(node, ast.Expr | ast.AugAssign) and not _is_unsaid(node, said):
        yield f"without {said}", _emptied
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield f"turned {said}", _compared_otherwise
    elif isinstance(node, ast.BoolOp):
        yield f"and/or in {said}", _joined_otherwise
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"without not in {said}", _affirmed
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC and "Literal" not in said:
        yield f"sign in {said}", _signed_otherwise
    elif isinstance(node, ast.If):
        yield f"always {ast.unparse(node.test)}", _always
        yield f"never {ast.unparse(node.test)}", _never
    elif isinstance(node, ast.Return) and not _is_nothing(node.value):
        yield f"None instead of {said}", _nothing_returned


def _is_nothing(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _is_unsaid(node: ast.AST, said: str) -> bool:
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_docstring or said.startswith(UNSAID)


def _emptied(node: ast.AST) -> None:
    """The statement as one that does nothing."""
    nothing = ast.Expr(ast.Constant(None))
    node.__class__ = ast.Expr
    node.__dict__.update(nothing.__dict__)


def _compared_otherwise(node: ast.AST) -> None:
    assert isinstance(node, ast.Compare)
    node.ops[0] = COMPARISONS[type(node.ops[0])]()


def _joined_otherwise(node: ast.AST) -> None:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _affirmed(node: ast.AST) -> None:
    assert isinstance(node, ast.UnaryOp)
    operand = node.operand
    node.__dict__.clear()
    node.__class__ = operand.__class__  # type: ignore[assignment]
    node.__dict__.update(operand.__dict__)


def _signed_otherwise(node: ast.AST) -> None:
    assert isinstance(node, ast.BinOp)
    node.op = ARITHMETIC[type(node.op)]()


def _always(node: ast.AST) -> None:
    assert isinstance(node, ast.If)
    node.test = ast.Constant(True)


def _never(node: ast.AST) -> None:
    assert isinstance(node, ast.If)
    node.test = ast.Constant(False)


def _nothing_returned(node: ast.AST) -> None:
    assert isinstance(node, ast.Return)
    node.value = ast.Constant(None)

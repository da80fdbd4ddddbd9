"""Keeps modules, functions and seams small enough to be read in one go."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import all_modules, relative, shipped_modules

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
PROTOCOL_METHODS_MAX = 12
POSITIONAL_PARAMETERS_MAX = 4

Function = ast.FunctionDef | ast.AsyncFunctionDef


def long_functions(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{node.name} (line {node.lineno}) has {lines} lines"


def wide_protocols(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and any(_is_protocol(base) for base in node.bases):
            methods = sum(isinstance(member, Function) for member in node.body)
            if methods > PROTOCOL_METHODS_MAX:
                yield f"{node.name} (line {node.lineno}) has {methods} methods"


def functions_with_many_positional_parameters(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function) and not node.name.startswith("__"):
            names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
            count = len([name for name in names if name not in {"self", "cls"}])
            if count > POSITIONAL_PARAMETERS_MAX:
                yield f"{node.name} (line {node.lineno}) takes {count}"


def _is_protocol(base: ast.expr) -> bool:
    if isinstance(base, ast.Subscript):
        base = base.value
    return (isinstance(base, ast.Name) and base.id == "Protocol") or (
        isinstance(base, ast.Attribute) and base.attr == "Protocol"
    )


def _findings(modules: list[Path], rule: object) -> list[str]:
    assert callable(rule)
    return [f"{relative(p)}: {found}" for p in modules for found in rule(p.read_text())]


def test_no_module_is_longer_than_its_cap() -> None:
    long = [
        f"{relative(path)} has {lines} lines"
        for path in all_modules()
        if (lines := len(path.read_text().splitlines())) > FILE_LINES_MAX
    ]

    assert not long, f"Over {FILE_LINES_MAX} lines; split by noun or by step: {long}"


def test_no_function_is_longer_than_its_cap() -> None:
    found = _findings(all_modules(), long_functions)

    assert not found, f"Over {FUNCTION_LINES_MAX} lines; name the steps as functions: {found}"


def test_no_protocol_asks_for_more_methods_than_its_cap() -> None:
    found = _findings(shipped_modules(), wide_protocols)

    assert not found, f"Over {PROTOCOL_METHODS_MAX} methods; make one Protocol per noun: {found}"


def test_no_function_takes_more_positional_parameters_than_its_cap() -> None:
    found = _findings(shipped_modules(), functions_with_many_positional_parameters)

    assert not found, f"Over {POSITIONAL_PARAMETERS_MAX}; put `*` before the rest: {found}"


def test_the_rules_find_what_they_look_for() -> None:
    body = "\n".join("    x = 1" for _ in range(FUNCTION_LINES_MAX))
    methods = "\n".join(f"    def m{n}(self): ..." for n in range(PROTOCOL_METHODS_MAX + 1))

    assert [*long_functions(f"def f():\n{body}")] == ["f (line 1) has 61 lines"]
    assert [*wide_protocols(f"class P(Protocol[T]):\n{methods}")] == ["P (line 1) has 13 methods"]
    assert [*functions_with_many_positional_parameters("def f(self, a, b, c, d, e, *, g): ...")]
    assert not [*functions_with_many_positional_parameters("def f(self, a, b, c, d, *, e): ...")]

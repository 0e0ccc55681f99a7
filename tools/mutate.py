"""Mutate a module in one place after another, and report changes that no test detects.

Each survivor shows behavior that no test proves.

    make mutate ONLY=governance/kernel/safety/access.py
    make mutate ONLY=governance/kernel/safety/access.py TESTS="tests/kernel
    tests/test_object_conditions.py"
    make mutate ONLY=governance/foundation/audit/merkle.py TESTS="--noconftest
    tests/foundation/audit/test_merkle.py"

Cosmic Ray makes the changes in a copy of the repository, and runs pytest for each. The embedded
PostgreSQL keeps running; nothing else is shared. Without TESTS, the tests of the module's feature
run. Prints each survivor as a diff, and exits with 1 if there is one.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast, get_ast_from_path
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.plugins import OPERATOR_PROVIDERS, get_operator
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome

ROOT = Path(__file__).parents[1]
PYTEST = (sys.executable, "-m", "pytest", "-n", "0", "-x", "-q", "-p", "no:randomly")
MIN_TIMEOUT_SECONDS = 60
# One change for each operator of the language: Cosmic Ray has up to eleven.
OPERATORS = [
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBinaryOperator_Mul_Div",
    "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Div",
    "ReplaceBinaryOperator_Mod_Mul",
    "ReplaceBinaryOperator_Pow_Mul",
    "ReplaceBinaryOperator_BitAnd_BitXor",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "AddNot",
    "NumberReplacer",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_USub",
    "ZeroIterationForLoop",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
]


class RemoveCall(Operator):
    """A mutation that replaces a call statement, such as a check, with `pass`."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "simple_stmt" and _is_call(node.children[0]):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, _index: int) -> Any:
        nothing = get_ast("pass\n").children[0].children[0]
        nothing.prefix = node.children[0].get_first_leaf().prefix
        node.children[0] = nothing
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example("check(x)\n", "pass\n"),)


def _is_call(node: Any) -> bool:
    if node.type not in {"atom_expr", "power"}:
        return False
    last = node.children[-1]
    return bool(last.type == "trailer" and last.children[0].value == "(")


def tests_of(module: Path) -> list[str]:
    """Return the tests of a module: those named like it, or else the folder of its feature."""
    folder = Path("tests", *module.parent.parts[1:])
    named = [
        str(each.relative_to(ROOT)) for each in (ROOT / folder).glob(f"test_{module.stem}*.py")
    ]
    return named if folder.name == "kernel" and named else [str(folder)]


def copy_to(folder: Path) -> None:
    """Copy the files that Git tracks or would add."""
    listed = subprocess.run(
        ["/usr/bin/env", "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout  # fmt: skip - one line
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def mutations(module: Path) -> Iterator[MutationSpec]:
    OPERATOR_PROVIDERS["tools"] = {"RemoveCall": RemoveCall}
    for name in (*(f"core/{each}" for each in OPERATORS), "tools/RemoveCall"):
        places = [
            place
            for node in ast_nodes(get_ast_from_path(module))
            for place in get_operator(name)().mutation_positions(node)
        ]
        for occurrence, (start, end) in enumerate(places):
            yield MutationSpec(module, name, occurrence, start, end)


def run(module: Path, tests: list[str]) -> int:
    """Print the survivors and a summary. Return how many survived."""
    command, started = [*PYTEST, *tests], time.monotonic()
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - as above
        raise SystemExit("These tests fail without any change.")
    timeout = max(MIN_TIMEOUT_SECONDS, 3 * (time.monotonic() - started))
    every, survived = list(mutations(module)), 0
    for number, each in enumerate(every, 1):
        result = mutate_and_test([each], " ".join(command), timeout)
        if result.worker_outcome is not WorkerOutcome.NORMAL:
            say(f"{each.operator_name} {each.start_pos}: {result.worker_outcome}")
        elif result.test_outcome is TestOutcome.SURVIVED:
            survived += 1
            say(f"\nSurvivor {survived}, {each.operator_name}:\n{result.diff}")
        else:
            say(f"\r{number} of {len(every)}", end="")
    say(f"\n{module}: {len(every)} changes, {survived} survived")
    return survived


def say(text: str, *, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module", type=Path)
    parser.add_argument("tests", nargs="*")
    given, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="governance-mutants-") as folder:
        copy_to(Path(folder))
        os.environ["PYTHONPATH"] = folder
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # The first run compiles for all others.
        with chdir(folder):
            return 1 if run(given.module, options + (given.tests or tests_of(given.module))) else 0


if __name__ == "__main__":
    sys.exit(main())

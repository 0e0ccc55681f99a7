"""Measure the structure of a source tree, so that two revisions can be compared.

    python -m tools.code_metrics [FOLDER]        a work tree; the current folder by default

Prints one `name  value` line per figure. Lines are non-blank lines of tracked files.
"""

import ast
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

MAX_COLUMNS = 100
MAX_TEMPLATE_COLUMNS = 120
MAX_FILE_LINES = 400
OLD_WORDS = ("held", "standing", "beside", "told", "reason")


def tracked(folder: Path, *patterns: str) -> list[Path]:
    """Return the tracked files of a work tree that match the Git pathspecs."""
    command = ["git", "-C", str(folder), "ls-files", "--", *patterns]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return [folder / name for name in listed.stdout.splitlines() if (folder / name).is_file()]


def non_blank(path: Path) -> int:
    """Count the lines of a file that aren't blank."""
    return sum(bool(line.strip()) for line in path.read_text().splitlines())


def longer_than(paths: list[Path], columns: int) -> int:
    """Count the lines with more characters than `columns`."""
    return sum(len(line) > columns for path in paths for line in path.read_text().splitlines())


def occurrences(paths: list[Path], pattern: str) -> int:
    """Count the matches of a regular expression."""
    return sum(len(re.findall(pattern, path.read_text())) for path in paths)


def spread(name: str, values: list[int]) -> Iterator[tuple[str, object]]:
    """Yield count, median, 90th percentile and maximum."""
    ordered = sorted(values)
    yield f"{name}: count", len(ordered)
    yield f"{name}: median", statistics.median_low(ordered)
    yield f"{name}: 90th percentile", ordered[int(len(ordered) * 0.9)]
    yield f"{name}: maximum", ordered[-1]


def figures(folder: Path) -> Iterator[tuple[str, object]]:
    """Yield each figure with its name."""
    product, templates = tracked(folder, "governance/*.py"), tracked(folder, "templates")
    python = tracked(folder, "governance/*.py", "tests/*.py", "bench/*.py", "tools/*.py", "app.py")
    trees = [ast.parse(path.read_text()) for path in product]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    classes = Counter(node.name for node in nodes if isinstance(node, ast.ClassDef))
    sizes = [non_blank(path) for path in product]
    yield from spread("lines per file", sizes)
    yield f"files over {MAX_FILE_LINES} lines", sum(size > MAX_FILE_LINES for size in sizes)
    lengths = [(each.end_lineno or each.lineno) - each.lineno + 1 for each in functions]
    yield from spread("lines per function", lengths)
    yield from spread("lines per template", [non_blank(path) for path in templates])
    yield f"Python lines over {MAX_COLUMNS} characters", longer_than(python, MAX_COLUMNS)
    long_ones = longer_than(templates, MAX_TEMPLATE_COLUMNS)
    yield f"template lines over {MAX_TEMPLATE_COLUMNS} characters", long_ones
    yield "fmt: skip", occurrences(python, r"# fmt: skip")
    yield "noqa", occurrences(python, r"# noqa")
    yield "type: ignore", occurrences(python, r"# type: ignore")
    yield "class names used twice or more", sum(count > 1 for count in classes.values())
    yield (
        "monkeypatch lines in tests",
        sum(
            "monkeypatch" in line
            for path in tracked(folder, "tests/*.py")
            for line in path.read_text().splitlines()
        ),
    )
    for word in OLD_WORDS:
        yield f"the name or word “{word}”", occurrences(python, rf"\b{word}\b")


def main() -> int:
    """Print the figures of a work tree."""
    for name, value in figures(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()):
        sys.stdout.write(f"{name:48}{value}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Texts that a person reads avoid the words of a short list (tests/language_words.txt).

It is a tripwire, not a license: the copy edit is done by reading (design/language.md).
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
WORD_LIST = Path(__file__).with_name("language_words.txt")
PYTHON = ("governance", "tools", "bench", "migrations", "tests")
DOCS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs")


class Word(NamedTuple):
    """A pattern to avoid, its replacement, and the paths that may use it."""

    pattern: re.Pattern[str]
    instead: str
    allowed: tuple[str, ...]


def read_words() -> list[Word]:
    """Return the words of the list. Raise ValueError for a line without a replacement."""
    words = []
    for line in WORD_LIST.read_text().splitlines():
        if line and not line.startswith("#"):
            pattern, instead = line.replace("\\x{202f}", "\u202f").split(" => ")
            instead, _, allowed = instead.partition(" | ")
            words.append(Word(re.compile(pattern, re.IGNORECASE), instead, tuple(allowed.split())))
    return words


def texts_of_python(source: str) -> Iterator[tuple[int, str]]:
    """Yield the string literals (docstrings too) and comments of a module with their lines.

    A literal of one word is a key or a name, not a text.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value
    if "#" not in source:
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


TAG = re.compile(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
QUOTED = re.compile(r'"([^"]*)"|' + r"'([^']*)'")


def texts_of_template(source: str) -> Iterator[tuple[int, str]]:
    """Yield what is outside Jinja's tags and the sentences inside them, with their lines."""
    last = 0
    for tag in TAG.finditer(source):
        yield source.count("\n", 0, last) + 1, source[last : tag.start()]
        if not tag[0].startswith("{#"):
            for quoted in QUOTED.finditer(tag[0]):
                if " " in quoted[0]:
                    yield source.count("\n", 0, tag.start() + quoted.start()) + 1, quoted[0]
        last = tag.end()
    yield source.count("\n", 0, last) + 1, source[last:]


CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def texts_of_document(source: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a Markdown document without its code."""
    prose = CODE.sub(lambda code: "\n" * code[0].count("\n"), source)
    yield from enumerate(prose.splitlines(), start=1)


def files() -> Iterator[tuple[Path, str]]:
    """Yield every file that the list applies to, with its kind."""
    for folder in PYTHON:
        yield from ((path, "python") for path in sorted((ROOT / folder).rglob("*.py")))
    yield from ((path, "template") for path in sorted((ROOT / "templates").rglob("*.*")))
    for name in DOCS:
        found = ROOT / name
        documents = sorted(found.rglob("*.md")) if found.is_dir() else [found]
        yield from ((path, "document") for path in documents if path.exists())


READERS = {
    "python": texts_of_python,
    "template": texts_of_template,
    "document": texts_of_document,
}


def findings(path: Path, kind: str, words: list[Word]) -> Iterator[str]:
    """Yield each use of a word of the list as `path:line: found, write …`."""
    name = path.relative_to(ROOT).as_posix()
    forbidden = [word for word in words if not any(part in name for part in word.allowed)]
    for line, text in READERS[kind](path.read_text()):
        for word in forbidden:
            for found in word.pattern.finditer(text):
                at = line + text.count("\n", 0, found.start())
                around = text[max(0, found.start() - 30) : found.end() + 30].replace("\n", " ")
                yield f"{name}:{at}: …{around.strip()}… write: {word.instead}"


def test_no_text_uses_a_word_of_the_list():
    words = read_words()
    found = [
        each
        for path, kind in files()
        if path not in {Path(__file__), WORD_LIST}
        for each in findings(path, kind, words)
    ]
    assert not found, f"{len(found)} texts read as translated:\n" + "\n".join(found)


DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
NO_SENTENCE = re.compile(r"(Of|By|What|Who|Whose|As|In|With)\b")


def headless_docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the docstrings that begin with neither a verb nor a noun, with their lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and NO_SENTENCE.match(ast.get_docstring(node) or ""):
            yield node.body[0].lineno, str(ast.get_docstring(node)).splitlines()[0]


def test_every_docstring_begins_with_a_verb_or_a_noun():
    """Check what ruff's D401 doesn't: modules, classes and tests."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path, kind in files()
        if kind == "python" and not path.name.startswith("0001_")  # released: never changes
        for line, text in headless_docstrings(path.read_text())
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("docstring", "is_found"),
    [("What a token hides.", True), ("Unmask a token.", False), ("Aspects of a token.", False)],
)
def test_the_search_finds_headless_docstrings(docstring, is_found):
    assert bool(list(headless_docstrings(f'class Token:\n    """{docstring}"""'))) == is_found


@pytest.mark.parametrize(
    ("kind", "text", "is_found"),
    [
        ("python", 'x = "Nobody can mend this."', True),
        ("python", 'def f():\n    """Take the deed."""', True),
        ("python", "x = 1  # he knows", True),
        ("python", "mend = deed = 1", False),
        ("template", "<p>{{ mend }} amended</p>", False),
        ("template", "<p>It stands here.</p>", True),
        ("template", "{{ c.note('It stands here.') }}", True),
        ("template", "{# It stands here. #}", False),
        ("document", "Run `mend` now.", False),
        ("document", "It is mended.", True),
    ],
)
def test_the_check_reads_what_people_read_and_not_names(
    tmp_path, kind, text, is_found, monkeypatch
):
    path = tmp_path / "page"
    path.write_text(text)
    monkeypatch.setattr("tests.test_language.ROOT", tmp_path)
    assert bool(list(findings(path, kind, read_words()))) is is_found

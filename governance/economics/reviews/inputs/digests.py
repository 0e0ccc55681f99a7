"""Digests of a month's inputs, which show whether an input changed since the close. Pure."""

import hashlib
import json
from collections.abc import Iterable, Sequence

from governance.economics.reviews.facts.review_facts import Input


def digest(rows: Iterable[Sequence[object]]) -> tuple[int, str]:
    """Return the number of rows and a SHA-256 over them that doesn't depend on their order."""
    lines = sorted(
        json.dumps([None if each is None else str(each) for each in row], ensure_ascii=False)
        for row in rows
    )
    return len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()


def make_input(name: str, label: str, rows: Iterable[Sequence[object]], source: str) -> Input:
    """Return the input with its digest."""
    count, sha256 = digest(rows)
    return Input(name=name, label=label, rows=count, sha256=sha256, source=source)

"""Limits of a SCIM request, checked before anything is built from it.

The library reads a whole request into models first: 20,000 operations or filter terms would take
half a minute of a worker.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from scim2_models import (
    InvalidFilterException,
    InvalidValueException,
    PayloadTooLargeException,
)

MAX_OPERATIONS = 500  # Operations of a PATCH, or of a bulk request with its PATCHes.
MAX_GROUP_MEMBERS = 20_000
MAX_VALUES = 500  # Values of any other list.
MAX_FILTER_TERMS = 50
MAX_FILTER_LENGTH = 10_000
FILTERS = {"filter", "path"}  # The path of a PATCH operation may have a filter in brackets.
MEMBERS = {"members", "value"}  # The value of a PATCH operation may be a group's members.
_TEXT_OR_LINK = re.compile(r'"(?:[^"\\]|\\.)*"|\b(and|or)\b', re.IGNORECASE)


def check_size(query: Mapping[str, str], body: bytes) -> None:
    """Raise SCIM's error for a request with too many operations, values or filter terms.

    A body that isn't JSON passes: the library reports it.
    """
    for name, text in query.items():
        if name.lower() in FILTERS:
            _check_filter(text)
    try:
        content = json.loads(body) if body else None
    except (ValueError, RecursionError):
        return
    if isinstance(content, dict) and _count_operations(content) > MAX_OPERATIONS:
        raise PayloadTooLargeException(
            detail=f"A request has at most {MAX_OPERATIONS} operations. Send them in parts."
        )
    for name, value in _named_values(content):
        if isinstance(value, str) and name in FILTERS:
            _check_filter(value)
        elif isinstance(value, list):
            _check_list(name, value)


def _check_filter(text: str) -> None:
    if len(text) > MAX_FILTER_LENGTH:
        raise InvalidFilterException(
            detail=f"A filter has at most {MAX_FILTER_LENGTH:,} characters. Send several requests."
        )
    terms = 1 + sum(1 for found in _TEXT_OR_LINK.finditer(text) if found[1])
    if terms > MAX_FILTER_TERMS:
        raise InvalidFilterException(
            detail=f"A filter has at most {MAX_FILTER_TERMS} terms. Send several requests."
        )


def _check_list(name: str, values: list[Any]) -> None:
    most = MAX_GROUP_MEMBERS if name in MEMBERS else MAX_VALUES
    if len(values) > most:
        raise InvalidValueException(detail=f"{name or 'A list'} has at most {most:,} values.")


def _count_operations(content: dict[str, Any]) -> int:
    """Return how many operations a PATCH has, or a bulk request with those of its PATCHes."""
    return sum(
        max(1, len(_operations(each.get("data"))) if isinstance(each, dict) else 1)
        for each in _operations(content)
    )


def _operations(content: Any) -> list[Any]:
    found = [
        value
        for name, value in (content.items() if isinstance(content, dict) else ())
        if name.lower() == "operations" and isinstance(value, list)
    ]
    return [each for values in found for each in values]


def _named_values(content: Any) -> Iterator[tuple[str, Any]]:
    """Yield each value of each object with its name in lower case, and the lists within lists."""
    waiting = [content]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            pairs = [(name.lower(), value) for name, value in each.items()]
        else:
            pairs = [("", value) for value in each] if isinstance(each, list) else []
        for name, value in pairs:
            yield name, value
            if isinstance(value, dict | list):
                waiting.append(value)

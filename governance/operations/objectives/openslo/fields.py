"""Read the fields of an OpenSLO document one by one, and note each rejected one. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from re import Pattern
from typing import Any

from governance.operations.objectives.openslo.values import Refusal


class Fields:
    """The fields of one mapping. `end()` rejects the remaining fields as unknown."""

    def __init__(self, tree: Any, path: str, note: "Notes") -> None:
        self.path, self.notes = path, note
        self._left: dict[str, Any] = {}
        if isinstance(tree, Mapping):
            self._left = dict(tree)
        else:
            note.refuse(path, "Expected fields, found something else.")

    def refuse(self, name: str, reason: str) -> None:
        self.notes.refuse(self._at(name), reason)

    def has(self, name: str) -> bool:
        return name in self._left

    def mapping(self, name: str) -> "Fields | None":
        """Return the fields inside a field, or None if it is absent."""
        if name not in self._left:
            return None
        return Fields(self._left.pop(name), self._at(name), self.notes)

    def tree(self, name: str) -> Mapping[str, Any]:
        """Return a mapping whose content Meridian doesn't interpret."""
        found = self._left.pop(name, None)
        if not isinstance(found, Mapping):
            self.refuse(name, "Expected fields.")
            return {}
        return found

    def items(self, name: str) -> list[Any] | None:
        found = self._left.pop(name, None)
        if found is None or isinstance(found, list):
            return found
        self.refuse(name, "Expected a list.")
        return None

    def text(
        self,
        name: str,
        *,
        required: bool = False,
        pattern: Pattern[str] | None = None,
        says: str = "",
        shortest: int = 1,
        longest: int = 1050,
    ) -> str | None:
        found = self._scalar(name, required=required)
        if found is None:
            return None
        if not isinstance(found, str):
            # Such as a version written without quotes.
            self.refuse(name, "Expected text. Put it in quotes.")
        elif not shortest <= len(found) <= longest:
            self.refuse(name, f"Expected {shortest} to {longest:,} characters.")
        elif pattern is not None and not pattern.fullmatch(found):
            self.refuse(name, says)
        else:
            return found
        return None

    def choice(self, name: str, choices: Iterable[str], *, required: bool = False) -> str | None:
        found = self._scalar(name, required=required)
        if found is not None and found not in tuple(choices):
            self.refuse(name, f"Expected one of {', '.join(choices)}.")
            return None
        return found  # type: ignore[no-any-return]

    def number(self, name: str) -> Decimal | None:
        found = self._scalar(name)
        if found is not None and not isinstance(found, Decimal):
            self.refuse(name, "Expected a number.")
            return None
        return found

    def boolean(self, name: str) -> bool | None:
        found = self._scalar(name)
        if found is not None and not isinstance(found, bool):
            self.refuse(name, "Expected true or false.")
            return None
        return found

    def take(self, name: str) -> Any:
        return self._left.pop(name, None)

    def end(self) -> None:
        for name in self._left:
            self.refuse(name, "Unknown field.")

    def _scalar(self, name: str, *, required: bool = False) -> Any:
        found = self._left.pop(name, None)
        if found is None and required:
            self.refuse(name, "This field is required.")
        return found

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


class Notes:
    """The rejected fields of one document."""

    def __init__(self, document: int) -> None:
        self.document, self.refused = document, list[Refusal]()

    def refuse(self, path: str, reason: str) -> None:
        self.refused.append(Refusal(self.document, path, reason))

    def __iter__(self) -> Iterator[Refusal]:
        return iter(self.refused)

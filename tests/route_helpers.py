"""Every method of every route, and what the words of its address mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from werkzeug.routing import Rule

from governance.kernel.access import Permission
from tests.browser import Visitor

# Words in an address that name no tenant's object: the same for everybody.
SHARED_WORDS = {
    "tenant",
    "number",
    "filename",
    "form",
    "framework",
    "key",
    "ref",
    "kind",
    "requirement_id",
    "slug",
    "extension",
    "location",
    "regime_key",
    "stage_key",
}

# Words that mean an object whose class is called otherwise.
MEANING_OF_WORDS = {
    "run_id": "ReportRun",
    "item_id": "WorkItem",
    "version_id": "EvidenceVersion",
    "system_id": "AISystem",
    "import_id": "FrameworkImport",
    "hold_id": "LegalHold",
}

MEANING_BY_FEATURE = {
    ("assessments", "item_id"): "AssessmentItem",
    ("systems", "key"): "system_key",
    ("systems", "system_id"): "system_key",
}


@dataclass(frozen=True)
class RouteMethod:
    """One method of one route."""

    method: str
    rule: Rule
    needs: Permission
    scope: str

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"

    def address(self, app: Any, tenant: str, ids: dict[str, Any]) -> str:
        """The path with these values in it; what is missing gets a value that names nothing."""
        values = {
            name: ids.get(self.meaning(name), _nothing(converter))
            for name, converter in self.rule._converters.items()
        } | {"tenant": tenant}
        wanted = {name: v for name, v in values.items() if name in self.rule.arguments}
        return app.url_map.bind("localhost").build(self.rule.endpoint, wanted, method=self.method)

    def meaning(self, word: str) -> str:
        """What a word of this address names; a key is a framework's or, among the systems, a
        system's.
        """
        return MEANING_BY_FEATURE.get((self.rule.endpoint.split(".")[0], word), word)


def _nothing(converter: Any) -> Any:
    kind = type(converter).__name__
    if kind == "AnyConverter":
        return min(converter.items)
    return {"UUIDConverter": uuid4(), "IntegerConverter": 1}.get(kind, "nothing")


def route_methods(app: Any, *scopes: str) -> Iterator[RouteMethod]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda r: r.rule):
        view = app.view_functions[rule.endpoint]
        scope = getattr(view, "scope", "public")
        if scope in scopes and hasattr(view, "needs"):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield RouteMethod(method, rule, view.needs, scope)


def call_route(visitor: Visitor, door: RouteMethod, path: str, **headers: str) -> Any:
    """The answer to that method with the form's token, nothing else filled in."""
    data = {"csrf_token": visitor.csrf()} if door.method != "GET" else None
    reply = visitor.client.open(path, method=door.method, data=data, headers=headers)
    if reply.mimetype == "text/event-stream":
        reply.close()  # it has no end
    else:
        reply.get_data()  # a body left half read would end its request inside another one
    return reply


def objects_in(door: RouteMethod) -> set[str]:
    """The words of an address that name an object of the tenant."""
    return {door.meaning(word) for word in door.rule.arguments} - SHARED_WORDS

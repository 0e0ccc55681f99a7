"""Every method of every route, and the meaning of the words of its address."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from werkzeug.routing import Rule

from governance.foundation.audit import personal_field_encryption
from governance.kernel.data.db import session
from governance.kernel.safety.access import Permission
from tests import make
from tests.browser import Visitor
from tests.row_factory import TENANTED, RowFactory

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
    "measure_key",
    "month",
}

# Words for an object whose class has another name.
MEANING_OF_WORDS = {
    "run_id": "ReportRun",
    "item_id": "WorkItem",
    "version_id": "EvidenceVersion",
    "system_id": "AISystem",
    "import_id": "FrameworkImport",
    "hold_id": "LegalHold",
    "statement_id": "Statement",
    "document_id": "SystemDocument",
    "finding_id": "Finding",
}

MEANING_BY_FEATURE = {
    ("assessments", "item_id"): "AssessmentItem",
    ("comments", "kind"): "comment_kind",
    ("comments", "subject_id"): "Control",
    ("comments", "comment_id"): "ObjectComment",
    ("evaluation_requests", "request_id"): "EvaluationRequest",
    ("evaluations", "run_id"): "EvaluationRun",
    ("evaluations", "old_id"): "EvaluationRun",
    ("evaluations", "new_id"): "EvaluationRun",
    ("model_cards", "source_id"): "EvaluationFinding",
    ("system_documents", "kind"): "document_kind",
    ("system_documents", "number"): "document_number",
    ("system_documents", "point"): "document_point",
    ("systems", "key"): "system_key",
    ("systems", "system_id"): "system_key",
}


@dataclass(frozen=True)
class RouteMethod:
    """A method of a route."""

    method: str
    rule: Rule
    needs: Permission
    scope: str

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"

    def address(self, app: Any, tenant: str, ids: dict[str, Any]) -> str:
        """Return the path with these values. A missing one gets a value that names nothing."""
        values = {
            name: ids.get(self.meaning(name), _nothing(converter))
            for name, converter in self.rule._converters.items()
        } | {"tenant": tenant}
        wanted = {name: v for name, v in values.items() if name in self.rule.arguments}
        return app.url_map.bind("localhost").build(self.rule.endpoint, wanted, method=self.method)

    def meaning(self, word: str) -> str:
        """Return what a word of this address names.

        A key is a framework's or, among the systems, a system's.
        """
        return MEANING_BY_FEATURE.get((self.rule.endpoint.split(".")[0], word), word)


def _nothing(converter: Any) -> Any:
    kind = type(converter).__name__
    if kind == "AnyConverter":
        return min(converter.items)
    return {"UUIDConverter": uuid4(), "IntegerConverter": 1, "ColumnInteger": 1}.get(
        kind, "nothing"
    )


def route_methods(app: Any, *scopes: str) -> Iterator[RouteMethod]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda r: r.rule):
        view = app.view_functions[rule.endpoint]
        scope = getattr(view, "scope", "public")
        if scope in scopes and hasattr(view, "needs"):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield RouteMethod(method, rule, view.needs, scope)


def call_route(visitor: Visitor, door: RouteMethod, path: str, **headers: str) -> Any:
    """Return the answer to that method with the form's token and no other field."""
    data = {"csrf_token": visitor.csrf()} if door.method != "GET" else None
    reply = visitor.client.open(path, method=door.method, data=data, headers=headers)
    if reply.mimetype == "text/event-stream":
        reply.close()  # The stream has no end.
    else:
        reply.get_data()  # A body left half read would end its request inside another one.
    return reply


def objects_in(door: RouteMethod) -> set[str]:
    """Return the words of an address that name an object of the tenant."""
    return {door.meaning(word) for word in door.rule.arguments} - SHARED_WORDS


def ids_of_every_model() -> dict[str, Any]:
    """Create an object of acme for each word in an address. Return word → id."""
    rows = RowFactory()
    ids: dict[str, UUID] = {
        model.__name__: rows.of(model)
        for model in TENANTED  # No address names a key or a provider.
        if model.__name__ not in {"TenantKey", "DataKey", "Connection", "SignIn"}
    }
    system = session().get(
        next(m for m in TENANTED if m.__name__ == "AISystem"),
        (make.system_actor("acme").tenant_id, ids["AISystem"]),
    )
    document = session().get(
        next(m for m in TENANTED if m.__name__ == "SystemDocument"),
        (make.system_actor("acme").tenant_id, ids["SystemDocument"]),
    )
    comment = session().get(
        next(m for m in TENANTED if m.__name__ == "ObjectComment"),
        (make.system_actor("acme").tenant_id, ids["ObjectComment"]),
    )
    comment.subject_id, comment.written_by = ids["Control"], make.person_id("admin")
    names = {
        **ids,
        **{_word(name): i for name, i in ids.items()},
        **{f"{_last(name)}_id": i for name, i in reversed(ids.items())},
        **{word: ids[name] for word, name in MEANING_OF_WORDS.items()},
    }
    return names | {
        "system_key": system.key,
        "pseudonym": personal_field_encryption.pseudonym(make.person_id("admin")),
        "comment_kind": "control",
        "document_kind": "technical-file",
        "document_number": document.number,
        "document_point": "1.e",
        "regime_key": "gdpr",
        "stage_key": "notification",
        "update_id": ids["CustomerUpdate"],
    }


def _word(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z][a-z])", "_", name).lower() + "_id"


def _last(name: str) -> str:
    return re.findall(r"[A-Z][a-z]+", name)[-1].lower()

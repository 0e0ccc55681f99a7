"""Object conditions, which only the permission table evaluates.

No view, query, action or template compares for itself.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.kernel.safety.access import registry

HERE = Path(__file__).parent.parent

ME = re.compile(
    r"(current|acting)\.(person_id\(\)|actor\(\)\.person_id)|who\.person_id|(current\.)?person_id|me|str\(me\)"
)
RELATION = re.compile(r".*\.(owner_id|hands|key_hands|by_auditor|[a-z_]+_by)")
REQUESTERS = "who requested an approval; foundation/approvals asks it"
ELSEWHERE = {
    "foundation/approvals/": REQUESTERS,
    "foundation/people/second_person.py": REQUESTERS,
    "foundation/privacy/": REQUESTERS,
    "operations/policies/": REQUESTERS,
    "operations/switches/": REQUESTERS,
    "inbox.py": "what is assigned to somebody, not what they may do",
}
SINGLE = {
    (
        "foundation/api_keys/actions.py",
        "ApiKey.made_by == person_id",
    ): "which keys end with a deactivated person",
    ("assurance/evidence/deletion.html", "asked.requested_by == me"): REQUESTERS,
    ("assurance/evidence/inbox.html", "asked.requested_by == me"): REQUESTERS,
    ("assurance/evidence/actions.py", "asked.requested_by != current.person_id()"): REQUESTERS,
    (
        "assurance/engagements/queries.py",
        "Invitation.accepted_by == person_id",
    ): "which engagements are an auditor's",
    (
        "assurance/engagements/queries.py",
        "WorkItem.requested_by == person_id",
    ): "which work ends with an auditor's access",
    ("foundation/logbook/queries.py", "WorkItem.requested_by == person_id"): "the same",
    (
        "kernel/work/background_work.py",
        "item.requested_by == current.actor().person_id",
    ): "whether the work still runs as who asked for it",
    (
        "kernel/work/background_work.py",
        "current.actor().person_id != item.requested_by",
    ): "the same",
    (
        "assurance/testing/exception_actions.py",
        "finding.remedied_by == me",
    ): "whether the same form was sent twice",
    (
        "assurance/engagements/jobs.py",
        "who.person_id != item.requested_by",
    ): "whether the work still runs as who asked for it",
    (
        "operations/agreements/acceptance_actions.py",
        "each.accepted_by == current.person_id()",
    ): "whether one person signs for both sides; each side has its own permission",
    (
        "operations/alerts/actions.py",
        "alert.acknowledged_by == me",
    ): "whether the same form was sent twice",
    ("foundation/logbook/jobs.py", "current.actor().person_id != item.requested_by"): "the same",
    (
        "publishing/reports/queries.py",
        "item.requested_by != current.actor().person_id",
    ): "what an auditor sees of running work (404)",
    (
        "publishing/reports/queries.py",
        "ReportRun.requested_by == person_id",
    ): "which reports name an erased person",
}


def compared(path: Path) -> Iterator[str]:
    """Return the comparisons of an object's people with the acting person."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            sides = [node.left, node.comparators[0]]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            if node.func.attr not in {
                "is_distinct_from",
                "is_not_distinct_from",
                "in_",
                "not_in",
                "contains",
                "has_key",
            }:
                continue
            sides = [node.func.value, node.args[0]]
        else:
            continue
        many = isinstance(node, ast.Call) or isinstance(node.ops[0], ast.In | ast.NotIn)
        parts = [
            list(side.elts) if many and isinstance(side, ast.Set | ast.Tuple | ast.List) else [side]
            for side in sides
        ]
        texts = [[ast.unparse(each) for each in part] for part in parts]
        for these, others in (texts, texts[::-1]):
            if any(ME.fullmatch(text) for text in these) and any(
                RELATION.fullmatch(text) for text in others
            ):
                yield ast.unparse(node)
                break


def test_no_view_query_or_action_asks_an_object_condition_for_itself():
    found = []
    for path in sorted((HERE / "governance").rglob("*.py")):
        name = path.relative_to(HERE / "governance").as_posix()
        if (
            name.startswith("demo/")
            or path.name in {"permissions.py", "conditions.py"}
            or any(part in name for part in ELSEWHERE)
        ):
            continue
        found += [f"{name}: {text}" for text in compared(path) if (name, text) not in SINGLE]
    assert found == [], "ask `allowed(permission, on=object)`, or the condition by its name"


PAGES = re.compile(
    r"""[\w.]*(owner_id|hands|_by|owner)['", ]*(==|!=|\bin\b|equalto)['", ]*\b(me|current\.(person_id|name))\b"""
    r"""|\bme(\|string)? (==|!=|in|not in) \(?\w+\.(\w*_by|owner_id|\w*hands)"""
)


def test_no_template_asks_an_object_condition_for_itself():
    found = []
    for path in sorted((HERE / "templates").rglob("*.html")):
        name = path.relative_to(HERE / "templates").as_posix()
        if not any(part in name for part in ELSEWHERE):
            texts = (match.group() for match in PAGES.finditer(path.read_text()))
            found += [f"{name}: {text}" for text in texts if (name, text) not in SINGLE]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "evidence.owner_id == current.person_id()",
        "me in (f.remedied_by, f.owner_id)",
        "acting.actor().person_id != x.requested_by",
        "f.remedied_by.is_distinct_from(me)",
        "v.hands.contains([str(me)])",
        "current.person_id() in {a.fixed_by}",
    ],
)
def test_the_search_finds_what_it_is_for(tmp_path, text):
    (tmp_path / "views.py").write_text(text)
    assert list(compared(tmp_path / "views.py")) == [ast.unparse(ast.parse(text).body[0])]


def test_every_conditional_permission_is_asked_of_its_object(app):
    """Find `on=` for each: a route only checks the role, so the condition would be skipped."""
    never = [p.name for p in registry.values() if p.is_conditional and not _is_asked(p.name)]
    assert never == []


def _is_asked(name: str) -> bool:
    """Return whether its feature calls `require(permissions.REVIEW, on=version)` or `why_not`."""
    declared = next(
        p for p in (HERE / "governance").rglob("permissions.py") if f'"{name}"' in p.read_text()
    )
    (constant,) = re.findall(rf'(\w+) = permission\(\s*"{re.escape(name)}"', declared.read_text())
    feature = "".join(path.read_text() for path in declared.parent.rglob("*.py"))
    return re.search(rf"(require|why_not)\(permissions\.{constant}, on=", feature) is not None


@pytest.mark.parametrize(
    "text",
    [
        "{% if p.owner_id == me %}",
        "{% if held.uploaded_by == current.person_id %}",
        "{% if me in (f.remedied_by, f.owner_id) %}",
        "{% if me|string not in v.hands %}",
        "rejectattr('1.uploaded_by', 'equalto', me)",
        "{% if p.owner == current.name %}",
    ],
)
def test_the_search_in_templates_finds_what_stood_there_once(text):
    assert PAGES.search(text)

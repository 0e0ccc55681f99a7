"""The list of features is complete.

Every folder is listed, and each feature has what its manifest promises.
"""

import json
import re
from importlib import import_module
from pathlib import Path

import jsonschema_rs
import pytest

from governance.app import features
from governance.app.features import FEATURES
from governance.app.models import TABLES
from governance.app.schedule import HANDLERS, JOBS, jobs_of
from governance.foundation.audit.registry import registry
from governance.foundation.logbook.ocsf import event
from governance.kernel.data.db import Model
from governance.kernel.manifest import Command, ObjectCommand, installed
from governance.kernel.manifest_checks import model_classes
from governance.kernel.safety import access
from governance.kernel.work import jobs
from governance.kernel.work.events import Event

ROOT = Path(__file__).parents[2]
PACKAGES = ("publishing", "assurance", "economics", "operations", "foundation")
# A folder without any of these is a library of its package and adds nothing to the application.
OF_FEATURES = ("feature", "models", "permissions", "actions", "queries", "views", "api", "jobs")
FOLDERS = sorted(
    p
    for package in PACKAGES
    for p in (ROOT / "governance" / package).glob("*/")
    if any((p / f"{name}.py").exists() for name in OF_FEATURES)
)
ENTRY = {
    "id": "0199a3f2-0000-7000-8000-000000000001",
    "tenant": "0199a3f2-0000-7000-8000-000000000002",
    "at": "2026-11-25T10:00:00.123456+00:00",
    "actor": "7" * 32,
    "actor_kind": "person",
    "outcome": "done",
    "request_id": "r1",
    "origin": "192.0.2.0/24",
    "changes": {},
    "facts": {},
    "sealed": {},
}
OTHER = 99


def manifest_of(folder):
    return import_module(f"governance.{folder.parent.name}.{folder.name}.feature").manifest


# ---- the list


def test_every_feature_has_a_manifest_of_its_name():
    assert [folder.name for folder in FOLDERS if not (folder / "feature.py").exists()] == []
    assert {folder.name: manifest_of(folder).name for folder in FOLDERS} == {
        folder.name: folder.name for folder in FOLDERS
    }


def test_every_manifest_is_listed_and_installed(app):
    assert [folder.name for folder in FOLDERS if manifest_of(folder) not in FEATURES] == []
    assert len(FEATURES) == len(FOLDERS) and installed() == FEATURES


def test_each_feature_is_one_line_of_the_list():
    lines = (ROOT / "governance" / "app" / "features.py").read_text().splitlines()
    named = [f"{folder.parent.name}.{folder.name}" for folder in FOLDERS]
    missing = [f'    "{each}",' for each in named if lines.count(f'    "{each}",') != 1]
    assert missing == [], "each is to be one line of governance/app/features.py"
    assert sorted(features.FOLDERS) == sorted(named)


# ---- folders match their manifests


def test_manifests_name_every_table():
    modules = [
        import_module(f"governance.{f.parent.name}.{f.name}.models")
        for f in FOLDERS
        if (f / "models.py").exists()
    ]
    assert {module.__name__ for module in modules} <= {module.__name__ for module in TABLES}
    named = {name for module in TABLES for name in model_classes(module)}
    assert {mapper.class_.__name__ for mapper in Model.registry.mappers} == named


def test_manifests_name_every_blueprint(app):
    ours = {blueprint.name for each in FEATURES for blueprint in each.routes}
    assert set(app.blueprints) - ours == {"health", "security_contact", "work"}


def test_manifests_name_every_kind_of_work(app):
    assert set(jobs.handlers.values()) - set(HANDLERS) == {jobs.handlers["mail"]}
    assert len(HANDLERS) == len(set(HANDLERS))


def test_the_schedule_is_that_of_the_manifests(app):
    assert jobs_of(installed()) == JOBS and len(JOBS) == sum(
        len(each.schedule) for each in FEATURES
    )
    for each in FEATURES:
        for job in each.schedule:
            assert job.run.__module__.startswith(f"governance.{_package(each)}.{each.name}."), (
                job.name
            )


def _package(manifest):
    return next(folder.parent.name for folder in FOLDERS if folder.name == manifest.name)


# ---- navigation and palette


def test_each_navigation_item_asks_for_the_permission_of_its_page(app):
    items = [item for each in FEATURES for item in each.navigation]
    assert {i.endpoint: i.permission.name for i in items} == {
        i.endpoint: app.view_functions[i.endpoint].needs.name for i in items
    }
    assert len({(i.audience, i.order) for i in items}) == len(items), "two items at one place"


def test_each_group_of_the_navigation_is_in_one_piece():
    for audience in ("tenant", "operator"):
        items = [item for each in FEATURES for item in each.navigation if item.audience == audience]
        groups = [item.group for item in sorted(items, key=lambda item: item.order)]
        runs = [group for at, group in enumerate(groups) if at == 0 or groups[at - 1] != group]
        assert len(runs) == len(set(runs)), runs


def test_each_command_of_the_palette_can_be_run_by_somebody(app):
    commands = [
        entry
        for each in FEATURES
        for entry in each.palette
        if isinstance(entry, Command | ObjectCommand)
    ]
    closed = [
        command.label
        for command in commands
        if not command.permission.roles & app.view_functions[command.endpoint].needs.roles
        or access.registry[command.permission.name] is not command.permission
    ]
    assert closed == [] and len({command.label for command in commands}) == len(commands)
    kinds = {source.kind for each in FEATURES for source in each.search}
    assert {command.kind for command in commands if isinstance(command, ObjectCommand)} <= kinds


# ---- the audit log


def test_every_action_is_in_one_manifest():
    named = [action.name for each in FEATURES for action in each.audit]
    assert sorted(named) == sorted(registry)


@pytest.mark.parametrize("action", registry.values(), ids=lambda action: action.name)
def test_a_siem_gets_class_activity_and_severity_of_every_action(action, schemas):
    """Give every entry a class other than "Other", valid by the published schema of that class."""
    for target in sorted(action.targets) or ["ClassOfAnEarlierVersion"]:
        told = event(
            7,
            ENTRY
            | {
                "action": action.name,
                "target": [target, "0199a3f2-0000-7000-8000-000000000003"],
            },
            action,
        )
        assert told["activity_id"] != OTHER and told["severity_id"] in range(1, 6)
        assert [problem.message for problem in schemas[told["class_uid"]].iter_errors(told)] == []


@pytest.fixture(scope="module")
def schemas(shared_data):
    paths = (shared_data / "ocsf").glob("ocsf-1.8.0-*.schema.json")
    return {
        int(path.name.split("-")[2]): jsonschema_rs.validator_for(json.loads(path.read_text()))
        for path in paths
        if "profile" not in path.name
    }


def test_signing_in_is_authentication_and_nothing_else_is():
    by_activity = {
        action.name for action in registry.values() if action.activity in {"logon", "logoff"}
    }
    assert by_activity == {
        action.name for action in registry.values() if action.event_class == "authentication"
    }
    assert by_activity == {
        "session.started",
        "session.denied",
        "session.ended",
        "engagement.auditor.sign_in_denied",  # No session starts, so no other entry reports it.
        "status.contact.signed_in",
        "status.contact.sign_in_denied",
    }


def test_damage_is_told_from_everyday_work():
    """Keep critical severities rare, because a SIEM's rules alert on them first.

    The scale is in foundation/audit/registry.py.
    """
    at_least = {"informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
    severity = {name: at_least[action.severity] for name, action in registry.items()}
    assert {name for name, level in severity.items() if level == 5} == {
        "audit.fsck.failed",
        "audit.rollback.detected",
    }
    assert (
        min(
            severity[n]
            for n in (
                "switch.platform.stopped",
                "evidence.version.corrupted",
                "platform_minimum.changed",
                "identity_provider.reset",
            )
        )
        == 4
    )
    assert (
        max(
            severity[n]
            for n in (
                "control.created",
                "tenant.page.viewed",
                "session.started",
                "evidence.created",
            )
        )
        == 1
    )


def test_every_target_of_an_entry_leads_to_a_page_or_says_why_not(app):
    links = {kind: link for each in FEATURES for kind, link in each.links.items()}
    targets = {target for action in registry.values() for target in action.targets}
    assert targets == set(links), "a link that nothing is recorded on, or the other way round"
    assert [kind for kind, link in links.items() if bool(link.endpoint) == bool(link.no_page)] == []
    rules = {rule.endpoint: rule.arguments - {"tenant"} for rule in app.url_map.iter_rules()}
    wrong = {
        kind
        for kind, link in links.items()
        if link.endpoint and rules[link.endpoint] != ({link.argument} - {""})
    }
    assert wrong == set(), "the page takes another argument"


# ---- events


def test_every_event_is_published_by_a_manifest_and_taken_by_another():
    declared = {
        _name(kind) for kind in Event.__subclasses__() if kind.__module__.startswith("governance.")
    }
    assert declared == {_name(kind) for each in FEATURES for kind in each.publishes}
    assert declared == {
        _name(subscription.event) for each in FEATURES for subscription in each.subscribes
    }


def _name(kind):
    return f"{kind.__module__}.{kind.__name__}"


def test_the_bench_measures_pages_that_exist(app):
    """Catch a renamed page, which would end `make bench` at its start."""
    sources = "".join(path.read_text() for path in (ROOT / "bench").glob("*.py"))
    asked = r'(?:_url\(app, |url_for\(|MeasuredPage\(\s*"[^"]+",\s*)"([a-z_.]+)"'
    named = set(re.findall(asked, sources))
    assert len(named) > 8 and named <= set(app.view_functions), sorted(
        named - set(app.view_functions)
    )

"""The promises that the complete code base keeps. A failure names the file and the promise."""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports
from packaging.version import Version
from sqlalchemy import Table

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit import registry as log
from governance.foundation.audit.record import UndeclaredField, UndeclaredTarget, record
from governance.kernel.data.db import Model
from governance.kernel.safety import access

ROOT = Path(__file__).parents[1]
CODE = sorted((ROOT / "governance").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MIGRATIONS = sorted((ROOT / "migrations").rglob("*.py"))

# Actions on one noun in a module of their own. They change its rows, and each adds a log entry.
ACTIONS_APART = {
    "assurance/engagements/auditors/access.py": {"EngagementAuditor"},
    "assurance/engagements/packages/actions.py": {"EvidencePackage"},
    "assurance/engagements/requests/imports.py": {"AuditRequest", "RequestImport"},
    "assurance/engagements/requests/actions.py": {"AuditRequest"},
    "assurance/engagements/requests/responses.py": {"RequestAttachment", "RequestRemark"},
    "assurance/evidence/deletion.py": {"EvidenceHold", "EvidenceRetention", "EvidenceDeletion"},
    "assurance/evidence/integrity.py": {"EvidenceFault"},
    "assurance/evidence/withdrawing.py": {"EvidenceWithdrawal"},
    "assurance/evidence/push.py": {"EvidencePush"},
    "assurance/evidence/reminders.py": {"EvidenceReminder"},
    "operations/policies/platform_minimum.py": {"PlatformPolicy"},
    "operations/policies/waivers.py": {"Waiver"},
    "operations/alerts/deliveries.py": {"AlertDelivery"},
    "operations/agreements/rehearsal_work.py": {"AgreementRehearsal"},
    "assurance/incidents/suggestions.py": {"IncidentSuggestion"},
    "assurance/incidents/reminders.py": {"DeadlineReminder"},
    "foundation/tenants/time_zones.py": {"TenantTimeZone"},
}
# Functions of an actions.py without a log entry, each with the reason.
NO_ENTRY = {
    "operations/systems/version_actions.py keep_first": "registering the system records it",
    "assurance/evaluation_findings/consequence_actions.py queue": (
        "the verdict has its entry, and so has each consequence"
    ),
    "publishing/report_schedules/actions.py generate_due": "each report that it requests has its own",
    "foundation/notifications/actions.py mark_read": "what a person read; the event has its entry",
    "foundation/notifications/actions.py mark_unread": "the same",
    "foundation/notifications/actions.py delete_old": "notifications end after 90 days",
    "assurance/risks/acceptance_actions.py accept": "its approval records it",
    "assurance/risks/acceptance_actions.py close_request": "its approval records it",
    "assurance/previews/actions.py request_preview": "the kind of work records each request",
    "assurance/previews/actions.py keep_preview": "what a file shows; each view of it is recorded",
    "assurance/previews/actions.py keep_reason": "why a file has no preview",
    "assurance/previews/actions.py delete_of": "goes with the file, whose deletion is recorded",
    "assurance/previews/actions.py delete_old": "a copy that is rendered again when it is wanted",
    "foundation/scim/access_actions.py follow_groups": "records by the actions of members and keys",
    "foundation/scim/access_actions.py end_access": "records by the actions of members and keys",
    "foundation/scim/call_actions.py note": "a request of the directory; what it changes is recorded",
    "foundation/scim/user_actions.py forget_erased": "the erasure records it",
    "economics/imports/actions.py keep_preview": "what an uploaded file holds; applying it is recorded",
    "economics/imports/actions.py keep_problem": "why an uploaded file changed nothing",
    "economics/imports/actions.py apply": "queues; the work records that the file was applied",
    "economics/imports/actions.py stop_applying": "part of a cancelled work, which changed nothing",
    "operations/policies/draft_actions.py edit": (
        "part of drafting, requesting and publishing a version; actions.py records those"
    ),
    "operations/policies/draft_actions.py reset_decision": (
        "part of returning a version to draft, which actions.py records"
    ),
    "foundation/list_views/actions.py delete_views_of": (
        "part of an erasure, whose entry says how many"
    ),
    "publishing/reports/seals/actions.py forget_copies": (
        "part of an erasure, whose entry says how many"
    ),
    "foundation/webhooks/queue_actions.py send": (
        "queues; the entry of what happened is that of the feature which sends it"
    ),
    "foundation/webhooks/queue_actions.py queue": "queues; part of sending, testing and replaying",
    "foundation/webhooks/queue_actions.py put_ticket": (
        "queues; part of sending, testing and replaying"
    ),
    "foundation/webhooks/delivery_actions.py claim": (
        "a process takes what it sends next; each attempt is a row, and a dead letter an entry"
    ),
    "operations/alerts/actions.py link_incident": (
        "part of declaring an incident, whose entry names the alert"
    ),
    "operations/measurements/prometheus_actions.py queue_test": (
        "queues; what the test finds is recorded with it"
    ),
    "publishing/statements/claim_actions.py approve": "its approval was given; recorded as that",
    "publishing/statements/claim_actions.py decline": (
        "its approval was rejected, withdrawn or expired; recorded as that"
    ),
    "publishing/statements/actions.py request_revision": (
        "queues; the revision, or that nothing differs, is recorded by its work"
    ),
    "operations/agreements/rehearsal_work.py rehearse_all": (
        "keeps the result; requesting the rehearsal is recorded"
    ),
    "assurance/incidents/actions.py enter": "part of each change of state, which records it",
    "assurance/incidents/suggestions.py suggest": "the stop that suggests it is recorded",
    "assurance/incidents/update_actions.py return_to_draft": (
        "its approval was rejected, withdrawn or expired; recorded as that"
    ),
    "publishing/change_log/actions.py return_to_draft": (
        "its approval was rejected, withdrawn or expired; recorded as that"
    ),
    "foundation/api_keys/batch_actions.py once": (
        "keeps the answer for a repetition; what the batch changes is recorded by its feature"
    ),
    "foundation/api_keys/batch_actions.py once_of": "as once",
    "foundation/anchors/actions.py queue_sending": (
        "queues; what comes of it is recorded as tested, and as each change of state"
    ),
    "foundation/logbook/actions.py aim_export": (
        "the checkpoint of an export under way; recorded with the file that leads to it"
    ),
    "assurance/engagements/actions.py fit_invitation": (
        "an invitation lasts as long as its engagements, whose change is recorded"
    ),
    "assurance/controls/actions.py add_control": (
        "the row of a control; recorded by what creates or adopts it"
    ),
    "assurance/evidence/deletion.py start_destruction": "its approval was given; recorded as that",
    "assurance/evidence/deletion.py close_deletion": (
        "its approval was rejected, withdrawn or expired; recorded as that"
    ),
    "foundation/identity_providers/change_actions.py close_change": (
        "its approval was rejected, withdrawn, voided or expired; recorded as that"
    ),
    "foundation/identity_providers/change_actions.py erase_tester": (
        "part of an erasure, whose entry says how many"
    ),
    "foundation/privacy/erasure_actions.py start_erasure": (
        "queues; its kind of work records it as approved"
    ),
    "foundation/privacy/erasure_actions.py close_erasure": (
        "its approval was rejected, withdrawn or expired; recorded as that"
    ),
    "economics/allocation/actions.py close_request": (
        "its approval was rejected, withdrawn, voided or expired; recorded as that"
    ),
    "operations/policies/actions.py close_request": (
        "its approval was rejected, withdrawn, voided or expired; recorded as that"
    ),
    "operations/policies/waivers.py close": (
        "its approval was rejected, withdrawn or expired; recorded as that"
    ),
    "operations/policies/platform_minimum.py close_request": (
        "its approval was rejected, withdrawn, voided or expired; recorded as that"
    ),
    "operations/intake/actions.py close": (
        "its approval was rejected or withdrawn; recorded as that"
    ),
    "operations/maintenance/actions.py close": (
        "its approval was rejected, withdrawn or expired; recorded as that"
    ),
    "operations/switches/actions.py place": "the row of a stop; recorded by the stop or the drill",
    "operations/switches/drill_actions.py schedule": "its approval was given; recorded as that",
    "operations/switches/drill_actions.py close": (
        "its approval was rejected, withdrawn, voided or expired; recorded as that"
    ),
    "operations/switches/drill_actions.py file_as": (
        "which version that is; recorded with the version"
    ),
    "publishing/reports/actions.py freeze": (
        "the data of a report under way; recorded with the file that is made of it"
    ),
}
# Other places than the feature's own actions that write its rows, each with the reason.
OTHER_WRITERS = ACTIONS_APART | {
    "kernel/files/installation_marks.py": {
        "InstallationMark"
    },  # They run before there is a tenant or a log.
    "kernel/work/jobs.py": {"WorkItem", "WorkTicket", "WorkFailure", "JobRun"},
    "publishing/operator_work/key_ages.py": {"KeyAge"},  # The hourly job's view of the keys.
    "foundation/audit/record.py": {"AuditEntry"},
    "foundation/audit/sequencer.py": {"Leaf", "Tile", "LogHead", "Checkpoint", "PendingEntry"},
    "foundation/audit/logs.py": {"LogHead", "LogKey"},
    "foundation/audit/personal_field_encryption.py": {"TenantKey", "DataKey"},
    "assurance/frameworks/sync.py": {"Framework", "FrameworkRevision", "Requirement"},
    "foundation/identity_providers/connection_actions.py": {
        "Connection"
    },  # Sign-in reads it, below approvals; each change leaves an entry.
    "foundation/people/sign_in_state.py": {
        "SignIn"
    },  # The steps before the person is known; their outcome is recorded.
    "foundation/approvals/discussion.py": {
        "ApprovalComment"
    },  # Its actions. A comment leaves an entry, and so does a redaction.
    "foundation/people/saved_forms.py": {
        "SavedForm"
    },  # A form that awaits a sign-in; what it submits is recorded.
}
# Places other than the clock that read the host's time, each with the reason.
OWN_TIME = {
    "governance/kernel/clock.py": "it is the clock",
}
DATABASE_TIME = {
    "governance/foundation/audit/queries.py": "how long entries wait, from the database's own stamp",
    "governance/foundation/audit/sequencer.py": "the same",
    "governance/app/migrate.py": "moves the database's clock",
    "governance/app/setting_checks.py": "compares the database's clock with this machine's",
    "governance/demo/restore_drill.py": "a restore ends at an instant of the server's",
}
DDL = {
    "app/migrate.py": "the body of a function has no parameters; the length is a number of ours",
    "kernel/data/embedded.py": "roles and databases have no parameters; the names are constants of ours",
    "operations/measurements/counting.py": "one part for each grain; the names are constants of ours",
    "kernel/data/monthly_partitions.py": "functions of ours by name",
    "economics/usage/storing.py": "five buckets of tokens; the names are constants of ours",
    "operations/measurements/rebuilding.py": "hours and days share their words; no value is in them",
    "publishing/tenant_exports/tables.py": "tables and columns of our models by name",
    "publishing/tenant_offboarding/deletion.py": "names of tables, as the catalogue has them",
    "operations/alerts/window_counts.py": "one column for each window; the lengths are parameters",
}
# Our code that a test replaces, each with why nothing else would prove it.
REPLACED = {
    "tests/assurance/collectors/test_collecting.py tenant_isolation._another_tenant": (
        "the role of the application can't change a policy, so no test has a database that keeps"
        " nobody apart: the other tenant is this one"
    ),
    "tests/demo/frozen_days.py cast.real_now": (
        "the demo tells eighteen months by clock.frozen, and its own clock runs on beside it"
    ),
    "tests/demo/frozen_days.py cast.today": "the same, without the day that it remembers",
    "tests/foundation/people/test_known_people.py known_people._FIRST._text": (
        "the statement is compiled once, with the limit that the test makes small"
    ),
    "tests/kernel/test_spreadsheet_reader.py spreadsheet_reader.limit": (
        "limits made small, whose names are parameters"
    ),
    "tests/publishing/reports/test_pdf_file.py pdf._thinned": (
        "what it leaves out must make no difference: the other side of the comparison has it"
    ),
}
FLOORS = {
    "authlib": "1.9.10",
    "flask": "3.1.3",
    "werkzeug": "3.1.9",
    "weasyprint": "70.0",
    "apscheduler": "3.11.3",
    "wtforms": "3.3.2",
    "sqlalchemy": "2.1.9",
    "psycopg": "3.3.9",
    "cryptography": "48",
}


def short(path: Path) -> str:
    return str(path.relative_to(ROOT)).removeprefix("governance/")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def calls(node: ast.AST) -> tuple[tuple[str, ast.Call], ...]:
    return tuple(
        (ast.unparse(inner.func), inner) for inner in ast.walk(node) if isinstance(inner, ast.Call)
    )


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    return {f.name: f for f in tree(path).body if isinstance(f, ast.FunctionDef)}


# ---- routes and permissions


def test_every_route_names_a_permission(app):
    unguarded = {
        r.endpoint
        for r in app.url_map.iter_rules()
        if not hasattr(app.view_functions[r.endpoint], "needs")
    }
    assert unguarded == {"static", "csp_report"}


def test_a_route_without_a_permission_stops_the_start():
    from governance.kernel.web.feature import Feature

    feature = Feature("nameless", __name__)
    with pytest.raises(TypeError, match="must say which permission it needs"):
        feature.get("/nameless")(lambda: "")
    with pytest.raises(TypeError, match=r"need access\.PUBLIC"):
        Feature("open", __name__, scope="public").get(
            "/open", needs=next(iter(access.registry.values()))
        )(lambda: "")


def test_the_routes_are_reviewed(app, snapshot_of):
    rows = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        permission = getattr(getattr(view, "needs", None), "name", "none")
        methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        rows.append(
            f"{methods:8} {rule.rule:70}"
            f" {permission}{' fresh' if getattr(view, 'fresh', False) else ''}"
        )
    snapshot_of("routes.txt", "\n".join(sorted(rows, key=lambda r: (r.split()[1], r))))


def test_who_may_do_what(app, snapshot_of):
    head = " " * 24 + " ".join(access.ROLES)
    rows = [
        f"{name:24}" + " ".join(_cell(p, role).ljust(len(role)) for role in access.ROLES).rstrip()
        for name, p in sorted(access.registry.items())
        if not p.scopes
    ]
    conditions = [
        f"{name:24}{line}" for name, p in sorted(access.registry.items()) for line in p.conditions()
    ]
    scopes = [
        f"{name:24}a key of the scope {' or '.join(sorted(p.scopes))}"
        for name, p in sorted(access.registry.items())
        if p.scopes
    ]
    snapshot_of("access.txt", "\n".join([head, *rows, "", *conditions, "", *scopes]))


def _cell(permission: access.Permission, role: str) -> str:
    if role not in permission.roles:
        return "."
    return "if" if permission.unless or role in permission.only else "x"


def test_machines_and_people_have_permissions_of_their_own(app):
    """Keep keys and roles apart, so that a hasty change of one opens nothing to the other."""
    assert [p.name for p in access.registry.values() if p.roles and p.scopes] == []
    assert {s for p in access.registry.values() for s in p.scopes} == access.known_scopes.keys()
    by_scope = {
        getattr(v, "needs", None): getattr(v, "scope", "") for v in app.view_functions.values()
    }
    assert {
        p.name for p, scope in by_scope.items() if p and bool(p.scopes) != (scope == "machine")
    } == set()


def test_every_permission_is_used(app):
    used = {getattr(v, "needs", None) for v in app.view_functions.values()}
    source = "".join(p.read_text() for p in [*CODE, *TEMPLATES])
    modules = [
        import_module(".".join(p.relative_to(ROOT).with_suffix("").parts))
        for p in CODE
        if p.name == "permissions.py"
    ]
    idle = []
    for p in list(access.registry.values()):
        noun = p.name.split(".")[0]
        by_name = [
            f"allowed({noun}",
            f"permissions.{_constant(p, modules)}",
            f'"{p.name}"',
            f"'{p.name}'",
        ]
        if p not in used and sum(source.count(text) for text in by_name) <= 1:
            idle.append(p.name)
    assert idle == []


def _constant(permission: access.Permission, modules: list[ModuleType]) -> str:
    names = (
        name for module in modules for name, value in vars(module).items() if value is permission
    )
    return next(names, permission.name)  # The kernel declares its own next to their routes.


def test_nobody_who_only_reads_may_change_anything(app):
    """Let viewers and auditors change only what is their own.

    A download, an export or a preview is a POST because it leaves an entry. Auditors draw samples
    and record results: that is their work, within the engagement.
    """
    engaged = {
        "engagements.ask",
        "engagements.say",
        "engagements.judge",
        "engagements.package",
        "red_teams.attack",
    }  # An auditor's own engagement.
    own = {
        "people.own",
        "people.end_session",
        "audit.export",
        "testing.test",
        "testing.retest",
    } | engaged
    takes = ("/download", "/pdf", "/signature", "/export", "/preview", "/preview/again")
    wrong = [
        f"{rule.endpoint} {role}"
        for rule in app.url_map.iter_rules()
        for role in ("viewer", "auditor")
        for view in [app.view_functions[rule.endpoint]]
        if "POST" in (rule.methods or ())
        and role in getattr(getattr(view, "needs", None), "roles", ())
        and view.needs.name not in own
        and not rule.rule.endswith(takes)
    ]
    assert wrong == []


def test_pages_ask_for_permissions_and_never_for_roles():
    asks = re.compile(
        r"current\.role\s*(==|!=|in)|\.role\s*==\s*.(admin|compliance_officer|contributor|viewer)"
    )
    assert [f"{p.name}: {m.group()}" for p in TEMPLATES for m in asks.finditer(p.read_text())] == []


# ---- actions


def test_every_action_leaves_an_audit_entry():
    silent = [
        f"{short(path)} {name}"
        for path in CODE
        if path.name.endswith("actions.py") or short(path) in ACTIONS_APART
        for name in functions(path)
        if not name.startswith("_")
        and _reaches(path, name, _writes)
        and not _reaches(path, name, _records)
    ]
    assert set(silent) - set(NO_ENTRY) == set()
    assert set(NO_ENTRY) - set(silent) == set(), "an exception that is none"


def _reaches(
    path: Path, name: str, does: Callable[[ast.AST], bool], seen: frozenset[str] = frozenset()
) -> bool:
    """Return whether the function does it, itself or through functions of its feature."""
    node, seen = functions(path)[name], seen | {name}
    homes = _imported(path) | dict.fromkeys(functions(path), path)
    inner = ({what for what, _ in calls(node)} & homes.keys()) - seen
    return does(node) or any(_reaches(homes[n], n, does, seen) for n in inner)


def _imported(path: Path) -> dict[str, Path]:
    """Return the functions that a module imports from others of its feature."""
    return {
        alias.name: home
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ImportFrom) and node.module
        for home in [ROOT / (node.module.replace(".", "/") + ".py")]
        if home.parent == path.parent and home.exists()
        for alias in node.names
        if alias.name in functions(home)
    }


def _records(node: ast.AST) -> bool:
    """Return whether it records itself, or requests an approval, which is recorded."""
    return any(name in {"record", "approvals.request"} for name, _ in calls(node))


def _writes(node: ast.AST) -> bool:
    """Return whether it adds, deletes or sends something, or sets an attribute."""
    verbs = {"add", "add_all", "delete", "enqueue", "setattr", "merge"}
    sets = (
        t
        for n in ast.walk(node)
        if isinstance(n, ast.Assign | ast.AugAssign)
        for t in (n.targets if isinstance(n, ast.Assign) else [n.target])
    )
    attributes = (t for target in sets for t in ast.walk(target) if isinstance(t, ast.Attribute))
    return any(
        name.split(".")[-1] in verbs and ("session" in name or "jobs" in name or name == "setattr")
        for name, _ in calls(node)
    ) or any(attributes)


def test_a_row_is_changed_only_by_its_own_feature():
    owner = {
        c.name: _feature_folder(p)
        for p in CODE
        if p.name == "models.py"
        for c in tree(p).body
        if isinstance(c, ast.ClassDef)
    }
    trespass = set()
    for path in CODE:
        foreign = _imported_models(path, set(owner))
        for name, call in calls(tree(path)):
            verbs = (
                [ast.unparse(a).removesuffix(".__table__") for a in call.args[:1]]
                if name in {"insert", "update", "delete"}
                else []
            )
            wholesale = [
                name.removesuffix(f".__table__.{v}")
                for v in ("insert", "update", "delete")
                if name.endswith(f".__table__.{v}")
            ]
            for model in {name, *verbs, *wholesale} & foreign:
                is_own = path.is_relative_to(owner[model]) and path.name.endswith("actions.py")
                if not is_own and model not in OTHER_WRITERS.get(short(path), ()):
                    trespass.add(f"{short(path)}:{call.lineno} {model}")
    assert trespass == set()


def _feature_folder(path: Path) -> Path:
    """Return governance/PACKAGE/FEATURE, which may have folders of its own."""
    return ROOT.joinpath(*path.parent.relative_to(ROOT).parts[:3])


def _imported_models(path: Path, models: set[str]) -> set[str]:
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("governance.")
        for alias in node.names
    }
    return imported & models


def test_actions_and_queries_do_not_know_the_web():
    web = {"flask", "wtforms", "werkzeug"}
    known = [
        f"{short(path)} imports {module}"
        for path in CODE
        if path.name.endswith(("actions.py", "queries.py"))
        or path.name in {"models.py", "permissions.py"}
        or short(path) in ACTIONS_APART
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in [getattr(node, "module", None) or node.names[0].name]
        if module.split(".")[0] in web
    ]
    assert known == []


def test_every_action_writes_its_declared_fields_and_no_others(app, acting):
    with acting("admin") as who:
        classes = {mapper.class_.__name__: mapper.class_ for mapper in Model.registry.mappers}
        for deed in log.registry.values():
            if deed.is_former:
                with pytest.raises(UndeclaredTarget, match="earlier versions"):
                    record(deed, classes["Tenant"](id=who.tenant_id))
                continue
            target = classes[min(deed.targets)](id=who.tenant_id)
            given = {name: f"{name} of it" for name in deed.fields | deed.personal}
            reason = given.pop("reason")
            entry = record(
                deed, target, reason=reason, before=None, after=given, about=who.person_id
            )
            assert set(entry.changes) == deed.fields, deed.name
            assert set(entry.sealed) == deed.personal, deed.name
            assert not [n for n in deed.personal if f"{n} of it".encode() in entry.body], deed.name
            assert personal_field_encryption.unseal("reason", entry.sealed["reason"]) == reason
            with pytest.raises(UndeclaredField, match="surely_not_declared"):
                record(deed, target, surely_not_declared="x")


def test_the_words_of_actions_read_after_a_name(app):
    odd = [
        a.name
        for a in log.registry.values()
        if not a.says[:1].islower() or a.says.endswith(".") or "successfully" in a.says
    ]
    assert odd == []


# ---- one place for each concern


def test_only_the_kernel_commits():
    commits = [
        f"{short(p)}:{c.lineno}"
        for p in CODE
        for name, c in calls(tree(p))
        if name.endswith(".commit")
    ]
    assert {c.split(":")[0] for c in commits} == {"kernel/data/db.py"}


def test_only_the_clock_reads_the_time():
    """Check tests, too: TODAY moves the clock for all of them."""
    reading = {
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "time.time",
        "time.time_ns",
        "time.localtime",
        "time.gmtime",
        "time.ctime",
    }
    found = {
        str(path.relative_to(ROOT))
        for path in [*CODE, ROOT / "app.py", *TESTS]
        for name, _ in calls(tree(path))
        if ".".join(name.split(".")[-2:]) in reading
    }
    assert found == set(OWN_TIME)


def test_only_one_function_of_the_database_reads_the_time():
    asking = re.compile(
        r"CURRENT_TIMESTAMP|CURRENT_DATE|\bnow\(\)::|func\.now\(|clock_timestamp|, now\(\)"
    )
    assert {str(p.relative_to(ROOT)) for p in CODE if asking.search(p.read_text())} == set(
        DATABASE_TIME
    )


def test_settings_end_with_their_transaction():
    lasting = re.compile(r"set_config\([^)]*,\s*(false|False)\s*\)|\bSET\s+SESSION\b|SET\s+app\.")
    assert [short(p) for p in [*CODE, *MIGRATIONS] if lasting.search(p.read_text())] == []


def test_no_statement_is_glued_together():
    """Pass values as parameters. A name inside the text is a constant of ours."""
    glued = {
        f"{short(path)}:{call.lineno}"
        for path in CODE
        for name, call in calls(tree(path))
        if name.split(".")[-1] in {"text", "execute", "exec_driver_sql", "literal_column"}
        for argument in call.args[:1]
        if isinstance(argument, ast.JoinedStr | ast.BinOp)
        or (isinstance(argument, ast.Call) and ast.unparse(argument.func).endswith(".format"))
    }
    assert {g for g in glued if g.split(":")[0] not in DDL} == set()


def test_templates_trust_no_data():
    """Escape text where it is shown. Only our own drawings are markup already."""
    raw = re.compile(r"(?<!['\"])\s*\|\s*safe\b|autoescape\s+false")
    assert [
        p.name for p in TEMPLATES if p.parent.name != "components" and raw.search(p.read_text())
    ] == []
    drawings = {
        "kernel/pictures/charts.py",
        "kernel/pictures/drawing.py",
        "kernel/formatting.py",
        "publishing/reports/ai_rmf/drawings.py",
        "publishing/reports/order/section.py",
        "publishing/statements/statement_drawing.py",
        "operations/objectives/ports.py",
        "demo/idp/endpoints.py",
    }
    unsafe = {
        f"{short(p)}:{c.lineno}"
        for p in CODE
        for name, c in calls(tree(p))
        if name.split(".")[-1] == "render_template_string"
        or (name == "Markup" and c.args and not isinstance(c.args[0], ast.Constant))
    }
    assert {u for u in unsafe if u.split(":")[0] not in drawings} == set()


def test_nothing_runs_text():
    forbidden = {
        "eval",
        "exec",
        "pickle.loads",
        "pickle.load",
        "yaml.load",
        "yaml.unsafe_load",
        "os.system",
    }
    assert [
        f"{short(p)}:{c.lineno} {n}" for p in CODE for n, c in calls(tree(p)) if n in forbidden
    ] == []
    shells = [
        f"{short(p)}:{c.lineno}"
        for p in CODE
        for _, c in calls(tree(p))
        for k in c.keywords
        if k.arg == "shell"
    ]
    assert shells == []


def test_files_are_named_after_what_they_hold():
    vague = {
        "utils",
        "util",
        "helpers",
        "helper",
        "services",
        "service",
        "managers",
        "manager",
        "common",
        "misc",
        "lib",
        "core",
        "base",
    }
    named = [*CODE, *TEMPLATES, *TESTS]
    assert [
        short(p)
        for p in named
        if p.stem in vague or {part.lower() for part in p.relative_to(ROOT).parts[:-1]} & vague
    ] == []


def test_packages_hold_nothing_in_their_init():
    assert [short(p) for p in CODE if p.name == "__init__.py" and len(tree(p).body) > 1] == []


def test_nothing_personal_or_foreign_is_in_the_repository():
    home = re.compile(r"/(home|root|Users)/[a-z]")
    address = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)*\.(com|org|net|de|eu|io)\b")
    mine = [p for p in [*CODE, *TEMPLATES, *MIGRATIONS] if "static" not in p.parts]
    assert [
        short(p) for p in mine if home.search(p.read_text()) or address.search(p.read_text())
    ] == []


# ---- tests


def test_no_test_asserts_a_duration_or_a_rate():
    """Wait with tests/waiting.py: a busy machine is no fault, and `make bench` measures."""
    waiting = {
        "tests/waiting.py",
        "tests/journeys/conftest.py",
    }  # The second signs in again before a sign-in is too old.
    clocks = {"time.monotonic", "time.perf_counter", "time.process_time", "time.thread_time"}
    measuring = {
        short(p)
        for p in TESTS
        for name, _ in calls(tree(p))
        if ".".join(name.split(".")[-2:]) in clocks
    }
    assert measuring == waiting


def outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when a module is imported: all except the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        inner = (
            getattr(node, "body", [])
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            else []
        )
        if child is not inner and not (isinstance(inner, list) and child in inner):
            yield child
            yield from outside_functions(child)


def test_no_test_module_reads_the_day_as_it_is_collected():
    """Read the day where it is used, since the suite may run past midnight."""
    clocks = {"clock.today", "clock.now", "date.today", "datetime.now"}
    reading = [
        f"{short(p)}:{node.lineno}"
        for p in TESTS
        for node in outside_functions(tree(p))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in clocks
    ]
    assert reading == []


def test_continuous_integration_runs_the_checks_and_the_suite():
    run = (ROOT / ".ci" / "run").read_text()
    assert re.findall(r"^make (\w+)", run, re.MULTILINE) == ["check", "test", "calendar"]


def ours(module: ast.Module) -> set[str]:
    """Return the names that a test module imports from the product."""
    return {
        (name.asname or name.name).split(".")[0]
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
        if (getattr(node, "module", None) or name.name).split(".")[0] == "governance"
    }


def replaced(module: ast.Module) -> Iterator[str]:
    """Yield our code that a test module replaces, such as "clock.now", except lowered limits.

    A limit is a constant by its name, and its value isn't a function.
    """
    own, made = ours(module), {f.name for f in ast.walk(module) if isinstance(f, ast.FunctionDef)}
    for name, call in calls(module):
        if not name.endswith(".setattr") or len(call.args) < 2:
            continue
        *place, value = call.args
        target = ".".join(
            each.value if isinstance(each, ast.Constant) else ast.unparse(each) for each in place
        )
        used = {each.id for each in ast.walk(place[0]) if isinstance(each, ast.Name)}
        if not (used & own or target.startswith("governance.")):
            continue
        is_function = isinstance(value, ast.Lambda) or ast.unparse(value) in made
        if is_function or not target.rpartition(".")[2].isupper():
            yield target


def test_tests_do_not_replace_our_own_code():
    """Put fakes at the network's edge only; our own code runs unchanged.

    A test moves the clock with clock.frozen, answers a port with answered_by, chooses a store with
    storage.use, and causes faults and rendezvous in the database with tests/faults.py.
    """
    me = Path(__file__).name
    mocking = re.compile(r"unittest\.mock|from mock|mocker\.|create_autospec")
    assert [short(p) for p in TESTS if p.name != me and mocking.search(p.read_text())] == []
    assert {f"{short(p)} {each}" for p in TESTS for each in replaced(tree(p))} == REPLACED.keys()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("monkeypatch.setattr(clock, 'now', lambda: at)", "clock.now"),
        ("monkeypatch.setattr('governance.kernel.clock.now', told)", "governance.kernel.clock.now"),
        (
            "patch.setattr(clock.now.__wrapped__, '__call__', told)",
            "clock.now.__wrapped__.__call__",
        ),
        (
            "monkeypatch.setattr(type(clock.KINDS['x']), 'judge', away)",
            "type(clock.KINDS['x']).judge",
        ),
        ("monkeypatch.setattr(clock, 'LIMIT', lambda: 3)", "clock.LIMIT"),
        ("monkeypatch.setattr(clock, 'LIMIT', 3)", None),
        ("monkeypatch.setattr(clock, 'LIMIT', timedelta(seconds=3))", None),
        ("monkeypatch.setattr(socket, 'getaddrinfo', lambda: found)", None),
    ],
)
def test_what_replaces_our_code_is_found_however_it_is_written(line, found):
    written = ast.parse(f"import socket\nfrom governance.kernel import clock\n{line}\n")
    assert list(replaced(written)) == ([] if found is None else [found])


def test_tests_do_not_import_tests():
    """Share code in the folder's helper module, or in a fixture of its conftest."""
    modules = {p.stem for p in TESTS if p.name.startswith("test_")}
    imported = [
        f"{short(p)}: {name}"
        for p in TESTS
        for node in ast.walk(tree(p))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        + [a.name for a in node.names]
        if modules & set(name.split("."))
    ]
    assert imported == []


def test_nothing_is_skipped_in_silence():
    bare = re.compile(
        r"pytest\.mark\.skip\b(?!\w)|pytest\.skip\(\)|pytest\.mark\.xfail(?!\([^)]*strict=True)"
    )
    me = Path(__file__).name
    assert [short(p) for p in TESTS if p.name != me and bare.search(p.read_text())] == []


# ---- installed packages and automation


@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_installed_versions_have_the_known_fixes(package, floor):
    assert Version(version(package)) >= Version(floor)


def test_declared_floors_have_the_known_fixes():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    declared = {
        m[1].lower(): Version(m[2])
        for d in wanted
        if (m := re.match(r"([\w-]+)(?:\[[^]]*\])?(?:>=|~=)([\d.]*\d)", d))
    }
    assert {
        p for p, floor in FLOORS.items() if declared[p] < Version(floor) and p != "wtforms"
    } == set()


def test_the_scheduled_jobs_are_reviewed(snapshot_of):
    from governance.app.schedule import JOBS

    rows = [
        f"{name:30} " + " ".join(f"{k}={v}" for k, v in sorted(when.items()))
        for name, (_, when) in sorted(JOBS.items())
    ]
    snapshot_of("jobs.txt", "\n".join(rows))


def test_models_and_migrations_agree(app, server):
    """Compare with autogenerate. Policies, grants and triggers are proven in test_isolation.py."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import create_engine

    engine = create_engine(server.owner_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Model.metadata)
    engine.dispose()
    assert [
        d
        for d in differences
        if not (
            isinstance(d, tuple) and isinstance(d[-1], Table) and d[-1].name == "alembic_version"
        )
    ] == []


@pytest.mark.slow  # `make check` runs lint-imports itself.
def test_the_layers_hold():
    assert (
        lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
        == EXIT_STATUS_SUCCESS
    )


PACKAGES = ("publishing", "assurance", "economics", "operations", "foundation")


def test_features_that_others_import_have_their_rank():
    """Require a rank in pyproject.toml once another feature of the package imports it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    missing = []
    for package in PACKAGES:
        (layers,) = (
            each["layers"]
            for each in contracts
            if each.get("containers") == [f"governance.{package}"]
        )
        ranked = set(re.findall(r"\w+", " ".join(layers)))
        folders = {each.parent for each in (ROOT / "governance" / package).glob("*/__init__.py")}
        missing += [
            f"{package}: add {folder.name} to its layers, below {user.name}"
            for folder in sorted(folders)
            if folder.name not in ranked
            for user in sorted(folders - {folder})
            if _imports(user, folder.name)
        ]
    assert missing == [], "pyproject.toml, [[tool.importlinter.contracts]]"


def _imports(user, name):
    """Return whether a module of the folder imports the feature of that name in its package."""
    package = f"governance.{user.parent.name}"
    pattern = re.compile(
        rf"^\s*(?:from|import) {package}\.{name}\b|^\s*from {package} import .*\b{name}\b",
        re.MULTILINE,
    )
    return any(pattern.search(path.read_text()) for path in user.rglob("*.py"))

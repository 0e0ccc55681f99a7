"""Isolation of tenants, proven over every table of the catalog and every mapped class."""

from contextlib import suppress
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, delete, event, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.orm import aliased

from governance.kernel import clock
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import Model, session, transaction
from tests import make
from tests.row_factory import TENANTED, RowFactory, foreign_keys

APP, OWNER = "governance_app", "governance_owner"
TENANTS = Model.metadata.tables["tenants"]


class Founded(NamedTuple):
    tenant_id: UUID
    slug: str


# Tables without a tenant, each with why all may read it.
SHARED = {
    "tenants": "the directory: which tenant a slug is, before anybody is known",
    "email_domains": "the sign-in page must know where an address leads",
    "people": "a person may belong to several tenants; it has policies of its own, below",
    "frameworks": "published catalogues, the same for everybody; the application may only read",
    "requirements": "published catalogues, the same for everybody; the application may only read",
    "framework_revisions": "corrections of published catalogues; the application may only read",
    "signing_keys": "the installation's keys; private halves are wrapped by the installation's key",
    "certificate_authorities": (
        "the installation's authority for seals; its key is wrapped by the installation's key"
    ),
    "work_tickets": "the queue over all tenants: ids and kinds, no content",
    "work_failures": "what failed in it: ids, kinds and classes of errors, no content",
    "webhook_tickets": "the queue of webhooks over all tenants: ids, no content",
    "marks": "how often each tenant's answers changed: ids and numbers, no content",
    "platform_policies": (
        "the operator's minimum and tiers, which apply to every tenant; only the operator's"
        " transactions write"
    ),
    "platform_stops": (
        "the operator's stop of everything, which every tenant obeys; only the operator's"
        " transactions write"
    ),
    "installation_marks": "the installation's own id and key check, wrapped by its key",
    "job_runs": "which scheduled job ran for which period",
    "alembic_version": "the schema's own number",
}
# Ids in a tenant's rows without a foreign key, each with the reason.
WITHOUT_KEY = {
    "cost_budgets.system_id": "an AI system of the customer, which no key of the operator's reaches",
    "search_documents.parent": "an object of any kind; the index follows the objects",
    "subject_id": "a comment is on an object of any kind; those objects are never deleted",
    "source_id": "what a notification came from: a comment, an approval, an entry of the log",
    "target_id": "the log and the work name objects of any kind, also gone ones",
    "cause_id": "what a change for customers was drafted from, of any of four kinds; rows that stay",
    "for_tenant": "a tenant, not a row in one",
    "entry_id": "the log's entry; entries are never deleted",
    "evidence_version_id": "what a drill filed as its evidence; versions are never deleted",
    "incident_id": (
        "alerts and runs of playbooks name an incident, which is a higher feature's; incidents are"
        " never deleted"
    ),
    "leaves": "a session of another tenant, which no key of this one reaches",
    "customer_id": "the tenant whose minutes a vendor claim is about; no row of the operator's",
    "customer_statement_id": "a row of that tenant, which no key of the operator's reaches",
    "owner_id": "a person, who is no tenant's row; the page says so where they left",
    "work_item_id": "the work is swept when it is old, the report stays",
}
APPEND_ONLY = (
    "audit_entries",
    "audit_leaves",
    "audit_tiles",
    "audit_checkpoints",
    "anchor_receipts",
    "evidence_versions",
    "evidence_reviews",
    "evidence_withdrawals",
    "risk_scores",
    "sampling_tables",
    "populations",
    "samples",
    "sample_items",
    "item_results",
    "retests",
    "objective_versions",
    "statement_revisions",
    "statement_credits",
    "review_revisions",
    "review_sign_offs",
    "evaluation_results",
    "evaluation_followed_runs",
    "evaluation_judge_calibrations",
    "evaluation_judge_labels",
    "rollout_steps",
    "red_team_scenarios",
    "red_team_attempts",
    "red_team_runs",
)
OVER_ALL = {
    "platform_policies": (
        "(id, state, content, digest, base, loosens, reason, made_by, created_at) VALUES "
        "(gen_random_uuid(), 'requested', '{}', 'd', 0, false, 'why', gen_random_uuid(), now())"
    ),
    "platform_stops": (
        "(id, generate, serve, reason, stopped_by, created_at) VALUES (gen_random_uuid(), true,"
        " true, 'why', gen_random_uuid(), now())"
    ),
}
# Verbs of the application on shared tables, and whether a tenant's transaction may use them on rows
# that name it. All other rows belong to the installation: to the operator's transactions, and to
# those of no tenant.
WRITTEN_BY_ITS_TENANT = {
    "tenants": {"INSERT": True, "UPDATE": True},
    "email_domains": {"INSERT": True, "DELETE": True},
    "installation_marks": {"INSERT": False, "UPDATE": False},
    "signing_keys": {"INSERT": False, "UPDATE": False},
    "certificate_authorities": {"INSERT": False, "UPDATE": False},
    "work_tickets": {"INSERT": True, "UPDATE": True, "DELETE": True},
    "work_failures": {"INSERT": True, "UPDATE": True, "DELETE": True},
    "webhook_tickets": {"INSERT": True, "UPDATE": True, "DELETE": True},
    "marks": {"INSERT": True, "UPDATE": True, "DELETE": False},
    "job_runs": {"INSERT": True},
}
POLICY_OF = {"INSERT": "adds", "UPDATE": "changes", "DELETE": "removes"}
WRITES = [(table, verb) for table, verbs in WRITTEN_BY_ITS_TENANT.items() for verb in verbs]
WITH_OTHER_PROOFS = {"people", *OVER_ALL}  # Their proofs are below.
READ_ONLY = {"frameworks", "framework_revisions", "requirements", "alembic_version"}
BY_WHOM = "a person, who is no tenant's row: shown by a membership of the same tenant or not at all"

UNSEALED = """
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT (
      c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
        SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*' AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL))"""
WIDER = """
    SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public' AND tablename <> 'people'
    AND (policyname <> 'tenant' OR qual NOT LIKE '%tenant_id = ( SELECT (NULLIF(current_setting(%app.tenant%' OR with_check <> qual)"""
UNTENANTED = """
    SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)"""
LOOSE_UNIQUE = """
    SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'tenant_id'
    JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace
    WHERE i.indisunique AND i.indkey[0] <> a.attnum"""
LOOSE_INDEX = LOOSE_UNIQUE.replace("i.indisunique AND ", "")
LOOSE_KEY = """
    SELECT k.conrelid::regclass::text, k.conname FROM pg_constraint k WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
    AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attname = 'tenant_id')
    AND NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attname = 'tenant_id' AND a.attnum = ANY (k.conkey))"""
OPEN_VIEWS = """
    SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace
    AND NOT coalesce(reloptions, '{}')::text[] && array['security_invoker=true', 'security_invoker=on']"""
DEFINERS = (
    "SELECT oid::regprocedure::text FROM pg_proc WHERE prosecdef AND pronamespace ="
    " 'public'::regnamespace"
)
# Functions that run as the tables' owner, each with the reason. Each has a fixed search path.
OWNERS_FUNCTIONS = {
    "create_minute_partition(date)": "creates a sealed month of the minute counts, empty",
    "drop_minute_partition(date)": "drops a whole month of them that ended 14 months ago",
    "create_usage_partition(date)": "creates a sealed month of the usage events, empty",
    "delete_offboarded_rows(uuid,text,integer)": (
        "deletes rows of one tenant, whose deletion two operators approved and whose wait is over"
    ),
    "drop_usage_partition(date)": "drops a whole month of them that ended 14 months ago",
}
SEARCH_PATHS = (
    "SELECT coalesce((SELECT c FROM unnest(proconfig) AS c WHERE c LIKE 'search_path=%'), '')"
    " FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
)
CALLERS = (
    "SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END"
    " FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
    " WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace"
)
GRANTS = (
    "SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants WHERE"
    " table_schema = 'public' AND grantee <> :owner"
)


@pytest.fixture
def catalogue(server, app):
    """Return the database as its owner sees it. Everything is rolled back."""
    engine = create_engine(server.owner_url)
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        yield connection
        connection.rollback()
    engine.dispose()


def query_catalogue(connection, query, **values):
    return {
        tuple(row) if len(row) > 1 else row[0] for row in connection.execute(text(query), values)
    }


# ---- the catalog


def test_every_table_is_sealed_by_tenant_or_listed_with_a_reason(catalogue):
    assert query_catalogue(catalogue, UNSEALED) == set()
    assert query_catalogue(catalogue, UNTENANTED) == set(SHARED)


def test_no_policy_is_wider_than_the_tenant(catalogue):
    above = {
        (table, policy)
        for table in ("platform_policies", "platform_stops")
        for policy in ("everybody", "operator")
    }
    shared = {
        (table, policy)
        for table, verbs in WRITTEN_BY_ITS_TENANT.items()
        for policy in ("everybody", *(POLICY_OF[verb] for verb in verbs))
    }
    assert (
        query_catalogue(catalogue, WIDER)
        == {
            ("memberships", "own_memberships"),
            ("audit_pending", "queue"),
            ("drills", "due"),
            ("engagements", "closed"),
        }
        | above
        | shared
    )
    queue = query_catalogue(
        catalogue, "SELECT cmd, qual FROM pg_policies WHERE policyname IN ('queue', 'due')"
    )
    assert [command for command, _ in queue] == ["SELECT", "SELECT"]
    assert all(
        "app.tenant" in clause and clause.rstrip(")").endswith("= ''::text") for _, clause in queue
    )  # Transactions of no tenant: sequencer, drills.
    rule = query_catalogue(
        catalogue, "SELECT cmd, qual FROM pg_policies WHERE policyname = 'own_memberships'"
    )
    assert [command for command, _ in rule] == ["SELECT"]
    assert all("person_id = " in clause and "app.person" in clause for _, clause in rule)


@pytest.mark.parametrize("table", ["platform_policies", "platform_stops"])
def test_what_stands_over_all_tenants_is_written_by_the_operator_only(acting, table):
    """Reject a tenant's transaction in the database itself, whatever the code does."""
    with (
        acting("admin"),
        pytest.raises(ProgrammingError, match="row-level security"),
        session().begin_nested(),
    ):
        session().execute(text(f"INSERT INTO {table} {OVER_ALL[table]}"))
    with acting("operator_admin", "console"):
        session().execute(text(f"INSERT INTO {table} {OVER_ALL[table]}"))
    with acting("admin"):
        assert session().scalar(text(f"SELECT count(*) FROM {table}")) == 1
        assert session().execute(text(f"UPDATE {table} SET reason = 'bent'")).rowcount == 0


def _of_tenant(table, tenant_id, slug):
    """Return a row of a shared table that names this tenant, if its table can."""
    values = RowFactory().values(table) | {"id": uuid4()}
    values.pop("tenant_id")
    if table.name in {"tenants", "marks"}:
        values["id"] = tenant_id
    named = {
        "for_tenant": tenant_id,
        "scope": slug,
        "slug": slug,
        "kind": "customer",
        "domain": f"{uuid4().hex}.example",
        "retired_at": None,
    }
    return values | {column: named[column] for column in named.keys() & values.keys()}


def _write(name, verb, values) -> int:
    """Return how many rows the current transaction writes, 0 if rejected. Nothing is kept."""
    table = Model.metadata.tables[name]
    column = "wrapped" if "wrapped" in table.columns else "created_at"
    mine = table.c.id == values["id"]
    statement = {
        "INSERT": insert(table).values(values),
        "UPDATE": update(table).where(mine).values({column: values[column]}),
        "DELETE": delete(table).where(mine),
    }[verb]
    try:
        with session().begin_nested() as savepoint:
            count = len(session().execute(statement.returning(table.c.id)).all())
            savepoint.rollback()
    except ProgrammingError as error:
        assert "row-level security" in str(error)
        return 0
    return count


def test_every_shared_table_says_who_writes_it(catalogue):
    grants = query_catalogue(catalogue, GRANTS, owner=OWNER)
    columns = {("signing_keys", "UPDATE"), ("certificate_authorities", "UPDATE")}  # Only `wrapped`.
    written = {(t, verb) for t, _, verb in grants if t in SHARED and verb != "SELECT"} | columns
    assert {write for write in written if write[0] not in WITH_OTHER_PROOFS} == set(WRITES)
    assert SHARED.keys() == WRITTEN_BY_ITS_TENANT.keys() | WITH_OTHER_PROOFS | READ_ONLY
    assert not {table for table, _ in written} & READ_ONLY
    sealed = query_catalogue(
        catalogue, "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    )
    assert SHARED.keys() - READ_ONLY <= sealed


@pytest.mark.parametrize(("name", "verb"), WRITES)
def test_a_shared_row_is_written_by_its_tenant_and_the_installation(acting, name, verb):
    """Reject another tenant's transaction in the database, whatever the code does."""
    table = Model.metadata.tables[name]
    with acting("operator_admin", "console"):
        who = Founded(uuid4(), f"t{uuid4().hex[:12]}")
        theirs = _of_tenant(table, *who)
        if verb != "INSERT":
            session().execute(insert(table).values(theirs))
        elif not WRITTEN_BY_ITS_TENANT[name][verb]:
            session().execute(insert(table).values(_of_tenant(table, *who)))  # The first of them.
        if name == "job_runs":
            session().execute(insert(TENANTS).values(_of_tenant(TENANTS, *who)))
        assert _write(name, verb, theirs) == 1, "the operator"
    with acting("admin", "globex"):
        assert _write(name, verb, theirs) == 0, "another tenant"
    with transaction(tenant_id=who.tenant_id):
        assert _write(name, verb, theirs) == WRITTEN_BY_ITS_TENANT[name][verb], "its tenant"
    with transaction():
        assert _write(name, verb, theirs) == 1, "no tenant: the queue, the command line"


def test_a_tenant_changes_its_settings_and_not_its_status(acting):
    mine = TENANTS.c.id == make.system_actor("acme").tenant_id
    locked = {
        "kind": "operator",
        "tier": "strict",
        "status": "offboarding",
        "suspended_at": clock.now(),
        "deletes_at": clock.now(),
    }
    with acting("admin"):
        session().execute(update(TENANTS).where(mine).values(unit="Risk"))
        for column, value in locked.items():
            with pytest.raises(ProgrammingError, match="a tenant"), session().begin_nested():
                session().execute(update(TENANTS).where(mine).values({column: value}))
    with acting("operator_admin", "console"):
        session().execute(update(TENANTS).where(mine).values(tier="strict"))
        with pytest.raises(ProgrammingError, match="never changes"), session().begin_nested():
            session().execute(update(TENANTS).where(mine).values(kind="operator"))


def test_nobody_founds_a_second_operator(acting):
    tenant_id = uuid4()
    with acting("admin"):
        second = _of_tenant(TENANTS, tenant_id, "second") | {"kind": "operator"}
    with transaction(tenant_id=tenant_id):
        assert _write("tenants", "INSERT", second | {"kind": "customer"}) == 1
        assert _write("tenants", "INSERT", second) == 0
    with acting("operator_admin", "console"):
        assert _write("tenants", "INSERT", second) == 0


@pytest.mark.parametrize("name", ["signing_keys", "certificate_authorities"])
def test_a_tenant_makes_the_installations_first_key_and_no_second(acting, name):
    with acting("admin"):
        first, second = (
            _of_tenant(Model.metadata.tables[name], *Founded(uuid4(), "x")) for _ in range(2)
        )
        assert _write(name, "INSERT", first) == 1
        session().execute(insert(Model.metadata.tables[name]).values(first))
        assert _write(name, "INSERT", second) == 0


def test_a_tenant_advances_the_revision_of_names_and_not_the_operators(acting):
    values = {"id": tenant_revision.NAMES, "number": 1, "created_at": clock.now()}
    with acting("operator_admin", "console"):
        tenant_revision.advance_all()
        tenant_revision.advance_names()
    with acting("admin"):
        tenant_revision.advance_names()
        assert _write("marks", "UPDATE", values) == 1
        assert _write("marks", "UPDATE", values | {"id": tenant_revision.OVER_ALL}) == 0


def test_people_have_policies_of_their_own(catalogue):
    flags = query_catalogue(
        catalogue,
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = 'people'::regclass",
    )
    assert flags == {(True, True)}
    commands = query_catalogue(
        catalogue, "SELECT policyname, cmd FROM pg_policies WHERE tablename = 'people'"
    )
    assert commands == {
        ("known", "SELECT"),
        ("arrives", "INSERT"),
        ("changes", "UPDATE"),
        ("leaves", "DELETE"),
    }
    rule = query_catalogue(catalogue, "SELECT qual FROM pg_policies WHERE policyname = 'leaves'")
    assert "relowner" in rule.pop(), "the owner's function alone"


def test_keys_and_indexes_begin_with_the_tenant(catalogue):
    assert query_catalogue(catalogue, LOOSE_KEY) == set()
    assert query_catalogue(catalogue, LOOSE_UNIQUE) == set()
    assert query_catalogue(catalogue, LOOSE_INDEX) == set()


def test_every_id_in_a_row_is_a_foreign_key_or_listed_with_a_reason():
    loose = [
        f"{model.__tablename__}.{column.name}"
        for model in TENANTED
        for column in model.__table__.columns
        if column.type.python_type.__name__ == "UUID"
        and column.name not in {"id", "tenant_id"}
        and not column.foreign_keys
        and not {column.name, f"{model.__tablename__}.{column.name}"} & WITHOUT_KEY.keys()
        and not column.name.endswith(("_by", "person_id"))
    ]
    assert BY_WHOM and loose == []


def test_no_view_and_no_function_steps_around_the_policies(catalogue):
    assert query_catalogue(catalogue, OPEN_VIEWS) == set()
    assert query_catalogue(catalogue, DEFINERS) == set(OWNERS_FUNCTIONS)
    assert query_catalogue(catalogue, SEARCH_PATHS) == {"search_path=pg_catalog, pg_temp"}
    assert query_catalogue(catalogue, CALLERS) == {APP, OWNER}


def test_the_roles_are_confined(catalogue):
    roles = query_catalogue(
        catalogue,
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE"
        " rolname = ANY(:names)",
        names=[APP, OWNER],
    )
    assert roles == {(APP, False, False, False, False), (OWNER, False, False, False, False)}
    assert (
        query_catalogue(
            catalogue, "SELECT relname FROM pg_class WHERE relowner = :app ::regrole", app=APP
        )
        == set()
    )
    assert (
        query_catalogue(
            catalogue, "SELECT 1 FROM pg_auth_members m WHERE m.member = :app ::regrole", app=APP
        )
        == set()
    )


def test_the_application_may_do_only_what_it_needs(catalogue):
    grants = query_catalogue(catalogue, GRANTS, owner=OWNER)
    assert {grantee for _, grantee, _ in grants} == {APP}
    assert {verb for _, _, verb in grants} <= {"SELECT", "INSERT", "UPDATE", "DELETE"}
    verbs = {table: {v for t, _, v in grants if t == table} for table, _, _ in grants}
    for table in (*APPEND_ONLY, "job_runs", "signing_keys", "certificate_authorities"):
        assert verbs[table] == {"SELECT", "INSERT"}, table
    for table in READ_ONLY:
        assert verbs[table] == {"SELECT"}, table
    assert "DELETE" not in verbs["tenants"] | verbs["people"]


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "verb", ["UPDATE {} SET created_at = now()", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_what_is_append_only_stays_for_the_owner_too(catalogue, acting, table, verb):
    for t, values in _chain(acting, table):
        catalogue.execute(
            text("SELECT set_config('app.tenant', :tenant, true)"),
            {"tenant": str(values["tenant_id"])},
        )
        catalogue.execute(insert(t).values(values))
    with pytest.raises(DBAPIError, match="append-only"):
        catalogue.execute(text(verb.format(table)))


class RollBack(Exception):
    """An error that rolls back a transaction."""


def _chain(acting, name):
    """Return a row of that table and the rows it depends on, parents first, none of them kept."""
    rows, copies = RowFactory(), []
    with suppress(RollBack), acting("admin"):
        rows.of(next(m for m in TENANTED if m.__tablename__ == name))
        made = [t for t in Model.metadata.sorted_tables if t.name in rows.made]
        copies += [
            (
                t,
                dict(
                    session().execute(select(t).where(t.c.id == rows.made[t.name])).mappings().one()
                ),
            )
            for t in made
        ]
        raise RollBack
    return copies


@pytest.mark.parametrize(
    ("harm", "query"),
    [
        ("DROP POLICY tenant ON sign_offs", UNSEALED),
        ("ALTER TABLE sign_offs NO FORCE ROW LEVEL SECURITY", UNSEALED),
        ("ALTER TABLE sign_offs DISABLE ROW LEVEL SECURITY", UNSEALED),
        ("CREATE POLICY friendly ON sign_offs FOR SELECT USING (true)", WIDER),
        ("CREATE TABLE stray (id uuid PRIMARY KEY)", UNTENANTED),
        ("CREATE UNIQUE INDEX stray ON sign_offs (signed_at)", LOOSE_UNIQUE),
        ("CREATE INDEX stray ON sign_offs (signed_at)", LOOSE_INDEX),
        (
            (
                "CREATE UNIQUE INDEX lone ON conclusions (id); ALTER TABLE sign_offs ADD CONSTRAINT"
                " stray FOREIGN KEY (conclusion_id) REFERENCES conclusions (id)"
            ),
            LOOSE_KEY,
        ),
        ("CREATE VIEW stray AS SELECT * FROM sign_offs", OPEN_VIEWS),
        (
            "CREATE FUNCTION stray() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
            DEFINERS,
        ),
    ],
)
def test_the_proofs_find_what_is_planted(catalogue, harm, query):
    before = query_catalogue(catalogue, query)
    savepoint = catalogue.begin_nested()
    for statement in harm.split("; "):
        catalogue.execute(text(statement))
    assert query_catalogue(catalogue, query) > before
    savepoint.rollback()
    assert query_catalogue(catalogue, query) == before


# ---- the application's view


@pytest.mark.parametrize("model", TENANTED, ids=lambda m: m.__name__)
def test_a_row_is_invisible_to_the_other_tenant(acting, model):
    with acting("admin") as owner:
        row_id = RowFactory().of(model)
        assert (
            session().scalar(select(func.count()).select_from(model).where(model.id == row_id)) == 1
        )
    with acting("admin", "globex"):
        table, other = model.__table__, aliased(model)
        seen = {
            "select": session().scalars(select(model).where(model.id == row_id)).all(),
            "column": session().scalars(select(model.id).where(model.id == row_id)).all(),
            "count": (
                session().scalar(select(func.count()).select_from(model).where(model.id == row_id))
            ),
            "alias": session().scalars(select(other).where(other.id == row_id)).all(),
            "get": (
                session().get(model, (owner.tenant_id, row_id))
                if [c.name for c in model.__table__.primary_key.columns] == ["tenant_id", "id"]
                else None
            ),
            "subquery": (
                session().scalar(select(select(table.c.id).where(table.c.id == row_id).exists()))
            ),
            "core": session().execute(select(table).where(table.c.id == row_id)).all(),
            "text": (
                session()
                .execute(text(f"SELECT 1 FROM {table.name} WHERE id = :id"), {"id": row_id})
                .all()
            ),
            "orm update": _changed(
                update(model).where(model.id == row_id).values(created_at=clock.now())
            ),
            "orm delete": _changed(delete(model).where(model.id == row_id)),
            "core update": _changed(
                update(table).where(table.c.id == row_id).values(created_at=clock.now())
            ),
            "core delete": _changed(delete(table).where(table.c.id == row_id)),
        }
        assert {how for how, what in seen.items() if what} == set()
    with acting("admin"):
        assert (
            session().scalar(select(func.count()).select_from(model).where(model.id == row_id)) == 1
        )


def _changed(statement) -> int:
    """Return how many rows it changed. A verb that was never granted changes none."""
    try:
        with session().begin_nested():
            return (
                session().execute(statement.execution_options(synchronize_session=False)).rowcount
            )
    except ProgrammingError as error:
        assert "permission denied" in str(error)
        return 0


@pytest.mark.parametrize("model", TENANTED, ids=lambda m: m.__name__)
def test_a_row_cannot_be_stamped_with_the_other_tenant(acting, model):
    acme = make.system_actor("acme").tenant_id
    with acting("admin", "globex"):
        rows = RowFactory()
        values = rows.values(model.__table__)
        with pytest.raises(ProgrammingError, match="row-level security"), session().begin_nested():
            session().execute(insert(model.__table__).values(values | {"tenant_id": acme}))
        mine = rows.of(model)
        moved = update(model.__table__).where(model.__table__.c.id == mine).values(tenant_id=acme)
        with (
            pytest.raises(
                DBAPIError, match=r"row-level security|permission denied|foreign key|append-only"
            ),
            session().begin_nested(),
        ):
            session().execute(moved)


@pytest.mark.parametrize(
    ("model", "column", "parent"),
    foreign_keys(),
    ids=lambda v: v if isinstance(v, str) else v.__name__,
)
def test_a_row_cannot_point_into_the_other_tenant(acting, model, column, parent):
    with acting("admin"):
        theirs = RowFactory().of(parent)
    with acting("admin", "globex"):
        values = RowFactory().values(model.__table__)
        with pytest.raises(IntegrityError, match="foreign key"), session().begin_nested():
            session().execute(insert(model.__table__).values(values | {column: theirs}))


@pytest.mark.parametrize("model", TENANTED, ids=lambda m: m.__name__)
def test_no_plan_depends_on_which_tenant_asks(acting, model):
    """Plan alike for all tenants: one that came after the last ANALYZE has no statistics.

    Were its id a constant of the statement, PostgreSQL would plan for one row and compare every row
    of one table with every row of the next.
    """
    with acting("admin", "globex") as asking:
        connection, sent = session().connection(), []
        event.listen(
            connection,
            "before_cursor_execute",
            lambda _c, _cursor, *statement: sent.append(statement[:2]),
        )
        session().scalars(select(model.id)).all()
        ((statement, parameters),) = sent
        plan = "\n".join(
            row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        )
    assert f"FROM {model.__tablename__}" in statement and str(asking.tenant_id) not in plan


def test_an_absent_row_and_another_tenants_row_are_refused_alike(acting):
    """Answer alike, so that a rejection doesn't reveal whether an id exists."""
    model, column, parent = next(c for c in foreign_keys() if c[0].__tablename__ == "control_tests")
    with acting("admin"):
        theirs = RowFactory().of(parent)
    with acting("admin", "globex"):
        values = RowFactory().values(model.__table__)
        for target in (theirs, uuid4()):
            with pytest.raises(IntegrityError) as refusal, session().begin_nested():
                session().execute(insert(model.__table__).values(values | {column: target}))
            assert (
                refusal.value.orig.diag.constraint_name == "fk_control_tests_tenant_id_control_id"
            )


def test_without_a_tenant_nothing_is_there(app, acting, database):
    from governance.kernel.data.db import transaction

    with acting("admin"):
        rows = RowFactory()
        for model in TENANTED:
            rows.of(model)
    with transaction():
        seen = {
            m.__name__: session().scalar(select(func.count()).select_from(m.__table__))
            for m in TENANTED
        }
    assert {name for name, count in seen.items() if count} == {
        "PendingEntry",
        "Drill",
        "Engagement",
    }  # The rows that the sequencer and the jobs process look for.


def test_a_person_sees_their_own_memberships_and_nobody_elses(app, acting):
    from governance.foundation.people.models import Membership, Person
    from governance.kernel.data.db import transaction

    me, them = make.person_id("admin"), make.person_id("admin", "globex")
    m, p = Membership.__table__, Person.__table__
    with transaction(person_id=me):
        assert set(session().scalars(select(m.c.person_id))) == {me}
        assert set(session().scalars(select(p.c.id))) == {me}
    with acting("admin"):
        people = set(session().scalars(select(p.c.id)))
        assert me in people and them not in people
        with pytest.raises(ProgrammingError, match="row-level security"), session().begin_nested():
            session().execute(
                insert(p).values(
                    id=uuid4(), issuer="i", subject="s", email="e", name="n", created_at=clock.now()
                )
            )
        assert (
            session()
            .execute(update(p).where(p.c.id == make.person_id("viewer")).values(name="Somebody"))
            .rowcount
            == 0
        )


def test_the_tenant_of_a_transaction_does_not_outlive_it(settings, app):
    """Start the next transaction on a pooled connection without a tenant."""
    from governance.kernel import current
    from governance.kernel.data import db
    from governance.kernel.data.db import transaction

    db.connect(create_engine(settings.database_url, pool_size=1, max_overflow=0))
    try:
        with current.acting_as(make.system_actor("acme")), transaction():
            assert session().scalar(text("SELECT current_setting('app.tenant')")) == str(
                make.system_actor("acme").tenant_id
            )
        with db.engine().connect() as connection:
            assert connection.scalar(text("SELECT current_setting('app.tenant', true)")) in (
                None,
                "",
            )
    finally:
        db.engine().dispose()
        db.connect(settings.database_url)

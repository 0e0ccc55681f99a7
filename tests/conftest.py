"""A real PostgreSQL, migrated once; each test in an outer transaction that is rolled back; a second
tenant always there.
"""

import gc
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy import create_engine, event, update

from governance.kernel import clock

os.environ["GOVERNANCE_DEMO"] = "1"
clock.move_as_told()  # before a module of tests asks what day it is

from governance.app.factory import create_app
from governance.assurance.frameworks import sync
from governance.foundation.comments.models import ObjectComment
from governance.foundation.tenants import queries as directory
from governance.kernel import config
from governance.kernel.data import db, tenant_cache
from governance.kernel.data.db import session
from tests import make
from tests.browser import Visitor
from tests.hypothesis_profiles import register_profiles
from tests.migrated_databases import migrated_database
from tests.name_helpers import name_everywhere, name_who_has_no_account, rename_everybody
from tests.prepared_statements import keep_prepared_statements
from tests.route_helpers import ids_of_every_model

register_profiles()  # before pytest loads the one that its option names

REPOSITORY = Path(__file__).parents[1]
DATA = REPOSITORY.parent / "shared" / "data"
LONG_NAME = 40
DEPENDS_ON_DATE = (  # whole folders; single modules elsewhere mark themselves `calendar`
    "tests.assurance.access_reviews",
    "tests.assurance.assessments",
    "tests.assurance.testing",
    "tests.demo",
    "tests.economics",
    "tests.foundation.privacy",
    "tests.journeys",
    "tests.operations.agreements",
    "tests.operations.alerts",
    "tests.operations.maintenance",
    "tests.operations.objectives",
    "tests.publishing.report_schedules",
    "tests.publishing.review_files",
    "tests.publishing.statements",
)
LONG = {"browser": 10_000, "slow": 30}  # marks; beside a test without one
DATABASE_FIXTURES = {"app", "server", "database"}
NIGHTLY_FIXTURES = {"clickhouse_server"}  # its wheel has 180 MB, which only make nightly installs
LONG_TIMEOUTS = {"nightly": 3_600, "browser": 1_200}  # seconds; others have pyproject's
LEFT_TO_NIGHTLY = pytest.StashKey[int]()
KEPT_STATEMENTS = 4_000  # compiled and prepared; SQLAlchemy's: 500, psycopg's: 100
COLLECT_AFTER = 10_000, 10, 10  # new objects until the garbage collector looks; Python's: 2,000
SET_ASIDE_AFTER = 100  # tests; what is left of them, such as compiled statements, stays


def pytest_configure(config):
    gc.set_threshold(*COLLECT_AFTER)
    gc.disable()  # imported modules and collected tests stay, so a collection would find nothing


@pytest.hookimpl(trylast=True)  # after the order was made random
def pytest_collection_modifyitems(config, items):
    """Leave nightly tests to `make nightly`, unless `-m` names them. Begin with what takes long,
    so that no worker waits at the end for another one's longest group.
    """
    if "nightly" not in config.option.markexpr:
        left = [item for item in items if item.get_closest_marker("nightly")]
        config.stash[LEFT_TO_NIGHTLY] = len(left)
        if left:
            config.hook.pytest_deselected(items=left)
            items[:] = [item for item in items if not item.get_closest_marker("nightly")]
    weights = Counter[str]()
    for item in items:
        weights[_group_of(item)] += _weight(item)
    # by powers of two: groups of about one size, and the tests of a group, stay in random order
    items.sort(key=lambda item: -weights[_group_of(item)].bit_length())


def _weight(item) -> int:
    """Return how long it takes, roughly, in ordinary tests. Chromium's tests begin in any case."""
    return next((n for mark, n in LONG.items() if item.get_closest_marker(mark) is not None), 1)


def _group_of(item) -> str:
    return item.get_closest_marker("xdist_group").args[0]


def pytest_itemcollected(item):
    """Add the marks that follow from where a test is and what it asks for.

    A folder's tests stay on one worker: what a module makes once, such as a server of its own,
    is made once, and templates, statements and plans are, too, of the pages that the tests open.
    """
    asked = set(item.fixturenames)
    if item.module.__name__.startswith(DEPENDS_ON_DATE):
        item.add_marker(pytest.mark.calendar)
    if asked & DATABASE_FIXTURES:
        item.add_marker(pytest.mark.database)
    if asked & NIGHTLY_FIXTURES:
        item.add_marker(pytest.mark.nightly)
    for mark, seconds in LONG_TIMEOUTS.items():
        if item.get_closest_marker(mark) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(seconds))
    if item.get_closest_marker("xdist_group") is None:
        item.add_marker(pytest.mark.xdist_group(_usual_group(item)))


def _usual_group(item) -> str:
    name = item.module.__name__
    if item.get_closest_marker("spread"):
        return f"{name}-{item.originalname}"
    folder = name.rpartition(".")[0]
    return name if folder == "tests" else folder


def pytest_collection_finish(session):
    """Modules and tests stay to the end: the garbage collector need not look at them again."""
    gc.freeze()
    gc.enable()


_finished = count(1)  # tests


def pytest_runtest_logfinish(nodeid, location):
    """A collection looks at the objects of the last hundred tests and not at those of thousands."""
    if next(_finished) % SET_ASIDE_AFTER == 0:
        gc.collect()
        gc.freeze()


def pytest_sessionfinish(session):
    """pytest collects five times when it ends, for warnings that we ignore: of nothing."""
    gc.freeze()
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left"] = session.config.stash.get(LEFT_TO_NIGHTLY, 0)


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_testnodedown(node, error):
    if hasattr(node, "workeroutput"):
        node.config.stash[LEFT_TO_NIGHTLY] = node.workeroutput["left"]


def pytest_terminal_summary(terminalreporter, config):
    if left := config.stash.get(LEFT_TO_NIGHTLY, 0):
        terminalreporter.write_line(f"{left} tests are left to make nightly.")


def pytest_make_parametrize_id(config, val, argname):  # noqa: ARG001 - pytest's signature
    """A file is called by its argument: a workbook holds the second in which it was made, and all
    workers must call it the same.
    """
    return argname if isinstance(val, bytes) and len(val) > LONG_NAME else None


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("console")


@pytest.fixture(scope="session")
def server(worker_id):
    """One embedded server for all workers, a database for each."""
    started = migrated_database(f"test_{worker_id}".replace("-", "_"))
    sync.install_catalogues(started.owner_url)
    return started


@pytest.fixture(scope="module")
def server_folder():
    """For a server of a test's own: pytest's folders become root's alone when another run starts,
    and its server dies of it.
    """
    folder = Path(tempfile.mkdtemp(prefix="governance-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def worker_id(request):
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def settings(server, folder):
    return config.Settings(
        database_url=server.app_url,
        owner_database_url=server.owner_url,
        secret_key=bytes(range(32)),
        kek=bytes(range(1, 33)),
        public_url="http://localhost",
        storage_url=f"file:{folder / 'objects'}",
        smtp_url=None,
        var=folder,
        demo=True,
    )


@pytest.fixture(scope="session")
def app(settings):
    app = create_app(settings)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    make.create_world()
    db.connect(_sealed)
    return app


def _refuse() -> NoReturn:
    raise AssertionError("name `database` in the test's arguments: its writes would be committed")


_sealed = create_engine(
    "postgresql+psycopg://", creator=_refuse
)  # what the application is bound to outside a test's transaction


@pytest.fixture(autouse=True)
def isolated(request):
    """Everything that a test writes is rolled back; a test that must commit binds a pool of its
    own, and cleans up by itself.
    """
    if not DATABASE_FIXTURES & set(request.fixturenames):
        db.connect(
            _sealed
        )  # a pure test: a fixture that it asks for later, by name, would write for good
        yield None
        return
    app = request.getfixturevalue("app")
    if "module_transaction" in request.fixturenames:
        connection = request.getfixturevalue("module_transaction")
        with _rolled_back(app, connection, connection.begin_nested()):
            yield connection
    else:
        assert not _outer, "name `module_transaction` in the test: its module's rows lock it out"
        with (
            request.getfixturevalue("engine").connect() as connection,
            _rolled_back(app, connection, connection.begin()),
        ):
            yield connection
    db.connect(_sealed)


@contextmanager
def _rolled_back(app, connection, point):
    """The application's database is that connection, and what it writes is taken back."""
    before = list(_outer)
    db.connect(connection)
    _outer.append(point)
    app.extensions["decisions"].snapshots.forget()
    tenant_cache.forget()
    yield
    _outer[:] = before
    point.rollback()


@pytest.fixture(scope="module")
def module_transaction(app, engine):
    """For rows that every test of a module begins with: a module's fixture writes them once in
    it, and each test is rolled back to them.
    """
    with engine.connect() as connection, _rolled_back(app, connection, connection.begin()):
        yield connection
    db.connect(_sealed)


@pytest.fixture(scope="session")
def engine(settings):
    """One for all tests, so that a statement is compiled and planned once and not once a test;
    nobody's locks or settings are handed on.
    """
    one = create_engine(
        settings.database_url,
        pool_size=1,
        query_cache_size=KEPT_STATEMENTS,
        connect_args={"options": "-c statement_timeout=60s"},  # an endless plan names itself
    )
    keep_prepared_statements(one, KEPT_STATEMENTS)
    event.listen(
        one,
        "checkin",
        lambda raw, _record: (
            raw and raw.execute("SELECT pg_advisory_unlock_all(); RESET ALL; UNLISTEN *")
        ),
    )
    yield one
    one.dispose()


@pytest.fixture(scope="session")
def race_database(server, worker_id):
    """A database for what a test has to commit: other tests, in whatever order, never meet it."""
    return migrated_database(f"races_{worker_id}".replace("-", "_"))


@pytest.fixture
def committed_world(app, race_database, isolated):
    """Real connections to the world of `races`, so that several threads see what each commits."""
    engine = create_engine(race_database.app_url, pool_size=4)
    db.connect(engine)
    _forget(app)
    make.create_world()
    yield engine
    engine.dispose()
    _forget(app)


def _forget(app) -> None:
    directory.forget()
    tenant_cache.forget()
    app.extensions["decisions"].snapshots.forget()


@pytest.fixture
def database(app, isolated):
    return isolated


@pytest.fixture
def statements(isolated):
    """Counts the SQL statements of a block:

    `with statements() as seen: …; assert len(seen) <= 4`.

    A page's budget is that of its first reader: what was remembered of the tenant's facts is
    forgotten before.
    """

    @contextmanager
    def counting() -> Iterator[list[str]]:
        seen: list[str] = []
        tenant_cache.forget()

        def note(_conn, _cursor, statement, *_rest):
            of_the_kernel = statement.startswith(
                ("SAVEPOINT", "RELEASE", "ROLLBACK", "SET TRANSACTION", "SELECT set_config")
            )
            of_the_shell = (
                "audit_logs" in statement and "audit_pending" in statement
            )  # the rail's foot: once in three seconds
            of_the_shell |= (
                "the shell: what is stopped" in statement
            )  # the banner over every page: one statement
            of_the_shell |= (
                "the shell: the inbox" in statement
            )  # the count in the top bar: one statement until a fact changes
            of_the_shell |= (
                "the shell: badges" in statement
            )  # the numbers of the navigation: one statement
            of_the_shell |= (
                "the shell: how lists open" in statement
            )  # a person's columns and default views: one statement until a fact changes
            of_the_shell |= (
                "the shell: people" in statement
            )  # who people are, by name or letter: one statement until a fact changes
            if not of_the_kernel and not of_the_shell:
                seen.append(statement)

        event.listen(isolated.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(isolated.engine, "before_cursor_execute", note)

    return counting


_outer = []  # the transaction that the present test's writes are rolled back with


def visitor(app, role: str, tenant: str = "acme", at: str | None = None) -> Visitor:
    """A person of that role in that tenant, signed in; `at` is the tenant whose pages they open."""
    assert _outer, "name `database` in the test's arguments: its writes would be committed"
    return Visitor(app, make.cookie(role, tenant), at or tenant)


@pytest.fixture
def client(app, isolated):
    return Visitor(app)


@pytest.fixture
def as_admin(app, isolated):
    return visitor(app, "admin")


@pytest.fixture
def as_officer(app, isolated):
    return visitor(app, "compliance_officer")


@pytest.fixture
def as_reviewer(app, isolated):
    """A second compliance officer, for what two people must do."""
    return visitor(app, "reviewer")


@pytest.fixture
def as_contributor(app, isolated):
    return visitor(app, "contributor")


@pytest.fixture
def as_viewer(app, isolated):
    return visitor(app, "viewer")


@pytest.fixture
def as_auditor(app, isolated):
    return visitor(app, "auditor")


@pytest.fixture
def as_stranger(app, isolated):
    """The officer of another tenant, asking for acme's pages with acme's ids."""
    return visitor(app, "compliance_officer", "globex", at="acme")


@pytest.fixture
def as_neighbour(app, isolated):
    """The officer of another tenant, in their own."""
    return visitor(app, "compliance_officer", "globex")


@pytest.fixture
def as_operator(app, isolated):
    return visitor(app, "operator_admin", "console")


@pytest.fixture
def acting(app, isolated):
    """`with acting("admin"): …` runs actions and queries as that person, in one transaction."""
    return make.acting


@pytest.fixture
def snapshot_of():
    def check(name: str, text: str) -> None:
        path = REPOSITORY / "tests" / "snapshots" / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text + "\n")
            pytest.fail(f"{path.name} did not exist and was written: review it and commit it")
        assert path.read_text() == text + "\n", (
            f"{path.name} changed: review it, then delete it to accept"
        )

    return check


@pytest.fixture(scope="session")
def shared_data():
    if not DATA.is_dir():
        pytest.skip("NOT TESTED: the real files of ../shared/data are not here")
    return DATA


@pytest.fixture
def acme_ids(acting) -> dict[str, Any]:
    """word in an address → the id of an object of acme that it may mean."""
    with acting("admin"):
        return ids_of_every_model()


@pytest.fixture
def planted(app, acme_ids, acting) -> dict[str, Any]:
    """Acme with a row of each table, which its admin made, owns and decided."""
    admin = make.person_id("admin")
    with acting("admin"):
        name_everywhere(admin)
        name_who_has_no_account()
        said = {"text": f"Ask @{{{admin}}}.", "mentions": [str(admin)]}
        session().execute(update(ObjectComment).values(said))
    rename_everybody()
    return acme_ids

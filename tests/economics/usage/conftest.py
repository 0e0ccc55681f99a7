"""A product that sends usage events, and the two stores of events, for tests of both."""

import shutil
import tempfile
from pathlib import Path

import pytest

from governance.economics.usage import event_stores
from tests.economics.usage.clickhouse_servers import ClickhouseServer
from tests.economics.usage.usage_helpers import Product, register


@pytest.fixture
def product(app, isolated):
    register()
    return Product(app)


@pytest.fixture(scope="session")
def clickhouse_server():
    """Start one server for all tests of a worker."""
    folder = Path(tempfile.mkdtemp(prefix="governance-"))
    server = ClickhouseServer(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def clickhouse(clickhouse_server, app):
    """Store usage events in ClickHouse, which is empty at first."""
    event_stores.use(clickhouse_server.url)
    found = event_stores.store()
    found.create_table()
    found.database.command("TRUNCATE TABLE usage_events")
    yield found
    found.database.close()
    event_stores.use(None)


@pytest.fixture(params=["postgresql", pytest.param("clickhouse", marks=pytest.mark.nightly)])
def each_store(request):
    """Run the test once for each store."""
    return request.getfixturevalue("clickhouse") if request.param == "clickhouse" else None

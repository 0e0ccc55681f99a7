"""The store of usage events in ClickHouse, as the tests of usage have it."""

from tests.economics.usage.conftest import clickhouse, clickhouse_server, product

__all__ = ["clickhouse", "clickhouse_server", "product"]

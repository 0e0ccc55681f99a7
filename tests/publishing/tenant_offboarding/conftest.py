"""The ClickHouse store of usage events, as in the tests of usage."""

from tests.economics.usage.conftest import clickhouse, clickhouse_server, product

__all__ = ["clickhouse", "clickhouse_server", "product"]

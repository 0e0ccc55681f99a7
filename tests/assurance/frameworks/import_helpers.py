"""Helpers that count what an import wrote, and read the imported texts."""

from governance.assurance.frameworks import import_queries, queries
from tests.assurance.frameworks.framework_files import (
    RMF,
)


def held_texts(acting, slug: str = "acme"):
    with acting("compliance_officer", slug, read_only=True):
        return import_queries.imported_texts(queries.framework(RMF).id)

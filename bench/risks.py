"""The lists of risks and of data sets measured, with 2,000 of each.

measure(app, server, environment, rounds=…, quick=…) -> rows of the table (filled_lists.py)
python -m bench.risks                     this section alone
"""

from collections.abc import Mapping

from flask import Flask

from bench import filled_lists
from bench.filled_lists import MeasuredPage, Row
from governance.kernel.data import embedded

FILL = (
    """
INSERT INTO risks
  (tenant_id, id, number, title, description, sources, likelihood, impact, scale_number, treatment,
   plan, version, created_at)
SELECT current_setting('app.tenant')::uuid, gen_random_uuid(), n, 'Risk ' || n,
  'What may happen, part ' || n, '["LLM01:2026"]', 1 + n % 5, 1 + n / 5 % 5, 1,
  (ARRAY['avoid','reduce','transfer','accept'])[1 + n % 4], '', 1, now()
FROM generate_series(1, :count) n
""",
    """
INSERT INTO data_sets
  (tenant_id, id, key, name, description, version, draft_revision, created_at)
SELECT current_setting('app.tenant')::uuid, gen_random_uuid(), 'data-' || lpad(n::text, 5, '0'),
  'Data set ' || lpad(n::text, 5, '0'), 'Documents, part ' || n, 1, 0, now()
FROM generate_series(1, :count) n
""",
    """
INSERT INTO data_set_versions
  (tenant_id, id, data_set_id, number, provenance, source_url, source_version, licence,
   licence_text, personal_data, consent_basis, consent_until, consent_from, newest_record,
   max_age_days, known_gaps, change_note, file_sha256, created_at)
SELECT tenant_id, gen_random_uuid(), id, 1, 'Own records', '', '', 'CC-BY-4.0', '', 'no', '',
  CURRENT_DATE + 200, CURRENT_DATE - 200, CURRENT_DATE - 10, 365, '', '', '', now()
FROM data_sets WHERE key LIKE 'data-%'
""",
)
BARE_RISKS = """
SELECT number, title, likelihood, impact, treatment, owner_id FROM risks
WHERE tenant_id = %s AND closed_at IS NULL ORDER BY likelihood * impact DESC, number LIMIT 51
"""
BARE_DATA_SETS = """
SELECT s.name, s.version, v.licence, v.consent_until, v.newest_record FROM data_sets s
JOIN data_set_versions v ON v.tenant_id = s.tenant_id AND v.data_set_id = s.id
  AND v.number = s.version
WHERE s.tenant_id = %s AND s.retired_at IS NULL ORDER BY s.name LIMIT 26
"""
PAGES = (
    MeasuredPage("{n:,} risks, their list", "risks.index", BARE_RISKS),
    MeasuredPage(
        "the same, filtered by treatment",
        "risks.index",
        BARE_RISKS,
        {"treatment": "reduce"},
    ),
    MeasuredPage("{n:,} data sets, their list", "datasets.index", BARE_DATA_SETS, goal="≤ 100 ms"),
)


def measure(
    app: Flask,
    server: embedded.Embedded,
    environment: Mapping[str, str],
    *,
    rounds: int,
    quick: bool,
) -> list[Row]:
    return filled_lists.measure_lists(
        app, server, environment, FILL, PAGES, rounds=rounds, quick=quick
    )


if __name__ == "__main__":
    filled_lists.main(measure)

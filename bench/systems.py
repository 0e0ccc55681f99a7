"""The register of AI systems measured: its list and the horizon of models, with 2,000 systems.

measure(app, server, environment, rounds=…, quick=…) -> rows of the table (filled_lists.py)
python -m bench.systems                   this section alone
"""

from collections.abc import Mapping

from flask import Flask

from bench import filled_lists
from bench.filled_lists import MeasuredPage, Row
from governance.kernel.data import embedded

FILL = """
INSERT INTO ai_systems
  (tenant_id, id, key, name, lane, purpose, stage, ai_act_class, ai_act_reason, models, created_at)
SELECT current_setting('app.tenant')::uuid, gen_random_uuid(), 'system-' || lpad(n::text, 5, '0'),
  'System ' || n, (ARRAY['standard','high_risk'])[1 + n % 2], 'Ranks what comes in, part ' || n,
  (ARRAY['live','restricted','in_review'])[1 + n % 3],
  (ARRAY['minimal','high_risk','transparency'])[1 + n % 3], 'Annex III',
  jsonb_build_array(jsonb_build_object('provider', 'Helio', 'name', 'model-' || n % 40,
    'version', '', 'retires_on', '2027-03-' || lpad((1 + n % 28)::text, 2, '0'), 'successor', '')),
  now()
FROM generate_series(1, :count) n
"""
BARE = """
SELECT key, name, lane, purpose, stage, ai_act_class FROM ai_systems
WHERE tenant_id = %s AND retired_at IS NULL ORDER BY key LIMIT 51
"""
PAGES = (
    MeasuredPage("register of {n:,} systems, its list", "systems.index", BARE, goal="≤ 100 ms"),
    MeasuredPage(
        "the same, filtered by stage and class",
        "systems.index",
        BARE,
        {"stage": "live", "class": "minimal"},
        "≤ 100 ms",
    ),
    MeasuredPage("model retirements of {n:,} systems", "systems.model_retirements", BARE),
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
        app, server, environment, [FILL], PAGES, rounds=rounds, quick=quick
    )


if __name__ == "__main__":
    filled_lists.main(measure)

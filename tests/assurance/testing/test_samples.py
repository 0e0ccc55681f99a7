"""Drawing samples and recording results."""

import re

import pytest

from governance.assurance.testing.models import (
    Sample,
    SampleItem,
)
from tests.assurance.testing import type2_helpers
from tests.assurance.testing.form_helpers import count_rows, entries_of_action


def test_an_auditor_draws_a_sample_and_the_same_seed_draws_it_again(as_auditor):
    population = type2_helpers.freeze_population(type2_helpers.create_control())
    form = {"attributes": "Signed before the release\nSigned by someone else", "seed": "4417 90ce"}
    page = as_auditor.post(
        f"evidence/type-ii/populations/{population}/samples", follow=True, **form
    )
    assert "none of 25 tested" in page.text and "seed 4417 90ce" in page.text
    page = as_auditor.post(
        f"evidence/type-ii/populations/{population}/samples", follow=True, **form
    )
    assert "Seed 4417 90ce draws the same 25 items" in page.text
    assert count_rows(Sample) == 1 and count_rows(SampleItem) == 25
    assert len(entries_of_action("sample.drawn")) == len(entries_of_action("sample.redrawn")) == 1


def test_without_a_seed_one_is_made_and_shown(as_officer):
    population = type2_helpers.freeze_population(type2_helpers.create_control())
    page = as_officer.post(
        f"evidence/type-ii/populations/{population}/samples", follow=True, attributes="Signed"
    )
    assert re.search(r"seed [0-9a-f]{4} [0-9a-f]{4}", page.text)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"size": "62", "reason": "x"}, "The population has only 61 items"),
        ({"size": "12"}, "The rule requires 25 items. Enter a reason for using 12"),
        ({"size": "0", "reason": "x"}, "1 to 500"),
        ({"size": "9" * 30, "reason": "x"}, "1 to 500"),
        ({"attributes": "  \n "}, "attributes to check, one per line"),
        ({"seed": "\u2603"}, "A seed can have up to 64 letters"),
    ],
)
def test_a_sample_that_cannot_be_is_refused(as_officer, form, says):
    population = type2_helpers.freeze_population(type2_helpers.create_control())
    page = as_officer.post(
        f"evidence/type-ii/populations/{population}/samples",
        then=422,
        **{"attributes": "Signed"} | form,
    )
    assert says in page.text
    assert count_rows(Sample) == 0


@pytest.mark.parametrize("who", ["as_contributor", "as_viewer"])
def test_who_only_looks_draws_and_records_nothing(database, who, request):
    _, sample, _ = type2_helpers.create_failed_sample()
    visitor = request.getfixturevalue(who)
    assert (
        "Record results for selected items"
        not in visitor.get(f"evidence/type-ii/samples/{sample}").text
    )
    visitor.post(f"evidence/type-ii/samples/{sample}/results", then=403)


def test_the_tenants_own_table_counts_from_then_on(as_officer):
    population = type2_helpers.freeze_population(type2_helpers.create_control())
    sizes = {
        "yearly": 1,
        "half_yearly": 2,
        "quarterly": 2,
        "monthly": 5,
        "weekly": 8,
        "daily": 20,
        "up_to_25": 20,
        "to_100": 30,
        "to_250": 40,
        "over_250": 50,
    }
    as_officer.get("evidence/type-ii/sizes")
    as_officer.post("evidence/type-ii/sizes", **sizes, reason="Halden asks for 30", number="0")
    assert (
        "Suggested size: 30 items"
        in as_officer.get(f"evidence/type-ii/populations/{population}").text
    )
    as_officer.post("evidence/type-ii/sizes", then=409, **sizes, reason="Again", number="0")
    as_officer.post(
        "evidence/type-ii/sizes", then=422, **sizes | {"to_250": 10}, reason="Fewer", number="1"
    )

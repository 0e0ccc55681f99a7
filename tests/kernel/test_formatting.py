"""Numbers, dates and times: in the reader's format on pages, in the tenant's elsewhere."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from babel.numbers import get_decimal_symbol

from governance.kernel import current, formatting
from governance.kernel.current import Actor

AT = datetime(2026, 11, 25, 23, 44, 3, tzinfo=UTC)
ANA = Actor(UUID(int=1), "acme", "Acme", None, "Ana", "viewer", time_zone="Europe/Berlin")
SAYS = {
    "": ("26 Nov 2026, 00:44 CET", "26 November 2026", "26 Nov", "Thu 26 Nov", "1,234,567"),
    "en-US": (
        "Nov 26, 2026, 12:44 AM CET",
        "November 26, 2026",
        "Nov 26",
        "Thu, Nov 26",
        "1,234,567",
    ),
    "en-CA": (
        "Nov 26, 2026, 12:44 a.m. CET",
        "November 26, 2026",
        "Nov 26",
        "Thu, Nov 26",
        "1,234,567",
    ),
    "en-AU": ("26 Nov 2026, 12:44 am CET", "26 November 2026", "26 Nov", "Thu 26 Nov", "1,234,567"),
    "en-IN": (
        "26 Nov 2026, 12:44 AM CET",
        "26 November 2026",
        "26 Nov",
        "Thu, 26 Nov",
        "12,34,567",
    ),
}


@pytest.mark.parametrize("locale", formatting.LOCALES)
def test_each_regional_form(locale):
    with current.acting_as(replace(ANA, locale=locale)):
        assert (
            formatting.short(AT),
            formatting.long_day(AT),
            formatting.day_of_year(AT),
            formatting.weekday(AT),
            formatting.thousands(1_234_567),
        ) == SAYS[locale]


@pytest.mark.parametrize("locale", [key for key in formatting.LOCALES if key])
def test_no_form_writes_a_comma_for_the_point(locale):
    """Keep "1.200" unambiguous: some figures of pages are written without a format."""
    assert get_decimal_symbol(locale.replace("-", "_")) == "."


def test_a_time_is_in_the_readers_zone_and_a_day_stays_the_day_that_it_is():
    with current.acting_as(replace(ANA, own_time_zone="America/New_York")):
        assert formatting.short(AT) == "25 Nov 2026, 18:44 EST"
        assert formatting.moment(AT) == "25 Nov 2026, 18:44:03 EST"
        assert formatting.long_day(date(2026, 11, 26)) == "26 November 2026"
        assert formatting.tenant_zone().key == "Europe/Berlin"


def test_what_is_for_everybody_has_the_tenants_form():
    own = replace(ANA, own_time_zone="America/New_York", locale="en-US")
    with current.acting_as(own), formatting.as_tenant():
        assert formatting.short(AT) == "26 Nov 2026, 00:44 CET"
    with current.acting_as(own):
        assert formatting.short(AT) == "Nov 25, 2026, 6:44 PM EST"


def test_nobody_reads_in_utc():
    assert formatting.short(AT) == "25 Nov 2026, 23:44 UTC"

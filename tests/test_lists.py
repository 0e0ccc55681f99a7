"""Every declared list, opened by two tenants: filters, sorts, columns and exports work."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode
from uuid import UUID

import pytest
from bs4 import BeautifulSoup, SoupStrainer

from governance.assurance.access_reviews import actions as reviewing
from governance.assurance.collectors import actions as collecting
from governance.assurance.collectors import queries as collectors
from governance.assurance.controls import actions as controls
from governance.assurance.controls.control_record import ControlContent
from governance.assurance.engagements import actions as engaging
from governance.assurance.engagements.requests import actions as requesting
from governance.assurance.evidence import actions as evidence
from governance.assurance.evidence import version_actions
from governance.assurance.incidents import actions as incidents
from governance.assurance.playbooks import actions as playbooks
from governance.assurance.playbooks.steps import PlaybookStep
from governance.assurance.red_teams import actions as red_teams
from governance.assurance.red_teams.actions import RedTeamDraft
from governance.assurance.risks import actions as risks
from governance.assurance.risks.risk_record import RiskContent
from governance.assurance.testing import exception_actions, exception_queries
from governance.economics.prices import actions as price_actions
from governance.economics.prices.actions import PriceTerms
from governance.economics.revenue import account_actions
from governance.economics.usage import actions as usage
from governance.economics.usage import usage_events
from governance.foundation.api_keys import actions as keys
from governance.foundation.audit import sequencer
from governance.foundation.people import queries as people
from governance.foundation.populations.periods import previous_period
from governance.foundation.webhooks import actions as webhooks
from governance.kernel import clock, current
from governance.kernel.pages import list_pages
from governance.kernel.pages.list_pages import Filter, ListPage
from governance.operations.alerts import actions as alerting
from governance.operations.datasets import actions as data_sets
from governance.operations.intake import actions as intake
from governance.operations.intake.actions import Draft
from governance.operations.maintenance import actions as maintenance
from governance.operations.maintenance.exclusion_plan import Plan
from governance.operations.measurements import actions as measurements
from governance.operations.policies import waivers
from governance.operations.rollouts import actions as rollouts
from governance.operations.rollouts.actions import RolloutDraft
from governance.operations.systems import actions as systems
from governance.publishing.change_log import actions as customer_changes
from governance.publishing.change_log.actions import ChangeText
from tests import make
from tests.assurance.testing import type2_helpers
from tests.browser import Visitor
from tests.operations.alerts.alert_helpers import watched_objective
from tests.operations.intake import intake_helpers

LISTS = sorted(  # The operator's lists are tested with their features.
    name
    for name, listed in list_pages.declared.items()
    if not listed.endpoint.startswith("operator_")
)
COLLECTOR = "members"
CHOICES_TRIED = 3  # Choices of each filter, and the last one.
OTHER_VALUES = {
    "provider": "helio",
    "since": "2026-01-01",
    "until": "2030-01-01",
    "actor": "abcd",
    "target": "Control",
}  # Values of fields without a menu.
UNKNOWN = {"action": "no.such.action"}  # Written like an action, since anything else is rejected.
BUDGETS = {  # Statements of a page. Those of other lists are in their features' tests.
    "access_review_rows": 10,
    "access_reviews": 10,
    "checkpoints": 10,
    "collector_runs": 12,
    "engagements": 8,
    "evidence_reviews": 12,
    "findings": 5,
    "member_sessions": 3,
    "own_sessions": 2,
    "waiting_requests": 5,
    "webhook_deliveries": 8,
    "exclusions": 9,
    "proposals": 6,
}
OF_ADMINS = {"member_sessions"}
OF_OPERATOR = {"accounts", "prices"}  # Lists of the operator's finance.
TENANTS = ("acme", "globex")


def _home(name: str) -> str:
    """Return the tenant in which a list is opened where one suffices."""
    return "console" if name in OF_OPERATOR else "acme"


def _everywhere(names: list[str]) -> list[tuple[str, str]]:
    """Return each list with each tenant that has it."""
    return [
        (name, slug)
        for name in names
        for slug in (("console",) if name in OF_OPERATOR else TENANTS)
    ]


PLACES = {"collector_runs": {"key": COLLECTOR}}
SOMETIMES_EMPTY = {"under", "state"}  # Menus without a choice where there are no values.


@pytest.fixture(scope="module")
def places(app, module_transaction):
    """Create rows of both tenants in every list, once.

    Return the ids in their addresses, by tenant.
    """
    _fill_operator()
    return {slug: _fill(slug) for slug in TENANTS}


@pytest.fixture
def world(app, places, isolated):
    """Return (visitor, place) of each list of each tenant."""
    found = {}
    for slug, place in places.items():
        officer, admin = (
            Visitor(app, make.cookie(role, slug), slug) for role in ("compliance_officer", "admin")
        )
        found[slug] = {
            name: (admin if name in OF_ADMINS else officer, place | PLACES.get(name, {}))
            for name in LISTS
        }
    finance = Visitor(app, make.cookie("operator_finance", "console"), "console")
    found["console"] = dict.fromkeys(OF_OPERATOR, (finance, {}))
    return found


def _fill_operator() -> None:
    with make.acting("operator_finance", "console"):
        for slug, segment in (("acme", "Enterprise"), ("globex", "Mid-market")):
            price_actions.add_price(
                PriceTerms(
                    provider="helio",
                    model=f"model-of-{segment[:3]}",
                    per_million={"input": Decimal(3), "output": Decimal(15)},
                    currency="USD",
                    effective_from=clock.today(),
                    source="Price page",
                    customer_id=make.system_actor(slug).tenant_id if slug == "acme" else None,
                )
            )
            account_actions.save_account(
                make.system_actor(slug).tenant_id,
                segment=segment,
                seats=10,
                won_on=clock.today() - timedelta(days=90),
                lost_on=clock.today() if slug == "globex" else None,
            )


def _fill(slug: str) -> dict[str, str]:
    today, month = clock.today(), timedelta(days=30)
    with make.acting("compliance_officer", slug):
        for key, lane in (("triage", "high_risk"), ("copy", "standard")):
            system = systems.register(
                key=f"{slug}-{key}",
                stage="live",
                name=f"{key} of {slug}",
                lane=lane,
                purpose="Works.",
                owner_id=None,
            )
            waivers.request(
                system.id,
                "retention_days",
                120,
                expires_at=clock.now() + month,
                reason=f"Of {slug}",
                compensation="A weekly review",
            )
            measurements.define(
                key=f"{slug}-{key}-up",
                name=f"Availability of {key} of {slug}",
                system_id=system.id,
                kind="ratio" if lane == "standard" else "downtime",
            )
            incidents.declare(
                f"Outage of {key} of {slug}",
                severity=2,
                systems=[system.id],
                impact_from=clock.now(),
                aware_at=clock.now(),
            )
            feature = systems.add_feature(system, key="answers", fallback="A person answers.")
            rollouts.plan(
                RolloutDraft(
                    feature_id=feature.id,
                    change="model",
                    release="2026.12.0",
                    previous="2026.11.2",
                    summary=f"A larger model for {key} of {slug}.",
                    rollback_plan="Serve the current release.",
                    on_failure="halt",
                    owner_id=None,
                )
            )
            customer_changes.write(
                ChangeText("other", system.id, f"{key} of {slug} is faster", "Twice as fast.", "")
            )
            red_teams.plan(
                RedTeamDraft(
                    system_id=system.id,
                    release="2026.12.0",
                    kind="internal",
                    title=f"Injection into {key} of {slug}",
                    rules="Test data only.",
                    opens_on=today,
                    closes_on=today + month,
                )
            )
        held = [
            controls.create(
                f"SEC-{n}",
                ControlContent(
                    title=f"Control {n} of {slug}",
                    does="Works.",
                    kind="detective",
                    automation="manual",
                    cadence="monthly",
                ),
            )
            for n in range(3)
        ]
        for n in range(2):
            risks.create(
                RiskContent(
                    title=f"Risk {n} of {slug}",
                    description="It can happen.",
                    likelihood=n + 3,
                    impact=4,
                    treatment="reduce",
                )
            )
        report = evidence.create_item(
            f"Report of {slug}",
            kind="report",
            cadence="monthly",
            controls={held[0].id: "It shows that."},
        )
        version_actions.link_version(
            report,
            f"https://files.{slug}.example/report",
            collected_on=today,
            period_from=today - month,
            period_to=today,
            valid_until=today + month,
        )
        engagement = engaging.open_engagement(
            f"Firm of {slug}",
            framework_id=None,
            period_from=today - month,
            period_to=today + month,
            fieldwork_from=today - month,
            fieldwork_to=today + month,
        )
        for n in range(2):
            requesting.add_request(engagement, title=f"Request {n} of {slug}")
        review = reviewing.start_review(f"Review of {slug}", due_on=today + month)
        member = people.membership_of(make.person_id("compliance_officer", slug))
        place = {
            "key": "nist-ai-rmf-1.0",
            "control_id": str(held[0].id),
            "engagement_id": str(engagement.id),
            "access_review_id": str(review.id),
            "membership_id": str(member.id),
        }
        maintenance.announce(
            Plan(
                title=f"Upgrade of {slug}",
                category="maintenance",
                starts_at=(clock.now() + month).replace(second=0, microsecond=0),
                ends_at=(clock.now() + month).replace(second=0, microsecond=0) + timedelta(hours=1),
                reason="A new version.",
            )
        )
        for n, answers in enumerate((intake_helpers.ANSWERS, {})):
            intake.propose(
                Draft(f"Proposal {n} of {slug}", f"{slug}-{n}", "Sorts.", "Clerks", answers)
            )
        playbooks.create(
            title=f"Playbook of {slug}",
            used_for="An outage.",
            steps=[PlaybookStep("Look")],
            drill_every_days=91,
        )
        data_set = data_sets.add(
            key=f"{slug}-claims", name=f"Claims of {slug}", description="Rows.", owner_id=None
        )
        data_sets.add_use(data_set, system_id=system.id, purpose="training")
        collector = collectors.find_collector(COLLECTOR)
        collecting.request_run(collector, previous_period(collector.schedule, today))
    _raise_finding(UUID(place["control_id"]), slug)
    _fire_alert(slug)
    with make.acting("admin", slug):
        key, _secret = keys.create(f"Machine of {slug}", ["usage:write"])
        endpoint, _secret = webhooks.add(
            name=f"Paging of {slug}", url="http://127.0.0.1:9/hook", events=["alert.fired"]
        )
        webhooks.send("alert.fired", {"ref": f"ALR-1 of {slug}"})
        place["endpoint_id"] = str(endpoint.id)
        _use(f"{slug}-triage", key.id)
        sequencer.sequence()
    return place


def _use(system: str, key_id: UUID) -> None:
    event = {"id": "one", "at": f"{clock.now():%Y-%m-%dT%H:%M:%SZ}", "system": system}
    read = usage_events.read(json.dumps([event | {"model": "m", "outcome": "refused"}]).encode())
    with current.acting_as(replace(current.actor(), key_id=key_id)):
        usage.store(read)


def _fire_alert(slug: str) -> None:
    with make.acting("compliance_officer", slug):
        objective = watched_objective(name=f"Availability of {slug}")
        facts = {
            "text": "2% in 1 h",
            "budget_share": "0.02",
            "long_minutes": 60,
            "short_minutes": 5,
            "severity": "page",
            "min_bad": 3,
            "min_total": 100,
            "factor": "14.4",
            "long": {"burn": "20", "lost": 120, "measured": 6000},
            "short": {"burn": "20", "lost": 10, "measured": 500},
            "fired_at": clock.now().isoformat(),
        }
        alerting.fire(objective.id, objective.name, 1, "page", {"0.02-60-5": facts}, clock.now())


def _raise_finding(control_id: UUID, slug: str) -> None:
    sample = type2_helpers.draw_sample(
        type2_helpers.freeze_population(control_id, slug=slug), by="compliance_officer", slug=slug
    )
    type2_helpers.record_results(
        sample, None, "no", "Nobody signed", by="compliance_officer", slug=slug
    )
    with make.acting("compliance_officer", slug):
        case = exception_queries.exceptions(control_id=control_id)[0]
        exception_actions.raise_finding(
            case.exception,
            title="Unsigned",
            plan="Sign.",
            owner_id=make.person_id("admin", slug),
            due_on=clock.today(),
        )


def _at(
    app, listed: ListPage, place: dict[str, str], slug: str, endpoint: str = "", **query: str
) -> str:
    values = {name: place[name] for name in listed.place}
    values |= {} if listed.name in OF_OPERATOR else {"tenant": slug}
    base = app.url_map.bind("localhost").build(endpoint or listed.endpoint, values)
    return f"{base}?{urlencode(query)}" if query else base


def _soup(reply) -> BeautifulSoup:
    return BeautifulSoup(reply.text, "html.parser", parse_only=SoupStrainer("main"))


def _heads(soup: BeautifulSoup) -> list[str]:
    return [" ".join(th.get_text(" ").split()) for th in soup.select("thead th")]


def _chips(soup: BeautifulSoup) -> list[str]:
    return [
        link["aria-label"] for link in soup.select(".c-chip a[aria-label^='Remove the filter']")
    ]


def _values(soup: BeautifulSoup, filter_: Filter) -> list[str]:
    """Return what a reader can choose on the page: values of a menu, or typed text."""
    if filter_.kind != "menu":
        return [OTHER_VALUES[filter_.name]] if filter_.name in OTHER_VALUES else []
    options = [
        o["value"]
        for o in soup.select(f"form.c-menubox select[name='{filter_.name}'] option")
        if o["value"]
    ]
    return list(dict.fromkeys([*options[:CHOICES_TRIED], *options[-1:]]))


@pytest.mark.parametrize(("name", "slug"), _everywhere(LISTS))
def test_every_filter_sort_and_column_works(app, world, name, slug):
    listed, (visitor, place) = list_pages.declared[name], world[slug][name]
    base = _soup(visitor.get(_at(app, listed, place, slug)))
    other = "globex" if slug == "acme" else "acme"
    shown = [base]
    for filter_ in listed.filters:
        values = _values(base, filter_)
        assert values or filter_.kind == "link" or filter_.name in SOMETIMES_EMPTY, filter_.name
        for value in values:
            page = _soup(visitor.get(_at(app, listed, place, slug, **{filter_.name: value})))
            said = [
                chip
                for chip in _chips(page)
                if chip.startswith(f"Remove the filter {filter_.label}: ")
            ]
            assert len(said) == (0 if value == filter_.cleared else 1), (filter_.name, value)
            shown.append(page)
    for order in sorted(listed.orders):
        for sort in (order, f"-{order}"):
            page = _soup(visitor.get(_at(app, listed, place, slug, sort=sort)))
            if page.select("thead th") and order not in listed.sorts:
                assert page.select_one(
                    f"th[aria-sort='{'descending' if sort.startswith('-') else 'ascending'}']"
                ), sort
            shown.append(page)
    if listed.search:
        found = _soup(visitor.get(_at(app, listed, place, slug, q="no-such-word")))
        assert (
            f"No {listed.nouns} match" in found.get_text()
            and "Clear filters to see all" in found.get_text()
        )
    if name not in OF_OPERATOR:
        assert all(other not in page.find("main").get_text() for page in shown)


@pytest.mark.parametrize("name", sorted(BUDGETS))
def test_a_page_keeps_its_budget_of_statements(app, world, statements, name):
    home = _home(name)
    listed, (visitor, place) = list_pages.declared[name], world[home][name]
    for query in ({}, {"sort": next(iter(sorted(listed.orders)))}):
        visitor.get(_at(app, listed, place, home, **query))
        with statements() as seen:
            visitor.get(_at(app, listed, place, home, **query))
        assert len(seen) <= BUDGETS[name], f"{name} {len(seen)}"


@pytest.mark.parametrize(
    "name", [n for n in LISTS if any(c.can_hide for c in list_pages.declared[n].columns)]
)
def test_columns_are_hidden_and_shown_by_the_address(app, world, name):
    listed, (visitor, place) = list_pages.declared[name], world[_home(name)][name]
    usual = _heads(_soup(visitor.get(_at(app, listed, place, _home(name)))))
    fixed = _heads(_soup(visitor.get(_at(app, listed, place, _home(name), columns="none"))))
    labels = {c.label: c.can_hide for c in listed.columns}
    assert set(usual) - set(fixed) == {c.label for c in listed.usual if c.can_hide}
    assert [head for head in fixed if labels.get(head)] == []
    for column in listed.columns:
        if column.can_hide:
            alone = _heads(
                _soup(visitor.get(_at(app, listed, place, _home(name), columns=column.name)))
            )
            assert sorted(alone) == sorted([*fixed, column.label]), column.name
    assert (
        _heads(_soup(visitor.get(_at(app, listed, place, _home(name), columns="password"))))
        == usual
    )


@pytest.mark.parametrize("name", LISTS)
def test_what_is_not_declared_is_refused_or_ignored_as_the_list_says(app, world, name):
    listed, (visitor, place) = list_pages.declared[name], world[_home(name)][name]
    visitor.get(_at(app, listed, place, _home(name), sort="password"), then=422)
    visitor.get(_at(app, listed, place, _home(name), sort="-"), then=422)
    plain = _chips(_soup(visitor.get(_at(app, listed, place, _home(name), nonsense="1"))))
    for filter_ in listed.filters:
        address = _at(
            app,
            listed,
            place,
            _home(name),
            **{filter_.name: UNKNOWN.get(filter_.name, "no-such%value")},
        )
        page = _soup(visitor.get(address, then=422 if filter_.unknown == "rejected" else 200))
        if filter_.unknown == "ignored":
            assert _chips(page) == plain, filter_.name
        elif filter_.unknown == "empty":
            assert f"No {listed.nouns} match" in page.get_text(), filter_.name
            assert f"Remove the filter {filter_.label}: " in " ".join(_chips(page)), filter_.name


@pytest.mark.parametrize(
    ("name", "slug"), _everywhere([n for n in LISTS if list_pages.declared[n].exports])
)
def test_exports_hold_what_is_filtered_and_nothing_of_another_tenant(app, world, name, slug):
    listed, (visitor, place) = list_pages.declared[name], world[slug][name]
    links = _soup(visitor.get(_at(app, listed, place, slug))).select(".c-tools a[data-export]")
    can_choose = any(column.can_hide for column in listed.columns)
    assert len(links) == len(listed.exports) * (2 if can_choose else 1)
    whole = visitor.get(links[0]["href"]).get_data(as_text=True)
    assert len(whole.splitlines()) > 1
    assert name in OF_OPERATOR or ("globex" if slug == "acme" else "acme") not in whole
    if listed.search:
        none = visitor.get(f"{links[0]['href'].partition('?')[0]}?q=no-such-word").get_data(
            as_text=True
        )
        assert len(none.splitlines()) == 1
    for link in links:
        if "xlsx" in link["href"]:
            assert visitor.get(link["href"]).data.startswith(b"PK")


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in LISTS
        if list_pages.declared[n].exports
        and n != "gaps"  # It exports requirements.
        and any(c.can_hide for c in list_pages.declared[n].columns)
    ],
)
def test_a_file_follows_the_columns_that_are_shown_or_has_all(app, world, name):
    listed, (visitor, place) = list_pages.declared[name], world[_home(name)][name]

    def files(**query):
        page = _soup(visitor.get(_at(app, listed, place, _home(name), **query)))
        links = [a["href"] for a in page.select(".c-tools a[data-export]") if "csv" in a["href"]]
        return [
            list(csv.reader(io.StringIO(visitor.get(link).data.decode("utf-8-sig"))))
            for link in links
        ]

    whole, shown = files()
    head = whole[0]
    declared = {each for column in listed.columns for each in column.file}
    assert declared <= set(head), declared - set(head)
    kept = {each for column in listed.usual for each in listed.heads(column)}
    assert shown[0] == [each for each in head if each in kept]
    assert len(shown) == len(whole) > 1
    fixed = {e for column in listed.columns if not column.can_hide for e in listed.heads(column)}
    all_of_it, least = files(columns="none")
    assert all_of_it == whole and least[0] == [each for each in head if each in fixed]
    assert least[1] == [cell for cell, each in zip(whole[1], head, strict=True) if each in fixed]

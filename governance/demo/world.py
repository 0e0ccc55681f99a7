"""Build the demo's world: eighteen months of Acme Insurance and a smaller Globex.

Everything goes through the actions that a user's click would call, on the day it happened, by the
person who did it, so the log, the derived states and the history are real. Random choices have a
fixed seed, and every date counts back from today.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import create_engine

from governance.app import factory
from governance.demo import (
    economics_allocation_story,
    economics_budgets_story,
    economics_close_story,
    economics_revenue_story,
    offboarding_story,
    policy_history,
    progress,
    support_story,
)
from governance.demo.acme import found_acme, tell_acme
from governance.demo.beside import telling_beside
from governance.demo.cast import (
    ACME_DIRECTORY,
    DOMAINS,
    FORMER_MEMBER,
    GROUPS,
    MONTHS,
    NAMES,
    Cast,
    days_ago,
    moment_of,
    play,
    sign_log,
    system_actor,
)
from governance.demo.idp.directory import PEOPLE, Person
from governance.economics.prices import retirement_jobs
from governance.foundation.identity_providers import connection_actions
from governance.foundation.identity_providers.connection_settings import ConnectionSettings
from governance.foundation.people import admission_actions, member_actions, oidc_types
from governance.foundation.people.jobs import actor_of
from governance.foundation.people.models import person_key
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.kernel import clock, current
from governance.kernel.config import Settings
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.kernel.work import jobs


def build(
    settings: Settings,
    idp_base: str,
    services: str,
    clients: Mapping[str, tuple[str, str]],
    *,
    people_can_sign_in: Callable[[], None],
    told_to: Callable[[date], None],
) -> dict[str, Any]:
    """Fill an empty, migrated database. Return the machines' keys: {tenant, key, scopes} by name.

    `services` is the address of Acme's own services. `clients` is tenant → (client id, secret)
    at the demo's provider. `people_can_sign_in` is called once everyone has joined, and `told_to`
    with each day that the story reaches after that.
    """
    factory.connect(settings)
    directory.forget()
    for slug in ("acme", "globex", "console"):
        _create_tenant(slug, f"{idp_base}/{slug}", clients[slug])
    economics_revenue_story.create_customers()
    acme, console = Cast("acme", f"{idp_base}/acme"), Cast("console", f"{idp_base}/console")
    handed = found_acme(acme)
    with telling_beside(idp_base, settings.var / "beside.log") as beside:
        people_can_sign_in()
        tell_acme(acme, services, told_to, check_beside=beside.check)
        progress.begin("the end of the operator's story")
        handed |= beside.told()
    progress.begin("the operator's rules and policies")
    _play_operator(console)
    progress.begin("retirements, budgets and the close of the months")
    retirement_jobs.enter_model_retirements()
    economics_budgets_story.tell(console("finance"))
    economics_close_story.tell(console)
    support_story.tell(console, acme)
    offboarding_story.tell(console)
    for slug in ("acme", "globex", "console"):
        sign_log(slug, days_ago(0))
    jobs.drain(actor_of)
    _analyse(settings.owner_database_url)
    return handed


def _analyse(owner_url: str) -> None:
    """Update the planner's statistics, which autovacuum would do in a minute or two."""
    with create_engine(owner_url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("ANALYZE")


def _create_tenant(slug: str, issuer: str, client: tuple[str, str]) -> None:
    """Create the tenant, its identity provider and its people, as on the first day."""
    with clock.frozen(moment_of(days_ago(MONTHS * 30 + 20), 8)):
        tenant = tenants.create_tenant(
            slug, NAMES[slug], kind="operator" if slug == "console" else "customer"
        )
        base = replace(system_actor(slug), role="operator_admin" if slug == "console" else "admin")
        with current.acting_as(base), transaction():
            connection_actions.set_up(
                ConnectionSettings(issuer, client[0], enforced=True, group_roles=GROUPS[slug]),
                secret=client[1],
            )
            tenants.set_domains(tenant, DOMAINS[slug])
        for person in (*ACME_DIRECTORY, FORMER_MEMBER) if slug == "acme" else PEOPLE[slug]:
            _join(base, slug, issuer, person)


def _join(base: Actor, slug: str, issuer: str, person: Person) -> None:
    identity = oidc_types.Identity(
        issuer,
        person.sub,
        person.email,
        True,
        person.name,
        person.groups,
        None,
        clock.now().timestamp(),
        "",
    )
    role = next(
        (GROUPS[slug][group] for group in person.groups if group in GROUPS[slug]), "auditor"
    )
    with current.acting_as(base), transaction(person_id=person_key(issuer, person.sub)):
        member_actions.add_member(
            admission_actions.save_person(identity),
            role,
            via="engagement, Halden & Co" if role == "auditor" else "group mapping",
        )


def _play_operator(cast: Cast) -> None:
    play(
        cast,
        [*policy_history.operator(days_ago), *economics_allocation_story.operator(days_ago)],
    )

"""The collector about how people sign in."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, Text, cast, or_, select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.identity_providers.connection_actions import CONNECTION_CHANGED
from governance.foundation.people import queries as people
from governance.foundation.people.sessions import IDLE_TIMEOUT, MAX_SESSION_LIFETIME
from governance.foundation.populations.collector import (
    PopulationRow,
    QueryCollector,
    counted,
    in_period,
)
from governance.foundation.populations.periods import Period
from governance.foundation.tenants.actions import DOMAINS
from governance.kernel.formatting import plural
from governance.kernel.web.feature import STEP_UP_SECONDS


class SignInSettings(QueryCollector):
    key, title = "sign-in", "SSO and session settings"
    about = "How people sign in, how long sessions last, and every change in the period."
    controls = ("ACC-01",)
    topic = "access"
    catches_up = False

    def select(self) -> Select[*tuple[Any, ...]]:
        e = AuditEntry
        own = e.action.startswith("identity_provider.")
        return (
            select(
                e.at,
                e.action,
                e.actor.label("by"),
                cast(e.changes, Text).label("changes"),
                cast(e.facts, Text).label("facts"),
            )
            .where(*in_period(e.at, e.tenant_id), or_(own, e.action == DOMAINS.name))
            .order_by(e.at, e.id)
        )

    def judge(self, rows: Sequence[PopulationRow], _period: Period, /) -> tuple[str, bool]:
        connection = people.connection()
        if connection is None:
            return "No identity provider is connected.", False
        changed = sum(row["action"] in {CONNECTION_CHANGED.name, DOMAINS.name} for row in rows)
        provider = "the company's identity provider"
        rule = (
            f"People must sign in with {provider}"
            if connection.enforced
            else f"Sign-in with {provider} is optional"
        )
        return (
            f"{rule}; {counted(changed, 'change')}.",
            connection.enforced,
        )

    def facts(self, _period: Period) -> Sequence[tuple[str, str]]:
        connection = people.connection()
        limits = (
            ("Idle sessions end after", _duration(IDLE_TIMEOUT)),
            ("All sessions end after", _duration(MAX_SESSION_LIFETIME)),
            (
                "Sensitive actions need a sign-in within the last",
                _duration(timedelta(seconds=STEP_UP_SECONDS)),
            ),
        )
        if connection is None:
            return limits
        mapped = (
            ", ".join(f"{group}: {role}" for group, role in sorted(connection.group_roles.items()))
            or "none"
        )
        return (
            ("Provider", connection.issuer),
            ("Enforced", "yes" if connection.enforced else "no"),
            ("Roles by group", mapped),
            *limits,
        )


def _duration(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return plural(minutes // 60, "hour") if minutes % 60 == 0 else plural(minutes, "minute")

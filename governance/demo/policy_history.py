"""The policy versions of Acme and Globex, and the operator's platform minimum.

acme(ago)      up to version 17, and the open draft that changes to strict
globex(ago)    baseline, then standard
operator(ago)  settings that can't be waived, and a looser minimum that awaits approval

Each yields the events of a tenant. They run in its transaction, as the person of the part.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from governance.demo.story import StoryEvent
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.queries import open_approval
from governance.kernel import clock
from governance.operations.policies import (
    actions,
    draft_actions,
    platform_minimum,
    queries,
    waiver_list,
    waivers,
)
from governance.operations.policies.dimensions import read
from governance.operations.policies.effective_policies import Content
from governance.operations.policies.policy_diff import platform_content, with_tier, with_value

type Ago = Callable[[int], date]
MODELS = ("atlas-large", "atlas-small", "brook-2", "cedar-1", "delta-mini", "ember-3")


def acme(ago: Ago) -> Iterator[StoryEvent]:
    """Yield 17 versions: small tightening steps, one approved loosening, and an open draft."""
    small = (
        (530, _tier("standard"), "First company-wide policy: the standard tier"),
        (
            500,
            _override("human_review", "sampled"),
            "A sample of answers is reviewed in every tier",
        ),
        (
            470,
            _override("model_access", ", ".join(MODELS)),
            "Only models approved by procurement",
        ),
        (
            440,
            _override("retention_days", "60"),
            "The data protection officer requires shorter retention",
        ),
        (
            420,
            _override("requests_per_minute", "500"),
            "Spring load test: the gateway handles 500 requests a minute",
        ),
        (400, _on("claims-triage", "memory", "off"), "A claim is decided only from its own file"),
        (380, _override("max_output_tokens", "3000"), "Nobody read long answers"),
        (
            350,
            _on("ad-copywriter", "training_use", "prohibited"),
            "Campaigns are confidential before they run",
        ),
        (320, _override("retention_days", "30"), "Auditor recommendation in the Q4 report"),
        (
            300,
            _on("claims-triage", "citations", "required"),
            "Adjusters check the cited clause",
        ),
        (280, _override("release_ring", "early"), "No canary models in production"),
        (
            260,
            _on("support-assistant", "max_output_tokens", "2800"),
            "Answers fit a phone screen",
        ),
        (240, _override("red_team_age_days", "80"), "Red-team runs every quarter"),
        (
            225,
            _on("claims-triage", "requests_per_minute", "120"),
            "Claims arrive slowly, so a burst indicates a fault",
        ),
        (
            210,
            _override("tool_use", "allow_listed"),
            "Only tools on the architecture board's list",
        ),
    )
    for days, change, reason in small:
        yield StoryEvent(ago(days), "admin", _tightened(change, reason))
    yield StoryEvent(
        ago(198),
        "admin",
        _asked(_override("retention_days", "90"), "Claims stay open for up to 90 days"),
        10,
    )
    yield StoryEvent(ago(197), "officer", _approved, 11)
    yield StoryEvent(
        ago(114),
        "admin",
        _tightened(_last_step, "July findings: unsuitable content reached policyholders"),
        9,
    )
    yield StoryEvent(ago(75), "jun", _asked_waiver, 9)
    yield StoryEvent(ago(74), "officer", _refused_waiver, 10)
    yield StoryEvent(
        ago(1),
        "admin",
        _drafted(_to_strict, "Board decision of 19 November: strict before the renewal season"),
        15,
    )


def operator(ago: Ago) -> Iterator[StoryEvent]:
    """Yield the settings that can't be waived, and a looser minimum that awaits approval."""
    yield StoryEvent(ago(150), "operator", _unwaivable, 9)
    yield StoryEvent(ago(2), "operator", _looser_floor, 14)


def globex(ago: Ago) -> Iterator[StoryEvent]:
    yield StoryEvent(ago(110), "admin", _asked(_tier("baseline"), "Pilot with the first team"), 9)
    yield StoryEvent(ago(110), "officer", _approved, 15)
    yield StoryEvent(
        ago(60), "admin", _tightened(_tier("standard"), "The router now serves customers")
    )


# ---- changes of the content


type Change = Callable[[Content], Content]


def _tier(tier: str) -> Change:
    return lambda content: with_tier(content, tier)


def _override(key: str, value: str) -> Change:
    return lambda content: with_value(content, None, key, read(key, value))


def _on(system: str, key: str, value: str) -> Change:
    def change(content: Content) -> Content:
        system_id = next(s.id for s in queries.current_policy().systems if s.key == system)
        return with_value(content, system_id, key, read(key, value))

    return change


def _to_strict(content: Content) -> Content:
    """Return the content of the open draft: the strict tier, and the four tested models."""
    return with_value(with_tier(content, "strict"), None, "model_access", frozenset(MODELS[:4]))


def _last_step(content: Content) -> Content:
    """Return version 17: content_filter strict, human_review for high risk."""
    stricter = with_value(content, None, "human_review", "high_risk")
    return with_value(stricter, None, "content_filter", "strict")


# ---- actions


def _tightened(change: Change, reason: str) -> Callable[[], object]:
    def act() -> None:
        now = queries.current_policy()
        actions.tighten_now(change(now.content), base=now.number, reason=reason)

    return act


def _asked(change: Change, reason: str) -> Callable[[], object]:
    return lambda: actions.request_approval(
        change(queries.current_policy().content), seen="", reason=reason
    )


def _drafted(change: Change, reason: str) -> Callable[[], object]:
    return lambda: draft_actions.draft(
        change(queries.current_policy().content), seen="", reason=reason
    )


def _approved() -> None:
    row = queries.draft()
    approval = open_approval(queries.POLICY, row.id) if row else None
    if approval is None:
        raise LookupError("no policy awaits approval")
    approvals.approve(approval, seen=kinds.fingerprint_seen(approval))


def _asked_waiver() -> None:
    system_id = next(s.id for s in queries.current_policy().systems if s.key == "ad-copywriter")
    waivers.request(
        system_id,
        "content_filter",
        "off",
        expires_at=clock.now() + timedelta(days=20),
        reason="An anti-cyberbullying campaign has to quote abusive messages",
        compensation="Two editors read every draft",
    )


def _refused_waiver() -> None:
    waiver = waiver_list.waivers({}).rows[0][0]
    approval = open_approval(queries.WAIVER, waiver.id)
    if approval is None:
        raise LookupError("no waiver is requested")
    approvals.reject(
        approval,
        reason="The vendor's filter can't be distinguished from ours. Use quotation marks instead",
    )


def _unwaivable() -> None:
    content = platform_content(queries.platform())
    platform_minimum.change(
        content | {"unwaivable": ["training_use"]},
        base=0,
        reason="No tenant may release customer data for training",
    )


def _looser_floor() -> None:
    content = platform_content(queries.platform())
    looser = content | {"floor": content["floor"] | {"retention_days": 120}}
    platform_minimum.change(
        looser,
        base=1,
        reason="The regulator requires all insurers to keep claims for 120 days this winter",
        until=clock.now() + timedelta(days=80),
    )

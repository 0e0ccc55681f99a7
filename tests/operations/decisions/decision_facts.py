"""A tenant with two systems, as the pure part of the decision API reads it; generated stops."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import strategies as st

from governance.operations.decisions.flags import DecisionFacts, DecisionFeature
from governance.operations.policies.effective_policies import (
    Content,
    EffectivePolicy,
    Governed,
    LiveWaiver,
    Platform,
)
from governance.operations.switches.active_stops import ActiveStop

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
TRIAGE, WRITER = (
    Governed(UUID(int=1), "claims-triage", "Claims triage", "high_risk"),
    Governed(UUID(int=2), "ad-copywriter", "Writer", "standard"),
)
AUTO_APPROVE = DecisionFeature(UUID(int=3), TRIAGE.id, "auto-approve")


def facts(
    content: Content | None = None,
    stops: tuple[ActiveStop, ...] = (),
    waivers: tuple[LiveWaiver, ...] = (),
    **more,
) -> DecisionFacts:
    policy = EffectivePolicy(Platform(), 17, content or Content(), (WRITER, TRIAGE), waivers)
    return DecisionFacts(uuid4(), "acme", 204, 3, {}, policy, (AUTO_APPROVE,), stops, **more)


def stop(
    scope: str,
    system: UUID | None = None,
    feature: UUID | None = None,
    *,
    generate: bool = True,
    serve: bool = True,
) -> ActiveStop:
    return ActiveStop(
        uuid4(),
        scope,
        system,
        feature,
        generate,
        serve,
        "Wrong citations.",
        204,
        NOW - timedelta(minutes=42),
    )


STOPS = st.lists(
    st.builds(
        stop,
        st.sampled_from(["platform", "tenant", "system", "feature"]),
        st.sampled_from([TRIAGE.id, WRITER.id]),
        st.just(AUTO_APPROVE.id),
        generate=st.booleans(),
        serve=st.booleans(),
    ).filter(lambda s: s.generate or s.serve),
    max_size=3,
)

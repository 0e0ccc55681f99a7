"""What stands stopped, and for whom."""

from collections.abc import Sequence

from sqlalchemy import select

from governance.kernel.db import session
from governance.switches.models import PlatformStop, Stop
from governance.switches.standing import Stopped


def standing_stops() -> Sequence[Stopped]:
    """All stops that stand over the acting tenant, the operator's first; two statements."""
    above = session().scalars(select(PlatformStop).where(PlatformStop.restarted_at.is_(None)))
    found = [Stopped(p.id, "platform", None, None, p.generate, p.serve, p.reason, 0, p.created_at) for p in above]
    own = session().scalars(select(Stop).where(Stop.restarted_at.is_(None)).order_by(Stop.created_at))
    return found + [
        Stopped(
            s.id,
            s.scope,
            s.system_id,
            s.feature_id,
            s.generate,
            s.serve,
            s.reason,
            s.version,
            s.created_at,
            s.drill_id is not None,
        )
        for s in own
    ]

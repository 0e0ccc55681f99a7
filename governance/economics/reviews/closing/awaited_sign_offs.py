"""The sign-offs of a revision: who gave them, and which one awaits the current user.

sides(view)                both sides with their sign-off or the request for it
own_side(sides)            the side that awaits the current user, or None
open_request(view, side)   its request; raises Stale if the user saw older figures
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from governance.economics.reviews import permissions
from governance.economics.reviews.models import SIDES, ReviewSignOff
from governance.economics.reviews.queries import ReviewView
from governance.foundation.approvals.models import Approval
from governance.kernel.data.db import session
from governance.kernel.errors import Stale
from governance.kernel.safety.access import Permission, allowed

PERMISSIONS: Mapping[str, Permission] = {
    "finance": permissions.SIGN_FINANCE,
    "product": permissions.SIGN_PRODUCT,
}


def kind_name(side: str) -> str:
    """Return the approval kind of a side's sign-offs."""
    return f"review-{side}"


@dataclass(frozen=True, slots=True)
class SignOffSide:
    """One side of a revision. `request` is its newest request; None on an earlier revision."""

    side: str
    given: ReviewSignOff | None
    request: Approval | None

    @property
    def label(self) -> str:
        return SIDES[self.side]

    @property
    def is_awaited(self) -> bool:
        """Whether this side can be signed now."""
        return self.given is None and self.request is not None and self.request.state == "open"

    @property
    def is_rejected(self) -> bool:
        """Whether this side refused to sign the revision."""
        return self.given is None and self.request is not None and self.request.state == "rejected"


def sides(view: ReviewView) -> Sequence[SignOffSide]:
    """Return both sides of the revision, in one statement."""
    given = {each.side: each for each in view.sign_offs}
    requests = _newest_requests(view) if view.is_newest and len(given) < len(SIDES) else {}
    return [SignOffSide(side, given.get(side), requests.get(side)) for side in SIDES]


def _newest_requests(view: ReviewView) -> dict[str, Approval]:
    names = {kind_name(side): side for side in SIDES}
    query = select(Approval).where(Approval.kind.in_(names), Approval.target_id == view.review.id)
    rows = session().scalars(query.order_by(Approval.number))
    return {names[each.kind]: each for each in rows}


def own_side(found: Sequence[SignOffSide]) -> SignOffSide | None:
    """Return the side that awaits the current user, or None. A person signs for one side only."""
    may = (each for each in found if each.is_awaited and allowed(PERMISSIONS[each.side]))
    return next(may, None)


def open_request(view: ReviewView, side: str, seen: str) -> Approval:
    """Return the request that the side decides on.

    `seen` is the input digest of the figures that the user saw. Raises Stale if it isn't the
    newest, if the month was reopened, or if the side has decided already.
    """
    month = view.month.long_name
    if view.review.reopened is not None:
        raise Stale(f"{month} was reopened. Sign off its next revision when the month is closed.")
    if seen != view.revision.input_digest:
        raise Stale(
            f"{month} has other figures since you opened this page: revision"
            f" {view.revision.number}. Review them, then sign off."
        )
    found = next(each for each in sides(view) if each.side == side)
    if found.request is None or not found.is_awaited:
        raise Stale(f"{found.label} has already decided on revision {view.revision.number}.")
    return found.request

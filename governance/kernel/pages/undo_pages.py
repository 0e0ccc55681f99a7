"""Messages with an Undo button, and the address that the button sends to."""

from collections.abc import Collection
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.kernel.formatting import plural
from governance.kernel.pages import undo
from governance.kernel.web.redirects import tenant_path
from governance.kernel.web.responses import ResponseReturnValue

SHOWN = 3  # Errors that the message names.


def say(text: str, offer_id: UUID | None) -> None:
    """Show the message after a change, with a button that sends to the feature's `undo_change`."""
    if offer_id is None:
        flash(text)
    else:
        # It accepts what JSON can represent.
        flash((text, url_for(".undo_change", undo_offer_id=offer_id)), "undo")  # type: ignore[arg-type]


def say_changed(text: str) -> None:
    """Show the same for what this transaction remembered; nothing if it changed nothing."""
    if (offer_id := undo.offer()) is not None:
        say(text, offer_id)


def undo_offer(offer_id: UUID, kinds: Collection[str], home: str) -> ResponseReturnValue:
    """Undo, say what was undone and what was not, and go back to the page with the button."""
    undone = undo.take(offer_id, kinds)
    flash(
        _told(undone),
        "message" if undone.restored == undone.steps or undone.was_used else "warning",
    )
    return redirect(back_to(home), 303)


def _told(undone: undo.Undone) -> str:
    if undone.was_used:
        return "You already undid this."
    if not undone.left:
        return "Undone." if undone.steps == 1 else f"All {undone.steps} changes undone."
    reasons = list(dict.fromkeys(undone.left))
    more = (
        f" {plural(len(reasons) - SHOWN, 'more reason')} in the audit log."
        if len(reasons) > SHOWN
        else ""
    )
    lead = (
        f"{undone.restored} of {undone.steps} changes undone."
        if undone.restored
        else "Nothing was undone."
    )
    return f"{lead} {' '.join(reasons[:SHOWN])}{more}"


def back_to(home: str) -> str:
    """Return the page of this tenant that the form names in `back`; otherwise `home`."""
    return tenant_path(request.form.get("back"), home)

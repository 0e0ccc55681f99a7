"""Ports of the kernel to the features that know tenants, people and API keys.

They return the sender of a request, and do what follows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from governance.kernel.current import Actor
from governance.kernel.ports import Port
from governance.kernel.web import bearer
from governance.kernel.web.responses import ResponseReturnValue

OPERATOR_SLUG = "console"  # The slug of the tenant that the operators belong to.


@dataclass(frozen=True, slots=True)
class IdentityPorts:
    """The ports, one for each question.

    tenant_id(slug)              the tenant of that slug; None for an unknown one
    identify()                   the person of the request's cookie; None for nobody; raises if
                                 access is denied
    keys_of(token)               the API keys that the token may be one of
    note_session_use(who)        in a transaction of its own: the session is in use
    note_key_use(who)            the same for an API key
    resubmit(saved_form_id, act) run `act` on the form that was kept during a step-up sign-in
    """

    tenant_id: Port[Callable[[str], UUID | None]]
    identify: Port[Callable[[], Actor | None]]
    keys_of: Port[Callable[[bearer.PresentedKey], bearer.Keys]]
    note_session_use: Port[Callable[[Actor], None]]
    note_key_use: Port[Callable[[Actor], None]]
    resubmit: Port[Callable[[str, Callable[[], ResponseReturnValue]], ResponseReturnValue]]


identity = IdentityPorts(
    tenant_id=Port("the tenant of a slug"),
    identify=Port("who sent a request"),
    keys_of=Port("the API keys that a token may be"),
    note_session_use=Port("noting that a session is in use"),
    note_key_use=Port("noting that an API key is in use"),
    resubmit=Port("the forms that are kept during a sign-in"),
)

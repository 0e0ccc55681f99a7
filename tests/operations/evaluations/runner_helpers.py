"""A runner of Acme, which receives requests, reports its progress, and sends runs."""

from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.webhooks import actions as webhooks
from governance.foundation.webhooks import jobs as webhook_jobs
from governance.kernel.data.db import session
from tests import make
from tests.operations.evaluations.api_helpers import ADDRESS, Machine


class Runner(Machine):
    """A team's CI, which receives requests and reports."""

    def __init__(self, app, receiver, slug="acme"):
        super().__init__(app, slug)
        self.receiver = receiver
        with make.acting("admin", slug):
            _, self.secret = webhooks.add(
                name="CI", url=receiver.url, events=["evaluation.run.requested"]
            )

    def asked(self):
        """Return the data of the newest message, verified."""
        webhook_jobs.send_due(side_by_side=1)
        return self.receiver.verified(self.secret)["data"]

    def report(self, request_id, then=200, **said):
        reply = self.client.post(
            f"{ADDRESS}/requests/{request_id}/progress", json=said, headers=self._key
        )
        assert reply.status_code == then, reply.text
        return reply.json


def entries():
    with make.acting("admin"):
        query = select(AuditEntry).where(AuditEntry.target_type == "EvaluationRequest")
        found = session().scalars(query.order_by(AuditEntry.at, AuditEntry.id)).all()
        return [each.action.removeprefix("evaluation.request.") for each in found]

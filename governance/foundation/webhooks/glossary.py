"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Dead letter",
        "A webhook message that the receiver didn't accept in any attempt, kept so that you can"
        " replay it.",
    ),
    Term(
        "Webhook",
        "A signed message to one of your own systems about an event in Meridian, sent when the"
        " event happens and retried until the system accepts it.",
        "webhook webhooks",
    ),
)

"""Add, change, disable and remove webhook endpoints; queue, replay and record deliveries."""

from governance.foundation.webhooks.queue_actions import send

__all__ = ["send"]

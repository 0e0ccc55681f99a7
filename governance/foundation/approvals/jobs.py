"""What happens to approvals without anybody at the keyboard."""

from governance.foundation.approvals import actions


def expire() -> None:
    """Nightly: close requests that nobody decided in time, so that they can be made again."""
    actions.expire()

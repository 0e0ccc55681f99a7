from governance.foundation.scim import call_actions
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each


def forget_old_calls() -> None:
    once_a_day_in_each("forget old SCIM requests", call_actions.forget_old)

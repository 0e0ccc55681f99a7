"""Ports of switches that features above them implement.

incident_of(stop)    the verb and address of the stop's incident, or of declaring one from it;
                     None if the reader may do neither
"""

from collections.abc import Callable

from governance.kernel.ports import Port
from governance.operations.switches.models import Stop

type IncidentOf = Callable[[Stop], tuple[str, str] | None]

incident_of: Port[IncidentOf] = Port("incident of a stop", default=lambda _stop: None)

"""What switches ask of the features above them.

incident_of(stop)    the verb and address of the incident that a stop belongs to, or of declaring
                     one from it; None where the reader may do neither
"""

from collections.abc import Callable

from governance.kernel.ports import Port
from governance.operations.switches.models import Stop

type IncidentOf = Callable[[Stop], tuple[str, str] | None]

incident_of: Port[IncidentOf] = Port("incident of a stop", default=lambda _stop: None)

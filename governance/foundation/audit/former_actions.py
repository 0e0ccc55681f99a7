"""Actions that earlier versions recorded. Their entries stay readable; nothing records them."""

from governance.foundation.audit.registry import former_action

BENCHMARK_RELEASED = former_action(
    "benchmark.released", "released a benchmark", activity="create", severity="low"
)
BENCHMARK_REFUSED = former_action(
    "benchmark.refused", "released no benchmark", activity="create", severity="low"
)

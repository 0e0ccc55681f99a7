"""Prometheus metrics of received usage."""

import prometheus_client

spans = prometheus_client.Counter(
    "governance_usage_spans_total",
    "Spans of OTLP requests: accepted, duplicate, rejected, or ignored since they call no model",
    ["result"],
)

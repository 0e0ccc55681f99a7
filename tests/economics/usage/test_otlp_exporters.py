"""OpenTelemetry's own SDK and exporters, which send to the served application over loopback."""

import threading
from contextlib import contextmanager

import pytest
from opentelemetry.exporter.otlp.json.http import trace_exporter as json_exporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http import trace_exporter as protobuf_exporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import Status, StatusCode
from werkzeug.serving import make_server

from governance.kernel import clock
from tests.economics.usage.usage_helpers import SYSTEM, Product, register, stored


@pytest.fixture
def served(app, committed_world):
    """Return the address of the application, and a key of globex."""
    register(slug="globex")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    product = Product(app, slug="globex", name=f"traces {server.port}")
    yield f"http://127.0.0.1:{server.port}", product.secret
    server.shutdown()
    thread.join(60)
    server.server_close()


class Recorder:
    """An exporter that records what the one it wraps returned."""

    def __init__(self, exporter):
        self.exporter, self.results = exporter, []

    def export(self, spans):
        self.results.append(self.exporter.export(spans))
        return self.results[-1]

    def shutdown(self):
        self.exporter.shutdown()

    def force_flush(self, timeout_millis=30_000):
        return True


def as_protobuf():
    return protobuf_exporter.OTLPSpanExporter(compression=Compression.Gzip)


NANOSECONDS = 10**9  # Nanoseconds of a second.
EXPORTERS = [as_protobuf, json_exporter.OTLPSpanExporter]


def configure(monkeypatch, address, key):
    """Set the environment that configures any exporter of a product."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{address}/api/v1/otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer%20{key}")


@contextmanager
def span_of(tracer, name):
    """Return a span at our clock's time.

    The SDK would take the machine's, which TODAY doesn't move.
    """
    at = int(clock.now().timestamp() * NANOSECONDS)
    with tracer.start_as_current_span(name, start_time=at, end_on_exit=False) as span:
        yield span
        span.end(at + NANOSECONDS)


@pytest.mark.parametrize("exporter_of", EXPORTERS)
def test_an_exporter_of_the_sdk_delivers_its_calls(served, monkeypatch, exporter_of):
    configure(monkeypatch, *served)
    exporter = Recorder(exporter_of())
    provider = TracerProvider(resource=Resource.create({"service.name": SYSTEM}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer, before = provider.get_tracer("product"), {row.event_id for row in stored("globex")}
    with span_of(tracer, "invoke_agent") as agent:
        agent.set_attribute("gen_ai.operation.name", "invoke_agent")
        for failed in (False, True):
            with span_of(tracer, "chat claude-sonnet-4-5") as span:
                span.set_attributes(
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "anthropic",
                        "gen_ai.request.model": "claude-sonnet-4-5",
                        "gen_ai.response.finish_reasons": ("stop",),
                        "gen_ai.usage.input_tokens": 100,
                        "gen_ai.usage.cache_read.input_tokens": 70,
                        "gen_ai.usage.output_tokens": 10,
                    }
                )
                if failed:
                    span.set_status(Status(StatusCode.ERROR, "timeout"))
    provider.shutdown()
    assert exporter.results == [SpanExportResult.SUCCESS] * 3
    found = [row for row in stored("globex") if row.event_id not in before]
    assert sorted(row.outcome for row in found) == ["failed", "success"]
    assert {(row.input_tokens, row.cache_read_tokens, row.output_tokens) for row in found} == {
        (30, 70, 10)
    }
    assert {row.request for row in found} == {f"{agent.get_span_context().trace_id:032x}"}


@pytest.mark.parametrize("exporter_of", EXPORTERS)
def test_an_exporter_with_a_wrong_key_is_told_that_nothing_was_stored(
    served, monkeypatch, exporter_of
):
    configure(monkeypatch, served[0], "nonsense")
    exporter = Recorder(exporter_of())
    provider = TracerProvider(resource=Resource.create({"service.name": SYSTEM}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("product").start_as_current_span("chat") as span:
        span.set_attribute("gen_ai.usage.input_tokens", 1)
    provider.shutdown()
    assert exporter.results == [SpanExportResult.FAILURE]

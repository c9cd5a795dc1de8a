"""The shop of README.md, by OpenTelemetry's SDK for Python."""

import logging

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

spans = TracerProvider()
spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(compression=Compression.Gzip)))
trace.set_tracer_provider(spans)
logs = LoggerProvider()
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(compression=Compression.Gzip)))
meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=3_600_000)])
metrics.set_meter_provider(meters)

logger = logging.getLogger("shop.checkout")
logger.setLevel(logging.INFO)
logger.addHandler(LoggingHandler(logger_provider=logs))
tracer = trace.get_tracer("shop", "1.2.3")
meter = metrics.get_meter("shop", "1.2.3")

for number in range(1, 101):
    logger.info("order %d processed", number, extra={"order": number})

with tracer.start_as_current_span("previous") as previous:
    pass
with tracer.start_as_current_span("checkout", kind=SpanKind.SERVER, attributes={"amount": 42.5, "items": ["a", "b"]}):
    logger.warning("out of stock")
    charge = tracer.start_span("charge", kind=SpanKind.CLIENT, links=[Link(previous.get_span_context(), {"why": "batch"})])
    charge.add_event("retry", {"attempt": 2})
    charge.record_exception(ValueError("reset"))
    charge.set_status(Status(StatusCode.ERROR, "card declined"))
    charge.end()

meter.create_counter("orders", unit="{order}", description="orders taken").add(3, {"path": "/"})
latency = meter.create_histogram("latency", unit="ms")
for value in (5, 50, 500):
    latency.record(value)
meter.create_observable_gauge("temperature", [lambda _: [metrics.Observation(21.5)]], unit="Cel")

for provider in (logs, spans, meters):
    provider.shutdown()

// The shop of README.md, by OpenTelemetry's SDK for JavaScript, which sends JSON.

import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { SeverityNumber } from "@opentelemetry/api-logs";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { defaultResource, detectResources, envDetector } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const resource = defaultResource().merge(detectResources({ detectors: [envDetector] }));
const logs = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor(new OTLPLogExporter())] });
const spans = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), exportIntervalMillis: 3_600_000 });
const meters = new MeterProvider({ resource, readers: [reader] });

const logger = logs.getLogger("shop.checkout");
const tracer = spans.getTracer("shop", "1.2.3");
const meter = meters.getMeter("shop", "1.2.3");

for (let number = 1; number <= 100; number++) {
  const body = `order ${number} processed`;
  logger.emit({ severityNumber: SeverityNumber.INFO, severityText: "INFO", body, attributes: { order: number } });
}

const previous = tracer.startSpan("previous");
previous.end();
const checkout = tracer.startSpan("checkout", { kind: SpanKind.SERVER, attributes: { amount: 42.5, items: ["a", "b"] } });
const within = trace.setSpan(context.active(), checkout);
logger.emit({ severityNumber: SeverityNumber.WARN, body: "out of stock", context: within });
const links = [{ context: previous.spanContext(), attributes: { why: "batch" } }];
const charge = tracer.startSpan("charge", { kind: SpanKind.CLIENT, links }, within);
charge.addEvent("retry", { attempt: 2 });
charge.recordException(new Error("reset"));
charge.setStatus({ code: SpanStatusCode.ERROR, message: "card declined" });
charge.end();
checkout.end();

meter.createCounter("orders", { unit: "{order}", description: "orders taken" }).add(3, { path: "/" });
const latency = meter.createHistogram("latency", { unit: "ms" });
[5, 50, 500].forEach((value) => latency.record(value));
meter.createObservableGauge("temperature", { unit: "Cel" }).addCallback((gauge) => gauge.observe(21.5));

for (const provider of [logs, spans, meters]) {
  await provider.shutdown();
}

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The shop of README.md, by OpenTelemetry's SDK for Java. */
public class Shop {
    public static void main(String[] args) {
        var sdk = AutoConfiguredOpenTelemetrySdk.builder().disableShutdownHook().build().getOpenTelemetrySdk();
        var logger = sdk.getLogsBridge().get("shop.checkout");
        var tracer = sdk.getTracer("shop", "1.2.3");
        var meter = sdk.getMeterProvider().meterBuilder("shop").setInstrumentationVersion("1.2.3").build();

        for (long number = 1; number <= 100; number++) {
            logger.logRecordBuilder().setSeverity(Severity.INFO).setBody("order " + number + " processed")
                .setAttribute(AttributeKey.longKey("order"), number).emit();
        }

        var previous = tracer.spanBuilder("previous").startSpan();
        previous.end();
        var checkout = tracer.spanBuilder("checkout").setSpanKind(SpanKind.SERVER).setAttribute("amount", 42.5)
            .setAttribute(AttributeKey.stringArrayKey("items"), List.of("a", "b")).startSpan();
        try (var scope = checkout.makeCurrent()) {
            logger.logRecordBuilder().setSeverity(Severity.WARN).setBody("out of stock").emit();
            var charge = tracer.spanBuilder("charge").setSpanKind(SpanKind.CLIENT)
                .addLink(previous.getSpanContext(), Attributes.of(AttributeKey.stringKey("why"), "batch")).startSpan();
            charge.addEvent("retry", Attributes.of(AttributeKey.longKey("attempt"), 2L));
            charge.recordException(new IllegalStateException("reset"));
            charge.setStatus(StatusCode.ERROR, "card declined");
            charge.end();
        }
        checkout.end();

        meter.counterBuilder("orders").setUnit("{order}").setDescription("orders taken").build()
            .add(3, Attributes.of(AttributeKey.stringKey("path"), "/"));
        var latency = meter.histogramBuilder("latency").setUnit("ms").build();
        for (double value : new double[] {5, 50, 500}) {
            latency.record(value);
        }
        meter.gaugeBuilder("temperature").setUnit("Cel").buildWithCallback(gauge -> gauge.record(21.5));

        sdk.shutdown().join(30, TimeUnit.SECONDS);
    }
}

// The shop of README.md, by OpenTelemetry's SDK for Go.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	ctx := context.Background()
	spans := sdktrace.NewTracerProvider(sdktrace.WithBatcher(must(otlptracehttp.New(ctx))))
	logs := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(must(otlploghttp.New(ctx)))))
	reader := sdkmetric.NewPeriodicReader(must(otlpmetrichttp.New(ctx)), sdkmetric.WithInterval(time.Hour))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))

	logger := logs.Logger("shop.checkout")
	tracer := spans.Tracer("shop", trace.WithInstrumentationVersion("1.2.3"))
	meter := meters.Meter("shop", metric.WithInstrumentationVersion("1.2.3"))

	emit := func(ctx context.Context, severity log.Severity, body string, attributes ...log.KeyValue) {
		var record log.Record
		record.SetTimestamp(time.Now())
		record.SetSeverity(severity)
		record.SetBody(log.StringValue(body))
		record.AddAttributes(attributes...)
		logger.Emit(ctx, record)
	}
	for number := 1; number <= 100; number++ {
		emit(ctx, log.SeverityInfo, fmt.Sprintf("order %d processed", number), log.Int("order", number))
	}

	_, previous := tracer.Start(ctx, "previous")
	previous.End()
	attributes := trace.WithAttributes(attribute.Float64("amount", 42.5), attribute.StringSlice("items", []string{"a", "b"}))
	within, checkout := tracer.Start(ctx, "checkout", trace.WithSpanKind(trace.SpanKindServer), attributes)
	emit(within, log.SeverityWarn, "out of stock")
	link := trace.Link{SpanContext: previous.SpanContext(), Attributes: []attribute.KeyValue{attribute.String("why", "batch")}}
	_, charge := tracer.Start(within, "charge", trace.WithSpanKind(trace.SpanKindClient), trace.WithLinks(link))
	charge.AddEvent("retry", trace.WithAttributes(attribute.Int("attempt", 2)))
	charge.RecordError(errors.New("reset"))
	charge.SetStatus(codes.Error, "card declined")
	charge.End()
	checkout.End()

	orders := must(meter.Int64Counter("orders", metric.WithUnit("{order}"), metric.WithDescription("orders taken")))
	orders.Add(ctx, 3, metric.WithAttributes(attribute.String("path", "/")))
	latency := must(meter.Float64Histogram("latency", metric.WithUnit("ms")))
	for _, value := range []float64{5, 50, 500} {
		latency.Record(ctx, value)
	}
	observe := func(_ context.Context, observer metric.Float64Observer) error {
		observer.Observe(21.5)
		return nil
	}
	must(meter.Float64ObservableGauge("temperature", metric.WithUnit("Cel"), metric.WithFloat64Callback(observe)))

	for _, shutdown := range []func(context.Context) error{logs.Shutdown, spans.Shutdown, meters.Shutdown} {
		if err := shutdown(ctx); err != nil {
			panic(err)
		}
	}
}

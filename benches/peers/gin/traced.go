package main

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

var tracer = otel.Tracer("shop")

// traced is the service as otelgin and the OpenTelemetry SDK trace it.
func traced(sink string, ratio float64) (service, error) {
	exporter, err := otlptracehttp.New(
		context.Background(),
		otlptracehttp.WithEndpointURL(sink+"/v1/traces"),
		otlptracehttp.WithCompression(otlptracehttp.NoCompression),
	)
	if err != nil {
		return service{}, err
	}
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(
			exporter,
			sdk.WithMaxExportBatchSize(512),
			sdk.WithMaxQueueSize(131_072),
			sdk.WithBatchTimeout(time.Second),
		),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop"))),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(ratio))),
	)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})

	router := gin.New()
	router.Use(otelgin.Middleware("shop"))
	router.POST("/orders/:id", createTraced)
	return service{handler: router, flush: provider.ForceFlush, shutdown: provider.Shutdown}, nil
}

func createTraced(c *gin.Context) {
	id, order, ok := parse(c)
	if !ok {
		return
	}
	ctx := c.Request.Context()
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetAttributes(
			attribute.Int64("order.id", id),
			attribute.String("order.sku", order.SKU),
			attribute.Float64("order.amount", order.Amount),
			attribute.Bool("order.express", order.Express),
			attribute.String("tenant.id", c.GetHeader("x-tenant-id")),
		)
	}
	c.JSON(http.StatusOK, receipt{Order: id, Left: reserveTraced(ctx, order.Quantity)})
}

func reserveTraced(ctx context.Context, quantity int64) int64 {
	_, span := tracer.Start(
		ctx,
		"reserve",
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			attribute.String("db.system.name", "sqlite"),
			attribute.String("db.query.text", "UPDATE stock SET available = available - ? WHERE sku = ?"),
			attribute.Int64("stock.quantity", quantity),
		),
	)
	defer span.End()
	return reserve(quantity)
}

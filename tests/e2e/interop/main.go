// A service traced by Go's OpenTelemetry, as the OTEL_* variables say.
//
// It listens on the port that is its argument, takes a JSON array of {"url": …, "arguments": …}, and posts to each url its
// arguments.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

type onward struct {
	URL       string          `json:"url"`
	Arguments json.RawMessage `json:"arguments"`
}

var client = http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport)}

func call(ctx context.Context, to onward) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(to.Arguments))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func serve(response http.ResponseWriter, request *http.Request) {
	var all []onward
	if err := json.NewDecoder(request.Body).Decode(&all); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	for _, to := range all {
		if err := call(request.Context(), to); err != nil {
			http.Error(response, err.Error(), http.StatusBadGateway)
			return
		}
	}
	response.WriteHeader(http.StatusNoContent)
}

func main() {
	exporter, err := otlptracehttp.New(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	otel.SetTracerProvider(sdk.NewTracerProvider(sdk.WithSyncer(exporter)))
	otel.SetTextMapPropagator(autoprop.NewTextMapPropagator())
	handler := otelhttp.NewHandler(http.HandlerFunc(serve), "serve")
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], handler))
}

// The service of the peers benchmark on Gin, bare and traced by OpenTelemetry.
//
//	gin-service gin|otelgin --sink URL --ratio R --workers N
//
// It speaks the protocol of src/service/process.rs on stdin and stdout.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"

	"github.com/gin-gonic/gin"
)

// service is what is served, and the telemetry to be told of a flush and of the end.
type service struct {
	handler  http.Handler
	flush    func(context.Context) error
	shutdown func(context.Context) error
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	if len(os.Args) < 2 {
		return fmt.Errorf("usage: %s gin|otelgin --sink URL [--ratio R] [--workers N]", os.Args[0])
	}
	options := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	sink := options.String("sink", "", "base URL of the sink; spans go to {sink}/v1/traces")
	ratio := options.Float64("ratio", 1, "head sampling ratio")
	workers := options.Int("workers", 1, "threads that run Go code")
	if err := options.Parse(os.Args[2:]); err != nil {
		return err
	}

	runtime.GOMAXPROCS(*workers)
	gin.SetMode(gin.ReleaseMode)
	switch variant := os.Args[1]; variant {
	case "gin":
		return serve(bare())
	case "otelgin":
		traced, err := traced(*sink, *ratio)
		if err != nil {
			return err
		}
		return serve(traced)
	default:
		return fmt.Errorf("no variant %q: choose gin or otelgin", variant)
	}
}

// serve answers requests, and the commands on stdin until it closes.
func serve(service service) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: service.handler}
	go func() {
		if err := server.Serve(listener); err != http.ErrServerClosed {
			log.Fatal(err)
		}
	}()
	fmt.Println("listening", listener.Addr())

	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		if command := commands.Text(); command != "flush" {
			return fmt.Errorf("no command %q: the only one is flush", command)
		}
		if err := service.flush(context.Background()); err != nil {
			return err
		}
		fmt.Println("flushed")
	}
	if err := server.Close(); err != nil {
		return err
	}
	return service.shutdown(context.Background())
}

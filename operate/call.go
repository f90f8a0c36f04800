package main

import (
	"context"
	"io"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
)

// call is what a command needs.
type call struct {
	pipelines []contract.Pipeline
	watch     bool
	terminal
}

// terminal is where a command runs.
type terminal struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	sleep          func(context.Context, time.Duration) error
}

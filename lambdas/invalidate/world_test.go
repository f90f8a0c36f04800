package main

import (
	"os"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/environment"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob/pipelinejobtest"
	"blog-deploy-pipeline/rehearse/functiontest"
)

// binary is this command, compiled for the machine that runs the tests.
var binary string

func TestMain(m *testing.M) { os.Exit(functiontest.Main(m, &binary)) }

type world struct {
	pipeline *pipelinejobtest.CodePipeline
	edge     *invalidationtest.CloudFront
	stage    *stage
	handler  pipelinejob.Handler
	log      invocationtest.Log
}

// newWorld returns a function and an AWS in which every invalidation has the status.
func newWorld(status string) *world {
	w := &world{pipeline: &pipelinejobtest.CodePipeline{}}
	settings := invalidation.ReadSettings(&environment.Reader{Getenv: func(string) string { return "" }})
	w.stage = &stage{invalidator: invalidation.Invalidator{Settings: settings, Words: words}, onFailure: contract.OnFailureFail}
	w.handler = pipelinejob.Handler{CodePipeline: w.pipeline, Read: w.stage.read, Log: w.log.Logger()}
	w.cloudFront(invalidationtest.Says(status))
	return w
}

// cloudFront replaces CloudFront.
func (w *world) cloudFront(edge *invalidationtest.CloudFront) {
	w.edge, w.stage.invalidator.CloudFront = edge, edge
}

func (w *world) invoke(t *testing.T, event []byte) error {
	t.Helper()
	_, err := invocationtest.Invoke(t, w.handler, invocationtest.Limit, event)
	return err
}

package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob/pipelinejobtest"
	"blog-deploy-pipeline/lambdas/internal/publication"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/rehearse/functiontest"
)

// binary is this command, compiled for the machine that runs the tests.
var binary string

func TestMain(m *testing.M) { os.Exit(functiontest.Main(m, &binary)) }

// fakePublisher publishes as its function does, and keeps the requests.
type fakePublisher struct {
	answer   func(context.Context, publication.Request) (publication.Result, error)
	requests []publication.Request

	// foreseen and refusal answer looks.
	foreseen publication.Foreseen
	refusal  error
	looks    []publication.Request
}

// Publish implements publisher.
func (f *fakePublisher) Publish(ctx context.Context, log *slog.Logger, request publication.Request) (publication.Result, error) {
	f.requests = append(f.requests, request)
	log.Info("published nothing")
	return f.answer(ctx, request)
}

// Foresee implements publisher.
func (f *fakePublisher) Foresee(_ context.Context, request publication.Request) (publication.Foreseen, error) {
	f.looks = append(f.looks, request)
	return f.foreseen, f.refusal
}

// fakeReleases are a list, or an error.
type fakeReleases struct {
	listed []release.Listed
	err    error
}

// List implements lister.
func (f fakeReleases) List(_ context.Context, n int) ([]release.Listed, error) {
	return f.listed[:min(n, len(f.listed))], f.err
}

type world struct {
	pipeline  *pipelinejobtest.CodePipeline
	publisher *fakePublisher
	stage     *stage
	handler   pipelinejob.Handler
	log       invocationtest.Log
}

// newWorld returns a function in which each publication has the result.
func newWorld(result publication.Result) *world {
	return newWorldThat(func(context.Context, publication.Request) (publication.Result, error) { return result, nil })
}

// newWorldThat returns a function that publishes so.
func newWorldThat(publishes func(context.Context, publication.Request) (publication.Result, error)) *world {
	w := &world{pipeline: &pipelinejobtest.CodePipeline{}, publisher: &fakePublisher{answer: publishes}}
	w.stage = &stage{publisher: w.publisher, releases: fakeReleases{}, lookEvery: 10 * time.Second}
	w.handler = pipelinejob.Handler{CodePipeline: w.pipeline, Read: w.stage.read, Log: w.log.Logger()}
	return w
}

// fails returns a publication that has failed.
func fails(err error) func(context.Context, publication.Request) (publication.Result, error) {
	return func(context.Context, publication.Request) (publication.Result, error) {
		return publication.Result{}, err
	}
}

// hangs is a publication that works until its time is over.
func hangs(ctx context.Context, _ publication.Request) (publication.Result, error) {
	<-ctx.Done()
	return publication.Result{Release: newRelease, Put: 7, Bytes: 70, Again: true}, nil
}

func panics(context.Context, publication.Request) (publication.Result, error) {
	panic("The sky is falling.")
}

var errUnexpected = errors.New("read the weather: clouds")

func (w *world) invoke(t *testing.T, event []byte) error {
	t.Helper()
	_, err := invocationtest.Invoke(t, w.handler, invocationtest.Limit, event)
	return err
}

const newRelease = "20000101-000000-1a2b3c4d"

// some is the result of a publication of a few files.
var some = publication.Result{IsNew: true, Release: newRelease, Put: 12, Bytes: 1_234_567, Unchanged: 640, Removed: 3, Retired: 2}

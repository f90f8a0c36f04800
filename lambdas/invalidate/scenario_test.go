package main

import (
	"cmp"
	"context"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
)

const (
	distribution = "E2QWRUHAPOMQZL"
	edgeRole     = "arn:aws:iam::210987654321:role/edge/clear-cache"
)

// scenario describes an action and the AWS that it runs in.
type scenario struct {
	cloud     fakeaws.Options
	edge      fakeaws.Distribution
	role      string // to assume; default: none
	env       map[string]string
	params    string // default: parameters of distribution
	keepJobID bool
	// touched are files of a blog that have changed. If it is nil, the function knows of no
	// releases.
	touched []string
	timeout time.Duration // default: functiontest.Timeout
	// started is called before the first job is delivered, if it is set.
	started func(*functiontest.Action)
	// ended is called at the end, while the world is still there, if it is set.
	ended func(*functiontest.Action) error
}

// deliver runs an action until one of its jobs has a final report, or no report at all.
func (s scenario) deliver(ctx context.Context) (*functiontest.Action, error) {
	var action *functiontest.Action
	setup := functiontest.Setup{
		Binary: binary, Name: "invalidate", Cloud: s.cloud, Distributions: []fakeaws.Distribution{s.edge}, Role: s.role,
		Env: []map[string]string{s.env}, Timeout: s.timeout,
	}
	if s.touched != nil {
		setup.Buckets = []string{contract.EnvReleases}
	}
	err := functiontest.With(setup, func(w *functiontest.World) (err error) {
		if s.touched != nil {
			if err := publish(ctx, w, s.touched...); err != nil {
				return err
			}
		}
		action, err = w.Start(fakeaws.Action{FunctionName: "invalidate", UserParameters: cmp.Or(s.params, parameters(distribution)), KeepJobID: s.keepJobID})
		if err != nil {
			return err
		}
		if s.started != nil {
			s.started(action)
		}
		if err := action.Deliver(ctx); err != nil || s.ended == nil {
			return err
		}
		w.Wait()
		return s.ended(action)
	})
	return action, err
}

// releasesOf returns the releases of a world's blog, past the cloud.
func releasesOf(w *functiontest.World) release.Store {
	return release.Store{S3: w.S3.Client(), Bucket: w.Buckets[contract.EnvReleases]}
}

// publish makes files of a blog of five ones changed by the last publication.
func publish(ctx context.Context, w *functiontest.World, touched ...string) error {
	manifest := ofKeys(time.Now(), blogKeys...)
	if err := releasesOf(w).PutManifest(ctx, manifest); err != nil {
		return err
	}
	_, err := releasesOf(w).Update(ctx, func(s *release.State) error {
		s.Number, s.Current, s.Touched = manifest.Number, manifest.ID, map[string]int64{}
		for _, key := range touched {
			s.Touched[key] = s.Number
		}
		return nil
	})
	return err
}

// brokenRules checks the rules that never bend on all that was recorded.
func brokenRules(action *functiontest.Action, edge fakeaws.Distribution) []string {
	record := action.Record()
	record.Distributions = []fakeaws.Distribution{edge}
	return action.BrokenRules(record)
}

// parameters returns the UserParameters of the blog for a distribution and paths.
func parameters(id string, paths ...string) string {
	return contract.JSON(contract.UserParameters{PipelineName: "my-blog", Distribution: contract.Distribution{ID: id, Paths: paths}})
}

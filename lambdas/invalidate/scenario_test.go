package main

import (
	"cmp"
	"context"

	"blog-deploy-pipeline/lambdas/contract"
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
	// started is called before the first job is delivered, if it is set.
	started func(*functiontest.Action)
}

// deliver runs an action until one of its jobs has a final report, or no report at all.
func (s scenario) deliver(ctx context.Context) (*functiontest.Action, error) {
	var action *functiontest.Action
	setup := functiontest.Setup{Binary: binary, Name: "invalidate", Cloud: s.cloud, Distributions: []fakeaws.Distribution{s.edge}, Role: s.role, Env: []map[string]string{s.env}}
	err := functiontest.With(setup, func(w *functiontest.World) (err error) {
		action, err = w.Start(fakeaws.Action{FunctionName: "invalidate", UserParameters: cmp.Or(s.params, parameters(distribution)), KeepJobID: s.keepJobID})
		if err != nil {
			return err
		}
		if s.started != nil {
			s.started(action)
		}
		return action.Deliver(ctx)
	})
	return action, err
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

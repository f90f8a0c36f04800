package main

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

const (
	distribution = "E2QWRUHAPOMQZL"
	edgeRole     = "arn:aws:iam::210987654321:role/edge/clear-cache"
)

// delivery is one action of a pipeline, with CodePipeline, CloudFront, and Lambda with the
// compiled function.
type delivery struct {
	*functiontest.World
	attempts [][]lambdaruntime.Result // for each job

	mu   sync.Mutex
	jobs []*fakeaws.Job
}

// scenario describes an action and the AWS that it runs in.
type scenario struct {
	cloud     fakeaws.Options
	edge      fakeaws.Distribution
	role      string // to assume; default: none
	env       map[string]string
	params    string // default: parameters of distribution
	keepJobID bool
	// started is called before the first job is delivered, if it is set.
	started func(*delivery)
}

// deliver runs an action until one of its jobs has a final report, or no report at all.
func (s scenario) deliver(ctx context.Context) (*delivery, error) {
	d := &delivery{}
	setup := functiontest.Setup{Binary: binary, Name: "invalidate", Cloud: s.cloud, Distributions: []fakeaws.Distribution{s.edge}, Role: s.role, Env: []map[string]string{s.env}}
	return d, functiontest.With(setup, func(w *functiontest.World) error {
		d.World = w
		job, err := d.Cloud.StartAction(fakeaws.Action{FunctionName: "invalidate", UserParameters: cmp.Or(s.params, parameters(distribution)), KeepJobID: s.keepJobID})
		if err != nil {
			return err
		}
		if s.started != nil {
			s.started(d)
		}
		for ; job != nil; job = job.Next() {
			if len(d.jobs) == 200 {
				return fmt.Errorf("still not done after %d jobs", len(d.jobs))
			}
			d.mu.Lock()
			d.jobs = append(d.jobs, job)
			d.mu.Unlock()
			d.attempts = append(d.attempts, d.Function.InvokeAsync(ctx, job.Event()))
		}
		return nil
	})
}

// again delivers the current job once more, while the first delivery is in progress.
func (d *delivery) again(ctx context.Context) {
	d.mu.Lock()
	job := d.jobs[len(d.jobs)-1]
	d.mu.Unlock()
	d.Again(ctx, job.Event())
}

// last returns the report of the last job.
func (d *delivery) last() (fakeaws.Report, bool) {
	reports := d.jobs[len(d.jobs)-1].Reports()
	if len(reports) == 0 {
		return fakeaws.Report{}, false
	}
	return reports[len(reports)-1], true
}

// outcome returns how the action ended, as the pipeline sees it.
func (d *delivery) outcome() string {
	switch report, ok := d.last(); {
	case !ok:
		return "no report"
	case report.Success:
		return "success"
	default:
		return report.FailureType
	}
}

// brokenRules checks the rules that never bend on all that was recorded.
func (d *delivery) brokenRules(edge fakeaws.Distribution) []string {
	record := functiontest.Record{
		Distributions: []fakeaws.Distribution{edge},
		Secrets:       []string{"artifactCredentials"},
	}
	for i, job := range d.jobs {
		reports := job.Reports()
		record.Requests = append(record.Requests, functiontest.Request{Attempts: d.attempts[i], Reports: len(reports)})
		for _, attempt := range d.attempts[i] {
			record.Said = append(record.Said, string(attempt.Payload))
		}
		for _, report := range reports {
			record.Said = append(record.Said, report.Summary, report.FailureMessage)
			if report.ContinuationToken != "" {
				record.Secrets = append(record.Secrets, report.ContinuationToken)
			}
		}
	}
	if report, ok := d.last(); ok && report.Success {
		record.Success = report.At
	}
	return d.BrokenRules(record)
}

// reportedTwice counts the reports for jobs that already had one.
func (d *delivery) reportedTwice() int {
	return d.Count(functiontest.Refused("InvalidJobStateException"))
}

// parameters returns the UserParameters of the blog for a distribution and paths.
func parameters(id string, paths ...string) string {
	return contract.JSON(contract.UserParameters{PipelineName: "my-blog", Distribution: contract.Distribution{ID: id, Paths: paths}})
}

package functiontest

import (
	"context"
	"fmt"
	"sync"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

// Action is an action of a pipeline, whose jobs a world's function answers.
type Action struct {
	*World

	attempts [][]lambdaruntime.Result // for each job

	mu   sync.Mutex
	jobs []*fakeaws.Job
}

// maxJobs ends an action that would never end.
const maxJobs = 200

// Start starts an action and delivers none of its jobs.
func (w *World) Start(action fakeaws.Action) (*Action, error) {
	job, err := w.Cloud.StartAction(action)
	return &Action{World: w, jobs: []*fakeaws.Job{job}}, err
}

// Deliver delivers jobs, as CodePipeline does, until one has a final report, or no report at all.
func (a *Action) Deliver(ctx context.Context) error {
	for job := a.current(); ; {
		a.attempts = append(a.attempts, a.Function.InvokeAsync(ctx, job.Event()))
		if job = job.Next(); job == nil {
			return nil
		}
		if len(a.attempts) == maxJobs {
			return fmt.Errorf("still not done after %d jobs", maxJobs)
		}
		a.mu.Lock()
		a.jobs = append(a.jobs, job)
		a.mu.Unlock()
	}
}

func (a *Action) current() *fakeaws.Job {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.jobs[len(a.jobs)-1]
}

// DeliverAgain delivers the current job once more, while the first delivery is in progress.
func (a *Action) DeliverAgain(ctx context.Context) { a.Again(ctx, a.current().Event()) }

// Jobs returns the number of jobs so far.
func (a *Action) Jobs() int { return len(a.jobs) }

// Attempts returns the invocations for each job.
func (a *Action) Attempts() [][]lambdaruntime.Result { return a.attempts }

// Last returns the report of the last job, and false if it has none.
func (a *Action) Last() (fakeaws.Report, bool) {
	reports := a.current().Reports()
	if len(reports) == 0 {
		return fakeaws.Report{}, false
	}
	return reports[len(reports)-1], true
}

// NoReport is the end of an action whose last job has no report.
const NoReport = "no report"

// Ended returns how the action ended, as the pipeline sees it: "success", a failure type, or NoReport.
func (a *Action) Ended() string {
	switch report, ok := a.Last(); {
	case !ok:
		return NoReport
	case report.Success:
		return "success"
	default:
		return report.FailureType
	}
}

// Record returns what [World.BrokenRules] checks of the action.
func (a *Action) Record() Record {
	record := Record{Secrets: []string{"artifactCredentials"}}
	for i, job := range a.jobs {
		reports := job.Reports()
		record.Requests = append(record.Requests, Request{Attempts: a.attempts[i], Reports: len(reports)})
		for _, attempt := range a.attempts[i] {
			record.Said = append(record.Said, string(attempt.Payload))
		}
		for _, report := range reports {
			record.Said = append(record.Said, report.Summary, report.FailureMessage)
			if report.ContinuationToken != "" {
				record.Secrets = append(record.Secrets, report.ContinuationToken)
			}
		}
	}
	if report, ok := a.Last(); ok && report.Success {
		record.Success = report.At
	}
	return record
}

// ReportedTwice counts the reports for jobs that already had one.
func (w *World) ReportedTwice() int { return w.Count(Refused("InvalidJobStateException")) }

// Package pipelinejob implements CodePipeline's protocol for a Lambda function that is an
// action of a pipeline: it decodes jobs, sends exactly one report for each, and logs it.
// A job may also come directly from the owner's commands, which get the report as the
// answer. The package does not know what the jobs are about.
package pipelinejob

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"blog-deploy-pipeline/lambdas/internal/invocation"
)

// Task is a job as the function understands it.
type Task interface {
	// Work does as much as one call of the function can, and returns what to report.
	Work(ctx context.Context) Report
	// Log returns a logger that names the task in each line.
	Log() *slog.Logger
	// Metrics returns what the log line about the report that ends the action counts.
	Metrics(Report) slog.Attr
}

// Handler turns each job into exactly one report, whatever happens. The report of a direct
// request (contract.DirectEvent) is the answer.
type Handler struct {
	CodePipeline Client
	// Read returns the task of a job. If something is wrong with the job, Read returns
	// an error and as much of the task as it could read.
	Read func(*slog.Logger, Job) (Task, error)
	// Misconfigured lists the problems of the function's environment. The function
	// reports them, because a function that does not start leaves its pipeline waiting.
	Misconfigured error
	Log           *slog.Logger
}

// lambda.StartWithOptions accepts any value and checks it only when it runs.
var _ lambda.Handler = Handler{}

// Invoke implements lambda.Handler. It needs the raw event, because an event that cannot
// be decoded may still name a job that waits for a report.
//
// The only errors it returns are an event that is neither a job nor a direct request, and a
// report that could not be sent. Lambda then delivers the event again.
func (h Handler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	id, err := decodeID(event)
	direct := err != nil && isDirect(event)
	if err != nil && !direct {
		h.Log.Error("event refused", "error", err.Error())
		return nil, err
	}
	working, reporting, cancel := invocation.Split(ctx, time.Now())
	defer cancel()

	job := Job{ID: id}
	var task Task
	log := func() *slog.Logger {
		if task == nil {
			return job.named(h.Log)
		}
		return task.Log()
	}
	report := invocation.Guard(log, func() Report {
		var err error
		if direct {
			job, err = decodeDirect(event)
		} else {
			job, err = decode(id, event)
		}
		if err == nil {
			task, err = h.Read(job.named(h.Log), job)
		}
		if err == nil {
			err = h.Misconfigured
		}
		if err != nil {
			return refused(err)
		}
		return task.Work(working)
	}, panicked)

	answer, counts := invocation.NoAnswer, true
	if direct {
		answer = report.answer()
	} else {
		counts, err = invocation.Reported(log(), report.Failed(), report.send(reporting, h.CodePipeline, id))
		if err != nil {
			return nil, err
		}
	}
	if counts {
		line := log()
		if task != nil && report.ends() {
			line = line.With(task.Metrics(report))
		}
		report.log(line)
	}
	return answer, nil
}

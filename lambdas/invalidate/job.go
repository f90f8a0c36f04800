package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/strictjson"
)

// parameters is the action's UserParameters: JSON of at most 1,000 characters.
type parameters struct {
	// PipelineName is for logs and metrics; a blog's pipeline has the blog's name.
	PipelineName   string
	DistributionID string `json:"DistributionId"`
	// Paths to clear; everything, if there are none.
	Paths []string
}

// job is one request for work, decoded.
type job struct {
	id       string
	blog     string
	request  invalidation.Request
	progress invalidation.Progress
}

// log adds what every line says of the job.
func (j job) log(log *slog.Logger) *slog.Logger {
	return log.With("job", j.id, "blog", j.blog, "distribution", j.request.DistributionID)
}

// decodeID reads no more of the event than the job's id: with it the job can be
// told of whatever else is wrong, and without it there is nobody to tell.
func decodeID(event []byte) (string, error) {
	var envelope struct {
		Job struct {
			ID string `json:"id"`
		} `json:"CodePipeline.job"`
	}
	// An id may have been read before what is wrong.
	if err := json.Unmarshal(event, &envelope); envelope.Job.ID == "" {
		return "", errors.Join(errors.New(`event has no "CodePipeline.job" with an id: this function answers CodePipeline's Lambda invoke action only`), explain(err))
	}
	return envelope.Job.ID, nil
}

// decodeJob reads the event of the job called id. The job has what could be read,
// even where the rest is wrong.
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
func decodeJob(id string, event []byte) (job, error) {
	j := job{id: id}
	// No more than is used: what CodePipeline may one day write otherwise elsewhere, in
	// artifacts or their credentials, fails no job.
	var envelope struct {
		Job struct {
			Data struct {
				ActionConfiguration struct {
					Configuration struct {
						UserParameters string
					} `json:"configuration"`
				} `json:"actionConfiguration"`
				ContinuationToken string `json:"continuationToken"`
			} `json:"data"`
		} `json:"CodePipeline.job"`
	}
	if err := json.Unmarshal(event, &envelope); err != nil {
		return j, fmt.Errorf("decode job %s: %w", id, explain(err))
	}
	data := envelope.Job.Data
	params, err := decodeParameters(data.ActionConfiguration.Configuration.UserParameters)
	j.blog = params.PipelineName
	j.request = invalidation.Request{DistributionID: params.DistributionID, Paths: params.Paths}
	if err != nil {
		return j, err
	}
	j.request.Execution, j.progress, err = resume(j.id, data.ContinuationToken)
	return j, err
}

// explain returns an error of decoding an event without the words of Go.
func explain(err error) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%s is of the type %s, and not what CodePipeline sends", wrong.Field, wrong.Value)
	}
	return err
}

func decodeParameters(text string) (parameters, error) {
	var params parameters
	if err := strictjson.Decode(text, &params); err != nil {
		return params, fmt.Errorf(`decode UserParameters %.1000q: %w; must be JSON such as {"PipelineName":"my-blog","DistributionId":"E2EXAMPLE","Paths":["/*"]}`, text, err)
	}
	var errs []error
	if params.PipelineName == "" {
		errs = append(errs, errors.New("UserParameters has no PipelineName"))
	}
	if params.DistributionID == "" {
		errs = append(errs, errors.New("UserParameters has no DistributionId"))
	}
	if len(params.Paths) == 0 {
		params.Paths = []string{invalidation.Everything}
	}
	return params, errors.Join(errs...)
}

// resume returns where the action's earlier jobs left off, and a fresh start for
// the first one.
func resume(jobID, token string) (execution string, progress invalidation.Progress, err error) {
	if token == "" {
		return jobID, progress, nil
	}
	execution, progress, err = invalidation.DecodeToken(token)
	if err != nil {
		err = fmt.Errorf("%w; %s to start afresh", err, again)
	}
	return execution, progress, err
}

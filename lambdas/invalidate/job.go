package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
)

// parameters is the action's UserParameters: JSON of at most 1,000 characters.
type parameters struct {
	// PipelineName is for logs and metrics; a blog's pipeline has the blog's name.
	PipelineName   string
	DistributionID string `json:"DistributionId"`
	// Paths to clear; everything, if there are none.
	Paths []string
}

// everything counts as one path in CloudFront's prices and quotas.
const everything = "/*"

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
		return "", errors.Join(errors.New(`event has no "CodePipeline.job" with an id: this function answers CodePipeline's Lambda invoke action only`), err)
	}
	return envelope.Job.ID, nil
}

// decodeJob reads the event of the job called id. The job has what could be read,
// even where the rest is wrong.
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
func decodeJob(id string, event []byte) (job, error) {
	j := job{id: id}
	var envelope struct {
		Job struct {
			Data events.CodePipelineData `json:"data"`
		} `json:"CodePipeline.job"`
	}
	if err := json.Unmarshal(event, &envelope); err != nil {
		return j, fmt.Errorf("decode job %s: %w", id, err)
	}
	data := envelope.Job.Data
	params, err := decodeParameters(data.ActionConfiguration.Configuration.UserParameters)
	j.blog = params.PipelineName
	j.request = invalidation.Request{DistributionID: params.DistributionID, Paths: params.Paths}
	if err != nil {
		return j, err
	}
	j.request.Execution, j.progress, err = decodeToken(j.id, data.ContinuationToken)
	return j, err
}

func decodeParameters(text string) (parameters, error) {
	var params parameters
	if err := decodeStrict(text, &params); err != nil {
		return params, fmt.Errorf(`decode UserParameters %q: %w; must be JSON such as {"PipelineName":"my-blog","DistributionId":"E2EXAMPLE","Paths":["/*"]}`, text, err)
	}
	var errs []error
	if params.PipelineName == "" {
		errs = append(errs, errors.New("UserParameters has no PipelineName"))
	}
	if params.DistributionID == "" {
		errs = append(errs, errors.New("UserParameters has no DistributionId"))
	}
	if len(params.Paths) == 0 {
		params.Paths = []string{everything}
	}
	return params, errors.Join(errs...)
}

// tokenVersion changes whenever a token's meaning does: a pipeline may carry a
// token across a deployment of this function.
const tokenVersion = 1

// token is what CodePipeline keeps between two jobs of one action. It may be 1 to
// 2,048 characters; this is below 300.
type token struct {
	Version int `json:"v"`
	// Execution is the id of the action's first job. CodePipeline does not say
	// whether a continuation has the same id, so it travels along.
	Execution      string `json:"job"`
	InvalidationID string `json:"invalidation,omitempty"`
	Started        int64  `json:"started"` // milliseconds since 1970, as is Deadline
	Deadline       int64  `json:"deadline"`
	Attempt        int    `json:"attempt"`
}

// decodeToken returns where the action's earlier jobs left off, and a fresh start
// for the first one.
func decodeToken(jobID, text string) (execution string, progress invalidation.Progress, err error) {
	if text == "" {
		return jobID, progress, nil
	}
	var t token
	err = decodeStrict(text, &t)
	switch {
	case err != nil:
	case t.Version != tokenVersion:
		err = fmt.Errorf("version is %d, this function knows %d", t.Version, tokenVersion)
	case t.Execution == "" || t.Started <= 0 || t.Deadline <= t.Started || t.Attempt < 1:
		err = errors.New("a field is missing or out of range")
	}
	if err != nil {
		return "", progress, fmt.Errorf("decode continuation token of %d characters: %w; %s to start afresh", len(text), err, again)
	}
	return t.Execution, invalidation.Progress{
		InvalidationID: t.InvalidationID,
		Started:        time.UnixMilli(t.Started),
		Deadline:       time.UnixMilli(t.Deadline),
		Attempt:        t.Attempt,
	}, nil
}

func encodeToken(execution string, progress invalidation.Progress) string {
	text, err := json.Marshal(token{
		Version:        tokenVersion,
		Execution:      execution,
		InvalidationID: progress.InvalidationID,
		Started:        progress.Started.UnixMilli(),
		Deadline:       progress.Deadline.UnixMilli(),
		Attempt:        progress.Attempt,
	})
	if err != nil {
		panic(err) // a struct of strings and integers always encodes
	}
	return string(text)
}

// decodeStrict refuses fields it does not know: a misspelt "Path" must not clear
// everything instead.
func decodeStrict(text string, into any) error {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON value")
	}
	return nil
}

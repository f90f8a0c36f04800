package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"blog-deploy-pipeline/lambdas/internal/strictjson"
)

// tokenVersion changes whenever the meaning of a token does: a new version of the
// function may get a token that the old one wrote.
const tokenVersion = 1

// progress is what one call of the function leaves for the next one of the same action.
// What has been published so far is in the state of the releases.
type progress struct {
	// job is the id of the action's first job. CodePipeline does not say whether the later
	// ones have the same.
	job string
	// started is when the first call began.
	started time.Time
	// attempt counts the calls so far.
	attempt int
}

// token is progress as text. It has less than 200 characters; CodePipeline accepts 2,048.
type token struct {
	Version int    `json:"v"`
	Job     string `json:"job"`
	Started int64  `json:"started"` // in milliseconds since 1970
	Attempt int    `json:"attempt"`
}

// encode returns the continuation token.
func (p progress) encode() string {
	text, err := json.Marshal(token{Version: tokenVersion, Job: p.job, Started: p.started.UnixMilli(), Attempt: p.attempt})
	if err != nil {
		panic(err) // a struct of strings and integers always encodes
	}
	return string(text)
}

// decodeToken reads what encode wrote. Its errors do not quote the text.
func decodeToken(text string) (progress, error) {
	var t token
	err := strictjson.Decode(text, &t)
	switch {
	case err != nil:
	case t.Version != tokenVersion:
		err = fmt.Errorf("version is %d, this function knows %d", t.Version, tokenVersion)
	case t.Job == "" || t.Started <= 0 || t.Attempt < 1:
		err = errors.New("a field is missing or out of range")
	}
	if err != nil {
		return progress{}, fmt.Errorf("decode continuation token of length %d: %w", len(text), err)
	}
	return progress{t.Job, time.UnixMilli(t.Started), t.Attempt}, nil
}

package invalidation

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

// token holds the progress of an invalidation between two calls, in the caller's
// protocol. It has less than 300 characters; CodePipeline accepts 2,048.
type token struct {
	Version int `json:"v"`
	// Execution is part of the token because CodePipeline does not say whether a
	// continuation has the job id of the first call.
	Execution      string `json:"job"`
	InvalidationID string `json:"invalidation,omitempty"`
	Started        int64  `json:"started"` // in milliseconds since 1970, as Deadline
	Deadline       int64  `json:"deadline"`
	Attempt        int    `json:"attempt"`
}

// EncodeToken returns a text that holds an execution's name and its progress until the
// next call.
func EncodeToken(execution string, progress Progress) string {
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

// DecodeToken reads what [EncodeToken] wrote. Its errors do not quote the text.
func DecodeToken(text string) (execution string, progress Progress, err error) {
	var t token
	err = strictjson.Decode(text, &t)
	switch {
	case err != nil:
	case t.Version != tokenVersion:
		err = fmt.Errorf("version is %d, this function knows %d", t.Version, tokenVersion)
	case t.Execution == "" || t.Started <= 0 || t.Deadline <= t.Started || t.Attempt < 1:
		err = errors.New("a field is missing or out of range")
	}
	if err != nil {
		return "", progress, fmt.Errorf("decode continuation token of length %d: %w", len(text), err)
	}
	return t.Execution, Progress{
		InvalidationID: t.InvalidationID,
		Started:        time.UnixMilli(t.Started),
		Deadline:       time.UnixMilli(t.Deadline),
		Attempt:        t.Attempt,
	}, nil
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/strictjson"
)

// token is a continuation token for an invalidation of what has changed. Any other has the
// token of package invalidation alone. It has less than 500 characters; CodePipeline
// accepts 2,048.
type token struct {
	Clears       clearing        `json:"clears"`
	Invalidation json.RawMessage `json:"invalidation"`
}

// tokenStart is how the text of a token begins.
const tokenStart = `{"clears":`

// encodeToken returns the text that the next call of the action begins with. If the
// invalidation was not created yet, that call finds out again what has changed.
func encodeToken(execution string, progress invalidation.Progress, clears *clearing) string {
	text := invalidation.EncodeToken(execution, progress)
	if clears == nil || progress.InvalidationID == "" {
		return text
	}
	all, err := json.Marshal(token{*clears, json.RawMessage(text)})
	if err != nil {
		panic(err) // strings, numbers and JSON always encode
	}
	return string(all)
}

// decodeToken reads what encodeToken wrote. Its errors do not quote the text.
func decodeToken(text string) (execution string, progress invalidation.Progress, clears *clearing, err error) {
	if strings.HasPrefix(text, tokenStart) {
		var t token
		if err := strictjson.Decode(text, &t); err != nil {
			return "", progress, nil, fmt.Errorf("decode continuation token of length %d: %w", len(text), err)
		}
		clears, text = &t.Clears, string(t.Invalidation)
	}
	execution, progress, err = invalidation.DecodeToken(text)
	if err == nil && clears != nil && (progress.InvalidationID == "" || clears.Number < 0 || clears.Items < 1) {
		err = errors.New("decode continuation token: a field is missing or out of range")
	}
	return execution, progress, clears, err
}

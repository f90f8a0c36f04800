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
	Changed      changed         `json:"changed"`
	Invalidation json.RawMessage `json:"invalidation"`
}

// tokenStart is how the text of a token begins.
const tokenStart = `{"changed":`

// encodeToken returns the text that the next call of the action begins with. If the
// invalidation was not created yet, that call finds out again what has changed.
func (c *clearing) encodeToken() string {
	text := invalidation.EncodeToken(c.request.Execution, c.progress)
	if c.changed == nil || c.progress.InvalidationID == "" {
		return text
	}
	all, err := json.Marshal(token{*c.changed, json.RawMessage(text)})
	if err != nil {
		panic(err) // strings, numbers and JSON always encode
	}
	return string(all)
}

// decodeToken reads what encodeToken wrote. Its errors do not quote the text.
func (c *clearing) decodeToken(text string) (err error) {
	if strings.HasPrefix(text, tokenStart) {
		var t token
		if err := strictjson.Decode(text, &t); err != nil {
			return fmt.Errorf("decode continuation token of length %d: %w", len(text), err)
		}
		c.changed, text = &t.Changed, string(t.Invalidation)
	}
	c.request.Execution, c.progress, err = invalidation.DecodeToken(text)
	if n := c.changed; err == nil && n != nil && (c.progress.InvalidationID == "" || n.Number < 0 || n.Items < 1 || n.Completed < 0) {
		err = errors.New("decode continuation token: a field is missing or out of range")
	}
	return err
}

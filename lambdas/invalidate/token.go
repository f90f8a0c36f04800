package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"blog-deploy-pipeline/lambdas/contract"
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

// backToken is a continuation token of an action that goes back to the release before.
type backToken struct {
	Back rollback `json:"back"`
	// Clearing is the token of the clearing after that; none before it began.
	Clearing json.RawMessage `json:"clearing,omitempty"`
}

// tokenStart and backTokenStart are how the texts of the two begin.
const tokenStart, backTokenStart = `{"changed":`, `{"back":`

// encodeToken returns the text that the next call of the action begins with.
func (c *clearing) encodeToken() string {
	if c.back == nil {
		return c.encodeClearing()
	}
	t := backToken{Back: *c.back}
	if c.back.Published != "" && !c.progress.Started.IsZero() {
		t.Clearing = json.RawMessage(c.encodeClearing())
	}
	return contract.JSON(t)
}

// encodeClearing returns the token of a clearing. If the invalidation was not created yet,
// the next call finds out again what has changed.
func (c *clearing) encodeClearing() string {
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
	if strings.HasPrefix(text, backTokenStart) {
		var t backToken
		if err := strictjson.Decode(text, &t); err != nil {
			return fmt.Errorf("decode continuation token of length %d: %w", len(text), err)
		}
		if b := t.Back; b.Execution == "" || b.Answered <= 0 || b.Failed == "" || b.Published != "" && b.To == "" {
			return errors.New("decode continuation token: a field is missing or out of range")
		}
		c.back, c.request.Execution = &t.Back, t.Back.Execution
		if t.Clearing == nil {
			return nil
		}
		text = string(t.Clearing)
	}
	if strings.HasPrefix(text, tokenStart) {
		var t token
		if err := strictjson.Decode(text, &t); err != nil {
			return fmt.Errorf("decode continuation token of length %d: %w", len(text), err)
		}
		c.changed, text = &t.Changed, string(t.Invalidation)
	}
	c.request.Execution, c.progress, err = invalidation.DecodeToken(text)
	if n := c.changed; err == nil && n != nil && (c.progress.InvalidationID == "" || n.Number < 0 || n.Items < 1) {
		err = errors.New("decode continuation token: a field is missing or out of range")
	}
	return err
}

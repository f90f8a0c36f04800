package pipelinejob

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Job is one request of CodePipeline's to go on with an action.
type Job struct {
	ID string
	// UserParameters are the action's, as the infrastructure wrote them.
	UserParameters string
	// ContinuationToken is that of the previous job's report; "" for the first job of
	// an action.
	ContinuationToken string
}

// decodeID reads nothing of the event but the job's id. With the id the function can
// report whatever else is wrong; without it nobody waits for a report.
func decodeID(event []byte) (string, error) {
	var envelope struct {
		Job struct {
			ID string `json:"id"`
		} `json:"CodePipeline.job"`
	}
	// An error may come after the id.
	if err := json.Unmarshal(event, &envelope); envelope.Job.ID == "" {
		return "", errors.Join(errors.New(`event has no "CodePipeline.job" with an id: this function answers CodePipeline's Lambda invoke action only`), explain(err))
	}
	return envelope.Job.ID, nil
}

// decode reads the event of the job that has the id.
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
func decode(id string, event []byte) (Job, error) {
	// The structure has only the fields that are used, so that a change of CodePipeline's
	// in others, such as artifacts or their credentials, fails no job.
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
		return Job{ID: id}, fmt.Errorf("decode job %s: %w", id, explain(err))
	}
	data := envelope.Job.Data
	return Job{ID: id, UserParameters: data.ActionConfiguration.Configuration.UserParameters, ContinuationToken: data.ContinuationToken}, nil
}

// explain returns the error of decoding an event without the names of Go types.
func explain(err error) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%s is of the type %s, and not what CodePipeline sends", wrong.Field, wrong.Value)
	}
	return err
}

package pipelinejob

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"blog-deploy-pipeline/lambdas/contract"
)

// Job is one request of CodePipeline's to go on with an action, or a direct one.
type Job struct {
	ID string
	// UserParameters are the action's, as the infrastructure wrote them.
	UserParameters string
	// ContinuationToken is that of the previous job's report; "" for the first job of
	// an action.
	ContinuationToken string

	// Direct is what a direct request says besides; nil for CodePipeline's.
	Direct *contract.Direct

	inputArtifacts json.RawMessage
}

// Location is where an artifact of the pipeline is in S3.
type Location struct{ Bucket, Key string }

// Input returns where the action's one input artifact is. It reads neither the artifact's
// name nor the credentials that come with it: the function has its own.
func (j Job) Input() (Location, error) {
	var artifacts []struct {
		Location struct {
			S3Location struct {
				BucketName string `json:"bucketName"`
				ObjectKey  string `json:"objectKey"`
			} `json:"s3Location"`
		} `json:"location"`
	}
	if len(j.inputArtifacts) > 0 {
		if err := json.Unmarshal(j.inputArtifacts, &artifacts); err != nil {
			return Location{}, fmt.Errorf("decode job %s: %w", j.ID, explain(err, "CodePipeline.job.data.inputArtifacts", sent))
		}
	}
	if len(artifacts) != 1 {
		return Location{}, fmt.Errorf("the action has %d input artifacts: give it exactly one, the output of the build", len(artifacts))
	}
	at := artifacts[0].Location.S3Location
	if at.BucketName == "" || at.ObjectKey == "" {
		return Location{}, errors.New("the action's input artifact has no bucket or no key in S3")
	}
	return Location{at.BucketName, at.ObjectKey}, nil
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
		return "", errors.Join(errors.New(`event has no "CodePipeline.job" with an id: this function answers CodePipeline's Lambda invoke action, and direct requests with "direct"`), explain(err, "", sent))
	}
	return envelope.Job.ID, nil
}

// decode reads the event of the job that has the id.
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
func decode(id string, event []byte) (Job, error) {
	// The structure has only the fields that are used, so that a change of CodePipeline's
	// in others, such as the artifacts' credentials, fails no job. Not all functions use
	// the artifacts.
	var envelope struct {
		Job struct {
			Data struct {
				ActionConfiguration struct {
					Configuration struct {
						UserParameters string
					} `json:"configuration"`
				} `json:"actionConfiguration"`
				ContinuationToken string          `json:"continuationToken"`
				InputArtifacts    json.RawMessage `json:"inputArtifacts"`
			} `json:"data"`
		} `json:"CodePipeline.job"`
	}
	if err := json.Unmarshal(event, &envelope); err != nil {
		return Job{ID: id}, fmt.Errorf("decode job %s: %w", id, explain(err, "", sent))
	}
	data := envelope.Job.Data
	return Job{
		ID:                id,
		UserParameters:    data.ActionConfiguration.Configuration.UserParameters,
		ContinuationToken: data.ContinuationToken,
		inputArtifacts:    data.InputArtifacts,
	}, nil
}

// sent ends the error of an event that is not CodePipeline's.
const sent = "CodePipeline sends"

// explain returns the error of decoding an event, or the part of it at a path, without the
// names of Go types. what is the end of the error.
func explain(err error, path, what string) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%s is of the type %s, and not what %s", strings.Trim(path+"."+wrong.Field, "."), wrong.Value, what)
	}
	return err
}

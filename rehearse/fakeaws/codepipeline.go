package fakeaws

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// CodePipeline's limits, in characters unless stated otherwise.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutJobSuccessResult.html
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutJobFailureResult.html
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const (
	maxUserParameters      = 1000
	maxContinuationToken   = 2048
	maxSummary             = 2048
	maxExternalExecutionID = 1500
	maxFailureMessage      = 5000
	maxRevision            = 1500
	maxChangeIdentifier    = 100
	maxOutputVariables     = 122880 // bytes of all keys and values of an action
)

var (
	jobIDPattern       = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	variableKeyPattern = regexp.MustCompile(`^[A-Za-z0-9@\-_]+$`)

	failureTypes = []string{"JobFailed", "ConfigurationError", "PermissionError", "RevisionOutOfSync", "RevisionUnavailable", "SystemUnavailable"}
)

var codePipeline = newJSONService("codepipeline")

// Action is an execution of a Lambda invoke action of a pipeline.
type Action struct {
	// FunctionName and UserParameters are the action's configuration. UserParameters has at most 1,000 characters.
	FunctionName, UserParameters string
	// Input is the action's input artifact. The zero value is none.
	Input Artifact
	// KeepJobID gives every job of the action the same id. AWS's documentation suggests a new id for each job, which is
	// the default here. This is unverified, so functions must be right in both cases. With one id a second report belongs
	// to the next job, if there is one.
	KeepJobID bool
}

// Artifact is an artifact of a pipeline in its bucket.
type Artifact struct{ Name, Bucket, Key string }

// Job is a job of an action execution, for which CodePipeline invokes the function once.
type Job struct {
	cloud   *Cloud
	action  Action
	id      string
	event   []byte
	reports []Report // guarded by cloud.mu
	next    *Job     // guarded by cloud.mu
}

// Report is a function's report about a job of CodePipeline or a hook of CodeDeploy. A report about a hook has only
// Success and At.
type Report struct {
	// Success is true for PutJobSuccessResult and for Succeeded. With a ContinuationToken the action continues.
	Success                                         bool
	ContinuationToken, Summary, ExternalExecutionID string
	PercentComplete                                 *int // nil if it was not sent
	OutputVariables                                 map[string]string
	FailureType, FailureMessage                     string
	At                                              time.Time
}

// StartAction starts an action execution and returns its first job. It returns an error for a configuration that
// CreatePipeline refuses.
func (c *Cloud) StartAction(action Action) (*Job, error) {
	if action.FunctionName == "" {
		return nil, errors.New("start action: FunctionName is empty")
	}
	if n := length(action.UserParameters); n > maxUserParameters {
		return nil, fmt.Errorf("start action: UserParameters has %d characters, and CodePipeline allows %d", n, maxUserParameters)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newJob(action, uuid.NewString(), ""), nil
}

// newJob adds a job. The caller holds c.mu.
func (c *Cloud) newJob(action Action, id, continuationToken string) *Job {
	credentials := c.issue(fmt.Sprintf("arn:aws:sts::%s:%s%s", c.opts.Account, jobRole, id), time.Hour)

	var event jobEvent
	event.Job.ID = id
	event.Job.AccountID = c.opts.Account
	data := &event.Job.Data
	data.ActionConfiguration.Configuration = map[string]string{"FunctionName": action.FunctionName}
	if action.UserParameters != "" {
		data.ActionConfiguration.Configuration["UserParameters"] = action.UserParameters
	}
	data.InputArtifacts, data.OutputArtifacts = []inputArtifact{}, []struct{}{}
	if input := action.Input; input != (Artifact{}) {
		artifact := inputArtifact{Name: input.Name}
		artifact.Location.Type = "S3"
		artifact.Location.S3.BucketName, artifact.Location.S3.ObjectKey = input.Bucket, input.Key
		data.InputArtifacts = append(data.InputArtifacts, artifact)
	}
	data.ArtifactCredentials = artifactCredentials{
		AccessKeyID:     credentials.AccessKeyID,
		SecretAccessKey: credentials.SecretAccessKey,
		SessionToken:    credentials.SessionToken,
		ExpirationTime:  c.opts.Now().Add(time.Hour).UnixMilli(),
	}
	data.ContinuationToken = continuationToken
	data.EncryptionKey.ID = fmt.Sprintf("arn:aws:kms:%s:%s:alias/aws/s3", c.opts.Region, c.opts.Account)
	data.EncryptionKey.Type = "KMS"

	job := &Job{cloud: c, action: action, id: id, event: mustMarshalJSON(event)}
	c.jobs[id] = job
	return job
}

// jobEvent is the event with which CodePipeline invokes a function.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
type jobEvent struct {
	Job struct {
		ID        string `json:"id"`
		AccountID string `json:"accountId"`
		Data      struct {
			ActionConfiguration struct {
				Configuration map[string]string `json:"configuration"`
			} `json:"actionConfiguration"`
			InputArtifacts      []inputArtifact     `json:"inputArtifacts"`
			OutputArtifacts     []struct{}          `json:"outputArtifacts"`
			ArtifactCredentials artifactCredentials `json:"artifactCredentials"`
			ContinuationToken   string              `json:"continuationToken,omitempty"`
			EncryptionKey       struct {
				ID   string `json:"id"`
				Type string `json:"type"`
			} `json:"encryptionKey"`
		} `json:"data"`
	} `json:"CodePipeline.job"`
}

type inputArtifact struct {
	Name     string  `json:"name"`
	Revision *string `json:"revision"` // null for the artifact of a build
	Location struct {
		Type string `json:"type"`
		S3   struct {
			BucketName string `json:"bucketName"`
			ObjectKey  string `json:"objectKey"`
		} `json:"s3Location"`
	} `json:"location"`
}

// artifactCredentials are those of the pipeline's role for the artifacts. The project's functions use their own role and
// none of these, so that a call with them is a mistake; see [WithJobsCredentials].
type artifactCredentials struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	SessionToken    string `json:"sessionToken"`
	ExpirationTime  int64  `json:"expirationTime"` // Unix milliseconds
}

const jobRole = "assumed-role/pipeline/"

// WithJobsCredentials reports whether a call was made with the credentials in a job's event.
func WithJobsCredentials(call Call) bool {
	parts := strings.SplitN(call.Principal, ":", 6)
	return len(parts) == 6 && strings.HasPrefix(parts[5], jobRole)
}

// ID returns the job's id, which is a UUID in lower case.
func (j *Job) ID() string { return j.id }

// Event returns the event for the function. Every call returns the same event, so that a test can deliver it twice.
func (j *Job) Event() []byte { return bytes.Clone(j.event) }

// Reports returns the reports that CodePipeline has accepted for this job, which are none or one.
func (j *Job) Reports() []Report {
	j.cloud.mu.Lock()
	defer j.cloud.mu.Unlock()
	return slices.Clone(j.reports)
}

// Next returns the action's next job, or nil if this job has no report with a continuation token. Every call returns the
// same job.
func (j *Job) Next() *Job {
	j.cloud.mu.Lock()
	defer j.cloud.mu.Unlock()
	return j.next
}

// codePipelineOperation describes the call and returns the function that runs the operation, or nil for an unknown
// operation.
func (c *Cloud) codePipelineOperation(operation string, body []byte, call *Call) func() reply {
	switch operation {
	case "PutJobSuccessResult":
		call.Status = statusSucceeded
		if carriesToken(body) {
			call.Status = statusInProgress
		}
		return func() reply { return c.putJobSuccessResult(body) }
	case "PutJobFailureResult":
		call.Status = statusFailed
		return func() reply { return c.putJobFailureResult(body) }
	}
	return c.pipelineOperation(operation, body, call)
}

// carriesToken reports whether a body has a continuation token. It only describes the call; the operation itself checks
// the body.
func carriesToken(body []byte) bool {
	var input struct {
		ContinuationToken *string `json:"continuationToken"`
	}
	return json.Unmarshal(body, &input) == nil && input.ContinuationToken != nil
}

// The inputs below use pointers to distinguish an absent member from an empty one, which AWS refuses.

type successInput struct {
	JobID             *string           `json:"jobId"`
	ContinuationToken *string           `json:"continuationToken"`
	OutputVariables   map[string]string `json:"outputVariables"`
	ExecutionDetails  *struct {
		Summary             *string `json:"summary"`
		ExternalExecutionID *string `json:"externalExecutionId"`
		PercentComplete     *int    `json:"percentComplete"`
	} `json:"executionDetails"`
	CurrentRevision *struct {
		Revision         *string  `json:"revision"`
		ChangeIdentifier *string  `json:"changeIdentifier"`
		Created          *float64 `json:"created"` // Unix seconds
		RevisionSummary  *string  `json:"revisionSummary"`
	} `json:"currentRevision"`
}

type failureInput struct {
	JobID          *string `json:"jobId"`
	FailureDetails *struct {
		Type                *string `json:"type"`
		Message             *string `json:"message"`
		ExternalExecutionID *string `json:"externalExecutionId"`
	} `json:"failureDetails"`
}

// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutJobSuccessResult.html
func (c *Cloud) putJobSuccessResult(body []byte) reply {
	var in successInput
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseJSON(*refusal)
	}
	var v violations
	v.jobID(in.JobID)
	v.text("continuationToken", in.ContinuationToken, maxContinuationToken)
	if details := in.ExecutionDetails; details != nil {
		v.text("executionDetails.summary", details.Summary, maxSummary)
		v.text("executionDetails.externalExecutionId", details.ExternalExecutionID, maxExternalExecutionID)
		v.percentage("executionDetails.percentComplete", details.PercentComplete)
	}
	if revision := in.CurrentRevision; revision != nil {
		v.required("currentRevision.revision", revision.Revision != nil)
		v.required("currentRevision.changeIdentifier", revision.ChangeIdentifier != nil)
		v.text("currentRevision.revision", revision.Revision, maxRevision)
		v.text("currentRevision.changeIdentifier", revision.ChangeIdentifier, maxChangeIdentifier)
		v.text("currentRevision.revisionSummary", revision.RevisionSummary, maxSummary)
	}
	size := 0
	for _, key := range slices.Sorted(maps.Keys(in.OutputVariables)) {
		if !variableKeyPattern.MatchString(key) {
			v.add("outputVariables", "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [A-Za-z0-9@\\-_]+]")
		}
		size += len(key) + len(in.OutputVariables[key])
	}
	if refusal := v.refusal(); refusal != nil {
		return refuseJSON(*refusal)
	}
	if in.ContinuationToken != nil && in.OutputVariables != nil {
		return refuseJSON(validationError("outputVariables can be included only when there is no continuation token on the request"))
	}

	job, refusal := c.openJob(*in.JobID)
	if refusal != nil {
		return refuseJSON(*refusal)
	}
	if size > maxOutputVariables {
		return refuseJSON(apiError{"OutputVariablesSizeExceededException", "Exceeded the total size limit for all variables in the pipeline.", http.StatusBadRequest})
	}

	report := Report{
		Success:           true,
		ContinuationToken: value(in.ContinuationToken),
		OutputVariables:   in.OutputVariables,
		At:                c.opts.Now(),
	}
	if details := in.ExecutionDetails; details != nil {
		report.Summary = value(details.Summary)
		report.ExternalExecutionID = value(details.ExternalExecutionID)
		report.PercentComplete = details.PercentComplete
	}
	job.reports = append(job.reports, report)
	if report.ContinuationToken != "" {
		id := uuid.NewString()
		if job.action.KeepJobID {
			id = job.id
		}
		job.next = c.newJob(job.action, id, report.ContinuationToken)
	}
	return acceptJSON(nil)
}

// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutJobFailureResult.html
func (c *Cloud) putJobFailureResult(body []byte) reply {
	var in failureInput
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseJSON(*refusal)
	}
	var v violations
	v.jobID(in.JobID)
	v.required("failureDetails", in.FailureDetails != nil)
	if details := in.FailureDetails; details != nil {
		v.required("failureDetails.type", details.Type != nil)
		v.required("failureDetails.message", details.Message != nil)
		if details.Type != nil && !slices.Contains(failureTypes, *details.Type) {
			v.add("failureDetails.type", "Member must satisfy enum value set: ["+strings.Join(failureTypes, ", ")+"]")
		}
		v.text("failureDetails.message", details.Message, maxFailureMessage)
		v.text("failureDetails.externalExecutionId", details.ExternalExecutionID, maxExternalExecutionID)
	}
	if refusal := v.refusal(); refusal != nil {
		return refuseJSON(*refusal)
	}

	job, refusal := c.openJob(*in.JobID)
	if refusal != nil {
		return refuseJSON(*refusal)
	}
	job.reports = append(job.reports, Report{
		FailureType:         value(in.FailureDetails.Type),
		FailureMessage:      value(in.FailureDetails.Message),
		ExternalExecutionID: value(in.FailureDetails.ExternalExecutionID),
		At:                  c.opts.Now(),
	})
	return acceptJSON(nil)
}

// openJob returns the job with this id, or a refusal. A job accepts one report.
func (c *Cloud) openJob(id string) (*Job, *apiError) {
	job := c.jobs[id]
	if job == nil {
		return nil, &apiError{"JobNotFoundException", "No job with the specified job ID exists: " + id, http.StatusBadRequest}
	}
	if len(job.reports) > 0 {
		return nil, &apiError{"InvalidJobStateException", "The job has already been completed: " + id, http.StatusBadRequest}
	}
	return job, nil
}

func (v *violations) jobID(id *string) {
	v.required("jobId", id != nil)
	if id != nil && !jobIDPattern.MatchString(*id) {
		v.add("jobId", "Member must satisfy regular expression pattern: [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
	}
}

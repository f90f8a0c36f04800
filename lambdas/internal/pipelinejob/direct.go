package pipelinejob

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/redact"
	"blog-deploy-pipeline/lambdas/internal/strictjson"
)

// maxBy limits the name of who asks, in characters. Every line of the log has it.
const maxBy = 2048

// againDirectly takes the place of Again in the answer to a direct request.
const againDirectly = "run the command again"

// isJob matches the ids of a direct request's job. They get into the state and the log.
var isJob = regexp.MustCompile(`^[0-9A-Za-z_-]{1,100}$`).MatchString

// placeholder matches what CodePipeline replaces in UserParameters, such as
// #{variables.AllowDeletions}.
var placeholder = regexp.MustCompile(`#\{[^}"]*\}`)

// isDirect reports whether an event is a direct request.
func isDirect(event []byte) bool {
	var envelope struct {
		Direct json.RawMessage `json:"direct"`
	}
	return json.Unmarshal(event, &envelope) == nil && envelope.Direct != nil
}

// decodeDirect reads a direct request.
func decodeDirect(event []byte) (Job, error) {
	var request contract.DirectEvent
	if err := strictjson.Decode(event, &request); err != nil {
		return Job{}, fmt.Errorf("decode the direct request: %w; use the commands and the functions of one version of this project", explain(err, "", "this function knows"))
	}
	d := request.Direct
	d.By = redact.Line(d.By, maxBy)
	job := Job{ID: d.Job, ContinuationToken: d.Token, Direct: &d}
	// Nobody has resolved the variables of a pipeline that has not run.
	job.UserParameters = placeholder.ReplaceAllString(d.UserParameters, "")
	switch look := d.DryRun || d.List != 0; {
	case d.Job == "" && !look:
		return job, errors.New("the direct request has no job: give it an id, and the same one when it is sent again")
	case look && d.Token != "":
		return job, errors.New("the direct request has a token, which a dry run or a list does not go on with")
	case d.Job != "" && !isJob(d.Job):
		return job, fmt.Errorf("the direct request has the job %.120q: give it an id of 1 to 100 letters, digits, - and _", d.Job)
	}
	return job, nil
}

// named returns a logger that names the job, and who asked for it directly.
func (j Job) named(log *slog.Logger) *slog.Logger {
	if j.ID != "" {
		log = log.With("job", j.ID)
	}
	if j.Direct != nil {
		log = log.With("by", j.Direct.By)
	}
	return log
}

// answer returns the report as the answer to a direct request.
func (r Report) answer() []byte {
	said := func(message string, limit int) string {
		return strings.ReplaceAll(aws.ToString(text(message, limit)), Again, againDirectly)
	}
	answer := r.Found
	answer.Summary = said(r.Summary, maxSummary)
	answer.Token, answer.Variables = r.ContinuationToken, r.Variables
	answer.Failure, answer.Message = string(r.Failure), said(r.Message, maxMessage)
	return []byte(contract.JSON(answer))
}

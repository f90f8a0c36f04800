package functiontest

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

// TestBrokenRules checks the checks: a check that finds nothing would let every function pass.
func TestBrokenRules(t *testing.T) {
	edge := fakeaws.Distribution{ID: "E2EXAMPLE", CompleteAfter: time.Hour}
	fine := lambdaruntime.Result{Payload: []byte("null")}
	crash := lambdaruntime.Result{Err: &lambdaruntime.FunctionError{ErrorType: "Sandbox.Timedout"}}
	attempts := func(results ...lambdaruntime.Result) []lambdaruntime.Result { return results }
	tests := []struct {
		name    string
		record  Record
		leaks   int      // how many characters of its secret key the function tells
		created []string // caller references of invalidations
		jobs    bool     // whether they are created with the credentials of a job's event
		want    string   // the beginning of the only finding; "" for none
	}{
		{name: "one report", record: Record{Requests: []Request{{Attempts: attempts(fine), Reports: 1}}}},
		{name: "a report after a retry", record: Record{Requests: []Request{{Attempts: attempts(crash, fine), Reports: 1}}}},
		{name: "no report, and tried to the end", record: Record{Requests: []Request{{Attempts: attempts(crash, crash, crash)}}}},
		{name: "killed while its caller waits", record: Record{Requests: []Request{{Attempts: attempts(crash), Synchronous: true, Killed: true}}}},
		{name: "two reports", record: Record{Requests: []Request{{Attempts: attempts(fine), Reports: 2}}}, want: "rule 1: request 1 has 2 reports"},
		{name: "silent end", record: Record{Requests: []Request{{Attempts: attempts(fine), Synchronous: true}}}, want: "rule 1: invocation 1 of request 1 ended well without a report"},
		{name: "crash by itself", record: Record{Requests: []Request{{Attempts: attempts(crash), Synchronous: true}}}, want: "rule 1: invocation 1 of request 1 ended with an error"},
		{name: "gave up early", record: Record{Requests: []Request{{Attempts: attempts(crash)}}}, want: "rule 4: request 1 has no report, and Lambda tried 1 times"},
		{name: "success without an invalidation", record: Record{Distributions: []fakeaws.Distribution{edge}, Success: time.Now()}, want: "rule 3: success without an invalidation of E2EXAMPLE"},
		{name: "role's credential", leaks: 40, want: "rule 5"},
		{name: "half of it", leaks: 20, want: "rule 5"},
		{name: "the job's credentials used", jobs: true, created: []string{"one"}, want: "rule 5: the function used the credentials of its job's event"},
		{name: "message with an empty part", record: Record{Said: []string{"refused: : no"}}, want: "a message has an empty part: refused"},
		{name: "secret within JSON", record: Record{Said: []string{`{\"token\":1}`}, Secrets: []string{`"token":1`}}, want: "rule 5"},
		{name: "one invalidation", record: Record{Distributions: []fakeaws.Distribution{edge}}, created: []string{"one", "one"}},
		{name: "two invalidations", record: Record{Distributions: []fakeaws.Distribution{edge}}, created: []string{"one", "two"}, want: "rule 2: 2 invalidations of E2EXAMPLE, want 1"},
		{name: "two firings", record: Record{Distributions: []fakeaws.Distribution{edge}, Firings: 2}, created: []string{"one", "two"}},
		{name: "success before the end", record: Record{Distributions: []fakeaws.Distribution{edge}, Success: time.Now()}, created: []string{"one"}, want: "rule 3: success before the invalidation of E2EXAMPLE was completed"},
		{name: "success at the end", record: Record{Distributions: []fakeaws.Distribution{edge}, Success: time.Now().Add(2 * time.Hour)}, created: []string{"one"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// No process starts, because the function is not invoked.
			w, err := Open(Setup{Binary: os.Args[0], Name: "function", Distributions: []fakeaws.Distribution{edge}})
			if err != nil {
				t.Fatal(err)
			}
			key := w.Cloud.Issue("arn:aws:iam::123456789012:user/test", 0)
			if tt.jobs {
				key = jobsCredentials(t, w)
			}
			for _, reference := range tt.created {
				invalidate(t, w, key, edge.ID, reference)
			}
			tt.record.Said = append(tt.record.Said, "x"+w.Cloud.Secrets()[1][:tt.leaks])
			broken := w.BrokenRules(tt.record)
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			if tt.want == "" && len(broken) > 0 || tt.want != "" && (len(broken) != 1 || !strings.HasPrefix(broken[0], tt.want)) {
				t.Errorf("broken rules are %q, want %q", broken, tt.want)
			}
		})
	}
}

// jobsCredentials returns the credentials in the event of a new job.
func jobsCredentials(t *testing.T, w *World) (key fakeaws.Credentials) {
	t.Helper()
	job, err := w.Cloud.StartAction(fakeaws.Action{FunctionName: "function"})
	if err != nil {
		t.Fatal(err)
	}
	var event struct {
		Job struct {
			Data struct{ ArtifactCredentials fakeaws.Credentials }
		} `json:"CodePipeline.job"`
	}
	if err := json.Unmarshal(job.Event(), &event); err != nil {
		t.Fatal(err)
	}
	return event.Job.Data.ArtifactCredentials
}

// invalidate creates an invalidation of all paths, as a function does.
func invalidate(t *testing.T, w *World, user fakeaws.Credentials, distribution, reference string) {
	t.Helper()
	client := cloudfront.New(cloudfront.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL),
		Credentials: credentials.NewStaticCredentialsProvider(user.AccessKeyID, user.SecretAccessKey, user.SessionToken),
	})
	_, err := client.CreateInvalidation(t.Context(), &cloudfront.CreateInvalidationInput{
		DistributionId: aws.String(distribution),
		InvalidationBatch: &types.InvalidationBatch{
			CallerReference: aws.String(reference),
			Paths:           &types.Paths{Items: []string{"/*"}, Quantity: aws.Int32(1)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

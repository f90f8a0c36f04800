package stacks

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"blog-deploy-pipeline/stacks/props"
)

// maxCalls limits how often the Go side asks the CDK in Node.js for something while it makes one more blog.
// Each call crosses to the other process and back, and they are most of what a blog adds to a synth. A third of
// them make the function that publishes, its bucket and their permissions: each permission is two calls.
const maxCalls = 90

// calls has the tests' program make two ordinary blogs with all of jsii's messages on stderr.
const calls = "calls"

func synthTwoBlogs(app awscdk.App) {
	for _, name := range []string{"first", "second"} {
		NewBlogStack(app, props.Blog{
			Name: name,
			Source: props.GitHubConnection{
				Owner: "kzmorita", Repo: name,
				ConnectionARN: "arn:aws:codeconnections:us-east-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef",
			},
			Deploy:        props.Deploy{Bucket: name + "-blog"},
			Invalidate:    props.Invalidate{DistributionID: "E2QWRUHAPOMQZL"},
			Notifications: props.Notifications{Emails: []string{"me@kzmorita.dev"}},
		})
	}
	app.Synth(nil)
}

func TestABlogMakesFewCalls(t *testing.T) {
	t.Parallel() // it waits for another process
	messages := synthElsewhere(t, calls, "JSII_DEBUG=1")
	_, second, found := strings.Cut(messages, `"second-pipeline"`)
	own, _, synth := strings.Cut(second, `"method":"synth"`)
	if !found || !synth {
		t.Fatal("jsii's messages do not show the second blog and the synth after it")
	}
	// The creation of the stack itself is before the cut, and the call of synth begins before the other.
	if n := strings.Count(own, "\n> {"); n > maxCalls {
		t.Errorf("one more blog makes %d calls, want at most %d", n, maxCalls)
	} else {
		t.Logf("one more blog makes %d calls", n)
	}
	if strings.Contains(messages, "cdk_nag") {
		t.Error("an ordinary synth writes the metadata that only cdk-nag reads")
	}
}

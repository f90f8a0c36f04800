package lambdaruntime

import (
	"slices"
	"strings"
	"testing"
)

func TestRuntimeAPIRefusesWhatLambdaRefuses(t *testing.T) {
	r := start(t, Function{})
	// The function sends two responses, of which the first one counts. aws-lambda-go then sends a third one, fails
	// and ends the process.
	result := invoke(t, r, "protocol", "")
	if result.Err != nil || string(result.Payload) != "{}" {
		t.Errorf("got %s, %v, want the first response {}", result.Payload, result.Err)
	}
	want := []string{
		"/invocation/next 403 InvalidStateTransition",
		"/invocation/another/response 400 InvalidRequestID",
		"/invocation/another/error 400 InvalidRequestID",
		"/invocation/ID/unknown 404 no JSON",
		"/invocation/ID/response 202 ",
		"/invocation/ID/response 400 InvalidStateTransition",
		"/invocation/ID/error 400 InvalidStateTransition",
	}
	got := strings.Split(r.Logs(), "\n")
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("answers: got %q, want %q", got, want)
	}
}

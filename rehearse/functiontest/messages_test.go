package functiontest

import (
	"slices"
	"strings"
	"testing"
)

func TestMessages(t *testing.T) {
	logs := `{"time":"now","level":"ERROR","msg":"failed","error":"no","n":1,"inner":{"paths":["/a"]},"stack":"goroutine"}
{"msg":"{\"errorMessage\":\"not sent\"}"}

2026-11-26T13:00:00.000Z 1a2b Task timed out after 4.00 seconds

`
	got, err := Messages(logs)
	if want := []string{"no", "/a", "ERROR", "failed", "now", "not sent"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for _, line := range []string{"2026/11/26 13:00:00 {}", "panic: x", `{"msg":`, `"text"`} {
		if _, err := Messages(line + "\n"); err == nil || !strings.Contains(err.Error(), "not JSON") {
			t.Errorf("%q: error is %v, want one", line, err)
		}
	}
}

func TestSlip(t *testing.T) {
	for message, want := range map[string]string{
		"Cleared /* in 5s: invalidation I1 is completed.":                                          "",
		"CloudFront refused: AccessDenied: not authorized. Check arn:aws:iam::123456789012:role/x": "",
		"E1: a\nE2: b": "",
		"operation error CloudFront: GetInvalidation, Throttling: Rate exceeded (HTTP 400, request 1)": "",
		"clear by hand: aws cloudfront create-invalidation --paths '/*' '/a'; it had had time":         "a word twice: had",
		"Last answer: Rate exceeded.. Look":       "two full stops",
		"Last answer: Rate exceeded. . Look":      "two full stops",
		"refused: SignatureDoesNotMatch: . Check": "an empty part",
		"StatusCode: 0, RequestID: , canceled":    "an empty part",
		"refused: : not authorized":               "an empty part",
		"not sent ()":                             "an empty part",
		": no":                                    "an empty part",
		"not sent:":                               "no end",
		"waiting  for":                            "two spaces",
		"Last answer: <nil>":                      "a value that is not a text",
		"cause %!s(int=1)":                        "a value that is not a text",
	} {
		if got := Slip(message); got != want {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	}
}

package trial

import (
	"os"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

// A check that sees nothing would let every function pass.
func TestBrokenRules(t *testing.T) {
	edge := fakeaws.Distribution{ID: "E2EXAMPLE", CompleteAfter: time.Hour}
	fine := lambdaruntime.Result{Payload: []byte("null")}
	crash := lambdaruntime.Result{Err: &lambdaruntime.FunctionError{ErrorType: "Sandbox.Timedout"}}
	attempts := func(results ...lambdaruntime.Result) []lambdaruntime.Result { return results }
	tests := []struct {
		name   string
		record Record
		want   string // how the one finding begins; "" for none
	}{
		{"one report", Record{Requests: []Request{{Attempts: attempts(fine), Reports: 1}}}, ""},
		{"a report after a retry", Record{Requests: []Request{{Attempts: attempts(crash, fine), Reports: 1}}}, ""},
		{"no report, and tried to the end", Record{Requests: []Request{{Attempts: attempts(crash, crash, crash)}}}, ""},
		{"killed while its caller waits", Record{Requests: []Request{{Attempts: attempts(crash), Synchronous: true, Killed: true}}}, ""},
		{"two reports", Record{Requests: []Request{{Attempts: attempts(fine), Reports: 2}}}, "rule 1: request 1 has 2 reports"},
		{"silent end", Record{Requests: []Request{{Attempts: attempts(fine), Synchronous: true}}}, "rule 1: invocation 1 of request 1 ended well without a report"},
		{"crash by itself", Record{Requests: []Request{{Attempts: attempts(crash), Synchronous: true}}}, "rule 1: invocation 1 of request 1 ended with an error"},
		{"gave up early", Record{Requests: []Request{{Attempts: attempts(crash)}}}, "rule 4: request 1 has no report, and Lambda tried 1 times"},
		{"success without an invalidation", Record{Distributions: []fakeaws.Distribution{edge}, Success: time.Now()}, "rule 3: success without an invalidation of E2EXAMPLE"},
		{"role's credential", Record{Said: []string{"x" + roleSecrets[0]}}, "rule 5"},
		{"secret within JSON", Record{Said: []string{`{\"token\":1}`}, Secrets: []string{`"token":1`}}, "rule 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// No process starts: nothing is invoked.
			w, err := Open(Setup{Binary: os.Args[0], Name: "function", Distributions: []fakeaws.Distribution{edge}})
			if err != nil {
				t.Fatal(err)
			}
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

package invalidation

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
)

func TestCallerReference(t *testing.T) {
	base := callerReference("job-1", "E1", []string{"/a", "/b"})
	if len(base) > 128 {
		t.Errorf("reference has %d characters, want at most 128", len(base))
	}
	for _, tt := range []struct {
		name string
		got  string
		same bool
	}{
		{"same again", callerReference("job-1", "E1", []string{"/a", "/b"}), true},
		{"paths in another order, twice", callerReference("job-1", "E1", sortedUnique([]string{"/b", "/a", "/b"})), true},
		{"another execution", callerReference("job-2", "E1", []string{"/a", "/b"}), false},
		{"another distribution", callerReference("job-1", "E2", []string{"/a", "/b"}), false},
		{"other paths", callerReference("job-1", "E1", []string{"/a"}), false},
		{"the same letters cut elsewhere", callerReference("job-1", "E1", []string{"/a/b"}), false},
	} {
		if same := tt.got == base; same != tt.same {
			t.Errorf("%s: same reference is %v, want %v", tt.name, same, tt.same)
		}
	}
}

func TestAdvanceSendsTheSameBatchAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		fake := &invalidationtest.CloudFront{Create: func(in *cloudfront.CreateInvalidationInput) (*types.Invalidation, error) {
			sent = append(sent, fmt.Sprint(*in.InvalidationBatch.CallerReference, in.InvalidationBatch.Paths.Items, *in.InvalidationBatch.Paths.Quantity))
			return nil, invalidationtest.APIError(503, "ServiceUnavailable", "")
		}}
		req := Request{Distribution: contract.Distribution{ID: "E1", Paths: []string{"/b", "/a", "/b"}}, Execution: "job-1"}
		i := Invalidator{CloudFront: fake, Settings: settings}
		progress := Progress{}
		for call := range 2 {
			var outcome Outcome
			var err error
			progress, outcome, err = i.Advance(t.Context(), quiet, req, progress)
			if err != nil || outcome != Pending {
				t.Fatalf("call %d: %v, %v, want pending", call+1, outcome, err)
			}
		}
		if len(sent) < 4 {
			t.Fatalf("sent %d batches, want some in each call", len(sent))
		}
		if distinct := slices.Compact(slices.Sorted(slices.Values(sent))); len(distinct) != 1 {
			t.Errorf("sent %d different batches, want the same one again: %q", len(distinct), distinct)
		}
		if want := "[/a /b] 2"; !strings.HasSuffix(sent[0], want) {
			t.Errorf("batch is %q, want sorted and unique paths %q", sent[0], want)
		}
	})
}

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
)

// The failure of one distribution does not keep the others from being cleared, and each
// has its own paths.
func TestDistributionsAreIndependent(t *testing.T) {
	for name, bad := range map[string]*invalidationtest.CloudFront{
		"refused":  invalidationtest.Refuses(denied),
		"panicked": invalidationtest.Panics("x"),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(invalidationtest.Each(map[string]*invalidationtest.CloudFront{"E2EXAMPLE": bad, "E3EXAMPLE": invalidationtest.Says("Completed")}),
				map[string]string{contract.EnvDistributions: distributions(contract.Distribution{ID: "E2EXAMPLE", Paths: []string{"/b", "/a"}}, contract.Distribution{ID: "E3EXAMPLE"})})
			w.codeDeploy(t, "codedeploy")
			paths := map[string][]string{}
			for _, in := range w.edge.Created() {
				paths[*in.DistributionId] = in.InvalidationBatch.Paths.Items
			}
			want := map[string][]string{"E2EXAMPLE": {"/a", "/b"}, "E3EXAMPLE": {"/*"}}
			if fmt.Sprint(paths) != fmt.Sprint(want) {
				t.Errorf("cleared %v, want %v", paths, want)
			}
			if !strings.Contains(w.log.String(), "E3EXAMPLE: invalidation I2J0I21PCUYOIK is completed") {
				t.Errorf("log does not say that the other is clear:\n%s", w.log.String())
			}
		})
	}
}

// No distribution waits for another one.
func TestDistributionsAreClearedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list := distributions(contract.Distribution{ID: "E1"}, contract.Distribution{ID: "E2"}, contract.Distribution{ID: "E3"})
		edges := map[string]*invalidationtest.CloudFront{}
		for _, id := range []string{"E1", "E2", "E3"} {
			edges[id] = invalidationtest.CompletesAfter(20 * time.Second)
		}
		w := newWorld(invalidationtest.Each(edges), map[string]string{contract.EnvDistributions: list})
		start := time.Now()
		w.codeDeploy(t, "codedeploy")
		if took := time.Since(start); took > 32*time.Second {
			t.Errorf("took %v for three of 20 s, want them at the same time", took)
		}
	})
}

func TestCommandToClearByHand(t *testing.T) {
	for _, tt := range []struct {
		paths []string
		want  string
	}{
		{[]string{"/*"}, `--distribution-id E1 --paths '/*'`},
		{[]string{"/a'b", "#tag"}, `--paths '/a'\''b' '#tag'`},
		{slices.Repeat([]string{"/a"}, 11), `--paths '/*'`},
	} {
		if got := new(handler).again(contract.Distribution{ID: "E1", Paths: tt.paths}); !strings.HasSuffix(got, tt.want) {
			t.Errorf("%d paths: %q, want %q at its end", len(tt.paths), got, tt.want)
		}
	}
	// The reader may have credentials of the service's account only.
	h := newWorld(nil, map[string]string{contract.EnvRoleARN: "arn:aws:iam::210987654321:role/clear-cache"}).handler
	if text, want := h.again(h.settings.distributions[0]), "or clear by hand, with credentials of the account 210987654321: aws cloudfront"; !strings.Contains(text, want) {
		t.Errorf("with a role: %q, want %q in it", text, want)
	}
}

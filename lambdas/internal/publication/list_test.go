package publication

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"blog-deploy-pipeline/lambdas/internal/objecttest"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// All keys are listed, whatever the manifest knows of them.
func TestList(t *testing.T) {
	for _, tt := range []struct {
		name string
		keys int
		page int
		// known is the share of the keys that the manifest knows.
		known    float64
		requests int
	}{
		{name: "none", requests: 1},
		{name: "one page", keys: 1000, known: 1, requests: 1},
		{name: "a key more", keys: 1001, known: 1, requests: 2},
		{name: "the first time", keys: 2500, requests: 3},
		{name: "all known", keys: 4601, known: 1, requests: 6},
		{name: "some known", keys: 4600, known: 0.5, requests: 6},
		{name: "short pages", keys: 3000, known: 0.9, page: 70, requests: 45},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.settings.KeyPrefix, w.s3.Page = "blog", tt.page
			random := rand.New(rand.NewPCG(1, 2))
			manifest := &release.Manifest{Site: w.settings.site(), Files: map[string]release.File{}}
			var want []string
			for i := range tt.keys {
				key := fmt.Sprintf("blog/%x/%04d ~+日本.html", i*7919%16, i)
				w.s3.Set(site, key, nil)
				want = append(want, key)
				if random.Float64() < tt.known {
					manifest.Files[key] = release.File{}
				}
			}
			for i := range 100 { // which are not there any more
				if tt.known > 0 {
					manifest.Files[fmt.Sprintf("blog/%x/gone%d", i%16, i)] = release.File{}
				}
			}
			w.s3.Set(site, "another/index.html", nil)
			slices.Sort(want)
			req := w.request("one", files{"index.html": "home"})
			client := &objecttest.Client{S3: w.s3}
			p := Publisher{S3: client, Releases: fixed{manifest: manifest}, Settings: w.settings}
			s, _, err := p.look(t.Context(), req, release.State{Current: "current"})
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Sorted(maps.Keys(s.objects)); !slices.Equal(got, want) {
				t.Errorf("listed %d keys, want %d", len(got), len(want))
			}
			requests := 0
			for _, call := range client.Calls() {
				if call.Operation == "ListObjectsV2" {
					requests++
				}
			}
			if requests > tt.requests {
				t.Errorf("%d requests, want at most %d", requests, tt.requests)
			}
		})
	}
}

// fixed is a releases bucket with one manifest.
type fixed struct {
	release.Store
	manifest *release.Manifest
}

func (f fixed) Manifest(context.Context, string) (*release.Manifest, error) { return f.manifest, nil }

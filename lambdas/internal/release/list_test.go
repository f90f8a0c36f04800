package release

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
)

// published has a bucket with the manifests of some releases, each a minute after the one
// before, and the state after them.
func published(t *testing.T, current int, number int64, manifests ...Manifest) (Store, *objecttest.Client) {
	t.Helper()
	s, client := store()
	for i, m := range manifests {
		if m.ID == "" {
			m.ID = idOf(i)
		}
		m.Time = now.Add(time.Duration(i) * time.Minute)
		if err := s.PutManifest(t.Context(), &m); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Update(t.Context(), func(state *State) error {
		state.Number = number
		if current >= 0 {
			state.Current = idOf(current)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, client
}

// zipped returns a text as a manifest is stored.
func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// idOf returns the id of the i-th release.
func idOf(i int) string { return NewID(now.Add(time.Duration(i)*time.Minute), fmt.Sprint(i)) }

func TestList(t *testing.T) {
	one := func(number int64, job string) Manifest { return Manifest{Number: number, Job: job} }
	part := func(number int64, job string) Manifest {
		return Manifest{Number: number, Job: job, Unfinished: true}
	}
	for _, tt := range []struct {
		name      string
		manifests []Manifest
		current   int
		number    int64
		want      []int
	}{
		{"none", nil, -1, 0, nil},
		{"all", []Manifest{one(1, "a"), one(2, "b"), one(3, "c")}, 2, 3, []int{2, 1, 0}},
		{"some that had nothing to do between them", []Manifest{one(1, "a"), one(7, "b")}, 1, 9, []int{1, 0}},
		{"the last one is not committed", []Manifest{one(1, "a"), one(2, "b")}, 0, 1, []int{0}},
		{"none is committed", []Manifest{one(1, "a")}, -1, 0, []int{0}}, // or the state was lost
		{"one was not committed, and the next job was", []Manifest{one(1, "a"), one(2, "b"), one(2, "c"), one(3, "d")}, 3, 3, []int{3, 2, 0}},
		{"a part", []Manifest{one(1, "a"), part(2, "b"), one(3, "b")}, 2, 3, []int{2, 0}},
		{"a part that was not committed, and the job's end", []Manifest{one(1, "a"), one(2, "b"), part(2, "b"), one(3, "c")}, 3, 3, []int{3, 1, 0}},
		{"a part that is the current one", []Manifest{one(1, "a"), part(2, "b")}, 1, 2, []int{0}},
		{"one that was not committed, and a part of the next job", []Manifest{one(1, "a"), one(2, "b"), part(2, "c"), one(3, "c")}, 3, 3, []int{3, 0}},
		{"after a state was lost", []Manifest{one(41, "a"), one(42, "b"), one(1, "c")}, 2, 1, []int{2, 1, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, client := published(t, tt.current, tt.number, tt.manifests...)
			client.S3.Page = 2
			listed, err := s.List(t.Context(), 100)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, one := range listed {
				i := slices.IndexFunc(tt.manifests, func(m Manifest) bool {
					return m.Number == one.Number && m.Job == one.Job && m.Unfinished == one.Unfinished
				})
				got = append(got, i)
				if one.Current != (i == tt.current) || one.ID != idOf(i) {
					t.Errorf("release %d is current: %v, its id %s", i, one.Current, one.ID)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("listed %v, want %v", got, tt.want)
			}
			for n := range tt.want {
				if fewer, err := s.List(t.Context(), n+1); err != nil || len(fewer) != n+1 || fewer[n].ID != listed[n].ID {
					t.Errorf("the last %d are %+v, %v", n+1, fewer, err)
				}
			}
		})
	}
}

// A list has all of a manifest but its files, which it counts, and leaves out what nobody
// can publish again.
func TestListTellsOfReleases(t *testing.T) {
	whole := Manifest{
		Number: 3, Execution: "e", Revision: "0123", Restores: idOf(0), By: "me", Job: "j", Put: 5, Removed: 2, Bytes: 7, Site: "site/",
		Files: map[string]File{"a": {Size: 1, Headers: Headers{Metadata: map[string]string{"k": "}"}}}, "files": {Size: 2}},
	}
	s, client := published(t, 2, 3, Manifest{Number: 1}, Manifest{Number: 2}, whole)
	client.S3.Set(bucket, contract.ReleaseArtifacts+idOf(0)+buildEnd, []byte("zip"))
	client.S3.Set(bucket, contract.ReleaseArtifacts+idOf(2)+buildEnd, []byte("zip"))
	client.S3.Set(bucket, contract.ReleaseManifests+"readme.txt", []byte("of a person"))
	client.S3.Set(bucket, contract.ReleaseManifests+idOf(9)+manifestEnd, []byte("broken"))
	listed, err := s.List(t.Context(), 10)
	if err != nil || len(listed) != 3 {
		t.Fatalf("listed %+v, %v, want 3", listed, err)
	}
	if !listed[0].Kept || listed[1].Kept || !listed[2].Kept {
		t.Errorf("listed %+v, want the build of the second one not to be there", listed)
	}
	got := listed[0]
	whole.ID, whole.Time, whole.Files = idOf(2), got.Time, nil
	if got.Count != 2 || contract.JSON(got.Manifest) != contract.JSON(whole) {
		t.Errorf("listed %d files of %s, want 2 of %s", got.Count, contract.JSON(got.Manifest), contract.JSON(whole))
	}
	if head, err := s.Head(t.Context(), idOf(2)); err != nil || contract.JSON(head.Manifest) != contract.JSON(whole) {
		t.Errorf("the head is %+v, %v", head, err)
	}
	if head, err := s.Head(t.Context(), idOf(7)); err != nil || head != nil {
		t.Errorf("the head of no release is %+v, %v", head, err)
	}
}

// As long as something has to be cleared, the current release is pending.
func TestListTellsWhatIsPending(t *testing.T) {
	s, _ := published(t, 1, 2, Manifest{Number: 1}, Manifest{Number: 2})
	for _, tt := range []struct {
		change func(*State)
		want   bool
	}{
		{func(*State) {}, false},
		{func(s *State) { s.Touched = map[string]int64{"a": 2} }, true},
		{func(s *State) { s.Touched, s.ClearAll = nil, 2 }, true},
		{func(s *State) { s.Clear(2) }, false},
	} {
		_, err := s.Update(t.Context(), func(s *State) error { tt.change(s); return nil })
		listed, err2 := s.List(t.Context(), 9)
		if err := errors.Join(err, err2); err != nil || listed[0].Pending != tt.want || listed[1].Pending {
			t.Errorf("listed %+v, %v, want the first one to be pending: %v", listed, err, tt.want)
		}
	}
}

func TestListErrors(t *testing.T) {
	for _, tt := range []struct {
		operation, key string
		want           string
	}{
		{"GetObject", contract.ReleaseState, "read s3://" + bucket + "/" + contract.ReleaseState},
		{"ListObjectsV2", "", "list s3://" + bucket + "/" + contract.ReleaseManifests},
		{"GetObject", contract.ReleaseManifests + idOf(1) + manifestEnd, "read s3://" + bucket + "/" + contract.ReleaseManifests},
	} {
		s, client := published(t, 1, 2, Manifest{Number: 1}, Manifest{Number: 2})
		client.Before = func(call objecttest.Call) error {
			if call.Operation == tt.operation && call.Key == tt.key {
				return objecttest.Denies()
			}
			return nil
		}
		if _, err := s.List(t.Context(), 10); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s: %v, want %q", tt.operation, tt.key, err, tt.want)
		}
	}
	s, client := published(t, 0, 1, Manifest{Number: 1})
	for name, packed := range map[string]string{"no archive": "x", "another release": "", "no object": "[1]", "cut off": `{"id":"x","files":{"a":{"size":`} {
		content := []byte(packed)
		switch name {
		case "no archive":
		case "another release":
			object, _ := client.S3.Object(bucket, manifestKey(idOf(0)))
			content = object.Content
		default:
			content = zipped(t, packed)
		}
		client.S3.Set(bucket, manifestKey(idOf(5)), content)
		if head, err := s.Head(t.Context(), idOf(5)); err == nil || !strings.Contains(err.Error(), "Choose another release") {
			t.Errorf("%s: %+v, %v, want an error that says what to do", name, head, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.List(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("without time: %v", err)
	}
}

func TestForesee(t *testing.T) {
	state := State{Number: 4, Touched: map[string]int64{"a": 3}}
	after := state.Foresee([]string{"b", "a"})
	if after.Number != 5 || after.Touched["a"] != 5 || after.Touched["b"] != 5 || len(state.Touched) != 1 || state.Touched["a"] != 3 {
		t.Errorf("foresees %+v of %+v", after, state)
	}
	var many []string
	for i := range maxTouched + 1 {
		many = append(many, fmt.Sprint(i))
	}
	if after = (State{}).Foresee(many); after.ClearAll != 1 || len(after.Touched) != 0 {
		t.Errorf("after too many it is %d, %d, want all to be cleared", after.ClearAll, len(after.Touched))
	}
}

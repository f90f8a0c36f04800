package release

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
)

const bucket = "blog-releases"

// store returns a Store of an empty bucket, and its client.
func store(buckets ...string) (Store, *objecttest.Client) {
	client := &objecttest.Client{S3: objecttest.New(append(buckets, bucket)...), Attempts: 3}
	return Store{S3: client, Bucket: bucket}, client
}

func TestUpdate(t *testing.T) {
	s, client := store()
	if state, err := s.Load(t.Context()); err != nil || state.Number != 0 || state.Current != "" {
		t.Fatalf("before the first publication: %+v, %v, want nothing", state, err)
	}
	for want := int64(1); want <= 3; want++ {
		state, err := s.Update(t.Context(), count)
		if err != nil || state.Number != want {
			t.Fatalf("Update: %+v, %v, want number %d", state, err, want)
		}
	}
	before := len(client.Calls())
	if _, err := s.Update(t.Context(), func(*State) error { return nil }); err != nil || len(client.Calls()) != before+1 {
		t.Errorf("a change of nothing: %v after %d calls, want one that reads", err, len(client.Calls())-before)
	}
	refusal := errors.New("no")
	if _, err := s.Update(t.Context(), func(s *State) error { s.Number = 9; return refusal }); !errors.Is(err, refusal) {
		t.Errorf("a refused change: %v, want its error", err)
	}
	if state, err := s.Load(t.Context()); err != nil || state.Number != 3 {
		t.Errorf("in the end: %+v, %v, want number 3", state, err)
	}
}

// A chain of updates reads the state once, as long as nobody else writes it.
func TestUpdateFrom(t *testing.T) {
	s, client := store()
	client.S3.OwnETags = true
	operations := func() (text string) {
		for _, call := range client.Calls() {
			text += call.Operation[:3] + " "
		}
		return text
	}
	touch := func(s *State) error {
		s.Number++
		s.Touched = map[string]int64{"a": s.Number}
		return nil
	}
	one, err := s.UpdateFrom(t.Context(), State{}, touch)
	second, err2 := s.UpdateFrom(t.Context(), one, touch)
	third, err3 := s.UpdateFrom(t.Context(), second, touch)
	if err := errors.Join(err, err2, err3); err != nil || third.Number != 3 || operations() != "Get Put Put Put " {
		t.Errorf("three updates: %+v, %v after %s", third, err, operations())
	}
	if one.Number != 1 || one.Touched["a"] != 1 {
		t.Errorf("an update changes the state that it began with: %+v", one)
	}
	// Another writer was faster.
	fourth, err := s.UpdateFrom(t.Context(), one, touch)
	if err != nil || fourth.Number != 4 || operations() != "Get Put Put Put Put Get Put " {
		t.Errorf("from an old state: %+v, %v after %s", fourth, err, operations())
	}
	// What an old state would refuse, or would not change, is looked up.
	refusal := errors.New("no")
	fifth, err := s.UpdateFrom(t.Context(), second, func(s *State) error {
		if s.Number == 2 {
			return refusal
		}
		return touch(s)
	})
	if err != nil || fifth.Number != 5 {
		t.Errorf("refused by an old state: %+v, %v", fifth, err)
	}
	if same, err := s.UpdateFrom(t.Context(), second, func(*State) error { return nil }); err != nil || same.Number != 5 {
		t.Errorf("a change of nothing: %+v, %v, want the state as it is", same, err)
	}
	// An answer that was lost.
	client.After = nth(client.S3, first(objecttest.ErrReset))
	if sixth, err := s.UpdateFrom(t.Context(), fifth, touch); err != nil || sixth.Number != 6 {
		t.Errorf("with a lost answer: %+v, %v", sixth, err)
	}
}

func count(s *State) error { s.Number++; return nil }

// Of several writers at once, each one's change is made exactly once.
func TestUpdatesDoNotGetLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := store()
		const writers = 4
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				if _, err := s.Update(t.Context(), count); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if state, err := s.Load(t.Context()); err != nil || state.Number != writers {
			t.Errorf("after %d updates: %+v, %v", writers, state, err)
		}
	})
}

// Update ends right whatever happens to its writes.
func TestUpdateThroughFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		exists bool                                            // before the update
		before func(n int, s *objecttest.S3) error             // the n-th write
		after  func(n int, s *objecttest.S3) error             // likewise
		want   string                                          // of the error, "" for none
		number int64                                           // in the end
		change func(change func(*State) error, s *State) error // nil: change itself
	}{
		{name: "the answer is lost", exists: true, after: first(objecttest.ErrReset), number: 6},
		{name: "the answer to the first write of all is lost", after: first(objecttest.ErrReset), number: 1},
		{name: "the answer cannot be read", exists: true, after: first(errors.New("unexpected EOF")), number: 6},
		{name: "no answer can be read", exists: true, after: func(int, *objecttest.S3) error { return errors.New("unexpected EOF") }, number: 6},
		{name: "a server's error before", exists: true, before: first(objecttest.Throttles()), number: 6},
		{name: "a race, as S3 answers it", exists: true, before: first(objecttest.Refuses(http.StatusConflict, "ConditionalRequestConflict", "x")), number: 6},
		{name: "another writer was faster", exists: true, before: func(n int, s *objecttest.S3) error {
			if n == 1 {
				s.Set(bucket, contract.ReleaseState, []byte(`{"number":50}`))
			}
			return nil
		}, number: 51},
		{name: "another writer was the first", before: func(n int, s *objecttest.S3) error {
			if n == 1 {
				s.Set(bucket, contract.ReleaseState, []byte(`{"number":50}`))
			}
			return nil
		}, number: 51},
		{name: "the state was deleted meanwhile", exists: true, before: func(n int, s *objecttest.S3) error {
			if n == 1 {
				s.Delete(bucket, contract.ReleaseState)
			}
			return nil
		}, number: 1},
		{name: "the answer is lost, and another writer builds on it", exists: true, after: func(n int, s *objecttest.S3) error {
			if n > 1 {
				return nil
			}
			s.Set(bucket, contract.ReleaseState, []byte(`{"number":60}`))
			return objecttest.ErrReset
		}, number: 60, change: func(change func(*State) error, s *State) error { // as the methods of State do
			if s.Number >= 6 {
				return nil
			}
			return change(s)
		}},
		{name: "another writer is always faster", exists: true, before: func(n int, s *objecttest.S3) error {
			s.Set(bucket, contract.ReleaseState, fmt.Appendf(nil, `{"number":%d}`, 10*n))
			return nil
		}, want: "another writer was faster 10 times", number: 100},
		{name: "denied", exists: true, before: func(int, *objecttest.S3) error { return objecttest.Denies() }, want: "write s3://blog-releases/" + contract.ReleaseState + ": ", number: 5},
		{name: "an answer that is cut off", exists: true, after: first(errors.New("unexpected EOF")), number: 6},
		{name: "an answer of a proxy", exists: true, before: first(errors.New("unexpected EOF")), number: 6},
		{name: "a proxy that never lets a write pass", exists: true, before: func(int, *objecttest.S3) error { return errors.New("unexpected EOF") }, want: "unexpected EOF", number: 5},
		{name: "never an answer", exists: true, after: func(int, *objecttest.S3) error { return objecttest.ErrReset }, number: 6},
	} {
		inBubble(t, tt.name, func(t *testing.T) {
			s, client := store()
			if tt.exists {
				client.S3.Set(bucket, contract.ReleaseState, []byte(`{"number":5}`))
			}
			client.Before, client.After = nth(client.S3, tt.before), nth(client.S3, tt.after)
			change := count
			if tt.change != nil {
				change = func(s *State) error { return tt.change(count, s) }
			}
			_, err := s.Update(t.Context(), change)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want %q", err, tt.want)
			}
			client.Before, client.After = nil, nil
			if state, err := s.Load(t.Context()); err != nil || state.Number != tt.number {
				t.Errorf("in the end: %+v, %v, want number %d", state, err, tt.number)
			}
		})
	}
}

// inBubble runs a test whose waits take no time.
func inBubble(t *testing.T, name string, test func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// first returns a hook that fails at the first write.
func first(err error) func(int, *objecttest.S3) error {
	return func(n int, _ *objecttest.S3) error {
		if n == 1 {
			return err
		}
		return nil
	}
}

// nth makes a hook of a function that wants to know which write it is.
func nth(s *objecttest.S3, hook func(int, *objecttest.S3) error) func(objecttest.Call) error {
	if hook == nil {
		return nil
	}
	writes := 0
	return func(call objecttest.Call) error {
		if call.Operation != "PutObject" {
			return nil
		}
		writes++
		return hook(writes, s)
	}
}

// What cannot be understood is not overwritten. The error says how to go on.
func TestDamaged(t *testing.T) {
	packed := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(text)); err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	const id = "20261127-013000-1a2b3c4d"
	for _, tt := range []struct {
		name, key, text, want string
	}{
		{"no JSON", contract.ReleaseState, "<html>", "invalid character"},
		{"empty", contract.ReleaseState, "", "EOF"},
		{"cut off", contract.ReleaseState, `{"number":5`, "unexpected EOF"},
		{"two states", contract.ReleaseState, `{"number":5}{"number":6}`, "after the end"},
		{"of another version", contract.ReleaseState, `{"number":5,"colour":"red"}`, `unknown field "colour"`},
		{"a release that would lead elsewhere", contract.ReleaseState, `{"current":"../../x"}`, "is no id of a release"},
		{"no gzip", contract.ReleaseManifests + id + ".json.gz", "{}", ""},
		{"no manifest", contract.ReleaseManifests + id + ".json.gz", packed("[]"), "cannot unmarshal"},
		{"gzip, cut off", contract.ReleaseManifests + id + ".json.gz", packed(`{"id":"` + id + `"}`)[:20], "unexpected EOF"},
		{"another release's", contract.ReleaseManifests + id + ".json.gz", packed(`{"id":"20250101-000000-00000000"}`), "of the release"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, client := store()
			client.S3.Set(bucket, tt.key, []byte(tt.text))
			var err error
			if tt.key == contract.ReleaseState {
				_, err = s.Update(t.Context(), count)
			} else {
				_, err = s.Manifest(t.Context(), id)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) ||
				!strings.Contains(err.Error(), "Delete this object: the next publication uploads everything, removes nothing") {
				t.Errorf("error is %v, want %q and what to do", err, tt.want)
			}
			if object, _ := client.S3.Object(bucket, tt.key); string(object.Content) != tt.text {
				t.Error("it is overwritten")
			}
		})
	}
}

// What cannot be used as an answer is asked for again.
func TestWritesRepeat(t *testing.T) {
	manifest := &Manifest{ID: NewID(time.Now(), "job")}
	for name, write := range map[string]func(context.Context, Store) error{
		"PutObject":  func(ctx context.Context, s Store) error { return s.PutManifest(ctx, manifest) },
		"CopyObject": func(ctx context.Context, s Store) error { return s.KeepBuild(ctx, manifest.ID, "builds", "build") },
	} {
		inBubble(t, name, func(t *testing.T) {
			for failures, ok := range []bool{true, true, true, false} {
				s, client := store("builds")
				client.S3.Set("builds", "build", []byte("zip"))
				client.After = func(call objecttest.Call) error {
					if call.N <= failures {
						return errors.New("unexpected EOF")
					}
					return nil
				}
				if err := write(t.Context(), s); (err == nil) != ok {
					t.Errorf("after %d failures: %v", failures, err)
				}
			}
		})
	}
}

// An object that breaks off is read again.
func TestReadsRepeat(t *testing.T) {
	for _, tt := range []struct {
		breaks int
		ok     bool
	}{{0, true}, {2, true}, {3, false}} {
		inBubble(t, fmt.Sprintf("broken off %d times", tt.breaks), func(t *testing.T) {
			s, client := store()
			client.S3.Set(bucket, contract.ReleaseState, []byte(`{"number":5}`))
			client.After = func(call objecttest.Call) error {
				if call.N <= tt.breaks {
					return objecttest.Break(8)
				}
				return nil
			}
			if state, err := s.Load(t.Context()); (err == nil) != tt.ok || tt.ok && state.Number != 5 {
				t.Errorf("%+v, %v", state, err)
			}
		})
	}
}

func TestManifests(t *testing.T) {
	s, _ := store()
	want := &Manifest{ID: NewID(time.Now(), "job"), Number: 3, Files: map[string]File{
		"日本/index.html": {Size: 5, CRC32: 7, ETag: `"e"`, Headers: Headers{ContentType: "text/html", Metadata: map[string]string{"a": "b"}}},
	}}
	if got, err := s.Manifest(t.Context(), want.ID); err != nil || got != nil {
		t.Errorf("before: %v, %v, want nil", got, err)
	}
	if got, err := s.Manifest(t.Context(), ""); err != nil || got != nil {
		t.Errorf("of no release: %v, %v, want nil", got, err)
	}
	for n := range 2 { // the second one is that of a later run of the same job
		want.Put = n
		if err := s.PutManifest(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		got, err := s.Manifest(t.Context(), want.ID)
		if err != nil || got.Put != n || fmt.Sprint(got.Files) != fmt.Sprint(want.Files) {
			t.Errorf("read %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestKeepBuild(t *testing.T) {
	s, client := store("builds")
	for _, key := range []string{"blog/Build/AbC123", "blog/Build/AbC123.zip", "a+b/日本 語/50%/?x=1&y=/~!*'()"} {
		client.S3.Set("builds", key, []byte(key))
		id := NewID(time.Now(), key)
		if err := s.KeepBuild(t.Context(), id, "builds", key); err != nil {
			t.Fatal(err)
		}
		if object, _ := client.S3.Object(bucket, contract.ReleaseArtifacts+id+".zip"); string(object.Content) != key {
			t.Errorf("%s: the copy has %q", key, object.Content)
		}
	}
	err := s.KeepBuild(t.Context(), NewID(time.Now(), "x"), "builds", "gone")
	if err == nil || !strings.Contains(err.Error(), "copy s3://builds/gone to s3://blog-releases/"+contract.ReleaseArtifacts) {
		t.Errorf("a build that is gone: %v", err)
	}
}

func TestUpdateEndsWithItsContext(t *testing.T) {
	s, client := store()
	ctx, cancel := context.WithCancel(t.Context())
	client.Before = func(call objecttest.Call) error {
		if call.Operation == "PutObject" {
			cancel()
			return objecttest.Refuses(http.StatusPreconditionFailed, "PreconditionFailed", "x")
		}
		return nil
	}
	if _, err := s.Update(ctx, count); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want that of the context", err)
	}
}

func TestNewID(t *testing.T) {
	at := time.Date(2026, 11, 27, 10, 30, 0, 5, time.FixedZone("JST", 9*3600))
	if got, want := NewID(at, "11111111-abcd"), "20261127-013000-"; !strings.HasPrefix(got, want) || !IsID(got) {
		t.Errorf("id is %q, want %s and a hash", got, want)
	}
	ids := map[string]bool{}
	for i := range 100 {
		ids[NewID(at, fmt.Sprint("11111111-", i))] = true
	}
	if len(ids) != 100 {
		t.Errorf("100 jobs in one second have %d ids", len(ids))
	}
	if sorted := slices.Sorted(maps.Keys(map[string]bool{NewID(at.Add(time.Second), "a"): true, NewID(at, "b"): true})); sorted[0] != NewID(at, "b") {
		t.Errorf("they do not sort by time: %v", sorted)
	}
}

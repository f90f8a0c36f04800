package release

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/s3client"
)

// Listed is a release in a list of them.
type Listed struct {
	// Manifest is without its Files, of which there are Count.
	Manifest
	Count int
	// Current is true for the last release that was committed, and Kept if the bucket has
	// the release's build. Pending is true for the current one if something has still to be
	// cleared.
	Current, Kept, Pending bool
}

// readsAtOnce is how many manifests are read at the same time.
const readsAtOnce = 8

// List returns the last releases that were committed, at most n of them, the newest first.
func (s Store) List(ctx context.Context, n int) ([]Listed, error) {
	state, err := s.Load(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := s.ids(ctx, contract.ReleaseManifests, manifestEnd)
	if err != nil {
		return nil, err
	}
	kept, err := s.ids(ctx, contract.ReleaseArtifacts, buildEnd)
	if err != nil {
		return nil, err
	}
	slices.Reverse(ids)
	var heads, committed []Listed
	for some := range slices.Chunk(ids, readsAtOnce) {
		more, err := s.heads(ctx, some)
		if err != nil {
			return nil, err
		}
		heads = append(heads, more...)
		if committed = committedOf(heads, state); len(committed) >= n {
			break
		}
	}
	committed = committed[:min(n, len(committed))]
	for i, one := range committed {
		committed[i].Current = one.ID == state.Current
		committed[i].Pending = one.ID == state.Current && (len(state.Touched) > 0 || state.ClearAll != 0)
		_, committed[i].Kept = slices.BinarySearch(kept, one.ID)
	}
	return committed, nil
}

// committedOf returns the releases that were committed and that are whole, the newest
// first. A function that ended between writing a manifest and the commit leaves a manifest
// behind, and the next publication has the same number. If the state is lost, nobody knows
// whether the last one was committed.
func committedOf(heads []Listed, state State) (committed []Listed) {
	all := slices.Clone(heads)
	slices.SortStableFunc(all, func(a, b Listed) int { return b.Time.Compare(a.Time) })
	all = slices.DeleteFunc(all, func(l Listed) bool {
		return state.Current != "" && l.ID > state.Current && l.Number > state.Number
	})
	for i, one := range all {
		overtaken := i > 0 && all[i-1].Number == one.Number && all[i-1].Job != one.Job
		if !overtaken && !one.Unfinished {
			committed = append(committed, one)
		}
	}
	return committed
}

// heads returns the releases with some ids. It leaves out those whose manifest is gone or
// cannot be read: nobody can publish them again.
func (s Store) heads(ctx context.Context, ids []string) ([]Listed, error) {
	heads := make([]*Listed, len(ids))
	reads, ctx := errgroup.WithContext(ctx)
	for i, id := range ids {
		reads.Go(func() error {
			packed, etag, err := s.get(ctx, manifestKey(id), maxManifest)
			if err == nil && etag != "" {
				heads[i], _ = decodeHead(packed, id)
			}
			return err
		})
	}
	err := reads.Wait()
	var there []Listed
	for _, head := range heads {
		if head != nil {
			there = append(there, *head)
		}
	}
	return there, err
}

// Head returns a release with the manifest but for its Files. It returns nil if the bucket
// has none. It does not say whether the release is Current or Kept.
func (s Store) Head(ctx context.Context, id string) (*Listed, error) {
	packed, etag, err := s.get(ctx, manifestKey(id), maxManifest)
	if err != nil || etag == "" {
		return nil, err
	}
	head, err := decodeHead(packed, id)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w. Choose another release", s.name(manifestKey(id)), err)
	}
	return head, nil
}

// decodeHead is decodeManifest for a head. It has no more of the files in memory than one.
func decodeHead(packed []byte, id string) (*Listed, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(io.LimitReader(unpacked, maxManifest))
	fields, count := map[string]json.RawMessage{}, 0
	err = eachField(decoder, func(name string) error {
		if name == "files" {
			return eachField(decoder, func(string) error {
				count++
				return decoder.Decode(&struct{}{})
			})
		}
		var value json.RawMessage
		err := decoder.Decode(&value)
		fields[name] = value
		return err
	})
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	head := &Listed{Count: count}
	if err := json.Unmarshal(text, &head.Manifest); err != nil {
		return nil, err
	}
	if head.ID != id {
		return nil, fmt.Errorf("it is the manifest of the release %.100q", head.ID)
	}
	return head, nil
}

// eachField reads a JSON object. It calls read for each name, which reads the value.
func eachField(decoder *json.Decoder, read func(name string) error) error {
	switch start, err := decoder.Token(); {
	case err != nil:
		return err
	case start == nil: // null, which has none
		return nil
	case start != json.Delim('{'):
		return errors.New("it is no JSON object")
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		if err := read(name.(string)); err != nil { // the name of a JSON object's field
			return err
		}
	}
	_, err := decoder.Token()
	return err
}

// ids returns the ids in the keys that begin and end with two texts, sorted. S3 lists keys
// in this order.
func (s Store) ids(ctx context.Context, prefix, end string) (ids []string, err error) {
	in := &s3.ListObjectsV2Input{Bucket: &s.Bucket, Prefix: &prefix}
	for {
		out, err := s3client.Page(ctx, s.S3, in)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", s.name(prefix), err)
		}
		for _, object := range out.Contents {
			id, ok := strings.CutSuffix(strings.TrimPrefix(aws.ToString(object.Key), prefix), end)
			if ok && IsID(id) {
				ids = append(ids, id)
			}
		}
		if in.ContinuationToken = out.NextContinuationToken; in.ContinuationToken == nil {
			return ids, nil
		}
	}
}

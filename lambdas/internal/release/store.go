package release

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go"
	smithytime "github.com/aws/smithy-go/time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/s3client"
)

// S3 has the methods of the S3 client that a Store calls.
type S3 interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	CopyObject(context.Context, *s3.CopyObjectInput, ...func(*s3.Options)) (*s3.CopyObjectOutput, error)
}

// Store is the releases bucket of a blog.
type Store struct {
	S3     S3
	Bucket string
}

const (
	// maxState and maxManifest limit what is read into memory, in bytes after
	// decompression. A file has about 80 bytes in the state and 400 in a manifest.
	maxState    = 64 << 20
	maxManifest = 256 << 20
	// maxWrites limits the attempts of one Update. Two writers at once are rare, and
	// each attempt means that another one has just written.
	maxWrites = 10
)

// afresh says how to go on without what has been remembered. The bucket keeps no older
// versions of an object.
const afresh = "the next publication uploads everything, removes nothing and clears the whole cache"

// Load returns the state, which is empty before the first publication.
func (s Store) Load(ctx context.Context) (State, error) {
	text, etag, err := s.get(ctx, contract.ReleaseState, maxState)
	if err != nil || etag == "" {
		return State{}, err
	}
	state, err := decodeState(text, etag)
	if err != nil {
		return State{}, fmt.Errorf("decode %s: %w. Delete this object: %s", s.name(contract.ReleaseState), err, afresh)
	}
	return state, nil
}

func decodeState(text []byte, etag string) (State, error) {
	state := State{text: text, etag: etag}
	decoder := json.NewDecoder(bytes.NewReader(text))
	// A field of another version of this program has a meaning that must not get lost.
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&state); err != nil {
		return State{}, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return State{}, errors.New("there is more after the end of the state")
	}
	for _, id := range []string{state.Current, state.Target} {
		if id != "" && !IsID(id) {
			return State{}, fmt.Errorf("%.100q is no id of a release", id)
		}
	}
	return state, nil
}

// Update changes the state. It calls change with the state as it is now, and again if
// another writer was faster. So change has to see by the state whether it was made
// already, even by a write of this Update whose answer was lost and on which another
// writer has built. If change returns an error, Update writes nothing and returns it.
func (s Store) Update(ctx context.Context, change func(*State) error) (State, error) {
	return s.UpdateFrom(ctx, State{}, change)
}

// UpdateFrom is an Update that first tries whether the state is still the one that an
// earlier call has returned. If it is, nothing has to be read.
func (s Store) UpdateFrom(ctx context.Context, before State, change func(*State) error) (State, error) {
	var refused []byte // what a write that was refused would have left
	known := before.etag != ""
	for attempt := 1; ; attempt++ {
		var state State
		var err error
		if known { // a copy, because change changes its maps
			state, err = decodeState(before.text, before.etag)
		} else {
			state, err = s.Load(ctx)
		}
		if err != nil {
			return State{}, err
		}
		if refused != nil && bytes.Equal(state.text, refused) {
			return state, nil // the answer to the first try of the SDK was lost
		}
		err = change(&state)
		text, _ := json.Marshal(state) // which has nothing that cannot be encoded
		same := bytes.Equal(text, state.text)
		switch {
		case known && (err != nil || same):
			known = false // Only the state as it is now may end an Update.
			continue
		case err != nil, same:
			return state, err
		case len(text) > maxState:
			return State{}, fmt.Errorf("write %s: it would be longer than %d MiB, because too many files have changed at once", s.name(contract.ReleaseState), maxState>>20)
		}
		in := &s3.PutObjectInput{Key: aws.String(contract.ReleaseState), ContentType: aws.String("application/json")}
		if state.etag == "" {
			in.IfNoneMatch = aws.String("*")
		} else {
			in.IfMatch = aws.String(state.etag)
		}
		state.text = text
		if state.etag, err = s.put(ctx, in, text); err == nil {
			return state, nil
		}
		if !isConflict(err) {
			return State{}, err
		}
		if attempt == maxWrites {
			return State{}, fmt.Errorf("%w; another writer was faster %d times", err, maxWrites)
		}
		known, refused = false, text
		if err := smithytime.SleepWithContext(ctx, rand.N(min(time.Second, 20*time.Millisecond<<attempt))); err != nil {
			return State{}, err
		}
	}
}

// isConflict reports whether a conditional write was refused because the object is
// another one by now, or is being written or deleted.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func isConflict(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "PreconditionFailed", "ConditionalRequestConflict", "OperationAborted", "NoSuchKey":
		return true
	}
	return false
}

// manifestEnd and buildEnd are how the keys of manifests and builds end.
const manifestEnd, buildEnd = ".json.gz", ".zip"

func manifestKey(id string) string { return contract.ReleaseManifests + id + manifestEnd }

// Manifest returns the manifest of a release. It returns nil for "", and if the bucket
// has none.
func (s Store) Manifest(ctx context.Context, id string) (*Manifest, error) {
	if id == "" {
		return nil, nil //nolint:nilnil // Before the first publication there is no manifest, which is no error.
	}
	key := manifestKey(id)
	packed, etag, err := s.get(ctx, key, maxManifest)
	if err != nil || etag == "" {
		return nil, err
	}
	manifest, err := decodeManifest(packed, id)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w. Delete this object: %s", s.name(key), err, afresh)
	}
	return manifest, nil
}

func decodeManifest(packed []byte, id string) (*Manifest, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := readAll(unpacked, maxManifest)
	if err != nil {
		return nil, err
	}
	manifest := &Manifest{}
	if err := json.Unmarshal(text, manifest); err != nil {
		return nil, err
	}
	if manifest.ID != id {
		return nil, fmt.Errorf("it is the manifest of the release %.100q", manifest.ID)
	}
	return manifest, nil
}

// PutManifest writes a manifest. It replaces that of an earlier run of the same job,
// which has put the same files, but has not committed the release: the ETags that the
// later run got are the right ones.
func (s Store) PutManifest(ctx context.Context, manifest *Manifest) error {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if err := errors.Join(json.NewEncoder(w).Encode(manifest), w.Close()); err != nil {
		return fmt.Errorf("encode the manifest of %s: %w", manifest.ID, err)
	}
	key := manifestKey(manifest.ID)
	_, err := s.put(ctx, &s3.PutObjectInput{Key: &key, ContentType: aws.String("application/gzip")}, packed.Bytes())
	return err
}

// put writes an object of the bucket, and returns its ETag. If the answer cannot be read,
// it tries again: S3 then refuses a write under a condition, if the first one was made.
func (s Store) put(ctx context.Context, in *s3.PutObjectInput, content []byte) (etag string, err error) {
	in.Bucket = &s.Bucket
	options := s3client.WithSHA256(in, sha256.Sum256(content))
	out, err := s3client.Repeat(ctx, func() (*s3.PutObjectOutput, error) {
		in.Body = bytes.NewReader(content)
		return s.S3.PutObject(ctx, in, options)
	})
	if err != nil {
		return "", fmt.Errorf("write %s: %w", s.name(*in.Key), err)
	}
	return aws.ToString(out.ETag), nil
}

// Build returns where the archive of a release is, unless it has expired or was not kept.
func (s Store) Build(id string) (bucket, key string) {
	return s.Bucket, contract.ReleaseArtifacts + id + buildEnd
}

// KeepBuild copies the archive of a release within S3, so that the release can be
// published again. S3 copies at most 5 GiB at once.
func (s Store) KeepBuild(ctx context.Context, id, fromBucket, fromKey string) error {
	bucket, key := s.Build(id)
	_, err := s3client.Repeat(ctx, func() (*s3.CopyObjectOutput, error) {
		return s.S3.CopyObject(ctx, &s3.CopyObjectInput{
			Bucket: &bucket, Key: &key, CopySource: aws.String(copySource(fromBucket, fromKey)),
			// Copying tags needs a permission of its own.
			TaggingDirective: types.TaggingDirectiveReplace,
		})
	})
	if err != nil {
		return fmt.Errorf("copy s3://%s/%s to %s: %w", fromBucket, fromKey, s.name(key), err)
	}
	return nil
}

// copySource returns the name of an object as CopyObject wants it, which is percent-encoded
// but for its slashes. S3 takes "+" for a space.
func copySource(bucket, key string) string {
	return strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(bucket + "/" + key))
}

// get returns an object of the bucket and its ETag, which is "" if there is none. It
// refuses one that is longer than limit.
func (s Store) get(ctx context.Context, key string, limit int64) (content []byte, etag string, err error) {
	out, err := s3client.Repeat(ctx, func() (*s3.GetObjectOutput, error) {
		out, err := s.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.Bucket, Key: &key})
		if err != nil {
			return nil, err
		}
		defer out.Body.Close()
		content, err = readAll(out.Body, limit)
		switch {
		case err != nil: // The SDK has not repeated this, whatever it was.
			err = errors.New(err.Error())
		case aws.ToString(out.ETag) == "":
			err = errors.New("the answer has no ETag, so it is not S3's")
		}
		return out, err
	})
	if errors.As(err, new(*types.NoSuchKey)) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w", s.name(key), err)
	}
	return content, *out.ETag, nil
}

// readAll returns what r has. It refuses what is longer than limit.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("it is longer than %d MiB", limit>>20)
	}
	return content, err
}

// name returns the name of an object for messages.
func (s Store) name(key string) string { return "s3://" + s.Bucket + "/" + key }

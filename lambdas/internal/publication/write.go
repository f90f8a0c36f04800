package publication

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go"

	"blog-deploy-pipeline/lambdas/internal/archive"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/lambdas/internal/s3client"
)

// writer changes the objects of the bucket as a plan says, and notes what is done.
type writer struct {
	S3
	bucket string
	// tag is the cache tag of what is put.
	tag string
	// stop is when nothing else is begun.
	stop time.Time

	mu      sync.Mutex
	put     map[string]release.File
	removed []string
}

// errNoTime says that a call stops to go on in another one.
var errNoTime = errors.New("the time of this call is over")

// done reports whether anything is.
func (w *writer) done() bool { return len(w.put)+len(w.removed) > 0 }

// write puts the files of a plan wave by wave, and then removes what has left, so that no
// page is there without what it needs.
func (w *writer) write(ctx context.Context, build *archive.Archive, p plan) error {
	w.put = map[string]release.File{}
	puts := map[string]put{}
	var waves [][]string // of names
	for i, put := range p.puts {
		if i == 0 || p.puts[i-1].wave != put.wave {
			waves = append(waves, nil)
		}
		puts[put.file.Name] = put
		waves[len(waves)-1] = append(waves[len(waves)-1], put.file.Name)
	}
	for i, names := range waves {
		err := build.Read(ctx, names, slices.Concat(waves[i+1:]...), func(_ context.Context, file archive.File, content io.ReadSeeker) error {
			// After an error of another file, a put that has begun goes on: whether it was
			// done would not be known.
			return w.putFile(ctx, puts[file.Name], content)
		})
		if err != nil {
			return err
		}
	}
	for _, removals := range [][]string{p.pages, p.assets} {
		for keys := range slices.Chunk(removals, maxRemovals) {
			if err := w.remove(ctx, keys); err != nil {
				return err
			}
		}
	}
	return nil
}

// putFile puts one file. Its SHA-256 is for the signature, for S3's check of what has
// arrived, and for the manifest.
func (w *writer) putFile(ctx context.Context, p put, content io.ReadSeeker) error {
	if !time.Now().Before(w.stop) {
		return errNoTime
	}
	sum, err := hash(content)
	if err != nil {
		return err
	}
	in := &s3.PutObjectInput{
		Bucket: &w.bucket, Key: &p.key, ContentLength: &p.file.Size,
		ContentType: header(p.headers.ContentType), CacheControl: header(p.headers.CacheControl),
		ContentLanguage: header(p.headers.ContentLanguage), ContentDisposition: header(p.headers.ContentDisposition),
		Metadata: metadata(p.headers, w.tag),
	}
	etag, err := s3client.Repeat(ctx, func() (string, error) {
		if _, err := content.Seek(0, io.SeekStart); err != nil {
			return "", err
		}
		in.Body = content
		out, err := w.PutObject(ctx, in, s3client.WithSHA256(in, sum))
		if err == nil && aws.ToString(out.ETag) == "" {
			err = errors.New("the answer has no ETag, so it is not S3's")
		}
		if err != nil {
			return "", err
		}
		return *out.ETag, nil
	})
	if err != nil {
		return siteErrorf("put s3://%s/%s: %w", w.bucket, p.key, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.put[p.key] = release.File{
		Size: p.file.Size, Packed: p.file.Packed, CRC32: p.file.CRC32, SHA256: hex.EncodeToString(sum[:]),
		ETag: etag, Headers: p.headers, Tag: w.tag, Replaced: p.replaced,
	}
	return nil
}

// header returns a header's value, or nil for none.
func header(value string) *string {
	if value == "" {
		return nil
	}
	return &value
}

// maxRemovals is how many keys a DeleteObjects may have.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
const maxRemovals = 1000

// remove removes objects. S3 answers with the keys that it has removed, and why it has not
// removed others.
func (w *writer) remove(ctx context.Context, keys []string) error {
	if !time.Now().Before(w.stop) {
		return errNoTime
	}
	left := keys
	_, err := s3client.Repeat(ctx, func() (struct{}, error) {
		var objects []types.ObjectIdentifier
		for _, key := range left {
			objects = append(objects, types.ObjectIdentifier{Key: aws.String(key)})
		}
		out, err := w.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &w.bucket, Delete: &types.Delete{Objects: objects}})
		if err != nil {
			return struct{}{}, siteErrorf("remove %s from s3://%s: %w", named(left), w.bucket, err)
		}
		removed := map[string]bool{}
		for _, object := range out.Deleted {
			removed[aws.ToString(object.Key)] = true
		}
		var still []string
		for _, key := range left {
			if removed[key] {
				w.removed = append(w.removed, key)
			} else {
				still = append(still, key)
			}
		}
		if left = still; len(left) == 0 {
			return struct{}{}, nil
		}
		return struct{}{}, siteErrorf("remove %s from s3://%s: %w", named(left), w.bucket, refusal(out.Errors))
	})
	return err
}

// refusal returns the error of an answer by which keys were not removed. It is one of S3's
// API if a repetition does not help.
func refusal(errs []types.Error) error {
	err := errors.New("S3 does not say that it has")
	for _, e := range errs {
		api := &smithy.GenericAPIError{Code: aws.ToString(e.Code), Message: aws.ToString(e.Message)}
		if !passing[api.Code] {
			return api
		}
		err = errors.New(api.Code + ": " + api.Message)
	}
	return err
}

// passing are the codes of errors that pass.
var passing = map[string]bool{"InternalError": true, "SlowDown": true, "ServiceUnavailable": true, "RequestTimeout": true, "OperationAborted": true}

package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithy "github.com/aws/smithy-go"
)

// Getter is what S3Object needs of the client of S3.
type Getter interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, options ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// S3Object is an archive in S3. What is read after the first request is of the version
// that the first one has seen; if that was replaced, S3 answers PreconditionFailed.
type S3Object struct {
	Client      Getter
	Bucket, Key string

	etag *string
}

// Tail implements Source.
func (o *S3Object) Tail(ctx context.Context, length int64) (io.ReadCloser, int64, error) {
	out, err := o.get(ctx, fmt.Sprintf("bytes=-%d", length))
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "InvalidRange" {
		return io.NopCloser(strings.NewReader("")), 0, nil // an empty object has no range
	}
	if err != nil {
		return nil, 0, err
	}
	size := aws.ToInt64(out.ContentLength)
	if _, total, ok := strings.Cut(aws.ToString(out.ContentRange), "/"); ok {
		if size, err = strconv.ParseInt(total, 10, 64); err != nil || size < 0 {
			out.Body.Close()
			return nil, 0, fmt.Errorf("read the size of s3://%s/%s from %q", o.Bucket, o.Key, aws.ToString(out.ContentRange))
		}
	}
	if want := min(size, length); aws.ToInt64(out.ContentLength) != want {
		out.Body.Close()
		return nil, 0, fmt.Errorf("read the end of s3://%s/%s: S3 sends %d bytes in place of %d", o.Bucket, o.Key, aws.ToInt64(out.ContentLength), want)
	}
	o.etag = out.ETag
	return out.Body, size, nil
}

// Range implements Source.
func (o *S3Object) Range(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	out, err := o.get(ctx, fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	if err != nil {
		return nil, err
	}
	if got, want := aws.ToString(out.ContentRange), fmt.Sprintf("bytes %d-%d/", offset, offset+length-1); !strings.HasPrefix(got, want) {
		out.Body.Close()
		return nil, fmt.Errorf("read s3://%s/%s: S3 sends %q in place of %s", o.Bucket, o.Key, got, want)
	}
	return out.Body, nil
}

func (o *S3Object) get(ctx context.Context, bytes string) (*s3.GetObjectOutput, error) {
	return o.Client.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.Bucket, Key: &o.Key, Range: &bytes, IfMatch: o.etag})
}

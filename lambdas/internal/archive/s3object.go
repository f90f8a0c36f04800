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
	size := int64(0)
	out, err := o.get(ctx, fmt.Sprintf("bytes=-%d", length), func(got string, sent int64) bool {
		if got == "" && sent == 0 {
			return true // an empty object has no range, as some servers answer
		}
		_, total, _ := strings.Cut(got, "/")
		size, _ = strconv.ParseInt(total, 10, 64) // a wrong number is no size
		return size > 0 && sent == min(size, length) && got == fmt.Sprintf("bytes %d-%d/%d", size-sent, size-1, size)
	})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "InvalidRange" {
		return io.NopCloser(strings.NewReader("")), 0, nil // as S3 answers for an empty object
	}
	if err != nil {
		return nil, 0, err
	}
	o.etag = out.ETag
	return out.Body, size, nil
}

// Range implements Source.
func (o *S3Object) Range(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	last := offset + length - 1
	out, err := o.get(ctx, fmt.Sprintf("bytes=%d-%d", offset, last), func(got string, sent int64) bool {
		return sent == length && strings.HasPrefix(got, fmt.Sprintf("bytes %d-%d/", offset, last))
	})
	if err != nil {
		return nil, err
	}
	return out.Body, nil
}

// get asks for a range, and again if good says that the answer is not for it: such an
// answer is not S3's but, for example, a proxy's page.
func (o *S3Object) get(ctx context.Context, asked string, good func(got string, sent int64) bool) (*s3.GetObjectOutput, error) {
	got := ""
	for range maxBreaks {
		out, err := o.Client.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.Bucket, Key: &o.Key, Range: &asked, IfMatch: o.etag})
		if err != nil {
			return nil, err
		}
		if got = aws.ToString(out.ContentRange); good(got, aws.ToInt64(out.ContentLength)) {
			return out, nil
		}
		out.Body.Close()
	}
	return nil, fmt.Errorf("get s3://%s/%s: the answer to a request for %s has the range %q", o.Bucket, o.Key, asked, got)
}

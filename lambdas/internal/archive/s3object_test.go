package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithy "github.com/aws/smithy-go"
)

// bucket is a client of S3 with one object. It notes the requests.
type bucket struct {
	data, etag string
	asked      []string
	// change changes an answer.
	change func(*s3.GetObjectOutput)
}

func (b *bucket) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	b.asked = append(b.asked, fmt.Sprintf("%s/%s %s %s", *in.Bucket, *in.Key, *in.Range, aws.ToString(in.IfMatch)))
	if in.IfMatch != nil && *in.IfMatch != b.etag {
		return nil, &smithy.GenericAPIError{Code: "PreconditionFailed"}
	}
	if b.data == "" {
		return nil, &smithy.GenericAPIError{Code: "InvalidRange"}
	}
	var from, to int
	if n, _ := fmt.Sscanf(*in.Range, "bytes=-%d", &to); n == 1 {
		from, to = max(0, len(b.data)-to), len(b.data)
	} else if n, _ := fmt.Sscanf(*in.Range, "bytes=%d-%d", &from, &to); n == 2 {
		to++
	}
	part := b.data[from:to]
	out := &s3.GetObjectOutput{
		Body: io.NopCloser(strings.NewReader(part)), ETag: aws.String(b.etag),
		ContentLength: aws.Int64(int64(len(part))), ContentRange: aws.String(fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(b.data))),
	}
	if b.change != nil {
		b.change(out)
	}
	return out, nil
}

func TestS3Object(t *testing.T) {
	client := &bucket{data: "0123456789", etag: `"e1"`}
	object := &S3Object{Client: client, Bucket: "b", Key: "k"}
	read := func(body io.ReadCloser, err error) string {
		if err != nil {
			return err.Error()
		}
		data, err := io.ReadAll(body)
		if err != nil {
			return err.Error()
		}
		return string(data)
	}
	body, size, err := object.Tail(t.Context(), 4)
	if got := read(body, err); got != "6789" || size != 10 {
		t.Errorf("the tail is %q of %d bytes, want 6789 of 10", got, size)
	}
	if got := read(object.Range(t.Context(), 2, 3)); got != "234" {
		t.Errorf("the range is %q, want 234", got)
	}
	body, size, err = (&S3Object{Client: client, Bucket: "b", Key: "k"}).Tail(t.Context(), 400)
	if got := read(body, err); got != client.data || size != 10 {
		t.Errorf("the tail is %q of %d bytes, want all", got, size)
	}
	if want := []string{`b/k bytes=-4 `, `b/k bytes=2-4 "e1"`, `b/k bytes=-400 `}; !slices.Equal(client.asked, want) {
		t.Errorf("asked for %q, want %q", client.asked, want)
	}
	client.etag = `"e2"`
	if _, err := object.Range(t.Context(), 2, 3); err == nil || !strings.Contains(err.Error(), "PreconditionFailed") {
		t.Errorf("got %v of an object that was replaced, want PreconditionFailed", err)
	}
}

func TestS3ObjectIsEmpty(t *testing.T) {
	for name, client := range map[string]*bucket{
		"as S3 answers": {},
		"as others answer": {data: "x", change: func(out *s3.GetObjectOutput) {
			out.Body, out.ContentLength, out.ContentRange = io.NopCloser(strings.NewReader("")), aws.Int64(0), nil
		}},
	} {
		_, err := Open(t.Context(), &S3Object{Client: client, Bucket: "b", Key: "k"})
		var invalid *Invalid
		if !errors.As(err, &invalid) || len(client.asked) != 1 {
			t.Errorf("%s: got %v after %q, want a refusal after one request", name, err, client.asked)
		}
	}
}

// What answers without the range that was asked for is not S3, and is asked again. The
// archive is not to blame.
func TestS3ObjectRefusesOtherRanges(t *testing.T) {
	tail := func(o *S3Object) error { _, _, err := o.Tail(t.Context(), 4); return err }
	part := func(o *S3Object) error { _, err := o.Range(t.Context(), 5, 3); return err }
	no := func(out *s3.GetObjectOutput) { out.ContentRange = nil }
	for _, tt := range []struct {
		name   string
		ask    func(*S3Object) error
		change func(*s3.GetObjectOutput)
	}{
		{"tail: no range", tail, no},
		{"tail: another range", tail, func(out *s3.GetObjectOutput) { out.ContentRange = aws.String("bytes 0-3/10") }},
		{"tail: no size", tail, func(out *s3.GetObjectOutput) { out.ContentRange = aws.String("bytes 6-9/*") }},
		{"tail: longer", tail, func(out *s3.GetObjectOutput) { out.ContentLength = aws.Int64(10) }},
		{"part: no range", part, no},
		{"part: another range", part, func(out *s3.GetObjectOutput) { out.ContentRange = aws.String("bytes 5-8/10") }},
		{"part: shorter", part, func(out *s3.GetObjectOutput) { out.ContentLength = aws.Int64(2) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := &bucket{data: "0123456789", change: tt.change}
			err := tt.ask(&S3Object{Client: client, Bucket: "b", Key: "k"})
			var invalid *Invalid
			if err == nil || errors.As(err, &invalid) || len(client.asked) != maxBreaks {
				t.Errorf("got %v after %d requests, want an error about the answer after %d", err, len(client.asked), maxBreaks)
			}
			client = &bucket{data: "0123456789"}
			client.change = func(out *s3.GetObjectOutput) {
				if len(client.asked) == 1 {
					tt.change(out)
				}
			}
			if err := tt.ask(&S3Object{Client: client, Bucket: "b", Key: "k"}); err != nil || len(client.asked) != 2 {
				t.Errorf("got %v after %d requests, want the second answer", err, len(client.asked))
			}
		})
	}
}

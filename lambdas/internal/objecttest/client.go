package objecttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go"
)

// S3's limits.
const (
	maxKey      = 1024    // bytes
	maxMetadata = 2 << 10 // bytes
	maxKeys     = 1000    // of a listing or a DeleteObjects
)

// Client is the client of one process. It is safe for concurrent use if its hooks are.
type Client struct {
	S3 *S3
	// Before is called before each attempt of a call, and again for each key of a
	// DeleteObjects. If it returns an error, S3 has done nothing, and the error is the
	// answer.
	Before func(Call) error
	// After is called after S3 has done what it was asked for. If it returns an error, the
	// answer is lost, and the error takes its place.
	After func(Call) error
	// Attempts is how often a call is tried that a hook has let fail with ErrReset or a
	// server's error, as the SDK does; 0 for once. There is no wait between them.
	Attempts int

	mu    sync.Mutex
	calls []Call
	dead  bool
}

// Call is an attempt to call S3. Key is "" for ListObjectsV2 and for DeleteObjects as a
// whole.
type Call struct {
	// N is 1 for the client's first attempt.
	N                      int
	Operation, Bucket, Key string
}

func (c Call) String() string { return fmt.Sprintf("%s s3://%s/%s", c.Operation, c.Bucket, c.Key) }

// Calls returns the attempts so far, without those for single keys of a DeleteObjects.
func (c *Client) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Call(nil), c.calls...)
}

// call carries out one call. do has S3's lock.
func (c *Client) call(ctx context.Context, operation, bucket, key string, do func() error) error {
	return c.tries(ctx, c.Attempts, operation, bucket, key, do)
}

func (c *Client) tries(ctx context.Context, attempts int, operation, bucket, key string, do func() error) error {
	var err error
	for range max(1, attempts) {
		err = c.attempt(ctx, operation, bucket, key, do)
		var response interface{ HTTPStatusCode() int }
		retry := errors.Is(err, ErrReset) || errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError
		if !retry {
			break
		}
	}
	if err == nil || errors.As(err, new(Break)) {
		return err
	}
	return &smithy.OperationError{ServiceID: s3.ServiceID, OperationName: operation, Err: err}
}

func (c *Client) attempt(ctx context.Context, operation, bucket, key string, do func() error) error {
	c.mu.Lock()
	call := Call{len(c.calls) + 1, operation, bucket, key}
	c.calls = append(c.calls, call)
	c.mu.Unlock()
	if err := c.hook(ctx, c.Before, call); err != nil {
		return err
	}
	if err := c.hook(ctx, nil, call); err != nil { // the hook may have waited
		return err
	}
	if err := c.locked(bucket, do); err != nil {
		return err
	}
	if err := c.hook(ctx, c.After, call); err != nil {
		return err
	}
	return c.hook(ctx, nil, call) // as above
}

func (c *Client) locked(bucket string, do func() error) error {
	c.S3.mu.Lock()
	defer c.S3.mu.Unlock()
	if c.S3.buckets[bucket] == nil {
		return answer(http.StatusNotFound, &types.NoSuchBucket{Message: aws.String("The specified bucket does not exist")})
	}
	return do()
}

func (c *Client) hook(ctx context.Context, hook func(Call) error, call Call) (err error) {
	c.mu.Lock()
	dead := c.dead
	c.mu.Unlock()
	switch {
	case dead:
		return ErrCrash
	case ctx.Err() != nil:
		return &aws.RequestCanceledError{Err: ctx.Err()}
	case hook == nil:
		return nil
	}
	if err = hook(call); errors.Is(err, ErrCrash) {
		c.mu.Lock()
		c.dead = true
		c.mu.Unlock()
	}
	return err
}

// GetObject implements the client's method.
func (c *Client) GetObject(ctx context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	bucket, key := aws.ToString(in.Bucket), aws.ToString(in.Key)
	out := &s3.GetObjectOutput{}
	var content []byte
	err := c.call(ctx, "GetObject", bucket, key, func() error {
		object, ok := c.S3.buckets[bucket][key]
		switch {
		case !ok:
			return answer(http.StatusNotFound, &types.NoSuchKey{Message: aws.String("The specified key does not exist.")})
		case in.IfMatch != nil && !sameETag(*in.IfMatch, object.ETag):
			return preconditionFailed()
		}
		from, to, err := byteRange(aws.ToString(in.Range), len(object.Content))
		if err != nil {
			return err
		}
		content = object.Content[from:to]
		if in.Range != nil {
			out.ContentRange = aws.String(fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(object.Content)))
		}
		out.ETag, out.ContentType = aws.String(object.ETag), aws.String(object.ContentType)
		out.ContentLength, out.LastModified = aws.Int64(int64(len(content))), aws.Time(object.Modified)
		out.Metadata = object.Metadata
		return nil
	})
	out.Body = io.NopCloser(bytes.NewReader(content))
	if b := Break(0); errors.As(err, &b) {
		out.Body, err = io.NopCloser(broken{bytes.NewReader(content[:min(int(b), len(content))])}), nil
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// byteRange returns the bytes that the header Range asks for.
func byteRange(text string, length int) (from, to int, err error) {
	if text == "" {
		return 0, length, nil
	}
	first, last, ok := strings.Cut(strings.TrimPrefix(text, "bytes="), "-")
	from, errFrom := strconv.Atoi(first)
	to, errTo := strconv.Atoi(last)
	switch {
	case !ok || !strings.HasPrefix(text, "bytes="):
		return 0, length, nil // which S3 ignores
	case first == "" && errTo == nil:
		from, to = max(0, length-to), length
	case errFrom == nil && last == "":
		to = length
	case errFrom == nil && errTo == nil && from <= to:
		to = min(to+1, length)
	default:
		return 0, length, nil
	}
	if from >= length {
		return 0, 0, Refuses(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
	}
	return from, to, nil
}

// PutObject implements the client's method.
func (c *Client) PutObject(ctx context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	bucket, key := aws.ToString(in.Bucket), aws.ToString(in.Key)
	content, err := body(in)
	if err != nil {
		return nil, &smithy.OperationError{ServiceID: s3.ServiceID, OperationName: "PutObject", Err: err}
	}
	object := Object{
		Content: content, SHA256: aws.ToString(in.ChecksumSHA256),
		ContentType: aws.ToString(in.ContentType), CacheControl: aws.ToString(in.CacheControl),
		ContentLanguage: aws.ToString(in.ContentLanguage), ContentDisposition: aws.ToString(in.ContentDisposition),
		ContentEncoding: aws.ToString(in.ContentEncoding), Metadata: in.Metadata,
	}
	if object.ContentType == "" {
		object.ContentType = "binary/octet-stream"
	}
	out := &s3.PutObjectOutput{}
	attempts := c.Attempts
	if !canRewind(in.Body) {
		attempts = 1
	}
	err = c.tries(ctx, attempts, "PutObject", bucket, key, func() error {
		if err := refused(key, object); err != nil {
			return err
		}
		if err := precondition(c.S3.buckets[bucket], key, in.IfMatch, in.IfNoneMatch); err != nil {
			return err
		}
		out.ETag = aws.String(c.S3.put(bucket, key, object))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// body reads the content of a request. The SDK has to know length and SHA-256 of content
// that it can read only once.
func body(in *s3.PutObjectInput) ([]byte, error) {
	if in.Body == nil {
		return nil, nil
	}
	if !canRewind(in.Body) && (in.ContentLength == nil || in.ChecksumSHA256 == nil) {
		return nil, errors.New("unseekable stream is not supported without TLS and trailing checksum")
	}
	content, err := io.ReadAll(in.Body)
	if err == nil && in.ContentLength != nil && *in.ContentLength != int64(len(content)) {
		err = fmt.Errorf("ContentLength is %d, and the body has %d bytes", *in.ContentLength, len(content))
	}
	return content, err
}

// canRewind reports whether the SDK can send a request's body a second time.
func canRewind(body io.Reader) bool {
	_, ok := body.(io.Seeker)
	return body == nil || ok
}

func refused(key string, object Object) error {
	metadata := 0
	for name, value := range object.Metadata {
		metadata += len(name) + len(value)
	}
	sum := sha256.Sum256(object.Content)
	switch {
	case key == "" || !utf8.ValidString(key):
		return Refuses(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.")
	case len(key) > maxKey:
		return Refuses(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
	case metadata > maxMetadata:
		return Refuses(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	case object.SHA256 != "" && object.SHA256 != base64.StdEncoding.EncodeToString(sum[:]):
		return Refuses(http.StatusBadRequest, "BadDigest", "The SHA256 you specified did not match the calculated checksum of "+hex.EncodeToString(sum[:]))
	}
	return nil
}

// precondition checks If-Match and If-None-Match of a write.
func precondition(objects map[string]Object, key string, match, noneMatch *string) error {
	object, ok := objects[key]
	switch {
	case noneMatch != nil && (*noneMatch != "*" || match != nil):
		return Refuses(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
	case noneMatch != nil && ok:
		return preconditionFailed()
	case match != nil && !ok:
		return answer(http.StatusNotFound, &smithy.GenericAPIError{Code: "NoSuchKey", Message: "The specified key does not exist."})
	case match != nil && !sameETag(*match, object.ETag):
		return preconditionFailed()
	}
	return nil
}

func preconditionFailed() error {
	return Refuses(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

func sameETag(a, b string) bool { return strings.Trim(a, `"`) == strings.Trim(b, `"`) }

// CopyObject implements the client's method.
func (c *Client) CopyObject(ctx context.Context, in *s3.CopyObjectInput, _ ...func(*s3.Options)) (*s3.CopyObjectOutput, error) {
	bucket, key := aws.ToString(in.Bucket), aws.ToString(in.Key)
	out := &s3.CopyObjectOutput{}
	err := c.call(ctx, "CopyObject", bucket, key, func() error {
		source, err := url.PathUnescape(strings.ReplaceAll(aws.ToString(in.CopySource), "+", " "))
		fromBucket, fromKey, ok := strings.Cut(strings.TrimPrefix(source, "/"), "/")
		if err != nil || !ok {
			return Refuses(http.StatusBadRequest, "InvalidArgument", "Invalid copy source object key")
		}
		object, ok := c.S3.buckets[fromBucket][fromKey]
		switch {
		case c.S3.buckets[fromBucket] == nil:
			return Refuses(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		case !ok:
			return Refuses(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		case in.CopySourceIfMatch != nil && !sameETag(*in.CopySourceIfMatch, object.ETag):
			return preconditionFailed()
		}
		if err := precondition(c.S3.buckets[bucket], key, in.IfMatch, in.IfNoneMatch); err != nil {
			return err
		}
		out.CopyObjectResult = &types.CopyObjectResult{ETag: aws.String(c.S3.put(bucket, key, object))}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteObject implements the client's method.
func (c *Client) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput, _ ...func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
	bucket, key := aws.ToString(in.Bucket), aws.ToString(in.Key)
	err := c.call(ctx, "DeleteObject", bucket, key, func() error {
		if object, ok := c.S3.buckets[bucket][key]; in.IfMatch != nil && (!ok || !sameETag(*in.IfMatch, object.ETag)) {
			return preconditionFailed()
		}
		delete(c.S3.buckets[bucket], key)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &s3.DeleteObjectOutput{}, nil
}

// DeleteObjects implements the client's method.
func (c *Client) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput, _ ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error) {
	bucket := aws.ToString(in.Bucket)
	out := &s3.DeleteObjectsOutput{}
	refusals := map[string]error{}
	for _, object := range in.Delete.Objects {
		key := aws.ToString(object.Key)
		if c.Before != nil {
			refusals[key] = c.Before(Call{0, "DeleteObjects", bucket, key})
		}
	}
	err := c.call(ctx, "DeleteObjects", bucket, "", func() error {
		if n := len(in.Delete.Objects); n == 0 || n > maxKeys {
			return Refuses(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
		}
		*out = s3.DeleteObjectsOutput{}
		for _, object := range in.Delete.Objects {
			key := aws.ToString(object.Key)
			if err := refusals[key]; err != nil {
				code, message := "InternalError", "We encountered an internal error. Please try again."
				if api := smithy.APIError(nil); errors.As(err, &api) {
					code, message = api.ErrorCode(), api.ErrorMessage()
				}
				out.Errors = append(out.Errors, types.Error{Key: object.Key, Code: &code, Message: &message})
				continue
			}
			delete(c.S3.buckets[bucket], key)
			if !aws.ToBool(in.Delete.Quiet) {
				out.Deleted = append(out.Deleted, types.DeletedObject{Key: object.Key})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListObjectsV2 implements the client's method.
func (c *Client) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	bucket := aws.ToString(in.Bucket)
	out := &s3.ListObjectsV2Output{}
	err := c.call(ctx, "ListObjectsV2", bucket, "", func() error {
		if in.Delimiter != nil {
			return Refuses(http.StatusNotImplemented, "NotImplemented", "Package objecttest has no delimiters")
		}
		n := maxKeys
		if c.S3.Page > 0 {
			n = c.S3.Page
		}
		if in.MaxKeys != nil {
			n = min(n, int(*in.MaxKeys))
		}
		after := aws.ToString(in.StartAfter)
		if in.ContinuationToken != nil {
			token, err := base64.StdEncoding.DecodeString(*in.ContinuationToken)
			if err != nil {
				return Refuses(http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect")
			}
			after = string(token)
		}
		keys, more := c.S3.after(bucket, aws.ToString(in.Prefix), after, n)
		*out = s3.ListObjectsV2Output{IsTruncated: &more, EncodingType: in.EncodingType, KeyCount: aws.Int32(int32(len(keys)))} //nolint:gosec // at most 1,000
		for _, key := range keys {
			object := c.S3.buckets[bucket][key]
			name := key
			if in.EncodingType == types.EncodingTypeUrl {
				name = strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
			}
			out.Contents = append(out.Contents, types.Object{
				Key: &name, ETag: aws.String(object.ETag), Size: aws.Int64(int64(len(object.Content))),
				LastModified: aws.Time(object.Modified),
			})
		}
		if more {
			out.NextContinuationToken = aws.String(base64.StdEncoding.EncodeToString([]byte(keys[len(keys)-1])))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

package fakeaws_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/s3"
)

// bucketWorld is a world with a bucket of its own.
type bucketWorld struct {
	*world

	server *s3.Server
	bucket string
	client *awss3.Client
}

func newBucketWorld(t *testing.T, opts fakeaws.Options) *bucketWorld {
	t.Helper()
	server, err := s3Server()
	if err != nil {
		t.Fatal(err)
	}
	opts.S3 = server.Unsigned()
	b := &bucketWorld{world: newWorld(t, opts), server: server, bucket: "site-" + strings.ToLower(rand.Text())}
	b.client = b.world.s3(nil)
	if err := server.CreateBucket(t.Context(), b.bucket); err != nil {
		t.Fatal(err)
	}
	return b
}

// s3 returns a client with the world's credentials that does not retry.
func (w *world) s3(change func(*awss3.Options)) *awss3.Client {
	options := awss3.Options{
		Region: region, BaseEndpoint: &w.url, UsePathStyle: true, Retryer: aws.NopRetryer{}, HTTPClient: &http.Client{},
		Credentials:                credentials.NewStaticCredentialsProvider(w.credentials.AccessKeyID, w.credentials.SecretAccessKey, w.credentials.SessionToken),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
	if change != nil {
		change(&options)
	}
	return awss3.New(options)
}

func (b *bucketWorld) put(t *testing.T, key, content string, changes ...func(*awss3.PutObjectInput)) (etag string, err error) {
	t.Helper()
	input := &awss3.PutObjectInput{Bucket: &b.bucket, Key: &key, Body: strings.NewReader(content)}
	for _, change := range changes {
		change(input)
	}
	out, err := b.client.PutObject(t.Context(), input)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.ETag), nil
}

func (b *bucketWorld) mustPut(t *testing.T, key, content string) (etag string) {
	t.Helper()
	etag, err := b.put(t, key, content)
	if err != nil {
		t.Fatalf("PutObject %s: %v", key, err)
	}
	return etag
}

func (b *bucketWorld) get(t *testing.T, key string, changes ...func(*awss3.GetObjectInput)) (content string, err error) {
	t.Helper()
	input := &awss3.GetObjectInput{Bucket: &b.bucket, Key: &key}
	for _, change := range changes {
		change(input)
	}
	out, err := b.client.GetObject(t.Context(), input)
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	read, err := io.ReadAll(out.Body)
	return string(read), err
}

// keys returns the keys in the bucket.
func (b *bucketWorld) keys(t *testing.T) []string {
	t.Helper()
	out, err := b.server.Client().ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: &b.bucket})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, object := range out.Contents {
		keys = append(keys, aws.ToString(object.Key))
	}
	return keys
}

func TestS3KeepsObjects(t *testing.T) {
	b := newBucketWorld(t, fakeaws.Options{})
	const key, content = "日本 +%~'()/index.html", "<h1>日本</h1>"
	sum := sha256.Sum256([]byte(content))
	etag, err := b.put(t, key, content, func(in *awss3.PutObjectInput) {
		in.CacheControl, in.ContentType, in.ContentLanguage = aws.String("max-age=1"), aws.String("text/html; charset=utf-8"), aws.String("ja")
		in.Metadata = map[string]string{"cache-tag": "r-1"}
		in.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(sum[:]))
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := b.client.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: &b.bucket, Key: aws.String(key)})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	read, _ := io.ReadAll(out.Body)
	got := []string{string(read), aws.ToString(out.ETag), aws.ToString(out.CacheControl), aws.ToString(out.ContentType), aws.ToString(out.ContentLanguage), out.Metadata["cache-tag"]}
	if want := []string{content, etag, "max-age=1", "text/html; charset=utf-8", "ja", "r-1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, tt := range []struct{ at, want string }{{"bytes=1-2", "h1"}, {"bytes=-5", "</h1>"[0:5]}, {"bytes=4-", content[4:]}} {
		if got, err := b.get(t, key, func(in *awss3.GetObjectInput) { in.Range, in.IfMatch = &tt.at, &etag }); err != nil || got != tt.want {
			t.Errorf("range %s: got %q, %v, want %q", tt.at, got, err, tt.want)
		}
	}
	head, err := b.client.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: &b.bucket, Key: aws.String(key)})
	if err != nil || aws.ToInt64(head.ContentLength) != int64(len(content)) {
		t.Errorf("HeadObject: got %v, %v, want %d bytes", head, err, len(content))
	}
	if _, err := b.client.CopyObject(t.Context(), &awss3.CopyObjectInput{Bucket: &b.bucket, Key: aws.String("copy"), CopySource: aws.String(b.bucket + "/" + escaped(key))}); err != nil {
		t.Errorf("CopyObject: %v", err)
	}
	if got, err := b.get(t, "copy"); got != content {
		t.Errorf("copy: got %q, %v", got, err)
	}
	if _, err := b.client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: &b.bucket, Key: aws.String("copy")}); err != nil {
		t.Errorf("DeleteObject: %v", err)
	}
	if got := b.keys(t); !slices.Equal(got, []string{key}) {
		t.Errorf("keys: got %q", got)
	}
	var operations []string
	for _, call := range b.cloud.Calls() {
		if call.Err != "" || call.Principal != roleARN {
			t.Errorf("call %+v: want no error, by the role", call)
		}
		operations = append(operations, call.Operation+" "+call.Action)
	}
	if want := []string{
		"PutObject s3:PutObject", "GetObject s3:GetObject", "GetObject s3:GetObject", "GetObject s3:GetObject", "GetObject s3:GetObject",
		"HeadObject s3:GetObject", "CopyObject s3:PutObject", "GetObject s3:GetObject", "DeleteObject s3:DeleteObject",
	}; !slices.Equal(operations, want) {
		t.Errorf("calls: got %q, want %q", operations, want)
	}
}

// escaped returns a key as CopySource has it.
func escaped(key string) string {
	var all strings.Builder
	for _, b := range []byte(key) {
		if b == '/' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' {
			all.WriteByte(b)
		} else {
			fmt.Fprintf(&all, "%%%02X", b)
		}
	}
	return all.String()
}

// code returns the HTTP status and the AWS error code of an error, such as "412 PreconditionFailed"; "" for none.
func code(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf("%d %s", httpStatus(err), errorCode(err))
}

func TestS3ChecksConditions(t *testing.T) {
	b := newBucketWorld(t, fakeaws.Options{})
	first := b.mustPut(t, "a", "1")
	tests := []struct {
		name, key   string
		match, none string
		want        string
	}{
		{"new", "new", "", "*", ""},
		{"not new", "a", "", "*", "412 PreconditionFailed"},
		{"unchanged", "a", first, "", ""},
		{"changed", "a", first, "", "412 PreconditionFailed"}, // by the case before
		{"changed, but gone", "gone", first, "", "404 NoSuchKey"},
		{"none of an ETag", "a", "", first, "501 NotImplemented"},
		{"both", "a", first, "*", "501 NotImplemented"},
	}
	for _, tt := range tests {
		_, err := b.put(t, tt.key, "2", func(in *awss3.PutObjectInput) {
			if tt.match != "" {
				in.IfMatch = &tt.match
			}
			if tt.none != "" {
				in.IfNoneMatch = &tt.none
			}
		})
		if got := code(err); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if _, err := b.get(t, "a", func(in *awss3.GetObjectInput) { in.IfMatch = &first }); code(err) != "412 PreconditionFailed" {
		t.Errorf("read of an earlier version: got %v, want 412", err)
	}
}

func TestS3RaceHasOneWinner(t *testing.T) {
	b := newBucketWorld(t, fakeaws.Options{})
	etag := b.mustPut(t, "state.json", "0")
	for round := range 10 {
		var all sync.WaitGroup
		errs, etags := make([]error, 8), make([]string, 8)
		for i := range errs {
			all.Go(func() {
				etags[i], errs[i] = b.put(t, "state.json", fmt.Sprint(round, i), func(in *awss3.PutObjectInput) { in.IfMatch = &etag })
			})
		}
		all.Wait()
		var won []string
		for i, err := range errs {
			switch {
			case err == nil:
				won = append(won, etags[i])
			case httpStatus(err) != http.StatusPreconditionFailed && httpStatus(err) != http.StatusConflict:
				t.Errorf("loser %d: got %v, want 412 or 409", i, err)
			}
		}
		if len(won) != 1 {
			t.Fatalf("round %d has %d winners, want 1", round, len(won))
		}
		etag = won[0]
	}
}

// s3Operations lists S3's operations on the object "a" of a bucket, and what IAM has to allow for each.
var s3Operations = []struct {
	name  string
	call  func(ctx context.Context, b *bucketWorld) error
	asked []string // action and resource, without the bucket's ARN
	// processed shows whether a call that changes something was processed; nil for a read.
	processed func(keys []string) bool
}{
	{"GetObject", func(ctx context.Context, b *bucketWorld) error {
		out, err := b.client.GetObject(ctx, &awss3.GetObjectInput{Bucket: &b.bucket, Key: aws.String("a")})
		if err != nil {
			return err
		}
		defer out.Body.Close()
		read, err := io.ReadAll(out.Body)
		if err == nil && string(read) != "content" {
			err = fmt.Errorf("wrong content: %q", read)
		}
		return err
	}, []string{"s3:GetObject /a"}, nil},
	{"HeadObject", func(ctx context.Context, b *bucketWorld) error {
		_, err := b.client.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &b.bucket, Key: aws.String("a")})
		return err
	}, []string{"s3:GetObject /a"}, nil},
	{"ListObjectsV2", func(ctx context.Context, b *bucketWorld) error {
		_, err := b.client.ListObjectsV2(ctx, &awss3.ListObjectsV2Input{Bucket: &b.bucket, Prefix: aws.String("blog/"), MaxKeys: aws.Int32(7)})
		return err
	}, []string{"s3:ListBucket map[s3:max-keys:7 s3:prefix:blog/]"}, nil},
	{"PutObject", func(ctx context.Context, b *bucketWorld) error {
		_, err := b.client.PutObject(ctx, &awss3.PutObjectInput{Bucket: &b.bucket, Key: aws.String("b"), Body: strings.NewReader("b")})
		return err
	}, []string{"s3:PutObject /b"}, func(keys []string) bool { return slices.Contains(keys, "b") }},
	{"CopyObject", func(ctx context.Context, b *bucketWorld) error {
		_, err := b.client.CopyObject(ctx, &awss3.CopyObjectInput{Bucket: &b.bucket, Key: aws.String("b"), CopySource: aws.String(b.bucket + "/a")})
		return err
	}, []string{"s3:PutObject /b", "s3:GetObject /a"}, func(keys []string) bool { return slices.Contains(keys, "b") }},
	{"DeleteObject", func(ctx context.Context, b *bucketWorld) error {
		_, err := b.client.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: &b.bucket, Key: aws.String("a")})
		return err
	}, []string{"s3:DeleteObject /a"}, func(keys []string) bool { return !slices.Contains(keys, "a") }},
	{"DeleteObjects", func(ctx context.Context, b *bucketWorld) error {
		out, err := b.remove(ctx, "a", "日")
		if err == nil && len(out.Errors) > 0 {
			return fmt.Errorf("%s: %s", aws.ToString(out.Errors[0].Key), aws.ToString(out.Errors[0].Code))
		}
		return err
	}, []string{"s3:DeleteObject /a", "s3:DeleteObject /日"}, func(keys []string) bool { return !slices.Contains(keys, "a") }},
}

// remove removes objects by DeleteObjects.
func (b *bucketWorld) remove(ctx context.Context, keys ...string) (*awss3.DeleteObjectsOutput, error) {
	input := &awss3.DeleteObjectsInput{Bucket: &b.bucket, Delete: &s3types.Delete{}}
	for _, key := range keys {
		input.Delete.Objects = append(input.Delete.Objects, s3types.ObjectIdentifier{Key: &key})
	}
	return b.client.DeleteObjects(ctx, input)
}

// asking is what a cloud has asked IAM for.
type asking struct {
	mu     sync.Mutex
	asked  []string
	denies string // which of them IAM denies
}

func (a *asking) authorize(call fakeaws.Call) error {
	resource := strings.TrimPrefix(call.Resource, "arn:aws:s3:::")
	if bucket, key, isObject := strings.Cut(resource, "/"); isObject && bucket != call.Resource {
		resource = " /" + key
	} else if strings.HasPrefix(call.Resource, "arn:aws:s3:::") {
		resource = ""
	} else {
		resource = " " + call.Resource
	}
	asked := call.Action + resource
	if len(call.Context) > 0 {
		asked += fmt.Sprint(" ", call.Context)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, asked)
	if call.Principal != roleARN {
		return fmt.Errorf("principal is %q", call.Principal)
	}
	if asked == a.denies {
		return errors.New("no identity-based policy allows the " + call.Action + " action")
	}
	return nil
}

func TestS3AsksForEachPermission(t *testing.T) {
	for _, op := range s3Operations {
		for _, denied := range append([]string{""}, op.asked...) {
			t.Run(op.name+"/"+denied, func(t *testing.T) {
				var a asking
				a.denies = denied
				b := newBucketWorld(t, fakeaws.Options{Authorize: a.authorize})
				putDirectly(t, b, "a", "content")
				err := op.call(t.Context(), b)
				switch {
				case denied == "" && err != nil:
					t.Errorf("got %v, want none", err)
				case denied == "" && !slices.Equal(a.asked, op.asked):
					t.Errorf("asked for %q, want %q", a.asked, op.asked)
				case denied != "" && err == nil:
					t.Error("got no error")
				case op.name == "DeleteObjects" && denied == "s3:DeleteObject /日":
					if want := "日: AccessDenied"; err.Error() != want {
						t.Errorf("got %v, want %s", err, want)
					}
				}
			})
		}
	}
}

// putDirectly stores an object without the cloud.
func putDirectly(t *testing.T, b *bucketWorld, key, content string) {
	t.Helper()
	object := s3.Object{Key: key, Size: int64(len(content))}
	if err := b.server.PutObject(t.Context(), b.bucket, object, strings.NewReader(content)); err != nil {
		t.Fatal(err)
	}
}

package fakeaws_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

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

package fakeaws_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"blog-deploy-pipeline/lambdas/contract"
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
		in.Metadata = map[string]string{contract.MetadataCacheTag: "r-1"}
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
	got := []string{string(read), aws.ToString(out.ETag), aws.ToString(out.CacheControl), aws.ToString(out.ContentType), aws.ToString(out.ContentLanguage), out.Metadata[contract.MetadataCacheTag]}
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
	etag := b.mustPut(t, contract.ReleaseState, "0")
	for round := range 10 {
		var all sync.WaitGroup
		errs, etags := make([]error, 8), make([]string, 8)
		for i := range errs {
			all.Go(func() {
				etags[i], errs[i] = b.put(t, contract.ReleaseState, fmt.Sprint(round, i), func(in *awss3.PutObjectInput) { in.IfMatch = &etag })
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
		_, err := b.client.CopyObject(ctx, &awss3.CopyObjectInput{
			Bucket: &b.bucket, Key: aws.String("b"), CopySource: aws.String(b.bucket + "/a"), TaggingDirective: s3types.TaggingDirectiveReplace,
		})
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
	asked := call.Action
	if object, isS3s := strings.CutPrefix(call.Resource, "arn:aws:s3:::"); !isS3s {
		asked += " " + call.Resource
	} else if _, key, isObject := strings.Cut(object, "/"); isObject {
		asked += " /" + key
	}
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

// TestS3AsksForNothingThatItDoesNotSupport checks that IAM is not asked for an action that it does not know.
func TestS3AsksForNothingThatItDoesNotSupport(t *testing.T) {
	var a asking
	b := newBucketWorld(t, fakeaws.Options{Authorize: a.authorize})
	if err := b.raw(t, "GET", "?policy", "", nil); code(err) != "501 NotImplemented" || len(a.asked) > 0 {
		t.Errorf("got %v and asked for %q", err, a.asked)
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

// TestS3HidesWhatIsMissing reads an object that does not exist.
func TestS3HidesWhatIsMissing(t *testing.T) {
	for denies, want := range map[string]string{"": "404 NoSuchKey", "s3:ListBucket": "403 AccessDenied"} {
		a := asking{denies: denies}
		b := newBucketWorld(t, fakeaws.Options{Authorize: a.authorize})
		if _, err := b.get(t, "none"); code(err) != want {
			t.Errorf("get, with %q denied: got %v, want %s", denies, err, want)
		}
		_, err := b.client.CopyObject(t.Context(), &awss3.CopyObjectInput{Bucket: &b.bucket, Key: aws.String("b"), CopySource: aws.String(b.bucket + "/none")})
		if code(err) != want {
			t.Errorf("copy, with %q denied: got %v, want %s", denies, err, want)
		}
	}
	b := newBucketWorld(t, fakeaws.Options{})
	b.bucket = "there-is-no-such-bucket"
	if _, err := b.get(t, "a"); code(err) != "404 NoSuchBucket" {
		t.Errorf("get from no bucket: got %v", err)
	}
}

// TestS3EncryptsWithAKey puts objects with a KMS key.
func TestS3EncryptsWithAKey(t *testing.T) {
	const key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	encrypted := func(in *awss3.PutObjectInput) {
		in.ServerSideEncryption, in.SSEKMSKeyId = s3types.ServerSideEncryptionAwsKms, aws.String(key)
	}
	var a asking
	b := newBucketWorld(t, fakeaws.Options{Authorize: a.authorize})
	if _, err := b.put(t, "a", "content", encrypted); err != nil {
		t.Fatal(err)
	}
	generate := "kms:GenerateDataKey " + key + " map[kms:ViaService:s3.eu-west-1.amazonaws.com]"
	if want := []string{"s3:PutObject /a", generate}; !slices.Equal(a.asked, want) {
		t.Errorf("asked for %q, want %q", a.asked, want)
	}
	a.denies = generate
	if _, err := b.put(t, "b", "content", encrypted); code(err) != "403 AccessDenied" {
		t.Errorf("without the key: got %v", err)
	}
}

// TestS3Limits sends what S3 accepts just so, and what it refuses.
func TestS3Limits(t *testing.T) {
	put := func(key string, change func(*awss3.PutObjectInput)) func(*testing.T, *bucketWorld) error {
		return func(t *testing.T, b *bucketWorld) error {
			if change == nil {
				change = func(*awss3.PutObjectInput) {}
			}
			_, err := b.put(t, key, "content", change)
			return err
		}
	}
	metadata := func(bytes int) func(*awss3.PutObjectInput) {
		return func(in *awss3.PutObjectInput) { in.Metadata = map[string]string{"k": strings.Repeat("v", bytes-1)} }
	}
	remove := func(n int) func(*testing.T, *bucketWorld) error {
		return func(t *testing.T, b *bucketWorld) error {
			var keys []string
			for i := range n {
				keys = append(keys, fmt.Sprint(i))
			}
			_, err := b.remove(t.Context(), keys...)
			return err
		}
	}
	raw := func(method, path, body string, header ...string) func(*testing.T, *bucketWorld) error {
		return func(t *testing.T, b *bucketWorld) error { return b.raw(t, method, path, body, nil, header...) }
	}
	const batch = "<Delete><Object><Key>a</Key></Object></Delete>"
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	crc32 := func(text string) string {
		return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text))))
	}
	// A key of versitygw is a file's path, whose parts have at most 255 bytes.
	longest := strings.Repeat(strings.Repeat("k", 199)+"/", 5) + strings.Repeat("k", 24)
	tests := []struct {
		name string
		call func(*testing.T, *bucketWorld) error
		want string
	}{
		{"longest key", put(longest, nil), ""},
		{"key too long", put(longest+"k", nil), "400 KeyTooLongError"},
		{"most metadata", put("a", metadata(2048)), ""},
		{"too much metadata", put("a", metadata(2049)), "400 MetadataTooLarge"},
		{"headers too long", put("a", func(in *awss3.PutObjectInput) { in.ContentDisposition = aws.String(strings.Repeat("d", 8192)) }), "400 RequestHeaderSectionTooLarge"},
		{"an ACL", put("a", func(in *awss3.PutObjectInput) { in.ACL = s3types.ObjectCannedACLPublicRead }), "501 NotImplemented"},
		{"tags", put("a", func(in *awss3.PutObjectInput) { in.Tagging = aws.String("a=b") }), "501 NotImplemented"},
		{"an encryption without its key", put("a", func(in *awss3.PutObjectInput) { in.ServerSideEncryption = s3types.ServerSideEncryptionAwsKms }), "501 NotImplemented"},
		{"a wrong checksum", put("a", func(in *awss3.PutObjectInput) {
			in.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(make([]byte, 32)))
		}), "400 BadDigest"},
		{"a wrong hash of the body", raw("PUT", "a", "content", "X-Amz-Content-Sha256", hash("other")), "400 XAmzContentSHA256Mismatch"},
		{"no hash of the body", raw("PUT", "a", "content", "X-Amz-Content-Sha256", ""), "400 InvalidArgument"},
		{"an unsigned body", raw("PUT", "a", "content", "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), ""},
		{"a body in chunks", raw("PUT", "a", "content", "X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), "400 InvalidArgument"},
		{"no length", func(t *testing.T, b *bucketWorld) error {
			return b.raw(t, "PUT", "a", "content", func(r *http.Request) { r.ContentLength = -1 })
		}, "411 MissingContentLength"},
		{"most keys", remove(1000), ""},
		{"too many keys", remove(1001), "400 MalformedXML"},
		{"no keys", raw("POST", "?delete", "<Delete></Delete>", "X-Amz-Checksum-Crc32", crc32("<Delete></Delete>")), "400 MalformedXML"},
		{"no checksum of a batch", raw("POST", "?delete", batch), "400 InvalidRequest"},
		{"a wrong checksum of a batch", raw("POST", "?delete", batch, "X-Amz-Checksum-Crc32", "AAAAAA=="), "400 BadDigest"},
		{"a wrong MD5 of a batch", raw("POST", "?delete", batch, "Content-Md5", base64.StdEncoding.EncodeToString(make([]byte, 16))), "400 BadDigest"},
		{"a wrong hash of a batch", raw("POST", "?delete", batch, "X-Amz-Checksum-Crc32", "AAAAAA==", "X-Amz-Content-Sha256", hash("other")), "400 XAmzContentSHA256Mismatch"},
		{"an ETag in a batch", func(t *testing.T, b *bucketWorld) error {
			objects := []s3types.ObjectIdentifier{{Key: aws.String("a"), ETag: aws.String(`"e"`)}}
			_, err := b.client.DeleteObjects(t.Context(), &awss3.DeleteObjectsInput{Bucket: &b.bucket, Delete: &s3types.Delete{Objects: objects}})
			return err
		}, "501 NotImplemented"},
		{"a version", raw("GET", "a?versionId=1", ""), "501 NotImplemented"},
		{"the old listing", raw("GET", "", ""), "501 NotImplemented"},
		{"an unknown listing", raw("GET", "?list-type=3", ""), "400 InvalidArgument"},
		{"a bucket's policy", raw("GET", "?policy", ""), "501 NotImplemented"},
		{"a key that is no file's", put("a//b", nil), "501 NotImplemented"},
		{"a key outside of the bucket", put("../b", nil), "501 NotImplemented"},
		{"a copy of nothing", func(t *testing.T, b *bucketWorld) error {
			_, err := b.client.CopyObject(t.Context(), &awss3.CopyObjectInput{Bucket: &b.bucket, Key: aws.String("b"), CopySource: aws.String(b.bucket)})
			return err
		}, "400 InvalidArgument"},
		{"a range beyond the end", func(t *testing.T, b *bucketWorld) error {
			b.mustPut(t, "a", "content")
			_, err := b.get(t, "a", func(in *awss3.GetObjectInput) { in.Range = aws.String("bytes=7-") })
			return err
		}, "416 InvalidRange"},
		{"a signature for another Region", func(t *testing.T, b *bucketWorld) error {
			return b.raw(t, "GET", "a", "", func(r *http.Request) {
				r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), region, "us-east-1", 1))
			})
		}, "400 AuthorizationHeaderMalformed"},
		{"a signature for another key", func(t *testing.T, b *bucketWorld) error {
			return b.raw(t, "GET", "a", "", func(r *http.Request) { r.URL.Path = strings.TrimSuffix(r.URL.Path, "a") + "b" })
		}, "403 SignatureDoesNotMatch"},
		{"another session token", func(t *testing.T, b *bucketWorld) error {
			return b.raw(t, "GET", "a", "", func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "other") })
		}, "403 InvalidAccessKeyId"},
		{"an old signature", raw("GET", "a", "", "X-Amz-Date", time.Now().UTC().Add(-16*time.Minute).Format("20060102T150405Z")), "403 RequestTimeTooSkewed"},
		{"a signature of 14 minutes ago", func(t *testing.T, b *bucketWorld) error {
			b.mustPut(t, "a", "content")
			return b.raw(t, "GET", "a", "", nil, "X-Amz-Date", time.Now().UTC().Add(-14*time.Minute).Format("20060102T150405Z"))
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBucketWorld(t, fakeaws.Options{})
			err := tt.call(t, b)
			if got := code(err); got != tt.want {
				t.Fatalf("got %q (%v), want %q", got, err, tt.want)
			}
			calls := b.cloud.Calls()
			if last := calls[len(calls)-1]; tt.want != "" && !strings.HasSuffix(tt.want, " "+last.Err) {
				t.Errorf("the cloud noted %q, want %s", last.Err, tt.want)
			}
		})
	}
}

// rawError is the refusal of a request that the SDK does not send.
type rawError struct {
	status int
	Code   string
}

func (e *rawError) Error() string                 { return fmt.Sprintf("%d %s", e.status, e.Code) }
func (e *rawError) HTTPStatusCode() int           { return e.status }
func (e *rawError) ErrorCode() string             { return e.Code }
func (e *rawError) ErrorMessage() string          { return "" }
func (e *rawError) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

// raw sends a request that the SDK does not send. It signs the path and the headers, of which header has names and values,
// and then changes the request.
func (b *bucketWorld) raw(t *testing.T, method, path, body string, change func(*http.Request), header ...string) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+"/"+b.bucket+"/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	at := time.Now()
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "X-Amz-Date" {
			if at, err = time.Parse("20060102T150405Z", header[i+1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	key := aws.Credentials{AccessKeyID: b.credentials.AccessKeyID, SecretAccessKey: b.credentials.SecretAccessKey, SessionToken: b.credentials.SessionToken}
	err = v4.NewSigner().SignHTTP(t.Context(), key, r, r.Header.Get("X-Amz-Content-Sha256"), "s3", region, at,
		func(options *v4.SignerOptions) { options.DisableURIPathEscaping = true })
	if err != nil {
		t.Fatal(err)
	}
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	if change != nil {
		change(r)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode < 300 {
		return nil
	}
	refusal := &rawError{status: response.StatusCode}
	if err := xml.NewDecoder(response.Body).Decode(refusal); err != nil {
		t.Errorf("the refusal is no XML: %v", err)
	}
	return refusal
}

// TestS3Faults injects every fault into every operation of S3.
func TestS3Faults(t *testing.T) {
	noReply := func(err error) bool { return httpStatus(err) == 0 && strings.Contains(err.Error(), "EOF") }
	is := func(want string) func(error) bool { return func(err error) bool { return code(err) == want } }
	// A reply to HEAD has no body and hence no code.
	tests := []struct {
		kind          fakeaws.FaultKind
		wantProcessed bool
		wantErr       func(error) bool
		status        int
	}{
		{fakeaws.NoFault, true, nil, 0},
		{fakeaws.Throttle, false, is("503 SlowDown"), 503},
		{fakeaws.ServerError, false, is("500 InternalError"), 500},
		{fakeaws.AccessDenied, false, is("403 AccessDenied"), 403},
		{fakeaws.BadSignature, false, is("403 SignatureDoesNotMatch"), 403},
		{fakeaws.BadSignatureLine, false, is("403 SignatureDoesNotMatch"), 403},
		{fakeaws.ConnectionReset, false, func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }, 0},
		{fakeaws.Hang, false, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }, 0},
		{fakeaws.Before, false, noReply, 0},
		{fakeaws.After, true, noReply, 0},
	}
	for _, tt := range tests {
		for _, op := range s3Operations {
			t.Run(tt.kind.String()+"/"+op.name, func(t *testing.T) {
				done := false
				b := newBucketWorld(t, fakeaws.Options{Fault: func(fakeaws.Call) fakeaws.Fault {
					return fakeaws.Fault{Kind: tt.kind, Do: func() { done = true }}
				}})
				b.client = b.s3(func(o *awss3.Options) {
					o.HTTPClient = &http.Client{Transport: ownBody{&http.Transport{DisableKeepAlives: true}}}
				})
				putDirectly(t, b, "a", "content")
				putDirectly(t, b, "日", "content")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.kind == fakeaws.Hang {
					ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
					defer cancel()
				}
				err := op.call(ctx, b)
				switch {
				case tt.wantErr == nil && err != nil:
					t.Errorf("got %v, want none", err)
				case tt.wantErr == nil:
				case op.name == "HeadObject" && tt.status > 0:
					if httpStatus(err) != tt.status {
						t.Errorf("got %v, want %d", err, tt.status)
					}
				case err == nil || !tt.wantErr(err):
					t.Errorf("got %v, want one fitting %v", err, tt.kind)
				}
				if op.processed != nil && op.processed(b.keys(t)) != tt.wantProcessed {
					t.Errorf("processed: got %v, want %v", !tt.wantProcessed, tt.wantProcessed)
				}
				if want := tt.kind != fakeaws.NoFault; done != want {
					t.Errorf("Do ran: got %v, want %v", done, want)
				}
				last := b.cloud.Calls()[0]
				if last.Operation != op.name || last.Fault != tt.kind || last.N != 1 || last.NOfService != 1 {
					t.Errorf("recorded call: got %+v", last)
				}
			})
		}
	}
}

// TestS3MalformedBody looks at the two forms of invalid answers.
func TestS3MalformedBody(t *testing.T) {
	var body string
	b := newBucketWorld(t, fakeaws.Options{Fault: func(fakeaws.Call) fakeaws.Fault {
		return fakeaws.Fault{Kind: fakeaws.MalformedBody, Body: body}
	}})
	putDirectly(t, b, "a", "content")
	if content, err := b.get(t, "a"); content != "con" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("an answer cut off: got %q, %v, want its half", content, err)
	}
	if _, err := b.put(t, "b", "content"); err == nil {
		t.Error("a cut off answer without content: got no error")
	}
	body = `<DeleteResult><Error><Key>a</Key><Code>InternalError</Code></Error></DeleteResult>`
	out, err := b.remove(t.Context(), "a")
	if err != nil || len(out.Errors) != 1 || aws.ToString(out.Errors[0].Code) != "InternalError" {
		t.Errorf("an answer of the test's: got %v, %v", out, err)
	}
	if keys := b.keys(t); !slices.Equal(keys, []string{"b"}) {
		t.Errorf("keys: got %q, want all calls processed", keys)
	}
}

// TestS3TellsOfWrites compares what is told with what was done.
func TestS3TellsOfWrites(t *testing.T) {
	var mu sync.Mutex
	var writes []string
	b := newBucketWorld(t, fakeaws.Options{Written: func(w fakeaws.Write) {
		mu.Lock()
		defer mu.Unlock()
		writes = append(writes, fmt.Sprint(w.Key, " ", w.Deleted))
	}})
	putDirectly(t, b, "a", "content")
	putDirectly(t, b, "日", "content")
	for _, op := range s3Operations {
		if err := op.call(t.Context(), b); err != nil && !strings.Contains(op.name, "Delete") {
			t.Errorf("%s: %v", op.name, err)
		}
	}
	if _, err := b.put(t, "b", "", func(in *awss3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }); err == nil {
		t.Error("a refused put: got no error")
	}
	if want := []string{"b false", "b false", "a true", "a true", "日 true"}; !slices.Equal(writes, want) {
		t.Errorf("told of %q, want %q", writes, want)
	}
}

// TestS3ListsInOrder checks that listings are in the order of S3, which is that of the bytes of the keys, in pages of any
// size.
func TestS3ListsInOrder(t *testing.T) {
	b := newBucketWorld(t, fakeaws.Options{})
	keys := []string{"a-b", "a/b", "a.b", "a0", "A", "日/本", "a b", "a/c/d", "a/c-d", "~x", "&<>'\"", "x%20y", "é", "😀", "index.html"}
	for _, key := range keys {
		putDirectly(t, b, key, "x")
	}
	slices.Sort(keys)
	for _, size := range []int32{1, 4, 1000} {
		var got []string
		pages := awss3.NewListObjectsV2Paginator(b.client, &awss3.ListObjectsV2Input{Bucket: &b.bucket, MaxKeys: &size})
		for pages.HasMorePages() && len(got) <= len(keys) {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, object := range page.Contents {
				got = append(got, aws.ToString(object.Key))
			}
		}
		if !slices.Equal(got, keys) {
			t.Errorf("pages of %d: got %q, want %q", size, got, keys)
		}
	}
}

// TestS3AnswersAfterTheWholeBody has S3 refuse objects whose bodies it need not read.
func TestS3AnswersAfterTheWholeBody(t *testing.T) {
	b := newBucketWorld(t, fakeaws.Options{})
	content := strings.Repeat("0123456789abcdef", 1<<19) // 8 MB
	b.mustPut(t, "a", content)
	other := `"0123456789abcdef0123456789abcdef"`
	for range 5 {
		_, err := b.put(t, "a", content, func(in *awss3.PutObjectInput) { in.IfMatch = &other })
		if code(err) != "412 PreconditionFailed" {
			t.Fatalf("changed: got %v", err)
		}
		_, err = b.put(t, "a", content, func(in *awss3.PutObjectInput) { in.IfNoneMatch = aws.String("*") })
		if code(err) != "412 PreconditionFailed" {
			t.Fatalf("not new: got %v", err)
		}
		_, err = b.put(t, "b", content, func(in *awss3.PutObjectInput) { in.ACL = s3types.ObjectCannedACLPrivate })
		if code(err) != "501 NotImplemented" {
			t.Fatalf("not supported: got %v", err)
		}
	}
}

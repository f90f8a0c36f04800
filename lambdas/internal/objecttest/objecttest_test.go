package objecttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go"

	versitygw "blog-deploy-pipeline/rehearse/s3"
)

func TestMain(m *testing.M) {
	versitygw.Main()
	os.Exit(m.Run())
}

// api has the calls of both clients.
type api interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	CopyObject(context.Context, *s3.CopyObjectInput, ...func(*s3.Options)) (*s3.CopyObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

// script calls an S3 in many ways, and returns what it answers.
func script(ctx context.Context, client api) (answers []string) {
	say := func(call string, answer string, err error) {
		if err != nil {
			answer = "not S3's: " + err.Error()
			if api := smithy.APIError(nil); errors.As(err, &api) {
				answer = api.ErrorCode()
			}
		}
		answers = append(answers, call+": "+answer)
	}
	put := func(in s3.PutObjectInput, content string) (etag string) {
		in.Bucket, in.Body = aws.String("bucket"), strings.NewReader(content)
		out, err := client.PutObject(ctx, &in)
		if err == nil {
			etag = aws.ToString(out.ETag)
		}
		say(fmt.Sprintf("put %.20s %.30q if %s, none %s", *in.Key, content, aws.ToString(in.IfMatch), aws.ToString(in.IfNoneMatch)), etag, err)
		return etag
	}
	get := func(in s3.GetObjectInput) {
		in.Bucket = aws.String("bucket")
		text := ""
		out, err := client.GetObject(ctx, &in)
		if err == nil {
			content, failed := io.ReadAll(out.Body)
			err = failed
			text = fmt.Sprintf("%q, %d bytes, %q, %s, %v", content, aws.ToInt64(out.ContentLength), aws.ToString(out.ContentRange), aws.ToString(out.ETag), out.Metadata)
		}
		say("get "+*in.Key+" "+aws.ToString(in.Range)+" if "+aws.ToString(in.IfMatch), text, err)
	}
	list := func(in s3.ListObjectsV2Input) {
		in.Bucket = aws.String("bucket")
		for {
			text := ""
			out, err := client.ListObjectsV2(ctx, &in)
			if err == nil {
				for _, object := range out.Contents {
					text += fmt.Sprintf("%s %s %d, ", aws.ToString(object.Key), aws.ToString(object.ETag), aws.ToInt64(object.Size))
				}
				text += fmt.Sprint(aws.ToInt32(out.KeyCount), aws.ToBool(out.IsTruncated))
			}
			say("list "+aws.ToString(in.Prefix), text, err)
			if err != nil || !aws.ToBool(out.IsTruncated) {
				return
			}
			in.ContinuationToken = out.NextContinuationToken
		}
	}
	remove := func(keys ...string) {
		in := &s3.DeleteObjectsInput{Bucket: aws.String("bucket"), Delete: &types.Delete{}}
		for _, key := range keys {
			in.Delete.Objects = append(in.Delete.Objects, types.ObjectIdentifier{Key: &key})
		}
		var removed []string
		out, err := client.DeleteObjects(ctx, in)
		if err == nil {
			for _, object := range out.Deleted {
				removed = append(removed, *object.Key)
			}
			slices.Sort(removed)
		}
		say(fmt.Sprint("remove ", keys), fmt.Sprint(removed), err)
	}
	key, none := aws.String, aws.String("*")
	sum := func(text string) *string {
		hash := sha256.Sum256([]byte(text))
		return aws.String(base64.StdEncoding.EncodeToString(hash[:]))
	}

	get(s3.GetObjectInput{Key: key("a")})
	list(s3.ListObjectsV2Input{})
	etag := put(s3.PutObjectInput{Key: key("a"), IfNoneMatch: none, Metadata: map[string]string{"cache": "r-1"}}, "0123456789")
	put(s3.PutObjectInput{Key: key("a"), IfNoneMatch: none}, "other")
	put(s3.PutObjectInput{Key: key("a"), IfMatch: aws.String(`"0123456789abcdef0123456789abcdef"`)}, "other")
	put(s3.PutObjectInput{Key: key("missing"), IfMatch: &etag}, "other")
	for _, text := range []string{"bytes=0-3", "bytes=5-5", "bytes=5-", "bytes=-3", "bytes=-99", "bytes=8-99", "bytes=10-", "bytes=10-12", "bytes=0-0"} {
		get(s3.GetObjectInput{Key: key("a"), Range: &text})
	}
	get(s3.GetObjectInput{Key: key("a"), IfMatch: &etag})
	get(s3.GetObjectInput{Key: key("a"), Range: aws.String("bytes=0-1"), IfMatch: aws.String(`"0123456789abcdef0123456789abcdef"`)})
	put(s3.PutObjectInput{Key: key("a"), IfMatch: &etag}, "next")
	put(s3.PutObjectInput{Key: key("a"), IfMatch: &etag}, "too late")
	get(s3.GetObjectInput{Key: key("a")})
	put(s3.PutObjectInput{Key: key("sum"), ChecksumSHA256: sum("right")}, "right")
	put(s3.PutObjectInput{Key: key("sum"), ChecksumSHA256: sum("right")}, "wrong")
	put(s3.PutObjectInput{Key: key("empty")}, "")
	get(s3.GetObjectInput{Key: key("empty")})
	put(s3.PutObjectInput{Key: key("b/日本 +&<>.html")}, "odd")
	put(s3.PutObjectInput{Key: key("much"), Metadata: map[string]string{"m": strings.Repeat("x", 2048)}}, "much")
	put(s3.PutObjectInput{Key: key("much"), Metadata: map[string]string{"m": strings.Repeat("x", 2047)}}, "enough")
	for _, source := range []string{"bucket/b/%E6%97%A5%E6%9C%AC%20%2B%26%3C%3E.html", "bucket/missing2", "nobody/a"} {
		text := ""
		out, err := client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("bucket"), Key: aws.String("copy"), CopySource: &source})
		if err == nil {
			text = aws.ToString(out.CopyObjectResult.ETag)
		}
		say("copy "+source, text, err)
	}
	get(s3.GetObjectInput{Key: key("copy")})
	list(s3.ListObjectsV2Input{})
	list(s3.ListObjectsV2Input{Prefix: key("b/")})
	list(s3.ListObjectsV2Input{MaxKeys: aws.Int32(2)})
	remove("a", "never", "b/日本 +&<>.html")
	_, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("bucket"), Key: aws.String("never")})
	say("remove what is not there", "done", err)
	list(s3.ListObjectsV2Input{})
	_, err = client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("nobody")})
	say("list another bucket", "", err)
	_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("nobody"), Key: aws.String("a"), Body: bytes.NewReader(nil)})
	say("put into another bucket", "", err)
	return answers
}

// The S3 in memory answers as a real server.
func TestAnswersAsAServer(t *testing.T) {
	server, err := versitygw.Start(t.Context(), versitygw.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	if err := server.CreateBucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	want := script(t.Context(), server.Client())
	got := script(t.Context(), &Client{S3: New("bucket")})
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) {
			t.Fatalf("%d answers, want %d", len(got), len(want))
		}
		if got[i] != want[i] {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
}

// Hooks say what happens to a call.
func TestHooks(t *testing.T) {
	put := func(client *Client, key string) error {
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: &key, Body: strings.NewReader("x")})
		return err
	}
	s := New("b")
	client := &Client{S3: s, Attempts: 2}
	for _, tt := range []struct {
		name          string
		before, after []error // of the attempts
		ok, done      bool
		attempts      int
	}{
		{name: "nothing", ok: true, done: true, attempts: 1},
		{name: "throttled", before: []error{Throttles()}, ok: true, done: true, attempts: 2},
		{name: "throttled twice", before: []error{Throttles(), Throttles()}, attempts: 2},
		{name: "denied", before: []error{Denies()}, attempts: 1},
		{name: "lost", after: []error{ErrReset}, ok: true, done: true, attempts: 2},
		{name: "lost twice", after: []error{ErrReset, ErrReset}, done: true, attempts: 2},
	} {
		next := func(errs *[]error) func(Call) error {
			return func(Call) error {
				if len(*errs) == 0 {
					return nil
				}
				err := (*errs)[0]
				*errs = (*errs)[1:]
				return err
			}
		}
		client.Before, client.After = next(&tt.before), next(&tt.after)
		calls := len(client.Calls())
		err := put(client, tt.name)
		_, done := s.Object("b", tt.name)
		if (err == nil) != tt.ok || done != tt.done || len(client.Calls())-calls != tt.attempts {
			t.Errorf("%s: %v after %d attempts, done: %v", tt.name, err, len(client.Calls())-calls, done)
		}
	}

	// A process that has ended does nothing more. Others do.
	client.Before, client.After = nil, func(Call) error { return ErrCrash }
	if err := put(client, "last"); !errors.Is(err, ErrCrash) {
		t.Errorf("the last call: %v", err)
	}
	client.After = nil
	if err := put(client, "after the end"); !errors.Is(err, ErrCrash) {
		t.Errorf("a call after the end: %v", err)
	}
	if err := put(&Client{S3: s}, "by another process"); err != nil {
		t.Error(err)
	}
	keys := slices.Sorted(maps.Keys(s.Objects("b")))
	if want := []string{"by another process", "last", "lost", "lost twice", "nothing", "throttled"}; !slices.Equal(keys, want) {
		t.Errorf("the bucket has %v, want %v", keys, want)
	}
}

// DeleteObjects answers with success, and with the keys that were refused.
func TestRefusedKeys(t *testing.T) {
	s := New("b")
	client := &Client{S3: s, Before: func(call Call) error {
		if call.Key == "kept" {
			return Denies()
		}
		return nil
	}}
	s.Set("b", "kept", nil)
	s.Set("b", "gone", nil)
	out, err := client.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("b"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("kept")}, {Key: aws.String("gone")}}}})
	if err != nil || len(out.Deleted) != 1 || len(out.Errors) != 1 || *out.Errors[0].Key != "kept" || *out.Errors[0].Code != "AccessDenied" {
		t.Errorf("%+v, %v", out, err)
	}
	if keys := s.Keys("b"); !slices.Equal(keys, []string{"kept"}) {
		t.Errorf("the bucket has %v", keys)
	}
}

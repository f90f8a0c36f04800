package s3client

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
)

func TestFailure(t *testing.T) {
	site := Words{Bucket: "the blog's Deploy.Bucket", Key: "Deploy.EncryptionKeyARN", Again: "retry this stage"}
	own := Words{Again: site.Again}
	kms := "User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:x"
	for _, tt := range []struct {
		name  string
		err   error
		words Words
		kind  failure.Kind
		want  string
	}{
		{"no bucket", objecttest.Refuses(404, "NoSuchBucket", "x"), site, failure.Configuration, "Check the blog's Deploy.Bucket: there must be"},
		{"no bucket of the stack", objecttest.Refuses(404, "NoSuchBucket", "x"), own, failure.Configuration, "Deploy the stack again"},
		{"another Region", objecttest.Refuses(301, "PermanentRedirect", "x"), site, failure.Configuration, "in the Region of the blog's stack"},
		{"another Region, by the signature", objecttest.Refuses(400, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong"), site, failure.Configuration, "in the Region of the blog's stack"},
		{"denied", objecttest.Denies(), site, failure.Permission, "Deploy.EncryptionKeyARN must name that key"},
		{"denied in the stack", objecttest.Denies(), own, failure.Permission, "deploy the stack again if somebody changed the role"},
		{"denied by the key", objecttest.Refuses(403, "AccessDenied", kms), site, failure.Permission, "policy of the KMS key"},
		{"key, as KMS says it", objecttest.Refuses(400, "KMS.AccessDeniedException", "x"), site, failure.Permission, "policy of the KMS key"},
		{"key is disabled", objecttest.Refuses(400, "KMS.DisabledException", "x"), site, failure.Configuration, "Enable the KMS key"},
		{"no key", objecttest.Refuses(400, "KMS.NotFoundException", "x"), site, failure.Configuration, "Enable the KMS key"},
		{"no artifact", objecttest.Refuses(404, "NoSuchKey", "x"), own, failure.Configuration, "release the change again"},
		{"slow down", objecttest.Throttles(), site, failure.Unavailable, "the next try goes on from here: retry this stage"},
		{"internal", objecttest.Refuses(500, "InternalError", "x"), site, failure.Unavailable, "retry this stage"},
		{"inside an answer", objecttest.Refuses(200, "InternalError", "x"), site, failure.Unavailable, "retry this stage"},
		{"timeout", objecttest.Refuses(400, "RequestTimeout", "x"), site, failure.Unavailable, "retry this stage"},
		{"digest", objecttest.Refuses(400, "BadDigest", "x"), site, failure.Unavailable, "retry this stage"},
		{"reset", fmt.Errorf("put: %w", objecttest.ErrReset), site, failure.Unavailable, "retry this stage"},
		{"credentials", objecttest.Refuses(403, "InvalidAccessKeyId", "x"), site, failure.Permission, "deploy the stack again"},
		{"too large", objecttest.Refuses(400, "EntityTooLarge", "x"), site, failure.Configuration, "5 GiB"},
		{"proxy", objecttest.Refuses(407, "UnknownError", "x"), site, failure.Other, "look for a proxy"},
		{"new code", objecttest.Refuses(400, "Teapot", "x"), site, failure.Other, "API reference"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := fmt.Errorf("put s3://site/a.html: %w", tt.err)
			got := Failure(err, tt.words)
			if got.Kind != tt.kind || !strings.HasPrefix(got.Message, "put s3://site/a.html: ") || !strings.Contains(got.Message, tt.want) || !errors.Is(got, tt.err) {
				t.Errorf("failure is %v: %s, want %v with %q", got.Kind, got.Message, tt.kind, tt.want)
			}
			if strings.Contains(got.Message, "\n") || strings.Contains(got.Message, "..") {
				t.Errorf("message is %q", got.Message)
			}
		})
	}
	if got := Failure(objecttest.Refuses(http.StatusBadRequest, "X", strings.Repeat("long ", 1000)), site); len(got.Message) > 2500 {
		t.Errorf("message has %d bytes", len(got.Message))
	}
}

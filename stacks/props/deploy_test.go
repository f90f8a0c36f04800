package props_test

import (
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestDeployRefuses(t *testing.T) {
	wantRefusals(t, fixtures.Modern, []refusal[props.Blog]{
		{"bucket as ARN", func(b *props.Blog) { b.Deploy.Bucket = "arn:aws:s3:::blog" }, `Deploy.Bucket is "arn:aws:s3:::blog": must be a bucket's name`},
		{"bucket in capitals", func(b *props.Blog) { b.Deploy.Bucket = "MyBlog" }, "Deploy.Bucket"},
		{"bucket too short", func(b *props.Blog) { b.Deploy.Bucket = "ab" }, "Deploy.Bucket"},
		{"bucket as address", func(b *props.Blog) { b.Deploy.Bucket = "192.168.0.1" }, "Deploy.Bucket"},
		{"prefix with slashes", func(b *props.Blog) { b.Deploy.KeyPrefix = "/ja/" }, "Deploy.KeyPrefix"},
		{"prefix that climbs", func(b *props.Blog) { b.Deploy.KeyPrefix = "ja/../en" }, "Deploy.KeyPrefix"},
		{"prefix with a star", func(b *props.Blog) { b.Deploy.KeyPrefix = "*" }, "Deploy.KeyPrefix"},
		{"header on two lines", func(b *props.Blog) { b.Deploy.CacheControl = "public\r\nX: y" }, "Deploy.CacheControl"},
		{"variable in a header", func(b *props.Blog) { b.Deploy.CacheControl = "#{a.b}" }, "start of a variable"},
		{"key of another region", func(b *props.Blog) {
			*b = fixtures.Full
			b.Deploy.EncryptionKeyARN = strings.Replace(b.Deploy.EncryptionKeyARN, "ap-northeast-1", "us-east-1", 1)
		}, "must be in the blog's Region, ap-northeast-1"},
		{"key", func(b *props.Blog) { b.Deploy.EncryptionKeyARN = "alias/aws/s3" }, "Deploy.EncryptionKeyARN"},
	})
}

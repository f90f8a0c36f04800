package props_test

import (
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestDeployRefuses(t *testing.T) {
	byS3Action := func(change func(*props.Deploy)) func(*props.Blog) {
		return func(b *props.Blog) {
			b.Deploy.By = props.DeployByS3Action
			change(&b.Deploy)
		}
	}
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
		{"another way", func(b *props.Blog) { b.Deploy.By = "rsync" }, `Deploy.By is "rsync": must be one of "function", "s3-action"`},
		{"grace of seconds", func(b *props.Blog) { b.Deploy.Grace = 90 * time.Second }, "Deploy.Grace is 1m30s: must be whole minutes"},
		{"grace of two years", func(b *props.Blog) { b.Deploy.Grace = 2 * 365 * 24 * time.Hour }, "from 1 minute to 365 days"},
		{"negative grace", func(b *props.Blog) { b.Deploy.Grace = -time.Hour }, "or NoGrace"},
		{"more than all files", func(b *props.Blog) { b.Deploy.MaxDeletePercent = 101 }, "Deploy.MaxDeletePercent is 101: must be from 1 to 100"},
		{"negative share of files", func(b *props.Blog) { b.Deploy.MaxDeletePercent = -1 }, "Deploy.MaxDeletePercent"},
		{"days of builds", func(b *props.Blog) { b.Deploy.KeepDays = 3651 }, "Deploy.KeepDays is 3651: must be from 1 to 3650"},
		{"days of the function's log", func(b *props.Blog) { b.Deploy.LogRetentionDays = 2 }, "Deploy.LogRetentionDays"},
		{"headers by the S3 action", byS3Action(func(d *props.Deploy) { d.Headers = []props.FileHeaders{{Match: "*.pdf", ContentLanguage: "ja"}} }), `Deploy.Headers is "1 element": is for the function alone: leave it out, or set By to DeployByFunction`},
		{"grace by the S3 action", byS3Action(func(d *props.Deploy) { d.Grace = props.NoGrace }), "Deploy.Grace"},
		{"share of files by the S3 action", byS3Action(func(d *props.Deploy) { d.MaxDeletePercent = 30 }), "Deploy.MaxDeletePercent is 30: is for the function alone"},
		{"days of builds by the S3 action", byS3Action(func(d *props.Deploy) { d.KeepDays = 90 }), "Deploy.KeepDays is 90: is for the function alone"},
		{"days of a log by the S3 action", byS3Action(func(d *props.Deploy) { d.LogRetentionDays = 30 }), "Deploy.LogRetentionDays is 30: is for the function alone"},
	})
}

package props_test

import (
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestBlogRefuses(t *testing.T) {
	wantRefusals(t, fixtures.Modern, []refusal[props.Blog]{
		{"name with a space", func(b *props.Blog) { b.Name = "my blog" }, `Name is "my blog": must start with a letter`},
		{"name too long", func(b *props.Blog) { b.Name = strings.Repeat("x", 101) }, "at most 100"},
		{"no name", func(b *props.Blog) { b.Name = "" }, `blog "": Name is ""`},
		{"account", func(b *props.Blog) { b.Account = "1234" }, `Account is "1234": must be the 12 digits`},
		{"region", func(b *props.Blog) { b.Region = "Tokyo" }, `Region is "Tokyo": must be a region`},
		{"region of China", func(b *props.Blog) { b.Region = "cn-north-1" }, "commercial regions"},
		{"key of AWS", func(b *props.Blog) { b.Build.Environment = map[string]string{"AWS_SECRET_ACCESS_KEY": "x"} }, "AWS gives a role to what runs here"},
		{"pipeline type", func(b *props.Blog) { b.PipelineType = "V3" }, `PipelineType is "V3": must be one of "V2", "V1"`},
		{"mode", func(b *props.Blog) { b.ExecutionMode = "PARALLEL" }, `ExecutionMode is "PARALLEL"`},
		{"mode of V1", func(b *props.Blog) { *b = fixtures.Webhook; b.ExecutionMode = props.ExecutionModeQueued }, "needs PipelineTypeV2"},
		{"trigger of V1", func(b *props.Blog) { b.PipelineType = props.PipelineTypeV1 }, "Source.Trigger is"},
	})
}

package props_test

import (
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestNotificationsRefuse(t *testing.T) {
	wantRefusals(t, fixtures.Modern, []refusal[props.Blog]{
		{"address", func(b *props.Blog) { b.Notifications.Emails = []string{"me"} }, `Notifications.Emails[0] is "me"`},
		{"address with a name", func(b *props.Blog) { b.Notifications.Emails = []string{"Me <me@blog.dev>"} }, "Notifications.Emails[0]"},
		{"addresses that are the same to the CDK", func(b *props.Blog) { b.Notifications.Emails = []string{"a/b@blog.dev", "a--b@blog.dev"} }, "is listed twice"},
		{"address twice", func(b *props.Blog) { b.Notifications.Emails = []string{"me@blog.dev", "me@blog.dev"} }, "is listed twice"},
		{"topic of another account", func(b *props.Blog) {
			*b = fixtures.Full
			b.Notifications.TopicARN = "arn:aws:sns:ap-northeast-1:999999999999:alerts"
		}, "must be in the blog's Account, 123456789012"},
		{"nobody to tell of a success", func(b *props.Blog) { b.Notifications = props.Notifications{OnSuccess: true} }, "Notifications.OnSuccess is true: has nobody to tell: add an address or a topic to Notifications"},
		{"topic", func(b *props.Blog) { b.Notifications.TopicARN = "alerts" }, "Notifications.TopicARN"},
	})
}

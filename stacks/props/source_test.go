package props_test

import (
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestTriggerThatNeverStarts(t *testing.T) {
	for name, tt := range map[string]struct {
		trigger props.Trigger
		want    string
	}{
		"all ignored":          {props.Trigger{IgnorePaths: []string{"**"}}, `Source.Trigger.IgnorePaths[0] is "**": ignores every change`},
		"wanted and ignored":   {props.Trigger{Paths: []string{"a", "content/**"}, IgnorePaths: []string{"content/**"}}, `Source.Trigger.IgnorePaths[0] is "content/**": is in Paths too`},
		"twice":                {props.Trigger{Branches: []string{"main", "main"}}, `Source.Trigger.Branches[1] is "main": is listed twice`},
		"a folder in a folder": {props.Trigger{Paths: []string{"content/**"}, IgnorePaths: []string{"content/drafts/**", "**/*.txt"}}, ""},
	} {
		given := fixtures.Modern
		source := given.Source.(props.GitHubConnection)
		source.Trigger = tt.trigger
		given.Source = source
		if err := given.Validate(); tt.want == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if tt.want != "" {
			wantProblem(t, err, tt.want)
		}
	}
}

func TestWebhooksByRegion(t *testing.T) {
	given := fixtures.Classic
	source := given.Source.(props.GitHubToken)
	given.Region, source.Trigger = "ap-southeast-5", props.TokenTriggerPoll
	if given.Source = source; given.Validate() != nil {
		t.Errorf("polling: %v", given.Validate())
	}
	source.Trigger = ""
	given.Source = source
	wantProblem(t, given.Validate(), `Source.Trigger is "WEBHOOK": must be props.TokenTriggerPoll or props.TokenTriggerNone in ap-southeast-5`)
}

func TestSourceRefuses(t *testing.T) {
	connection := func(change func(*props.GitHubConnection)) func(*props.Blog) {
		return func(b *props.Blog) {
			source := fixtures.Modern.Source.(props.GitHubConnection)
			change(&source)
			b.Source = source
		}
	}
	token := func(change func(*props.GitHubToken)) func(*props.Blog) {
		return func(b *props.Blog) {
			source := fixtures.Classic.Source.(props.GitHubToken)
			change(&source)
			b.Source = source
		}
	}
	wantRefusals(t, fixtures.Modern, []refusal[props.Blog]{
		{"no source", func(b *props.Blog) { b.Source = nil }, "Source is"},
		{"source by pointer", func(b *props.Blog) { b.Source = (*props.GitHubConnection)(nil) }, `Source is a *props.GitHubConnection`},
		{"part of a secret", token(func(s *props.GitHubToken) { s.ParameterName, s.SecretName, s.SecretField = "", "github", "a:b" }), "Source.SecretField"},
		{"no owner", connection(func(s *props.GitHubConnection) { s.Owner = "" }), `Source.Owner is "": must be a GitHub user`},
		{"owner with the repository", connection(func(s *props.GitHubConnection) { s.Owner = "kzmorita/blog" }), `Source.Owner is "kzmorita/blog"`},
		{"owner with two hyphens", connection(func(s *props.GitHubConnection) { s.Owner = "kz--morita" }), "Source.Owner"},
		{"repo as URL", connection(func(s *props.GitHubConnection) { s.Repo = "https://github.com/kzmorita/blog" }), "Source.Repo"},
		{"repo with .git", connection(func(s *props.GitHubConnection) { s.Repo = "blog.git" }), "without owner and .git"},
		{"branch with a space", connection(func(s *props.GitHubConnection) { s.Branch = "my branch" }), `Source.Branch is "my branch"`},
		{"branch as reference", connection(func(s *props.GitHubConnection) { s.Branch = "refs/heads/main" }), "Source.Branch"},
		{"branch with ..", connection(func(s *props.GitHubConnection) { s.Branch = "a..b" }), "Source.Branch"},
		{"no connection", connection(func(s *props.GitHubConnection) { s.ConnectionARN = "" }), `Source.ConnectionARN is "": must be a connection's ARN`},
		{"another ARN", connection(func(s *props.GitHubConnection) { s.ConnectionARN = "arn:aws:s3:::bucket" }), "Source.ConnectionARN"},
		{"tags with branches", connection(func(s *props.GitHubConnection) {
			s.Trigger = props.Trigger{Tags: []string{"v*"}, Branches: []string{"main"}}
		}), "does not combine tags"},
		{"nine patterns", connection(func(s *props.GitHubConnection) { s.Trigger.Paths = strings.Fields("1 2 3 4 5 6 7 8 9") }), "Source.Trigger.Paths is 9: CodePipeline allows at most 8"},
		{"empty pattern", connection(func(s *props.GitHubConnection) { s.Trigger.Paths = []string{""} }), "Source.Trigger.Paths[0]"},
		{"no token", token(func(s *props.GitHubToken) { s.ParameterName = "" }), `Source.SecretName is "": must name the Secrets Manager secret`},
		{"two tokens", token(func(s *props.GitHubToken) { s.SecretName = "github" }), "remove one of them"},
		{"parameter", token(func(s *props.GitHubToken) { s.ParameterName = "/a b" }), "Source.ParameterName"},
		{"field without secret", token(func(s *props.GitHubToken) { s.SecretField = "token" }), "needs a SecretName"},
		{"trigger", token(func(s *props.GitHubToken) { s.Trigger = "CRON" }), `Source.Trigger is "CRON": must be one of "WEBHOOK", "POLL", "NONE"`},
	})
}

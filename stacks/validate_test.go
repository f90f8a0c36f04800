package stacks

import (
	"blog-deploy-pipeline/stacks/props"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestValidateAccepts(t *testing.T) {
	for _, given := range blogFixtures {
		if err := given.Validate(); err != nil {
			t.Errorf("%s: %v", given.Name, err)
		}
	}
	for _, made := range serviceFixtures {
		if err := made.Validate(); err != nil {
			t.Error(err)
		}
	}
	if err := props.Validate(nil, serviceFixtures); err != nil {
		t.Error(err)
	}
}

// TestValidateRefuses breaks one thing at a time. The message must name the field,
// what it got and what would be right.
func TestValidateRefuses(t *testing.T) {
	connection := func(change func(*props.GitHubConnection)) func(*props.Blog) {
		return func(b *props.Blog) {
			source := modern.Source.(props.GitHubConnection)
			change(&source)
			b.Source = source
		}
	}
	token := func(change func(*props.GitHubToken)) func(*props.Blog) {
		return func(b *props.Blog) {
			source := classic.Source.(props.GitHubToken)
			change(&source)
			b.Source = source
		}
	}
	invalidPath := func(path string) func(*props.Blog) {
		return func(b *props.Blog) { b.Invalidate.Paths = []string{path} }
	}
	tests := []struct {
		name   string
		change func(*props.Blog)
		want   string // after `blog "modern": `, or anywhere
	}{
		{"name with a space", func(b *props.Blog) { b.Name = "my blog" }, `Name is "my blog": must start with a letter`},
		{"name too long", func(b *props.Blog) { b.Name = strings.Repeat("x", 101) }, "at most 100"},
		{"no name", func(b *props.Blog) { b.Name = "" }, `blog "": Name is ""`},
		{"account", func(b *props.Blog) { b.Account = "1234" }, `Account is "1234": must be the 12 digits`},
		{"region", func(b *props.Blog) { b.Region = "Tokyo" }, `Region is "Tokyo": must be a region`},
		{"region of China", func(b *props.Blog) { b.Region = "cn-north-1" }, "commercial regions"},
		{"key of AWS", func(b *props.Blog) { b.Build.Environment = map[string]string{"AWS_SECRET_ACCESS_KEY": "x"} }, "it has a role"},
		{"pipeline type", func(b *props.Blog) { b.PipelineType = "V3" }, `PipelineType is "V3": must be one of "V2", "V1"`},
		{"mode", func(b *props.Blog) { b.ExecutionMode = "PARALLEL" }, `ExecutionMode is "PARALLEL"`},
		{"mode of V1", func(b *props.Blog) { *b = webhook; b.ExecutionMode = props.ExecutionModeQueued }, "needs PipelineType V2"},
		{"trigger of V1", func(b *props.Blog) { b.PipelineType = props.PipelineTypeV1 }, "Source.Trigger is"},

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
		{"nine patterns", connection(func(s *props.GitHubConnection) { s.Trigger.Paths = strings.Fields("1 2 3 4 5 6 7 8 9") }), "Source.Trigger.Paths is 9: CodePipeline takes at most 8"},
		{"empty pattern", connection(func(s *props.GitHubConnection) { s.Trigger.Paths = []string{""} }), "Source.Trigger.Paths[0]"},
		{"no token", token(func(s *props.GitHubToken) { s.ParameterName = "" }), `Source.SecretName is "": must name the Secrets Manager secret`},
		{"two tokens", token(func(s *props.GitHubToken) { s.SecretName = "github" }), "keep one of them"},
		{"parameter", token(func(s *props.GitHubToken) { s.ParameterName = "/a b" }), "Source.ParameterName"},
		{"field without secret", token(func(s *props.GitHubToken) { s.SecretField = "token" }), "belongs to a SecretName"},
		{"trigger", token(func(s *props.GitHubToken) { s.Trigger = "CRON" }), `Source.Trigger is "CRON": must be one of "WEBHOOK", "POLL", "NONE"`},

		{"buildspec outside", func(b *props.Blog) { b.Build.Buildspec = "../buildspec.yml" }, "Build.Buildspec"},
		{"buildspec is a folder", func(b *props.Blog) { b.Build.Buildspec = "." }, "Build.Buildspec"},
		{"buildspec absolute", func(b *props.Blog) { b.Build.Buildspec = "/buildspec.yml" }, "inside the blog's repository"},
		{"Hugo's version", func(b *props.Blog) { b.Build.HugoVersion = "latest" }, `Build.HugoVersion is "latest": must be a release of Hugo, such as 0.164.0`},
		{"Node's version", func(b *props.Blog) { b.Build.NodeVersion = "v24" }, "Build.NodeVersion"},
		{"variable", func(b *props.Blog) { b.Build.Environment = map[string]string{"A-B": ""} }, `Build.Environment is "A-B"`},
		{"variable of CodeBuild", func(b *props.Blog) { b.Build.Environment = map[string]string{"CODEBUILD_X": ""} }, "reserves"},
		{"variable with a prop", func(b *props.Blog) { b.Build.Environment = map[string]string{"HUGO_VERSION": "1"} }, "set Build.HugoVersion"},
		{"variable with a prop of the recipe", func(b *props.Blog) { b.Build.Environment = map[string]string{"ASSET_SCRIPT": "x"} }, "set Build.AssetScript"},
		{"root outside", func(b *props.Blog) { b.Build.RootDirectory = "../site" }, `Build.RootDirectory is "../site": must be a folder inside`},
		{"root is the top", func(b *props.Blog) { b.Build.RootDirectory = "." }, "leave it empty for the top"},
		{"root with a slash at its end", func(b *props.Blog) { b.Build.RootDirectory = "site/" }, "Build.RootDirectory"},
		{"root with a space at its end", func(b *props.Blog) { b.Build.RootDirectory = "site " }, "Build.RootDirectory"},
		{"root of Windows", func(b *props.Blog) { b.Build.RootDirectory = `docs\site` }, "Build.RootDirectory"},
		{"root like an option", func(b *props.Blog) { b.Build.RootDirectory = "-site" }, "Build.RootDirectory"},
		{"script like a command", func(b *props.Blog) { b.Build.AssetScript = "npm run build" }, "one of package.json's scripts"},
		{"script like an option", func(b *props.Blog) { b.Build.AssetScript = "--silent" }, "Build.AssetScript"},
		{"blank command", func(b *props.Blog) { b.Build.AfterHugo = " " }, `Build.AfterHugo is " ": must be a shell command`},
		{"root beside a buildspec", func(b *props.Blog) { b.Build.Buildspec, b.Build.RootDirectory = "buildspec.yml", "site" }, "Build.RootDirectory is \"site\": must be empty: it tells this project's recipe"},
		{"script beside a buildspec", func(b *props.Blog) { b.Build.Buildspec, b.Build.AssetScript = "buildspec.yml", "css" }, "Build.AssetScript"},
		{"command beside a buildspec", func(b *props.Blog) { b.Build.Buildspec, b.Build.AfterHugo = "buildspec.yml", "true" }, "Build.AfterHugo"},
		{"compute type", func(b *props.Blog) { b.Build.ComputeType = "HUGE" }, `Build.ComputeType is "HUGE"`},
		{"image for Windows", func(b *props.Blog) { b.Build.Image = "aws/codebuild/windows-base:2019-3.0" }, "for Linux containers"},
		{"image for Lambda", func(b *props.Blog) { b.Build.Image = "aws/codebuild/amazonlinux-x86_64-lambda-standard:nodejs20" }, "for Linux containers"},
		{"private image", func(b *props.Blog) {
			b.Build.Image, b.Build.Buildspec = "123456789012.dkr.ecr.us-east-1.amazonaws.com/hugo:1", "buildspec.yml"
		}, "must be public"},
		{"image unknown", func(b *props.Blog) { b.Build.Image = "aws/codebuild/standard:9.0" }, `Build.Image is "aws/codebuild/standard:9.0": is none of CodeBuild's images, which are "aws/codebuild/standard:8.0", "aws/codebuild/standard:7.0"`},
		{"image unknown, with a buildspec", func(b *props.Blog) { b.Build.Image, b.Build.Buildspec = "aws/codebuild/standard", "buildspec.yml" }, "none of CodeBuild's"},
		{"image too old for the recipe", func(b *props.Blog) { b.Build.Image, b.Build.NodeVersion = "aws/codebuild/standard:6.0", "16" }, "has no Go 1.26"},
		{"Node.js too old for the image", func(b *props.Blog) { b.Build.NodeVersion = "14" }, `Build.NodeVersion is "14": is not on aws/codebuild/standard:7.0, which has 18, 20, 22, 24`},
		{"Node.js too old for a newer image", func(b *props.Blog) { b.Build.NodeVersion, b.Build.Image = "20.x", "aws/codebuild/standard:8.0" }, "which has 22, 24"},
		{"Node.js too new for an old image", func(b *props.Blog) {
			b.Build.Buildspec, b.Build.NodeVersion, b.Build.Image = "buildspec.yml", "24", "aws/codebuild/standard:6.0"
		}, "which has 16"},
		{"image without a choice of Node.js", func(b *props.Blog) { b.Build.Image = "public.ecr.aws/hugo:1" }, "set Build.Buildspec"},
		{"image", func(b *props.Blog) { b.Build.Image, b.Build.Buildspec = "-x", "buildspec.yml" }, "Build.Image"},
		{"timeout too short", func(b *props.Blog) { b.Build.Timeout = time.Minute }, "Build.Timeout is 1m0s: must be whole minutes, from 5"},
		{"timeout with seconds", func(b *props.Blog) { b.Build.Timeout = 10*time.Minute + time.Second }, "Build.Timeout"},
		{"days of log", func(b *props.Blog) { b.Build.LogRetentionDays = 31 }, "Build.LogRetentionDays is 31: must be one of [1 3 5 7"},

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
			*b = full
			b.Deploy.EncryptionKeyARN = strings.Replace(b.Deploy.EncryptionKeyARN, "ap-northeast-1", "us-east-1", 1)
		}, "must be in the blog's Region, ap-northeast-1"},
		{"key", func(b *props.Blog) { b.Deploy.EncryptionKeyARN = "alias/aws/s3" }, "Deploy.EncryptionKeyARN"},

		{"distribution's domain", func(b *props.Blog) { b.Invalidate.DistributionID = "d111111abcdef8.cloudfront.net" }, "Invalidate.DistributionID"},
		{"no distribution", func(b *props.Blog) { b.Invalidate.DistributionID = "" }, "must be a distribution's id"},
		{"path without slash", invalidPath("index.html"), `Invalidate.Paths[0] is "index.html": must start with /`},
		{"empty path", invalidPath(""), "must start with /"},
		{"star inside", invalidPath("/a/*/b"), "only as its last character"},
		{"two stars", invalidPath("/a/**"), "only as its last character"},
		{"not encoded", invalidPath("/日本語/*"), `must be URL-encoded: "/%E6%97%A5%E6%9C%AC%E8%AA%9E/*"`},
		{"folder above", invalidPath("/a/../b"), "has . or .. for a folder"},
		{"folder itself, encoded", invalidPath("/a/%2e/*"), "has . or .. for a folder"},
		{"space", invalidPath("/a b"), `must be URL-encoded: "/a%20b"`},
		{"half an escape", invalidPath("/100%"), "must be URL-encoded"},
		{"unsafe by RFC 1738", invalidPath("/~me/*"), `must be URL-encoded: "/%7Eme/*"`},
		{"path too long", invalidPath("/" + strings.Repeat("a", 4000)), "at most 1000"},
		{"empty tag", invalidPath("#"), "cache tag"},
		{"tag with a variable", invalidPath("#{a.b}"), "braces"},
		{"tag with a star", invalidPath("#post*"), "without *"},
		{"sixteen stars", func(b *props.Blog) { b.Invalidate.Paths = strings.Fields(strings.Repeat("/* ", 16)) }, "at most 15"},
		{"too many paths", func(b *props.Blog) {
			for i := range 100 {
				b.Invalidate.Paths = append(b.Invalidate.Paths, fmt.Sprintf("/posts/%d/index.html", i))
			}
		}, "CodePipeline takes at most 1000"},
		{"deadline", func(b *props.Blog) { b.Invalidate.Deadline = 24 * time.Hour }, "Invalidate.Deadline is 24h0m0s: must be from 1 minute to 23 hours"},
		{"polling", func(b *props.Blog) { b.Invalidate.PollFor = 15 * time.Minute }, "Invalidate.PollFor"},
		{"polling by half seconds", func(b *props.Blog) { b.Invalidate.PollFor = 1500 * time.Millisecond }, "whole seconds"},
		{"after the deadline", func(b *props.Blog) { b.Invalidate.OnFailure = "ignore" }, "Invalidate.OnFailure"},
		{"days of the function's log", func(b *props.Blog) { b.Invalidate.LogRetentionDays = 2 }, "Invalidate.LogRetentionDays"},

		{"address", func(b *props.Blog) { b.Notifications.Emails = []string{"me"} }, `Notifications.Emails[0] is "me"`},
		{"address with a name", func(b *props.Blog) { b.Notifications.Emails = []string{"Me <me@blog.dev>"} }, "Notifications.Emails[0]"},
		{"addresses that are the same to the CDK", func(b *props.Blog) { b.Notifications.Emails = []string{"a/b@blog.dev", "a--b@blog.dev"} }, "is there twice"},
		{"address twice", func(b *props.Blog) { b.Notifications.Emails = []string{"me@blog.dev", "me@blog.dev"} }, "is there twice"},
		{"topic of another account", func(b *props.Blog) {
			*b = full
			b.Notifications.TopicARN = "arn:aws:sns:ap-northeast-1:999999999999:alerts"
		}, "must be in the blog's Account, 123456789012"},
		{"topic", func(b *props.Blog) { b.Notifications.TopicARN = "alerts" }, "Notifications.TopicARN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := modern
			tt.change(&given)
			wantProblem(t, given.Validate(), tt.want)
		})
	}
}

// wantProblem checks that one mistake makes one message, and that it says so.
func wantProblem(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("Validate: %v, want %q in it", err, want)
	}
	if n := strings.Count(err.Error(), "\n"); n > 0 {
		t.Errorf("one mistake, %d messages: %q", n+1, err)
	}
}

func TestValidatePathsAccepts(t *testing.T) {
	for _, path := range []string{"/", "/*", "/index.html", "/a/b*", "/%E6%97%A5/*", "/a?b=c&d", "/a%7Eb", "#post-1", "#a:b"} {
		if problem := props.PathProblem(path); problem != "" {
			t.Errorf("%q is refused: %s", path, problem)
		}
	}
}

func TestValidateReportsEverythingAtOnce(t *testing.T) {
	a, b := modern, classic
	a.Deploy.Bucket, a.Invalidate.DistributionID = "X", "y"
	b.Build.HugoVersion, b.Source = "latest", nil
	err := props.Validate([]props.Blog{a, b}, nil)
	if err == nil {
		t.Fatal("Validate: no error")
	}
	for _, want := range []string{
		`blog "modern": Deploy.Bucket`, `blog "modern": Invalidate.DistributionID`,
		`blog "classic": Build.HugoVersion`, `blog "classic": Source`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Validate: %q lacks %q", err, want)
		}
	}
}

func TestValidateBetweenBlogs(t *testing.T) {
	if err := props.Validate(nil, nil); err == nil || !strings.Contains(err.Error(), "blogs.go lists no blog") {
		t.Errorf("no blogs: %v", err)
	}
	twin := modern
	twin.Name = "Modern" // one file on macOS
	twin.Deploy.KeyPrefix = "other"
	if err := props.Validate([]props.Blog{modern, twin}, nil); err == nil || !strings.Contains(err.Error(), "another blog has this name") {
		t.Errorf("two blogs with one name: %v", err)
	}
	if err := props.Validate([]props.Blog{modern, classic}, nil); err == nil || !strings.Contains(err.Error(), `blog "modern" publishes to the same place`) {
		t.Errorf("two blogs with one place: %v", err)
	}
	apart := classic
	apart.Deploy.KeyPrefix = "classic"
	if err := props.Validate([]props.Blog{modern, apart}, nil); err != nil {
		t.Errorf("two blogs in one bucket, apart: %v", err)
	}
}

// A token pasted where a name belongs must reach neither template nor terminal.
func TestValidateHidesTokens(t *testing.T) {
	const secret, old = "ghp_0123456789abcdef0123456789abcdef0123", "0123456789abcdef0123456789abcdef01234567"
	for name, change := range map[string]func(*props.Blog){
		"of 2021":      func(b *props.Blog) { b.Source = props.GitHubToken{Owner: "o", Repo: "r", ParameterName: old} },
		"with a space": func(b *props.Blog) { b.Source = props.GitHubToken{Owner: "o", Repo: "r", ParameterName: " " + secret} },
		"as field": func(b *props.Blog) {
			b.Source = props.GitHubToken{Owner: "o", Repo: "r", SecretName: "github", SecretField: secret}
		},
		"as owner":  func(b *props.Blog) { b.Source = props.GitHubToken{Owner: secret, Repo: "r", SecretName: "github"} },
		"as bucket": func(b *props.Blog) { b.Deploy.Bucket = secret },
		"in a URL": func(b *props.Blog) {
			b.Build.Environment = map[string]string{"REMOTE": "https://" + secret + "@github.com"}
		},
		"as secret":    func(b *props.Blog) { b.Source = props.GitHubToken{Owner: "o", Repo: "r", SecretName: secret} },
		"as parameter": func(b *props.Blog) { b.Source = props.GitHubToken{Owner: "o", Repo: "r", ParameterName: secret} },
		"as command":   func(b *props.Blog) { b.Build.AfterHugo = "curl -H " + secret },
		"as variable":  func(b *props.Blog) { b.Build.Environment = map[string]string{"TOKEN": secret} },
	} {
		given := modern
		change(&given)
		err := given.Validate()
		if err == nil || !strings.Contains(err.Error(), "revoke it") {
			t.Errorf("%s: error is %v, want one that says to revoke it", name, err)
		} else if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), old) {
			t.Errorf("%s: the error shows the token: %v", name, err)
		}
	}
}

func TestUserParametersFitToTheCharacter(t *testing.T) {
	// What id CloudFront gives a Site's distribution is known only later.
	longest := strings.Repeat("E", props.MaxDistributionID)
	for _, tt := range []struct {
		props          props.Blog
		distributionID string
	}{{modern, modern.Invalidate.DistributionID}, {bare, longest}} {
		given := tt.props
		path := func(n int) []string { return []string{"/" + strings.Repeat("a", n) + ".css"} }
		without := len(props.UserParameters(given.Name, tt.distributionID, path(0)))
		given.Invalidate.Paths = path(props.MaxUserParameters - without)
		if err := given.Validate(); err != nil {
			t.Errorf("%s: 1,000 characters are refused: %v", given.Name, err)
		}
		given.Invalidate.Paths = path(props.MaxUserParameters - without + 1)
		if err := given.Validate(); err == nil {
			t.Errorf("%s: 1,001 characters are accepted", given.Name)
		}
	}
	if !props.DistributionPattern.MatchString(longest) || props.DistributionPattern.MatchString(longest+"E") {
		t.Error("an id may have another length than is counted")
	}
}

func TestExampleValues(t *testing.T) {
	for _, given := range blogFixtures {
		if got := props.ExampleValues(given); len(got) != 0 {
			t.Errorf("%s has no example values, got %v", given.Name, got)
		}
	}
	given := props.Blog{
		Account:       "111122223333",
		Source:        props.GitHubConnection{Owner: "example", ConnectionARN: "arn:aws:codeconnections:us-east-1:111122223333:connection/" + uuid},
		Deploy:        props.Deploy{Bucket: "amzn-s3-demo-bucket"},
		Invalidate:    props.Invalidate{DistributionID: "EDFDVBD6EXAMPLE", RoleARN: "arn:aws:iam::111122223333:role/clear-cache"},
		Notifications: props.Notifications{Emails: []string{"me@example.com"}, TopicARN: "arn:aws:sns:us-east-1:111122223333:alerts"},
	}
	want := []string{"Account", "Source.Owner", "Source.ConnectionARN", "Deploy.Bucket", "Invalidate.DistributionID", "Invalidate.RoleARN", "Notifications.Emails[0]", "Notifications.TopicARN"}
	equal(t, "fields", props.ExampleValues(given), want)
}

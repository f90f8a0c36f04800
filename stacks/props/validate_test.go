package props_test

import (
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestValidateAccepts(t *testing.T) {
	for _, given := range fixtures.Blogs {
		if err := given.Validate(); err != nil {
			t.Errorf("%s: %v", given.Name, err)
		}
	}
	for _, made := range fixtures.Services {
		if err := made.Validate(); err != nil {
			t.Error(err)
		}
	}
	if err := props.Validate(nil, fixtures.Services); err != nil {
		t.Error(err)
	}
}

// wantProblem checks that there is one message, and that it contains a text.
func wantProblem(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("Validate: %v, want %q in it", err, want)
	}
	if n := strings.Count(err.Error(), "\n"); n > 0 {
		t.Errorf("one mistake, %d messages: %q", n+1, err)
	}
}

func TestValidateReportsEverythingAtOnce(t *testing.T) {
	a, b := fixtures.Modern, fixtures.Classic
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
	twin := fixtures.Modern
	twin.Name = "Modern" // one file on macOS
	twin.Deploy.KeyPrefix = "other"
	if err := props.Validate([]props.Blog{fixtures.Modern, twin}, nil); err == nil || !strings.Contains(err.Error(), "another blog has this name") {
		t.Errorf("two blogs with one name: %v", err)
	}
	if err := props.Validate([]props.Blog{fixtures.Modern, fixtures.Classic}, nil); err == nil || !strings.Contains(err.Error(), `blog "modern" publishes to the same place`) {
		t.Errorf("two blogs with one place: %v", err)
	}
	apart := fixtures.Classic
	apart.Deploy.KeyPrefix = "classic"
	if err := props.Validate([]props.Blog{fixtures.Modern, apart}, nil); err != nil {
		t.Errorf("two blogs in one bucket, apart: %v", err)
	}
}

// A token in place of a name must reach neither template nor terminal.
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
		given := fixtures.Modern
		change(&given)
		err := given.Validate()
		if err == nil || !strings.Contains(err.Error(), "revoke it") {
			t.Errorf("%s: error is %v, want one that says to revoke it", name, err)
		} else if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), old) {
			t.Errorf("%s: the error shows the token: %v", name, err)
		}
	}
}

// refusal is a change of valid props that Validate must refuse, and a part of its message.
type refusal[T any] struct {
	name   string
	change func(*T)
	want   string
}

// secretToken looks like a token of GitHub.
const secretToken = "ghp_0123456789abcdef0123456789abcdef0123"

// wantRefusals makes each change alone. The message must name the field, the value that it has and what
// would be right, and must not show a token.
func wantRefusals[T interface{ Validate() error }](t *testing.T, valid T, refusals []refusal[T]) {
	t.Helper()
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			given := valid
			r.change(&given)
			err := given.Validate()
			wantProblem(t, err, r.want)
			if strings.Contains(err.Error(), secretToken) {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

package props

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Source is a repository: a [GitHubConnection] or a [GitHubToken].
type Source interface {
	isSource()
	validate(p *problems, kind PipelineType)
}

// GitHubConnection reads a repository through a connection of AWS CodeConnections, which you create once in
// the console. There is no token that could leak: AWS has short-lived credentials of its GitHub app, for
// the repositories that you have selected.
type GitHubConnection struct {
	// Owner is the user or organisation on GitHub. Required. Example: "my-name".
	Owner string

	// Repo is the repository's name without its owner. Required. Example: "blog".
	Repo string

	// Branch is the branch to deploy. Default: "main".
	Branch string

	// ConnectionARN is the connection's ARN (console: Developer Tools > Settings > Connections). Its status
	// must be Available. It may be in any region. It may be in another account that shares it with the
	// blog's, which AWS offers for codeconnections, but not for codestar-connections, their former name.
	// Required. Example: "arn:aws:codeconnections:us-east-1:123456789012:connection/…".
	ConnectionARN string

	// Trigger says which pushes start the pipeline. Default: every push to Branch.
	Trigger Trigger

	// FullClone gives CodeBuild a git clone instead of a zip of the files. Hugo needs it for submodules and
	// for enableGitInfo. CodeBuild's role may then use the connection. Default: false.
	FullClone bool
}

// Trigger filters pushes by patterns of at most 255 characters, such as "posts/**". In a pattern, "*" stands
// for any characters but a slash, and "**" for any characters; "?", "[ab]" and "{a,b}" work as usual, and
// "\\" makes the next character an ordinary one. Paths start at the repository's root, without a slash.
// CodePipeline combines Branches with Paths and IgnorePaths; Tags stand alone. A Trigger needs
// PipelineTypeV2.
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-triggers.html
type Trigger struct {
	// Branches are the branches whose pushes start the pipeline, at most 8 patterns. The commit that was
	// pushed is deployed, on whichever of them it is. Default: the source's Branch. Example:
	// []string{"main", "hotfix/*"}.
	Branches []string

	// Paths are files of which a push must change one, at most 8 patterns. Default: any file. Example:
	// []string{"content/**"}.
	Paths []string

	// IgnorePaths are files whose changes do not count, at most 8 patterns. They have priority over Paths.
	// Default: none. Example: []string{"README.md"}.
	IgnorePaths []string

	// Tags are the tags whose pushes start the pipeline, at most 8 patterns. The tagged commit is deployed.
	// Default: none. Example: []string{"v*"}.
	Tags []string
}

// BranchPatterns returns the patterns of the branches whose pushes start the pipeline.
func (s GitHubConnection) BranchPatterns() []string {
	if len(s.Trigger.Branches) > 0 {
		return s.Trigger.Branches
	}
	return []string{globEscaper.Replace(s.Branch)}
}

// IsZero returns whether no field is set.
func (t Trigger) IsZero() bool {
	return len(t.Branches)+len(t.Paths)+len(t.IgnorePaths)+len(t.Tags) == 0
}

// GitHubToken reads a repository with a personal access token that has the scopes repo and admin:repo_hook.
// The console calls this "GitHub (version 1)". Prefer a [GitHubConnection]: a token belongs to a person,
// is valid for everything that this person can reach, and stays valid until somebody revokes it.
//
// The token itself is never in the template. Exactly one of SecretName and ParameterName says where it is.
type GitHubToken struct {
	// Owner is the user or organisation on GitHub. Required. Example: "my-name".
	Owner string

	// Repo is the repository's name without its owner. Required. Example: "blog".
	Repo string

	// Branch is the branch to deploy. Default: "main".
	Branch string

	// SecretName is the name or ARN of a Secrets Manager secret with the token, in the pipeline's region. For
	// a secret in another account it must be the full ARN, and the secret needs a policy, and a key of its
	// own with one, that allow this account to read it. CloudFormation reads the secret only when a
	// deployment changes the pipeline. An ARN that ends like a word or a number is refused, because Secrets
	// Manager may read a part of such an ARN as the full one; the name always works. A secret costs 0.40
	// USD a month. Default: none. Example: "github".
	// https://docs.aws.amazon.com/secretsmanager/latest/userguide/cfn-example_reference-secret.html
	SecretName string

	// SecretField is the field with the token, if the secret is JSON. Default: the whole secret is the token.
	// Example: "token".
	SecretField string

	// SecretVersion is the id of a version of the secret. Set it when you have stored a new token, and
	// deploy: without it, CloudFormation does not notice the change. Default: the current version at the time
	// of the deployment. Example: "01234567-89ab-cdef-0123-456789abcdef", from aws secretsmanager
	// list-secret-version-ids.
	SecretVersion string

	// ParameterName is the name of a plain (String) parameter with the token in the Parameter Store, without
	// a version. It costs nothing. Everybody who may read the account's parameters can read the token:
	// CloudFormation does not resolve a SecureString here. Deploy again when you have stored a new token.
	// Default: none. Example: "/blog/github-oauth-token".
	ParameterName string

	// Trigger says how CodePipeline notices a push. Default: TokenTriggerWebhook.
	Trigger TokenTrigger
}

// TokenTrigger says how a pipeline with a [GitHubToken] notices a push.
type TokenTrigger string

const (
	// TokenTriggerWebhook lets GitHub tell CodePipeline, within seconds. CloudFormation needs the scope
	// admin:repo_hook to register the webhook, and cannot do so in ap-southeast-5 and ap-southeast-7.
	TokenTriggerWebhook TokenTrigger = "WEBHOOK"
	// TokenTriggerPoll lets CodePipeline ask GitHub about once a minute. AWS stops asking for pipelines that
	// have not run for 30 days.
	TokenTriggerPoll TokenTrigger = "POLL"
	// TokenTriggerNone leaves it to you to start the pipeline.
	TokenTriggerNone TokenTrigger = "NONE"
)

const defaultBranch = "main"

// maxPatterns limits the patterns of one kind.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GitFilePathFilterCriteria.html
const maxPatterns = 8

// sourceWithDefaults returns a source's props with every default in its field.
func sourceWithDefaults(source Source) Source {
	switch s := source.(type) {
	case GitHubConnection:
		s.Branch = cmp.Or(s.Branch, defaultBranch)
		return s
	case GitHubToken:
		s.Branch = cmp.Or(s.Branch, defaultBranch)
		s.Trigger = cmp.Or(s.Trigger, TokenTriggerWebhook)
		return s
	}
	return source
}

func validateSource(p *problems, source Source, kind PipelineType) {
	switch source.(type) {
	case GitHubConnection, GitHubToken:
		source.validate(p, kind)
	default:
		p.add("Source", typeOf(source), "must be a props.GitHubConnection{…} or a props.GitHubToken{…}")
	}
}

var connectionPattern = arnPattern(`(codeconnections|codestar-connections)`, `connection/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func (GitHubConnection) isSource() {}

func (GitHubToken) isSource() {}

func (s GitHubConnection) validate(p *problems, kind PipelineType) {
	validateRepository(p, s.Owner, s.Repo, s.Branch)
	if p.arn("Source.ConnectionARN", s.ConnectionARN, connectionPattern,
		"must be a connection's ARN, such as arn:aws:codeconnections:us-east-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef (console: Developer Tools > Settings > Connections)") &&
		arnPart(s.ConnectionARN, 2) == "codestar-connections" {
		p.sameAccount("Source.ConnectionARN", s.ConnectionARN)
	}
	for _, f := range []struct {
		name     string
		patterns []string
		problem  func(string) string
	}{
		{"Branches", s.Trigger.Branches, nameGlobProblem},
		{"Paths", s.Trigger.Paths, pathGlobProblem},
		{"IgnorePaths", s.Trigger.IgnorePaths, pathGlobProblem},
		{"Tags", s.Trigger.Tags, nameGlobProblem},
	} {
		field := "Source.Trigger." + f.name
		if len(f.patterns) > maxPatterns {
			p.add(field, len(f.patterns), fmt.Sprintf("CodePipeline allows at most %d patterns: combine some with {a,b}", maxPatterns))
		}
		for i, pattern := range f.patterns {
			field := fmt.Sprintf("%s[%d]", field, i)
			if problem := f.problem(pattern); problem != "" {
				p.add(field, pattern, problem)
			} else if slices.Contains(f.patterns[:i], pattern) {
				p.add(field, pattern, listedTwice)
			}
		}
	}
	for i, pattern := range s.Trigger.IgnorePaths {
		field := fmt.Sprintf("Source.Trigger.IgnorePaths[%d]", i)
		if pattern == "**" {
			p.add(field, pattern, "ignores every change, so that no push starts the pipeline: name only what does not count")
		} else if slices.Contains(s.Trigger.Paths, pattern) {
			p.add(field, pattern, "is in Paths too, and IgnorePaths has priority: remove one of them")
		}
	}
	if len(s.Trigger.Tags) > 0 && len(s.Trigger.Branches)+len(s.Trigger.Paths)+len(s.Trigger.IgnorePaths) > 0 {
		p.add("Source.Trigger.Tags", strings.Join(s.Trigger.Tags, " "), "CodePipeline does not combine tags with branches or paths: remove one of them")
	}
	if kind == PipelineTypeV1 && !s.Trigger.IsZero() {
		p.add("Source.Trigger", fmt.Sprintf("%+v", s.Trigger), "needs PipelineTypeV2")
	}
}

func (s GitHubToken) validate(p *problems, _ PipelineType) {
	validateRepository(p, s.Owner, s.Repo, s.Branch)
	oneOf(p, "Source.Trigger", s.Trigger, TokenTriggerWebhook, TokenTriggerPoll, TokenTriggerNone)
	if s.Trigger == TokenTriggerWebhook && slices.Contains(withoutWebhooks, p.of.Region) {
		p.add("Source.Trigger", string(TokenTriggerWebhook), "must be props.TokenTriggerPoll or props.TokenTriggerNone in "+p.of.Region+", where CloudFormation cannot create webhooks")
	}
	switch {
	// GitHub's tokens until 2021 look like names.
	case isToken(s.SecretName):
		p.add("Source.SecretName", s.SecretName, "must be a secret's name or ARN")
	case isToken(s.ParameterName):
		p.add("Source.ParameterName", s.ParameterName, "must be a parameter's name, such as /blog/github-oauth-token")
	case isToken(s.SecretField):
		p.add("Source.SecretField", s.SecretField, "must be the name of a field")
	case s.SecretName != "" && s.ParameterName != "":
		p.add("Source.ParameterName", s.ParameterName, "SecretName is set too: remove one of them")
	case s.SecretName == "" && s.ParameterName == "":
		p.add("Source.SecretName", "", "must name the Secrets Manager secret that holds the GitHub token (or set ParameterName)")
	case s.SecretName != "":
		s.validateSecretName(p)
	default:
		validateParameterName(p, "Source.ParameterName", s.ParameterName)
	}
	for _, part := range []struct {
		field, value string
		pattern      *regexp.Regexp
		want         string
	}{
		{"Source.SecretField", s.SecretField, secretPartPattern, "must consist of letters, digits, hyphens, dots and underscores"},
		{"Source.SecretVersion", s.SecretVersion, secretVersionPattern, "must be a version's id, of 32 to 64 characters, from aws secretsmanager list-secret-version-ids; leave it out for the current version"},
	} {
		switch {
		case part.value == "":
		case s.SecretName == "":
			p.addReference(part.field, part.value, "needs a SecretName: set that, too, or leave this out")
		case !part.pattern.MatchString(part.value):
			p.addReference(part.field, part.value, part.want)
		}
	}
}

func (s GitHubToken) validateSecretName(p *problems) {
	const field, want = "Source.SecretName", "must be a secret's name or ARN; write the name of a field into SecretField"
	switch at := s.SecretName; {
	case !strings.HasPrefix(at, "arn:"):
		if !secretPattern.MatchString(at) {
			p.addReference(field, at, want)
		}
	case !p.arn(field, at, secretARNPattern, want):
	default:
		p.sameRegion(field, at)
		if !fullSecretARNPattern.MatchString(at) {
			p.sameAccount(field, at)
		} else if nameLikePattern.MatchString(at) && !p.isForeign(at) {
			p.add(field, at, "looks like a part of the secret's ARN, which Secrets Manager would read as the full one: write the secret's name alone (or set Account, if the secret is in another account)")
		}
	}
}

var (
	// ownerPattern matches logins, with single hyphens inside, and those of managed users, which end with
	// _SHORTCODE.
	ownerPattern     = regexp.MustCompile(`^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$`)
	repoPattern      = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	globCharsPattern = regexp.MustCompile(`[?*\[\\]`)
)

// maxBranch is GitHub's limit, in bytes. GitHub also refuses names that look like commits.
// https://docs.github.com/en/get-started/using-git/dealing-with-special-characters-in-branch-and-tag-names
const maxBranch = 255

func validateRepository(p *problems, owner, repo, branch string) {
	if len(owner) > 39 || !ownerPattern.MatchString(owner) {
		p.add("Source.Owner", owner, "must be a GitHub user or organisation, such as my-name")
	}
	if strings.HasSuffix(strings.ToLower(repo), ".git") || !repoPattern.MatchString(repo) || repo == "." || repo == ".." {
		p.add("Source.Repo", repo, "must be a repository's name without owner and .git, such as blog")
	}
	if name := branch; badRefPattern.MatchString(name) || globCharsPattern.MatchString(name) || strings.HasPrefix(name, "refs/") || len(globEscaper.Replace(name)) > maxBranch || !utf8.ValidString(name) || tokenAlonePattern.MatchString(name) || strings.Contains(name, "#{") {
		p.add("Source.Branch", branch, "must be a branch's name that git accepts, such as main")
	}
}

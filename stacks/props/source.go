package props

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Source is where a repository is: a [GitHubConnection] or a [GitHubToken].
type Source interface {
	isSource()
	validate(p *Problems, kind PipelineType)
}

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

func validateSource(p *Problems, source Source, kind PipelineType) {
	switch source.(type) {
	case GitHubConnection, GitHubToken:
		source.validate(p, kind)
	default:
		p.add("Source", TypeOf(source), "must be a props.GitHubConnection{…} or a props.GitHubToken{…}")
	}
}

// GitHubConnection reads a repository through a connection of AWS CodeConnections,
// which an owner makes once in the console. No token exists that could leak: AWS
// holds short-lived credentials of the GitHub app, limited to the repositories that
// the owner has chosen there.
type GitHubConnection struct {
	// Owner is the user or organisation on GitHub. Required. Example: "kzmorita".
	Owner string

	// Repo is the repository's name without its owner. Required. Example: "blog".
	Repo string

	// Branch to publish. Default: "main".
	Branch string

	// ConnectionARN is the connection's ARN, from Developer Tools > Settings >
	// Connections. Its status must be Available. It may be of any region, for all have
	// it; of another account it may be if it was shared with the blog's, which AWS
	// offers for codeconnections, and not for codestar-connections, as they were called
	// before. Required. Example:
	// "arn:aws:codeconnections:us-east-1:123456789012:connection/…".
	ConnectionARN string

	// Trigger says which pushes start the pipeline. Default: every push to Branch.
	Trigger Trigger

	// FullClone hands CodeBuild a git clone instead of a zip of the files. Hugo
	// needs it for submodules and for enableGitInfo. CodeBuild's role then may use
	// the connection. Default: false.
	FullClone bool
}

// Trigger filters pushes. Patterns are globs of at most 255 characters: "posts/**". "*"
// stands for any characters but a slash, "**" for slashes, too; "?", "[ab]" and "{a,b}"
// are known, and "\\" takes the next character as it is. Paths start at the repository's
// root, without a slash. CodePipeline combines Branches with Paths and IgnorePaths; Tags
// stand alone. Needs PipelineType V2.
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-triggers.html
type Trigger struct {
	// Branches whose pushes start the pipeline, at most 8 patterns. What was pushed
	// is published, whichever of them it is. Default: the source's Branch. Example:
	// []string{"main", "hotfix/*"}.
	Branches []string
	// Paths of which one must have changed, at most 8 patterns. Default: any.
	// Example: []string{"content/**"}.
	Paths []string
	// IgnorePaths that do not count as a change, at most 8 patterns; they win over Paths.
	// Default: none. Example: []string{"README.md"}.
	IgnorePaths []string
	// Tags whose push starts the pipeline, at most 8 patterns; what is tagged is
	// published. Default: none. Example: []string{"v*"}.
	Tags []string
}

// maxPatterns of one kind in one filter.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GitFilePathFilterCriteria.html
const maxPatterns = 8

func (t Trigger) IsZero() bool {
	return len(t.Branches)+len(t.Paths)+len(t.IgnorePaths)+len(t.Tags) == 0
}

const defaultBranch = "main"

var connectionPattern = arnPattern(`(codeconnections|codestar-connections)`, `connection/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func (GitHubConnection) isSource() {}

func (GitHubToken) isSource() {}

func (s GitHubConnection) validate(p *Problems, kind PipelineType) {
	validateRepository(p, s.Owner, s.Repo, s.Branch)
	if p.arn("Source.ConnectionARN", s.ConnectionARN, connectionPattern,
		"must be a connection's ARN, such as arn:aws:codeconnections:us-east-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef (console: Developer Tools > Settings > Connections)") &&
		ArnPart(s.ConnectionARN, 2) == "codestar-connections" {
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
			p.add(field, len(f.patterns), fmt.Sprintf("CodePipeline takes at most %d patterns; join some with {a,b}", maxPatterns))
		}
		for i, pattern := range f.patterns {
			field := fmt.Sprintf("%s[%d]", field, i)
			if problem := f.problem(pattern); problem != "" {
				p.add(field, pattern, problem)
			} else if slices.Contains(f.patterns[:i], pattern) {
				p.add(field, pattern, "is there twice; name it once")
			}
		}
	}
	for i, pattern := range s.Trigger.IgnorePaths {
		field := fmt.Sprintf("Source.Trigger.IgnorePaths[%d]", i)
		if pattern == "**" {
			p.add(field, pattern, "ignores every change, so that no push starts the pipeline")
		} else if slices.Contains(s.Trigger.Paths, pattern) {
			p.add(field, pattern, "is in Paths too, and what is ignored wins; keep one of them")
		}
	}
	if len(s.Trigger.Tags) > 0 && len(s.Trigger.Branches)+len(s.Trigger.Paths)+len(s.Trigger.IgnorePaths) > 0 {
		p.add("Source.Trigger.Tags", strings.Join(s.Trigger.Tags, " "), "CodePipeline does not combine tags with branches or paths; keep one of them")
	}
	if kind == PipelineTypeV1 && !s.Trigger.IsZero() {
		p.add("Source.Trigger", fmt.Sprintf("%+v", s.Trigger), "needs PipelineType V2")
	}
}

// GitHubToken reads a repository with a personal access token that has the scopes
// repo and admin:repo_hook. It is what the console calls "GitHub (version 1)":
// prefer a [GitHubConnection], because the token is a person's, is valid for all
// that this person can reach, and stays valid until somebody revokes it.
//
// The token's value is never in the template. Exactly one of SecretName and
// ParameterName says where it is.
type GitHubToken struct {
	// Owner is the user or organisation on GitHub. Required. Example: "kzmorita".
	Owner string

	// Repo is the repository's name without its owner. Required. Example: "blog".
	Repo string

	// Branch to publish. Default: "main".
	Branch string

	// SecretName is the name or ARN of a Secrets Manager secret with the token, at 0.40
	// USD a month. It is of the pipeline's region. One of another account needs its full
	// ARN, and there a policy of the secret and a key of its own that let this account
	// read it. Encrypted, and read by CloudFormation only when a deployment changes the
	// pipeline. An ARN that ends like a word or a number is refused, for Secrets Manager
	// takes a part of one that does for the full one; the name is always right. Default:
	// none. Example: "github".
	// https://docs.aws.amazon.com/secretsmanager/latest/userguide/cfn-example_reference-secret.html
	SecretName string

	// SecretField is the field of a secret that is JSON. Default: the whole secret
	// is the token. Example: "token".
	SecretField string

	// SecretVersion is the id of one version of the secret. After a new token, set
	// it and deploy: otherwise nothing tells CloudFormation of the change. Default:
	// the current version at deployment. Example: "01234567-89ab-cdef-0123-456789abcdef",
	// from aws secretsmanager list-secret-version-ids.
	SecretVersion string

	// ParameterName is the name of a plain (String) parameter in the Parameter
	// Store, free of charge, without a version. Whoever may read the account's parameters
	// can read the token: CloudFormation does not resolve a SecureString here. After a new
	// token, deploy again. Default: none. Example: "/blog/github-oauth-token".
	ParameterName string

	// Trigger says how pushes are noticed. Default: Webhook.
	Trigger TokenTrigger
}

// TokenTrigger is how a pipeline with a [GitHubToken] notices a push.
type TokenTrigger string

// noWebhooks are the regions whose CloudFormation does not know AWS::CodePipeline::Webhook,
// as of cfn-lint 1.58, besides those without builds.
var noWebhooks = []string{"ap-southeast-5", "ap-southeast-7"}

const (
	// Webhook means that GitHub tells CodePipeline, within seconds. CloudFormation needs
	// admin:repo_hook to register it, and cannot in ap-southeast-5 and ap-southeast-7.
	TokenTriggerWebhook TokenTrigger = "WEBHOOK"
	// Poll means that CodePipeline asks GitHub, about once a minute. AWS stops
	// polling for pipelines that have not run for 30 days.
	TokenTriggerPoll TokenTrigger = "POLL"
	// NoTrigger means that the pipeline starts by hand only.
	TokenTriggerNone TokenTrigger = "NONE"
)

var (
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
	secretPattern    = regexp.MustCompile(`^` + secretName + `$`)
	secretARNPattern = arnPattern("secretsmanager", "secret:"+secretName+"(-[A-Za-z0-9]{6})?")
	// fullSecretARNPattern is what Secrets Manager takes for a full ARN, although the six
	// characters may be the end of the name.
	// https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
	fullSecretARNPattern = arnPattern("secretsmanager", fullSecret)
	// nameLikePattern is an end that hardly is of six random letters and digits: a word, or
	// a number, or both. Of 60 random ones, one is so.
	nameLikePattern = regexp.MustCompile(`-[A-Z]?[a-z]*[0-9]*$`)
	// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
	parameterPattern         = regexp.MustCompile(`^(/[A-Za-z0-9_.-]+)+$|^[A-Za-z0-9_.-]+$`)
	reservedParameterPattern = regexp.MustCompile(`^/?(?i:aws|ssm)`)
)

const (
	// secretName has ! in the names of secrets that a service of AWS keeps, as RDS does.
	secretName = `[A-Za-z0-9/_+=.@!-]{1,512}` //nolint:gosec // a pattern of names, and no secret
	fullSecret = "secret:" + secretName + "-[A-Za-z0-9]{6}"
	// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
	maxParameterLevels, maxParameterARN = 15, 1011
)

func (s GitHubToken) validate(p *Problems, _ PipelineType) {
	validateRepository(p, s.Owner, s.Repo, s.Branch)
	oneOf(p, "Source.Trigger", s.Trigger, TokenTriggerWebhook, TokenTriggerPoll, TokenTriggerNone)
	if s.Trigger == TokenTriggerWebhook && slices.Contains(noWebhooks, p.owner.Region) {
		p.add("Source.Trigger", string(TokenTriggerWebhook), "must be Poll or NoTrigger in "+p.owner.Region+", where CloudFormation makes no webhooks")
	}
	switch {
	// Those of an old kind look like names.
	case isToken(s.SecretName):
		p.add("Source.SecretName", s.SecretName, "must be a secret's name or ARN")
	case isToken(s.ParameterName):
		p.add("Source.ParameterName", s.ParameterName, "must be a parameter's name, such as /blog/github-oauth-token")
	case isToken(s.SecretField):
		p.add("Source.SecretField", s.SecretField, "must be the name of a field")
	case s.SecretName != "" && s.ParameterName != "":
		p.add("Source.ParameterName", s.ParameterName, "SecretName is set too; keep one of them")
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
		{"Source.SecretField", s.SecretField, secretPartPattern, "must be of letters, digits, hyphens, dots and underscores"},
		{"Source.SecretVersion", s.SecretVersion, secretVersionPattern, "must be a version's id, of 32 to 64 characters, as aws secretsmanager list-secret-version-ids shows it; leave it out for the current version"},
	} {
		switch {
		case part.value == "":
		case s.SecretName == "":
			p.addReference(part.field, part.value, "belongs to a SecretName")
		case !part.pattern.MatchString(part.value):
			p.addReference(part.field, part.value, part.want)
		}
	}
}

func (s GitHubToken) validateSecretName(p *Problems) {
	const field, want = "Source.SecretName", "must be a secret's name or ARN; a field of it goes to SecretField"
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
			p.add(field, at, "looks like a part of the secret's ARN, which Secrets Manager would take for the full one: write the secret's name alone (or set Account, if the secret is of another account)")
		}
	}
}

// validateParameterName reports what can be no parameter's name.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
func validateParameterName(p *Problems, field, name string) {
	region := CloudFrontRegion // a name as short as any
	if isRegion(p.owner.Region) {
		region = p.owner.Region
	}
	switch most := maxParameterARN - len("arn:aws:ssm:"+region+":123456789012:parameter/"); {
	case !parameterPattern.MatchString(name):
		p.addReference(field, name, "must be a parameter's name, such as /blog/github-oauth-token: letters, digits and _.-, and / before each part where there are more")
	case reservedParameterPattern.MatchString(name):
		p.addReference(field, name, "must not start with aws or ssm, which AWS keeps for itself")
	case strings.Count(name, "/") > maxParameterLevels:
		p.addReference(field, name, fmt.Sprintf("has %d parts, and the Parameter Store takes %d", strings.Count(name, "/"), maxParameterLevels))
	case len(strings.TrimPrefix(name, "/")) > most:
		p.add(field, fmt.Sprintf("%d characters long", len(name)), fmt.Sprintf("the Parameter Store takes %d here: 1,011 with the ARN before them", most))
	}
}

var (
	// tokenInsidePattern are the tokens and keys whose makers gave them a shape that tells
	// them from other text: GitHub, GitLab, Slack, Stripe, AWS and npm; JSON web tokens and
	// private keys. tokenAlonePattern are two that only what names a secret must not be:
	// GitHub's of the first article's year, and Google's keys, which pages may show.
	// https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns
	tokenInsidePattern = regexp.MustCompile(`(gh[pousr]|github_pat)_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{20,}|\bxox[abeoprs]-[A-Za-z0-9-]{20,}|` +
		`\b[rs]k_(live|test)_[A-Za-z0-9]{16,}|\b(AKIA|ASIA)[A-Z2-7]{16}\b|\bnpm_[A-Za-z0-9]{36}|` +
		`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY-----`)
	tokenAlonePattern = regexp.MustCompile(`^([0-9a-f]{40}|AIza[A-Za-z0-9_-]{35})$`)
	// A colon would end the part in CloudFormation's reference to the secret.
	secretPartPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
	secretVersionPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{32,64}$`)
)

// isToken reports whether a value that should name a token is one itself.
func isToken(value string) bool {
	return tokenInsidePattern.MatchString(value) || tokenAlonePattern.MatchString(value)
}

var (
	// A login has single hyphens inside; a managed user's ends in _shortcode.
	ownerPattern = regexp.MustCompile(`^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$`)
	repoPattern  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	// What git refuses in a name, besides what means something in a glob.
	// https://git-scm.com/docs/git-check-ref-format
	badRefPattern    = regexp.MustCompile(`[\x00-\x20\x7f~^:]|\.\.|@\{|//|^[/.-]|[/.]$|\.lock(/|$)|/\.|^@$|^HEAD$`)
	globCharsPattern = regexp.MustCompile(`[?*\[\\]`)
)

// maxBranch is GitHub's, in bytes. It takes no name that looks like a commit's either.
// https://docs.github.com/en/get-started/using-git/dealing-with-special-characters-in-branch-and-tag-names
const maxBranch = 255

func validateRepository(p *Problems, owner, repo, branch string) {
	if len(owner) > 39 || !ownerPattern.MatchString(owner) {
		p.add("Source.Owner", owner, "must be a GitHub user or organisation, such as kzmorita")
	}
	if strings.HasSuffix(strings.ToLower(repo), ".git") || !repoPattern.MatchString(repo) || repo == "." || repo == ".." {
		p.add("Source.Repo", repo, "must be a repository's name without owner and .git, such as blog")
	}
	if name := branch; badRefPattern.MatchString(name) || globCharsPattern.MatchString(name) || strings.HasPrefix(name, "refs/") || len(GlobEscaper.Replace(name)) > maxBranch || !utf8.ValidString(name) || tokenAlonePattern.MatchString(name) || strings.Contains(name, "#{") {
		p.add("Source.Branch", branch, "must be a branch's name as git takes it, such as main")
	}
}

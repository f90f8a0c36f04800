package props

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/internal/tasksecret"
)

const (
	maxSecretKeys = 10
	// maxGrants limits the characters of the grants of all secrets. A role has policies of its own with
	// 10,240 characters, of which some are for other grants, and ten more policies of 6,144 characters, which
	// CDK does not fill.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
	maxGrants = 50_000
)

// taskSecretPattern matches a secret's full ARN, with a field of JSON and the label or id of a version
// after it, or without.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
var taskSecretPattern = arnPattern("secretsmanager", fullSecret+`(:[^:[:cntrl:]]*:([^:[:cntrl:]]{0,256}:|:[A-Za-z0-9_.-]{32,64}))?`)

// taskSecrets has the fields of a Container that are about its secrets.
type taskSecrets struct {
	environment, secrets map[string]string
	former, keys         []string
}

func (t taskSecrets) validate(p *problems) {
	for _, name := range slices.Sorted(maps.Keys(t.secrets)) {
		switch _, both := t.environment[name]; {
		case !variablePattern.MatchString(name):
			p.addReference("Container.Secrets", name, "must consist of letters, digits and underscores, and not start with a digit")
		case both:
			p.add("Container.Secrets", name, "is in Environment too: remove one of them")
		default:
			validateSecret(p, fmt.Sprintf("Container.Secrets[%q]", name), t.secrets[name])
		}
	}
	for i, at := range t.former {
		field := fmt.Sprintf("Container.FormerSecrets[%d]", i)
		switch {
		case slices.Contains(t.former[:i], at):
			p.addReference(field, at, listedTwice)
		case slices.Contains(slices.Collect(maps.Values(t.secrets)), at):
			p.addReference(field, at, "is in Secrets too: remove one of them")
		default:
			validateSecret(p, field, at)
		}
	}
	t.validateKeys(p)
	if n := t.grantsSize(); n > maxGrants {
		p.add("Container.Secrets", count(len(t.secrets), "secret"), fmt.Sprintf("with FormerSecrets and SecretKeyARNs, the grants of all are %d characters long, and a role has room for %d: put several values into one secret, as fields of JSON, which needs one grant", n, maxGrants))
	}
}

func (t taskSecrets) validateKeys(p *problems) {
	const field = "Container.SecretKeyARNs"
	switch n := len(t.keys); {
	case n > maxSecretKeys:
		p.add(field, count(n, "key"), fmt.Sprintf("must be at most %d, so that they fit into the role's policy", maxSecretKeys))
	case n > 0 && len(t.secrets)+len(t.former) == 0:
		p.add(field, count(n, "key"), "must be empty, because there are no Secrets that they could have encrypted")
	}
	for i, key := range t.keys {
		field := fmt.Sprintf("%s[%d]", field, i)
		if slices.Contains(t.keys[:i], key) {
			p.add(field, key, listedTwice)
		} else {
			validateKey(p, field, key)
		}
	}
}

// grantsSize returns the number of characters of the grants of all secrets. Each secret has one grant.
func (t taskSecrets) grantsSize() int {
	granted := map[string]bool{}
	for _, at := range slices.Concat(slices.Collect(maps.Values(t.secrets)), t.former) {
		parts := strings.SplitN(fullARN(at), ":", 8)
		granted[strings.Join(parts[:min(7, len(parts))], ":")] = true
	}
	size := len(contract.JSON(slices.Collect(maps.Keys(granted))))
	if len(t.keys) == 0 {
		return size
	}
	const rest = 300 // characters of a statement besides its secrets and keys
	return 2*size + (len(granted)/tasksecret.InGrant+1)*(len(contract.JSON(t.keys))+rest)
}

// fullARN returns the ARN of a secret, or of the parameter with a name, in a region with a name as long as
// any.
func fullARN(at string) string {
	if strings.HasPrefix(at, "arn:") {
		return at
	}
	return "arn:aws:ssm:ap-northeast-1:123456789012:parameter/" + at
}

// validateSecret reports a text that names neither a parameter nor a secret that the tasks can fetch.
func validateSecret(p *problems, field, at string) {
	const show = "aws secretsmanager describe-secret --secret-id %s --query ARN shows it"
	want := "must be a parameter's name, such as /api/token, or a secret's full ARN (" + fmt.Sprintf(show, "NAME") + "), such as arn:aws:secretsmanager:us-east-1:123456789012:secret:api-AbCdEf, with :password:: after it for one field, :password:AWSPREVIOUS: for the label of a version, or :password:: and the id of a version"
	switch {
	case isToken(at): // it may look like a parameter's name
		p.add(field, at, "must name a parameter or secret")
		return
	case parameterPattern.MatchString(at):
		validateParameterName(p, field, at)
		return
	case !strings.HasPrefix(at, "arn:"):
		p.addReference(field, at, want)
		return
	case !p.arn(field, at, taskSecretPattern, want):
		return
	}
	arn, key, label, version := tasksecret.Parts(at)
	if nameLikePattern.MatchString(arn) && label+version == "" {
		p.add(field, at, fmt.Sprintf("looks like a part of the secret's ARN, which Secrets Manager would read as the full one; the full one has a hyphen and six random characters after the name ("+show+"). If this is the full one, name a version, too: %s:%s:AWSCURRENT:", arn[strings.LastIndex(arn, ":")+1:], arn, key))
	}
	p.sameAccount(field, at)
	p.sameRegion(field, at)
}

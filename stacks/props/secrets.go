package props

import (
	"fmt"
	"regexp"
	"strings"
)

const (
	// secretName matches names of secrets. A secret that AWS manages, for RDS for example, has ! in its name.
	secretName = `[A-Za-z0-9/_+=.@!-]{1,512}` //nolint:gosec // a pattern of names, and no secret
	fullSecret = "secret:" + secretName + "-[A-Za-z0-9]{6}"
	// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
	maxParameterLevels, maxParameterARN = 15, 1011
)

var (
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
	secretPattern    = regexp.MustCompile(`^` + secretName + `$`)
	secretARNPattern = arnPattern("secretsmanager", "secret:"+secretName+"(-[A-Za-z0-9]{6})?")
	// fullSecretARNPattern matches what Secrets Manager reads as a full ARN. The six characters at its end
	// may also be a part of the name.
	// https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
	fullSecretARNPattern = arnPattern("secretsmanager", fullSecret)
	// nameLikePattern matches an end that is hardly one of six random letters and digits: a word, a number,
	// or both. One of 60 random ends looks like this.
	nameLikePattern = regexp.MustCompile(`-[A-Z]?[a-z]*[0-9]*$`)
	// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
	parameterPattern         = regexp.MustCompile(`^(/[A-Za-z0-9_.-]+)+$|^[A-Za-z0-9_.-]+$`)
	reservedParameterPattern = regexp.MustCompile(`^/?(?i:aws|ssm)`)
	// secretPartPattern excludes colons, which end a part of CloudFormation's reference to a secret.
	secretPartPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
	secretVersionPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{32,64}$`)
)

// validateParameterName reports a text that cannot be a parameter's name.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
func validateParameterName(p *problems, field, name string) {
	region := CloudFrontRegion // whose name is as short as any
	if isRegion(p.of.Region) {
		region = p.of.Region
	}
	switch most := maxParameterARN - len("arn:aws:ssm:"+region+":123456789012:parameter/"); {
	case !parameterPattern.MatchString(name):
		p.addReference(field, name, "must be a parameter's name, such as /blog/github-oauth-token: letters, digits and _.-, with / before each part if there are several")
	case reservedParameterPattern.MatchString(name):
		p.addReference(field, name, "must not start with aws or ssm, which AWS reserves")
	case strings.Count(name, "/") > maxParameterLevels:
		p.addReference(field, name, fmt.Sprintf("has %d parts, and the Parameter Store allows %d", strings.Count(name, "/"), maxParameterLevels))
	case len(strings.TrimPrefix(name, "/")) > most:
		p.add(field, fmt.Sprintf("%d characters long", len(name)), fmt.Sprintf("the Parameter Store allows %d here: 1,011 with the ARN in front", most))
	}
}

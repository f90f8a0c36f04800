package props

import (
	"reflect"
	"regexp"
	"strings"

	"blog-deploy-pipeline/lambdas/contract"
)

// ExampleAccount is [contract.ExampleAccount].
const ExampleAccount = contract.ExampleAccount

// examplePattern matches the values that AWS's documentation uses in examples, as blogs.go and
// services.go do: the account, alone or in an ARN, buckets, ids, a VPC, images, a distribution's domain name, and
// the domain names that IANA reserves for examples, alone, in a mail address or in a URL.
// https://www.iana.org/help/example-domains
var examplePattern = regexp.MustCompile(`^` + ExampleAccount + `$|:` + ExampleAccount + `:|^` + ExampleAccount + `\.dkr\.|^amzn-s3-demo-|EXAMPLE$|^vpc-1234567890abcdef0$|^public\.ecr\.aws/example/|(^|[.@]|^https://)example\.(com|net|org)$|^https://d111111abcdef8\.cloudfront\.net$`)

// exampleOwner is the owner of the repositories in blogs.go and services.go. In other fields, the word
// is not an example.
const exampleOwner = "example"

// exampleValues returns the names of the fields that have an example's value.
func exampleValues(props any) []string {
	var found []string
	eachString(reflect.ValueOf(props), "", func(field, text string) {
		if examplePattern.MatchString(text) || strings.HasSuffix(field, "Source.Owner") && text == exampleOwner {
			found = append(found, field)
		}
	})
	return found
}

// ExampleValues returns the names of the fields that still have an example's value. A blog with one cannot
// be deployed.
func (b Blog) ExampleValues() []string { return exampleValues(b) }

// ExampleValues returns the names of the fields that still have an example's value. A hook with one cannot
// be deployed.
func (s ExistingService) ExampleValues() []string { return exampleValues(s) }

// ExampleValues returns the names of the fields that still have an example's value. A service with one
// cannot be deployed.
func (s FargateService) ExampleValues() []string { return exampleValues(s) }

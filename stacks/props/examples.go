package props

import (
	"reflect"
	"regexp"
	"strings"
)

// ExampleAccount is the account of AWS's documentation, which nobody has credentials for.
const ExampleAccount = "111122223333"

// exampleValues match what AWS's own documentation uses for examples, and so do blogs.go and
// services.go: the account, alone or in an ARN, buckets, ids, a VPC, images of nobody's, and
// the domain names that IANA keeps for examples, alone or in a mail address.
// https://www.iana.org/help/example-domains
var exampleValues = regexp.MustCompile(`^` + ExampleAccount + `$|:` + ExampleAccount + `:|^` + ExampleAccount + `\.dkr\.|^amzn-s3-demo-|EXAMPLE$|^vpc-1234567890abcdef0$|^public\.ecr\.aws/example/|(^|[.@])example\.(com|net|org)$`)

// exampleOwner is the owner of a repository in the documentation. The word is an example in
// no other field.
const exampleOwner = "example"

// Examples are the fields of props that still have a value of the documentation, and cannot
// be deployed.
type Examples []string

// ExampleValues returns the fields of a blog's or service's props that have one.
func ExampleValues(props any) Examples {
	var found Examples
	EachString(reflect.ValueOf(props), "", func(field, text string) {
		if exampleValues.MatchString(text) || strings.HasSuffix(field, "Source.Owner") && text == exampleOwner {
			found = append(found, field)
		}
	})
	return found
}

// Account returns where a stack goes that is its owner's otherwise. With examples it is bound
// to the documentation's account, so that no command of the CDK CLI gets past its own "Need
// to perform AWS calls for account 111122223333".
func (e Examples) Account(own string) string {
	if len(e) > 0 {
		return ExampleAccount
	}
	return own
}

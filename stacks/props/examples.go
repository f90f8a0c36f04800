package props

import (
	"reflect"
	"regexp"
	"strings"
)

// ExampleAccount is the account in AWS's documentation. Nobody has credentials for it.
const ExampleAccount = "111122223333"

// exampleValues matches the values that AWS's documentation uses in examples, as blogs.go and
// services.go do: the account, alone or in an ARN, buckets, ids, a VPC, images, and the domain names
// that IANA reserves for examples, alone or in a mail address.
// https://www.iana.org/help/example-domains
var exampleValues = regexp.MustCompile(`^` + ExampleAccount + `$|:` + ExampleAccount + `:|^` + ExampleAccount + `\.dkr\.|^amzn-s3-demo-|EXAMPLE$|^vpc-1234567890abcdef0$|^public\.ecr\.aws/example/|(^|[.@])example\.(com|net|org)$`)

// exampleOwner is the owner of the repositories in blogs.go and services.go. In other fields, the word
// is not an example.
const exampleOwner = "example"

// Examples are the names of fields that still have an example's value. A blog or service with one
// cannot be deployed.
type Examples []string

// ExampleValues returns the fields of a blog or service that have an example's value.
func ExampleValues(props any) Examples {
	var found Examples
	eachString(reflect.ValueOf(props), "", func(field, text string) {
		if exampleValues.MatchString(text) || strings.HasSuffix(field, "Source.Owner") && text == exampleOwner {
			found = append(found, field)
		}
	})
	return found
}

// Account returns the account that a stack is deployed to: the given one, or with example values
// [ExampleAccount]. No command of the CDK CLI then gets further than its message "Need to perform AWS
// calls for account 111122223333".
func (e Examples) Account(own string) string {
	if len(e) > 0 {
		return ExampleAccount
	}
	return own
}

package props

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
)

// Notifications says whom to tell when a stage of a pipeline fails, and when a
// service's cache was not cleared. The text names the blog or service, and the stage
// and the reason or where the reason is.
type Notifications struct {
	// Emails get a mail. Each address must confirm its subscription once, by the
	// link in a mail from AWS. At most 400, in plain ASCII. Default: none. Example:
	// "me@my.blog".
	Emails []string

	// TopicARN is an existing SNS topic in the stack's account and region. For a
	// pipeline its policy need not change; if it is encrypted with a KMS key of your
	// own, that key's policy must allow the rule's role. For a service's alarm the
	// policy, and such a key's, must let CloudWatch in, as SNS's default policy does.
	// Default: none. Example: "arn:aws:sns:us-east-1:123456789012:alerts".
	TopicARN string
}

const (
	// https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1
	maxLocalPart = 64
	// maxEmails leaves the rest of the 500 resources of a stack to what else is in it.
	MaxEmails = 400
)

var topicPattern = arnPattern("sns", `[A-Za-z0-9_-]{1,256}`)

func (n Notifications) validate(p *Problems) {
	for i, address := range n.Emails {
		field := fmt.Sprintf("Notifications.Emails[%d]", i)
		switch {
		case !isEmail(address):
			p.add(field, address, "must be an e-mail address in plain ASCII, such as me@example.com")
		case slices.ContainsFunc(n.Emails[:i], func(other string) bool {
			return strings.EqualFold(constructID(other), constructID(address))
		}):
			p.add(field, address, "is there twice (to the CDK, / is --); name it once")
		}
	}
	if len(n.Emails) > MaxEmails {
		p.add("Notifications.Emails", fmt.Sprintf("%d addresses", len(n.Emails)), fmt.Sprintf("a stack has room for %d; use a TopicARN with their subscriptions", MaxEmails))
	}
	if n.TopicARN != "" && p.arn("Notifications.TopicARN", n.TopicARN, topicPattern, "must be a standard SNS topic's ARN, such as arn:aws:sns:us-east-1:123456789012:alerts") {
		p.sameAccount("Notifications.TopicARN", n.TopicARN)
		p.sameRegion("Notifications.TopicARN", n.TopicARN)
	}
}

// isEmail reports whether text is an address that SNS can write to: at a name in DNS,
// without comments and quotes, which SNS refuses, as it does other scripts.
func isEmail(text string) bool {
	parsed, err := mail.ParseAddress(text)
	at := strings.LastIndexByte(text, '@')
	return err == nil && parsed.Address == text && at <= maxLocalPart && !strings.Contains(text, `"`) &&
		headerPattern.MatchString(text) && isDomain(strings.ToLower(text[at+1:]))
}

// constructID returns the id that the CDK makes of a text for a construct.
func constructID(text string) string { return strings.ReplaceAll(text, "/", "--") }

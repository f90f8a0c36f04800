package props

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
)

// Notifications says who is told when a stage of a pipeline fails, when an alarm of a blog's Monitoring goes off, and
// when a service's cache was not cleared. The message names the blog or service and the stage, and gives the reason
// or says where to find it.
type Notifications struct {
	// Emails are addresses that get a mail, at most 400, in plain ASCII. Each address must confirm its
	// subscription once, by the link in a mail from AWS. Default: none. Example: "me@my.blog".
	Emails []string

	// TopicARN is an existing SNS topic in the account and region of the stack. For a pipeline, its policy
	// need not change; if a KMS key of your own encrypts the topic, the key's policy must allow the role of
	// the rule. For alarms, the topic's policy and the policy of such a key must allow
	// CloudWatch, as SNS's default policy does. Default: none. Example:
	// "arn:aws:sns:us-east-1:123456789012:alerts".
	TopicARN string

	// OnSuccess says that they are told of every execution of the pipeline that succeeds, too: the message has the
	// last stage's report and, if it is known from Site or Invalidate.Verify, the blog's address. `make rollback` is no
	// execution. Not allowed for an ExistingService, which has no pipeline here. Default: false, they are told of
	// failures only.
	OnSuccess bool
}

const (
	// https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1
	maxLocalPart = 64
	// maxEmails leaves a hundred of the 500 resources of a stack to everything else in it.
	maxEmails = 400
)

var topicPattern = arnPattern("sns", `[A-Za-z0-9_-]{1,256}`)

// isNobody returns whether nobody is told.
func (n Notifications) isNobody() bool { return len(n.Emails) == 0 && n.TopicARN == "" }

// nobodyToTell is what a message says of a prop that needs somebody to tell.
const nobodyToTell = "has nobody to tell: add an address or a topic to Notifications"

func (n Notifications) validate(p *problems) {
	if n.OnSuccess && n.isNobody() {
		p.add("Notifications.OnSuccess", true, nobodyToTell)
	}
	for i, address := range n.Emails {
		field := fmt.Sprintf("Notifications.Emails[%d]", i)
		switch {
		case !isEmail(address):
			p.add(field, address, "must be an e-mail address in plain ASCII, such as me@example.com")
		case slices.ContainsFunc(n.Emails[:i], func(other string) bool {
			return strings.EqualFold(constructID(other), constructID(address))
		}):
			p.add(field, address, "is listed twice (to the CDK, / and -- are the same): list it once")
		}
	}
	if len(n.Emails) > maxEmails {
		p.add("Notifications.Emails", fmt.Sprintf("%d addresses", len(n.Emails)), fmt.Sprintf("a stack has room for %d: use a TopicARN with their subscriptions", maxEmails))
	}
	if n.TopicARN != "" && p.arn("Notifications.TopicARN", n.TopicARN, topicPattern, "must be a standard SNS topic's ARN, such as arn:aws:sns:us-east-1:123456789012:alerts") {
		p.sameAccount("Notifications.TopicARN", n.TopicARN)
		p.sameRegion("Notifications.TopicARN", n.TopicARN)
	}
}

// isEmail returns whether SNS can write to an address: it is at a name in DNS, in ASCII, without comments
// and quotes, which SNS refuses.
func isEmail(text string) bool {
	parsed, err := mail.ParseAddress(text)
	at := strings.LastIndexByte(text, '@')
	return err == nil && parsed.Address == text && at <= maxLocalPart && !strings.Contains(text, `"`) &&
		headerPattern.MatchString(text) && isDomain(strings.ToLower(text[at+1:]))
}

// constructID returns what the CDK makes of a text as the id of a construct.
func constructID(text string) string { return strings.ReplaceAll(text, "/", "--") }

package stacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// Values that AWS's own documentation uses for examples, and so do blogs.go and services.go.
const (
	exampleAccount = "111122223333"
	exampleBucket  = "amzn-s3-demo-"
	exampleID      = "EXAMPLE"
	exampleOwner   = "example"
	exampleVPC     = "vpc-1234567890abcdef0"
	exampleImages  = "public.ecr.aws/example/"
)

// exampleDomains are IANA's, and nobody's.
// https://www.iana.org/help/example-domains
var exampleDomains = []string{"example.com", "example.net", "example.org"}

// isExampleDomain reports whether a name in DNS is one of those, or below one.
func isExampleDomain(name string) bool {
	return slices.ContainsFunc(exampleDomains, func(domain string) bool {
		return name == domain || strings.HasSuffix(name, "."+domain)
	})
}

// examples collects the fields that still hold a value from the documentation, and
// could not be deployed.
type examples []string

func (e *examples) add(field string, isExample bool) {
	if isExample {
		*e = append(*e, field)
	}
}

// addOwner looks at what blogs and services have in common.
func (e *examples) addOwner(o owner) { e.add("Account", o.account == exampleAccount) }

func (e *examples) addSource(source Source) {
	switch source := source.(type) {
	case GitHubConnection:
		e.add("Source.Owner", source.Owner == exampleOwner)
		e.add("Source.ConnectionARN", strings.Contains(source.ConnectionARN, exampleAccount))
	case GitHubToken:
		e.add("Source.Owner", source.Owner == exampleOwner)
	}
}

func (e *examples) addNotifications(n Notifications) {
	e.add("Notifications.Emails", slices.ContainsFunc(n.Emails, func(address string) bool {
		_, domain, _ := strings.Cut(address, "@")
		return isExampleDomain(domain)
	}))
	e.add("Notifications.TopicARN", strings.Contains(n.TopicARN, exampleAccount))
}

func (e *examples) addSite(s Site) {
	for _, n := range s.names() {
		e.add(n.field, isExampleDomain(n.value))
	}
	e.add("Site.HostedZone.ID", strings.HasSuffix(s.HostedZone.ID, exampleID))
	e.add("Site.HostedZone.Name", isExampleDomain(s.HostedZone.Name))
	e.add("Site.CertificateARN", strings.Contains(s.CertificateARN, exampleAccount))
	e.add("Site.WebACLARN", strings.Contains(s.WebACLARN, exampleAccount))
}

func (b BlogProps) exampleValues() (e examples) {
	e.addOwner(b.owner())
	e.addSource(b.Source)
	if b.Site != nil {
		e.addSite(*b.Site)
	}
	e.add("Deploy.Bucket", strings.HasPrefix(b.Deploy.Bucket, exampleBucket))
	e.add("Invalidate.DistributionID", strings.HasSuffix(b.Invalidate.DistributionID, exampleID))
	e.add("Invalidate.RoleARN", arnPart(b.Invalidate.RoleARN, 4) == exampleAccount)
	e.addNotifications(b.Notifications)
	return e
}

func (e *examples) addHook(h Hook) {
	for i, d := range h.Distributions {
		e.add(fmt.Sprintf("Hook.Distributions[%d].ID", i), strings.HasSuffix(d.ID, exampleID))
	}
	e.add("Hook.RoleARN", arnPart(h.RoleARN, 4) == exampleAccount)
}

func (s ExistingService) exampleValues() (e examples) {
	e.addOwner(s.owner())
	e.addHook(s.Hook)
	e.addNotifications(s.Notifications)
	return e
}

func (s FargateService) exampleValues() (e examples) {
	e.addOwner(s.owner())
	e.addSource(s.Source)
	if vpc, ok := s.VPC.(ExistingVPC); ok {
		e.add("VPC.ID", vpc.ID == exampleVPC)
	}
	e.add("Container.InitialImage", strings.HasPrefix(s.Container.InitialImage, exampleImages) || strings.HasPrefix(s.Container.InitialImage, exampleAccount))
	e.add("LoadBalancer.CertificateARN", strings.Contains(s.LoadBalancer.CertificateARN, exampleAccount))
	e.addHook(s.Hook)
	e.addNotifications(s.Notifications)
	return e
}

// account is where a stack goes that is its owner's otherwise. With examples it is bound
// to the documentation's account: nobody has credentials for that, so no command of the
// CDK CLI gets past its own "Need to perform AWS calls for account 111122223333".
func (e examples) account(owners string) string {
	if len(e) > 0 {
		return exampleAccount
	}
	return owners
}

// warnOfExamples puts a warning on a stack that still holds example values. Synth
// shows it; `make deploy` passes --strict, which makes it an error that comes first.
func warnOfExamples(stack awscdk.Stack, owner owner, fields examples) {
	if len(fields) > 0 {
		awscdk.Annotations_Of(stack).AddWarningV2(jsii.String("blog-deploy-pipeline:exampleValues"), jsii.String(
			owner.String()+" still has example values and cannot be deployed: "+strings.Join(fields, ", ")+". Put your own into "+owner.file()))
	}
}

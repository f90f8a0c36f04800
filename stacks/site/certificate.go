package site

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// NewCertificate makes a certificate for the names of a Site with a HostedZone, where ACM
// looks for the records that it waits for, some minutes. Its stack must be in us-east-1,
// where CloudFront reads certificates from. With a CertificateARN it returns that
// certificate, and nil for a Site without Domain.
func NewCertificate(scope constructs.Construct, id string, s props.Site) awscertificatemanager.ICertificate {
	switch {
	case s.Domain == "":
		return nil
	case s.CertificateARN != "":
		return awscertificatemanager.Certificate_FromCertificateArn(scope, jsii.String(id), jsii.String(s.CertificateARN))
	}
	settings := &awscertificatemanager.CertificateProps{
		DomainName: jsii.String(s.Domain),
		Validation: awscertificatemanager.CertificateValidation_FromDns(newZone(scope, "ValidationZone", s.HostedZone)),
	}
	if len(s.RedirectFrom) > 0 {
		settings.SubjectAlternativeNames = jsii.Strings(s.RedirectFrom...)
	}
	return awscertificatemanager.NewCertificate(scope, jsii.String(id), settings)
}

// KeepUntilReplaced is for a certificate in another stack than the distribution's. Other
// names are another certificate: the distribution has the old one until its own stack is
// updated, after this one, and ACM deletes none that is in use. The update would wait for
// itself, so that CloudFormation leaves the old one alone; a certificate costs nothing.
func KeepUntilReplaced(certificate awscertificatemanager.ICertificate) {
	options := cdk.Resource(certificate).CfnOptions()
	options.SetUpdateReplacePolicy(awscdk.CfnDeletionPolicy_RETAIN)
	options.SetDeletionPolicy(awscdk.CfnDeletionPolicy_DELETE)
}

package site

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// NewCertificate returns the certificate for the names of a Site. With a CertificateARN that is an
// existing certificate. With a HostedZone it is a new one, which ACM validates by records in that
// zone; this takes some minutes, and scope must be in us-east-1, where CloudFront reads
// certificates. A Site without Domain needs none: NewCertificate returns nil.
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

// KeepUntilReplaced has CloudFormation keep a certificate that it replaces, which costs nothing.
// It is for a certificate in another stack than the distribution. When the names change, that
// stack is updated first, and would wait for ACM to delete a certificate that the distribution uses
// until its own stack is updated.
func KeepUntilReplaced(certificate awscertificatemanager.ICertificate) {
	options := cdk.Resource(certificate).CfnOptions()
	options.SetUpdateReplacePolicy(awscdk.CfnDeletionPolicy_RETAIN)
	options.SetDeletionPolicy(awscdk.CfnDeletionPolicy_DELETE)
}

package site

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	targets "github.com/aws/aws-cdk-go/awscdk/v2/awsroute53targets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/props"
)

// newZone refers to an existing hosted zone.
func newZone(scope constructs.Construct, id string, zone props.HostedZone) awsroute53.IHostedZone {
	return awsroute53.HostedZone_FromHostedZoneAttributes(scope, jsii.String(id), &awsroute53.HostedZoneAttributes{
		HostedZoneId: jsii.String(zone.ID),
		ZoneName:     jsii.String(zone.Name),
	})
}

// names returns the names in DNS of a Site with a Domain.
func names(s props.Site) []string { return append([]string{s.Domain}, s.RedirectFrom...) }

// newRecords makes the DNS records that lead from the Site's names to the distribution, if the
// Site has a hosted zone. The id of a record is its name, so that an owner may reorder names.
func newRecords(scope constructs.Construct, s props.Site, distribution awscloudfront.IDistribution) {
	if s.HostedZone == (props.HostedZone{}) {
		return
	}
	zone := newZone(scope, "HostedZone", s.HostedZone)
	target := awsroute53.RecordTarget_FromAlias(targets.NewCloudFrontTarget(distribution))
	for _, name := range names(s) {
		// By the dot at its end, the CDK knows a full name, and does not append the zone's.
		full := jsii.String(name + ".")
		awsroute53.NewARecord(scope, jsii.String("A "+name), &awsroute53.ARecordProps{Zone: zone, RecordName: full, Target: target})
		awsroute53.NewAaaaRecord(scope, jsii.String("AAAA "+name), &awsroute53.AaaaRecordProps{Zone: zone, RecordName: full, Target: target})
	}
}

package site

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	targets "github.com/aws/aws-cdk-go/awscdk/v2/awsroute53targets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/props"
)

// newZone returns the hosted zone that the props name.
func newZone(scope constructs.Construct, id string, zone props.HostedZone) awsroute53.IHostedZone {
	return awsroute53.HostedZone_FromHostedZoneAttributes(scope, jsii.String(id), &awsroute53.HostedZoneAttributes{
		HostedZoneId: jsii.String(zone.ID),
		ZoneName:     jsii.String(zone.Name),
	})
}

// newRecords points the Site's names to the distribution. Each record's id is its
// name, so that names may change places.
func newRecords(scope constructs.Construct, s props.Site, distribution awscloudfront.IDistribution) {
	if s.HostedZone == (props.HostedZone{}) {
		return
	}
	zone := newZone(scope, "HostedZone", s.HostedZone)
	target := awsroute53.RecordTarget_FromAlias(targets.NewCloudFrontTarget(distribution))
	for _, n := range s.Names() {
		// Ends with a dot, so that it is never taken for a name inside the zone.
		full := jsii.String(n.Value + ".")
		awsroute53.NewARecord(scope, jsii.String("A "+n.Value), &awsroute53.ARecordProps{Zone: zone, RecordName: full, Target: target})
		awsroute53.NewAaaaRecord(scope, jsii.String("AAAA "+n.Value), &awsroute53.AaaaRecordProps{Zone: zone, RecordName: full, Target: target})
	}
}

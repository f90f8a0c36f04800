package hook

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/notify"
)

// AddAlarm makes an alarm that tells the topics of a cache that was not cleared. With
// [props.OnFailureProceed] the deployment itself succeeds, so that nothing else would tell.
func (h *Hook) AddAlarm(to notify.Topics) {
	if len(to.All) == 0 {
		return
	}
	alarm := awscloudwatch.NewAlarm(h.Construct, jsii.String("NotCleared"), &awscloudwatch.AlarmProps{
		AlarmDescription: jsii.String(fmt.Sprintf("CloudFront was not cleared after a deployment of the service %s: visitors may still see the version before. The log of the function %s says why.", h.serviceName, contract.HookFunctionName(h.serviceName))),
		Metric: awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			Namespace:     jsii.String(contract.MetricNamespace),
			MetricName:    jsii.String(contract.MetricFailed),
			DimensionsMap: &map[string]*string{contract.DimensionService: jsii.String(h.serviceName)},
			Statistic:     jsii.String("Sum"),
			Period:        cdk.Duration(5 * time.Minute),
		}),
		Threshold:          jsii.Number(1),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		EvaluationPeriods:  jsii.Number(1),
		// The metric has no data while nothing is deployed.
		TreatMissingData: awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
	to.AddAlarm(alarm)
}

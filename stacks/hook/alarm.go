package hook

import (
	"fmt"

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
	to.AddAlarm(cdk.NewAlarm(h.Construct, "NotCleared",
		fmt.Sprintf("CloudFront was not cleared after a deployment of the service %s: visitors may still see the version before. The log of the function %s says why.", h.serviceName, contract.HookFunctionName(h.serviceName)),
		contract.MetricNamespace, contract.MetricFailed, map[string]*string{contract.DimensionService: jsii.String(h.serviceName)}))
}

package monitoring

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
)

// newAlarms makes the alarms of a blog.
func newAlarms(scope constructs.Construct, p Props) []awscloudwatch.Alarm {
	var made []awscloudwatch.Alarm
	add := func(id, namespace, metric, dimension, value, text string) {
		text += fmt.Sprintf(" `make status BLOG=%s` shows where the pipeline stands.", p.BlogName)
		alarm := cdk.NewAlarm(scope, id, text, namespace, metric, map[string]*string{dimension: jsii.String(value)})
		p.Topics.AddAlarm(alarm)
		made = append(made, alarm)
	}
	ofBlog := func(id, metric, text string) {
		add(id, contract.MetricNamespace, metric, contract.DimensionBlog, p.BlogName, text)
	}
	ofFunction := func(id string, function awslambda.Function, does string) {
		if function != nil {
			add(id, lambdaNamespace, "Errors", lambdaDimension, *function.FunctionName(),
				fmt.Sprintf("The function that %s the blog %s crashed or ran out of time. Its log says why.", does, p.BlogName))
		}
	}

	ofBlog("NotCleared", contract.MetricFailed,
		fmt.Sprintf("CloudFront was not cleared after a publication of the blog %s: readers may still see the version before.", p.BlogName))
	ofBlog("Late", contract.MetricLate,
		fmt.Sprintf("CloudFront has not completed an invalidation of the blog %s before its deadline: some readers may still see the version before.", p.BlogName))
	if p.Proves {
		ofBlog("NotLive", contract.MetricProofFailed,
			fmt.Sprintf("Readers do not have the blog %s as it was published, although CloudFront was cleared.", p.BlogName))
	}
	ofFunction("PublishErrors", p.Publish, "publishes")
	ofFunction("InvalidateErrors", p.Invalidate, "clears CloudFront for")
	return made
}

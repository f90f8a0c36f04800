// Command deployhook is the Lambda function behind the lifecycle hooks of a service
// on ECS. CodeDeploy, or ECS itself, runs it when a deployment has shifted traffic;
// it clears CloudFront's cache, and says how that went.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"

	"blog-deploy-pipeline/lambdas/internal/awsenv"
	"blog-deploy-pipeline/lambdas/internal/invocation"
)

func main() {
	cfg := awsenv.Config(os.Getenv)
	settings, err := parseSettings(os.Getenv)
	edge := awsenv.WithRole(cfg, settings.invalidation.RoleARN, os.Getenv)
	log := invocation.Log(os.Stdout)
	lambda.StartWithOptions(invocation.Redacted(log, &handler{
		codeDeploy: codedeploy.NewFromConfig(cfg, func(o *codedeploy.Options) { o.RetryMaxAttempts = awsenv.ReportAttempts }),
		cloudFront: cloudfront.NewFromConfig(edge),
		settings:   settings,
		// Not fatal: a function that does not start leaves a deployment hanging, or
		// rolls it back.
		misconfigured: err,
		log:           log,
	}))
}

// Command deployhook is the Lambda function for the lifecycle hooks of a service on ECS.
// CodeDeploy, or ECS itself, calls it when a deployment has shifted traffic. It clears
// CloudFront's cache and answers whether the deployment may go on.
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
	settings, err := readSettings(os.Getenv)
	cfg := awsenv.Config(os.Getenv)
	edge := awsenv.WithRole(cfg, settings.invalidation.RoleARN, os.Getenv)
	log := invocation.Log(os.Stdout)
	lambda.StartWithOptions(invocation.Redacted(log, &handler{
		hook:       hook{cloudFront: cloudfront.NewFromConfig(edge), settings: settings, misconfigured: err},
		codeDeploy: codedeploy.NewFromConfig(cfg, func(o *codedeploy.Options) { o.RetryMaxAttempts = awsenv.ReportAttempts }),
		log:        log,
	}))
}

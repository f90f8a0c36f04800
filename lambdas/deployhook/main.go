// Command deployhook is the Lambda function behind the lifecycle hooks of a service
// on ECS. CodeDeploy, or ECS itself, runs it when a deployment has shifted traffic;
// it clears CloudFront's cache, and says how that went.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"

	"blog-deploy-pipeline/lambdas/internal/awsenv"
)

func main() {
	cfg := awsenv.Config(os.Getenv)
	settings, err := parseSettings(os.Getenv)
	edge := awsenv.WithRole(cfg, settings.invalidation.RoleARN, os.Getenv)
	lambda.StartWithOptions(&handler{
		codeDeploy: codedeploy.NewFromConfig(cfg, func(o *codedeploy.Options) { o.RetryMaxAttempts = awsenv.ReportAttempts }),
		cloudFront: cloudfront.NewFromConfig(edge),
		settings:   settings,
		// Not fatal: a function that does not start leaves a deployment hanging, or
		// rolls it back.
		misconfigured: err,
		log:           slog.New(slog.NewJSONHandler(os.Stdout, nil)),
	})
}

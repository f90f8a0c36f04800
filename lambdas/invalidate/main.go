// Command invalidate is the Lambda function behind a pipeline's Invalidate stage.
// CodePipeline hands it a job; it clears CloudFront's cache, and reports to
// CodePipeline when CloudFront is done.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"

	"blog-deploy-pipeline/lambdas/internal/awsenv"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/invocation"
)

func main() {
	cfg := awsenv.Config(os.Getenv)
	settings, err := invalidation.ParseSettings(os.Getenv)
	edge := awsenv.WithRole(cfg, settings.RoleARN, os.Getenv)
	log := invocation.Log(os.Stdout)
	lambda.StartWithOptions(invocation.Redacted(log, &handler{
		codePipeline: codepipeline.NewFromConfig(cfg, func(o *codepipeline.Options) { o.RetryMaxAttempts = awsenv.ReportAttempts }),
		invalidator:  invalidation.Invalidator{CloudFront: cloudfront.NewFromConfig(edge), Settings: settings, Words: words},
		// Not fatal: a function that does not start leaves its pipeline hanging,
		// whereas a job can be told.
		misconfigured: err,
		log:           log,
	}))
}

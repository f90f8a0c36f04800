// Command invalidate is the Lambda function of a pipeline's Invalidate stage. For each
// job of CodePipeline it clears CloudFront's cache of the paths that the job names, or of
// what publications have changed, and it reports to CodePipeline when CloudFront has
// completed that. The owner's commands call it for the same, after a release was published
// again.
package main

import (
	"os"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	lambdaservice "github.com/aws/aws-sdk-go-v2/service/lambda"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/awsenv"
	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/environment"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/invocation"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
	"blog-deploy-pipeline/lambdas/internal/proof"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/lambdas/internal/s3client"
)

// memory is the size of the heap from which on Go collects garbage more often, in bytes.
// The function has 256 MB if it works out what to clear. The list of a large blog's files
// leaves much garbage, and Go would let the heap grow to twice what is in use.
const memory = 200 << 20

func main() {
	debug.SetMemoryLimit(memory)
	env := environment.Reader{Getenv: os.Getenv}
	settings := invalidation.ReadSettings(&env)
	cfg := awsenv.Config(os.Getenv)
	log := invocation.Log(os.Stdout)
	s := &stage{
		invalidator: invalidation.Invalidator{
			CloudFront: cloudfront.NewFromConfig(awsenv.WithRole(cfg, settings.RoleARN, os.Getenv)),
			Settings:   settings,
			Words:      words,
		},
		onFailure: environment.Choice(&env, contract.EnvOnFailure, contract.OnFailureFail, contract.OnFailureProceed, contract.OnFailureRollBack),
	}
	if env.Getenv(contract.EnvReleases) != "" {
		blog := changes.ReadSettings(&env)
		s.changes = changes.Finder{
			Releases: release.Store{S3: s3client.New(cfg), Bucket: env.Getenv(contract.EnvReleases)},
			Settings: blog,
		}
		if settings := proof.ReadSettings(&env); settings.Site != "" {
			s.prover = &proof.Prover{Settings: settings, Blog: blog, PollEvery: s.invalidator.Settings.PollEvery, Client: proof.NewClient(settings)}
		}
	}
	if name := env.Getenv(contract.EnvPublishFunction); name != "" {
		s.publish = publisher{lambda: lambdaservice.NewFromConfig(awsenv.ForFunctions(cfg)), function: name}
	}
	lambda.StartWithOptions(invocation.Redacted(log, pipelinejob.Handler{
		CodePipeline:  codepipeline.NewFromConfig(cfg, func(o *codepipeline.Options) { o.RetryMaxAttempts = awsenv.ReportAttempts }),
		Read:          s.read,
		Misconfigured: env.Err(),
		Log:           log,
	}))
}

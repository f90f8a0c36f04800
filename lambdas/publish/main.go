// Command publish is the Lambda function of a pipeline's Deploy stage. For each job of
// CodePipeline it publishes the build, which is the action's input artifact, to the bucket
// of the blog, and it reports to CodePipeline when the release is committed. The owner's
// commands call it to list the releases, and to publish one of them again.
package main

import (
	"os"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/awsenv"
	"blog-deploy-pipeline/lambdas/internal/environment"
	"blog-deploy-pipeline/lambdas/internal/invocation"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
	"blog-deploy-pipeline/lambdas/internal/publication"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/lambdas/internal/s3client"
)

// memory is the size of the heap from which on Go collects garbage more often, in bytes. A
// large build leaves much garbage, and Go would let the heap grow to twice what is in use.
const memory = 90 << 20

func main() {
	debug.SetMemoryLimit(memory)
	env := environment.Reader{Getenv: os.Getenv}
	cfg := awsenv.Config(os.Getenv)
	client := s3client.New(cfg)
	log := invocation.Log(os.Stdout)
	releases := release.Store{S3: client, Bucket: env.Required(contract.EnvReleases, "the name of the releases bucket")}
	s := &stage{
		publisher: publication.Publisher{
			S3:       client,
			Releases: releases,
			Settings: publication.ReadSettings(&env),
			Again:    pipelinejob.Again,
		},
		releases:  releases,
		lookEvery: env.Duration(contract.EnvPollEvery, 10*time.Second),
	}
	lambda.StartWithOptions(invocation.Redacted(log, pipelinejob.Handler{
		CodePipeline:  codepipeline.NewFromConfig(cfg, func(o *codepipeline.Options) { o.RetryMaxAttempts = awsenv.ReportAttempts }),
		Read:          s.read,
		Misconfigured: env.Err(),
		Log:           log,
	}))
}

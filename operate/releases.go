package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"blog-deploy-pipeline/operate/releases"
)

// listReleases prints what a blog's pipeline has published.
func listReleases(ctx context.Context, c call) error {
	config, err := connect(ctx, c.pipelines[0])
	if err != nil {
		return err
	}
	return explain(c.blog(config).List(ctx), c.pipelines[0], config)
}

// rollBack publishes an earlier release of a blog again.
func rollBack(ctx context.Context, c call) error {
	config, err := connect(ctx, c.pipelines[0])
	if err != nil {
		return err
	}
	r := releases.Rollback{Blog: c.blog(config), To: c.to, By: caller(ctx, config), Ask: c.ask}
	if c.yes {
		r.Ask = func(context.Context, string) (bool, error) { return true, nil }
	}
	_, err = r.Run(ctx)
	return explain(err, c.pipelines[0], config)
}

// blog returns the blog that the command is for, and prints its name.
func (c call) blog(config aws.Config) releases.Blog {
	c.tell(fmt.Sprintf("%s  %s", c.pipelines[0].Name, config.Region))
	return releases.Blog{
		CodePipeline: codepipeline.NewFromConfig(config), Lambda: lambda.NewFromConfig(config), // which has no limit for an answer
		Name: c.pipelines[0].Name, Tell: c.tell, Now: time.Now, Sleep: c.sleep,
	}
}

// caller returns the ARN of whose credentials these are. It is for the list of releases only, so that a rollback goes on
// without it. Nobody needs a permission for it.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func caller(ctx context.Context, config aws.Config) string {
	out, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return ""
	}
	return aws.ToString(out.Arn)
}

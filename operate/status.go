package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/operate/releases"
	"blog-deploy-pipeline/operate/status"
)

// showStatus prints the status of each pipeline and service, or follows one.
func showStatus(ctx context.Context, c call) error {
	var unknown []string
	for _, p := range c.pipelines {
		config, err := connect(ctx, p)
		if err != nil {
			return err // The other pipelines have the same credentials.
		}
		client := codepipeline.NewFromConfig(config)
		services := status.Services{CodePipeline: client, CodeDeploy: codedeploy.NewFromConfig(config), ECS: ecs.NewFromConfig(config)}
		if c.watch {
			w := status.Watcher{
				Client: client, Services: services, Pipeline: p, Now: time.Now, Sleep: c.sleep,
				Tell: c.tell,
			}
			return explain(w.Watch(ctx), p, config)
		}
		c.tell(p.Name + "  " + config.Region)
		lines, err := c.read(ctx, config, client, services, p)
		for _, line := range lines {
			c.tell(line)
		}
		switch {
		case err != nil && len(c.pipelines) == 1:
			return explain(err, p, config)
		case err != nil: // Its reason is told below its name, before the others' status.
			_, _ = fmt.Fprintf(c.stderr, "  %v\n", explain(err, p, config))
			unknown = append(unknown, p.Name)
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("the status of %s is not known, for the reasons above", strings.Join(unknown, ", "))
	}
	return nil
}

// read returns the status of a pipeline, and that of a service's deployment.
func (c call) read(ctx context.Context, config aws.Config, client *codepipeline.Client, services status.Services, p contract.Pipeline) (lines []string, err error) {
	if !p.Existing() {
		s, err := status.Read(ctx, client, p.Name)
		if err != nil {
			return nil, err
		}
		var unseen error
		if p.Service == nil {
			blog := releases.Blog{CodePipeline: client, Lambda: lambda.NewFromConfig(config), Name: p.Name, Tell: func(string) {}, Now: time.Now, Sleep: c.sleep}
			s.Current, unseen = blog.Current(ctx)
		}
		lines = s.Lines(time.Now())
		if unseen != nil { // The rest is true without it.
			lines = append(lines, fmt.Sprintf("  What make rollback has published is not seen: %v", explain(unseen, p, config)))
		}
	}
	if p.Service == nil {
		return lines, nil
	}
	d, err := services.Read(ctx, p)
	if err != nil {
		return lines, err
	}
	return append(lines, d.Lines(time.Now())...), nil
}

package command

import (
	"errors"
	"fmt"
	"io"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/props"
)

// printPipelines prints the pipelines of a target, or of all blogs and services, as JSON for dist/operate.
type printPipelines struct{ target }

func (c *printPipelines) run(app App, stdout, _ io.Writer) error {
	if c.blog != "" && c.service != "" {
		return c.check()
	}
	if err := props.Validate(app.Blogs, app.Services); err != nil {
		return fmt.Errorf("blogs.go or services.go has problems:\n%w", err)
	}
	blogs, services := app.Blogs, app.Services
	switch {
	case c.blog != "":
		blog, err := app.blog(c.blog)
		if err != nil {
			return err
		}
		blogs, services = []props.Blog{blog}, nil
	case c.service != "":
		service, err := app.service(c.service)
		if err != nil {
			return err
		}
		blogs, services = nil, []props.Service{service}
	}
	pipelines := []contract.Pipeline{}
	add := func(of props.Identity) {
		pipelines = append(pipelines, contract.Pipeline{Name: of.Name, Region: of.Region})
	}
	for _, blog := range blogs {
		add(blog.Identity())
	}
	for _, service := range services {
		if _, hasPipeline := service.(props.FargateService); hasPipeline {
			add(service.Identity())
		} else if c.service != "" {
			return errors.New(c.service + " is deployed by a pipeline of yours, which this project does not know: look at it in the console of CodePipeline, CodeDeploy or ECS")
		}
	}
	_, err := io.WriteString(stdout, contract.JSON(pipelines)+"\n")
	return err
}

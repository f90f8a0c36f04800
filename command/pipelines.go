package command

import (
	"io"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/props"
)

// printPipelines prints the pipelines of a target, or of all blogs and services, and how services are deployed, as JSON for
// dist/operate.
type printPipelines struct{ target }

func (c *printPipelines) run(app App, stdout, _ io.Writer) error {
	if c.blog != "" && c.service != "" {
		return c.check()
	}
	if err := app.validate(); err != nil {
		return err
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
	for _, blog := range blogs {
		pipelines = append(pipelines, contract.Pipeline{Name: blog.Name, Region: blog.Region})
	}
	for _, service := range services {
		of := service.Identity()
		pipelines = append(pipelines, contract.Pipeline{Name: of.Name, Region: of.Region, Service: deployment(service)})
	}
	_, err := io.WriteString(stdout, contract.JSON(pipelines)+"\n")
	return err
}

// deployment says how a service is deployed. Its props are valid.
func deployment(service props.Service) *contract.Service {
	of := &contract.Service{}
	var hook props.Hook
	switch service := service.(type) {
	case props.FargateService:
		hook = service.WithDefaults().Hook
	case props.ExistingService:
		hook = service.WithDefaults().Hook
		switch by := service.DeployedBy.(type) {
		case props.CodeDeployGroup:
			of.Application, of.DeploymentGroup = by.Application, by.DeploymentGroup
		case props.ECSService:
			of.Cluster, of.Service = by.Cluster, by.Service
		}
	}
	for _, event := range hook.Events {
		of.Events = append(of.Events, string(event))
	}
	return of
}

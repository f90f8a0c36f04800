package command

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"blog-deploy-pipeline/appspec"
	"blog-deploy-pipeline/stacks/props"
)

// printAppSpec prints the AppSpec file of a service, for the repository of that service.
type printAppSpec struct{ service string }

func (c *printAppSpec) flags(set *flag.FlagSet) {
	set.StringVar(&c.service, "service", "", "the `name` of a service in services.go")
}

func (c *printAppSpec) run(app App, stdout, _ io.Writer) error {
	if c.service == "" {
		return errors.New("which service? Name one from services.go: SERVICE=name for make, -service name for dist/app")
	}
	if len(app.Services) > 0 {
		if err := props.Validate(nil, app.Services); err != nil {
			return err
		}
	}
	service, err := app.service(c.service)
	if err != nil {
		if blog, unknown := app.blog(c.service); unknown == nil {
			return fmt.Errorf("%s has no AppSpec, only services have: %w", blog.Identity(), err)
		}
		return err
	}
	spec, err := service.AppSpec()
	if err != nil {
		return err
	}
	text, err := appspec.Render(spec)
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, text)
	return err
}

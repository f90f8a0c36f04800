package command

import (
	"errors"
	"flag"
	"io"

	"blog-deploy-pipeline/stacks"
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
	text, err := stacks.AppSpec(app.Blogs, app.Services, c.service)
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, text)
	return err
}

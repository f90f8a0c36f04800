package stacks

import (
	"cmp"
	"fmt"
	"strings"

	"blog-deploy-pipeline/appspec"
	"blog-deploy-pipeline/stacks/props"
)

// AppSpec returns the AppSpec of the service that is called name, as a file for CodeDeploy.
func AppSpec(blogs []props.Blog, services []props.Service, name string) (string, error) {
	if len(services) > 0 {
		if err := props.Validate(nil, services); err != nil {
			return "", err
		}
	}
	names := make([]string, len(services))
	for i, service := range services {
		if names[i] = service.Identity().Name; names[i] != name {
			continue
		}
		spec, err := service.AppSpec()
		if err != nil {
			return "", err
		}
		return appspec.Render(spec)
	}
	known := cmp.Or(strings.Join(names, ", "), "none")
	for _, b := range blogs {
		if b.Name == name {
			return "", fmt.Errorf("%s has no AppSpec, only services have; there are: %s", b.Identity(), known)
		}
	}
	return "", fmt.Errorf("no service %q in services.go; there are: %s", name, known)
}

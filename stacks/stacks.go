// Package stacks is the infrastructure: one stack for each blog and each service,
// one file for each stage or concept.
//
// Props are plain values whose zero fields mean the documented default.
package stacks

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"blog-deploy-pipeline/appspec"
)

// Service is an ECS service behind CloudFront.
type Service interface {
	// Validate returns all that is wrong with the service's props, or nil.
	Validate() error

	owner() owner
	stackID() string
	// appSpec returns the AppSpec of a service that CodeDeploy deploys, and else an
	// error that says where its hooks are.
	appSpec() (appspec.Spec, error)
}

// ServiceStackID returns the id and name of a service's stack.
func ServiceStackID(service Service) string { return service.stackID() }

// NewServiceStack adds the stack of a service to scope. Like every construct it
// panics on props that are not valid; [Validate] returns what is wrong instead.
func NewServiceStack(scope constructs.Construct, service Service) awscdk.Stack {
	if err := validateService(service); err != nil {
		panic(err)
	}
	switch service := service.(type) {
	case ExistingService:
		return newHookStack(scope, service)
	case FargateService:
		return newFargateStack(scope, service)
	}
	panic("unreachable: validateService accepts no other type")
}

// AppSpec returns the AppSpec file of the service called name.
func AppSpec(blogs []BlogProps, services []Service, name string) (string, error) {
	names := make([]string, len(services))
	for i, service := range services {
		if err := isService(service); err != nil {
			return "", fmt.Errorf("services[%d] %w", i, err)
		}
		if names[i] = service.owner().name; names[i] != name {
			continue
		}
		if err := service.Validate(); err != nil {
			return "", err
		}
		spec, err := service.appSpec()
		if err != nil {
			return "", err
		}
		return appspec.Render(spec)
	}
	known := cmp.Or(strings.Join(names, ", "), "none")
	for _, b := range blogs {
		if b.Name == name {
			return "", fmt.Errorf("%s has no AppSpec, only services have; there are: %s", b.owner(), known)
		}
	}
	return "", fmt.Errorf("no service %q in services.go; there are: %s", name, known)
}

// isService returns what is wrong with something that is no service at all: a pointer
// to one may be nil.
func isService(service Service) error {
	switch service.(type) {
	case ExistingService, FargateService:
		return nil
	case nil:
		return errors.New("is nil: remove it")
	}
	return fmt.Errorf("is %s: must be a stacks.ExistingService{…} or a stacks.FargateService{…}, without &", typeOf(service))
}

func validateService(service Service) error {
	if err := isService(service); err != nil {
		return fmt.Errorf("service %w", err)
	}
	return service.Validate()
}

// Validate returns all that is wrong with the blogs and services and between them,
// or nil.
func Validate(blogs []BlogProps, services []Service) error {
	if len(blogs)+len(services) == 0 {
		return errors.New("blogs.go lists no blog, and there is no service in services.go: add one, as README.md shows")
	}
	var errs []error
	type place struct{ bucket, prefix string }
	places := map[place]string{}
	names := map[string]string{}
	for _, b := range blogs {
		errs = append(errs, b.Validate())
		p := &problems{owner: b.owner()}
		at := place{b.Deploy.Bucket, b.Deploy.KeyPrefix}
		if other, taken := places[at]; taken && b.Deploy.Bucket != "" {
			p.add("Deploy.Bucket", b.Deploy.Bucket, fmt.Sprintf("blog %q publishes to the same place; give each its own Deploy.KeyPrefix", other))
		}
		places[at] = b.Name
		if b.Site != nil {
			for _, n := range b.Site.names() {
				// Twice in one Site has been reported.
				if other, taken := names[n.value]; taken && other != b.Name {
					p.add(n.field, n.value, fmt.Sprintf("blog %q has this name; CloudFront gives it to one distribution", other))
				}
				names[n.value] = b.Name
			}
		}
		errs = append(errs, p.join())
	}
	for i, s := range services {
		if err := isService(s); err != nil {
			errs = append(errs, fmt.Errorf("services[%d] %w", i, err))
			continue
		}
		errs = append(errs, s.Validate())
	}
	return errors.Join(append(errs, sameNames(blogs, services))...)
}

// sameNames reports names that are there twice: a name becomes that of a pipeline, of
// a function and of a metric's dimension.
func sameNames(blogs []BlogProps, services []Service) error {
	var owners []owner
	for _, b := range blogs {
		owners = append(owners, b.owner())
	}
	for _, s := range services {
		if isService(s) == nil {
			owners = append(owners, s.owner())
		}
	}
	first := map[string]owner{}
	var errs []error
	for _, o := range owners {
		// In lower case, because the stacks' templates are files.
		name := strings.ToLower(o.name)
		if other, taken := first[name]; taken {
			p := &problems{owner: o}
			p.add("Name", o.name, fmt.Sprintf("another %s has this name; each needs its own", other.kind))
			errs = append(errs, p.join())
			continue
		}
		first[name] = o
	}
	return errors.Join(errs...)
}

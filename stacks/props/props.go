package props

import (
	"blog-deploy-pipeline/appspec"
	"errors"
	"fmt"
	"strings"
)

// Service is an ECS service behind CloudFront.
type Service interface {
	// Validate returns all that is wrong with the service's props, or nil.
	Validate() error

	// Identity returns the service's name, account and region.
	Identity() Identity
	// StackName returns the name of the service's stack.
	StackName() string
	// appSpec returns the AppSpec of a service that CodeDeploy deploys, and else an
	// error that says where its hooks are.
	AppSpec() (appspec.Spec, error)
}

// isService returns what is wrong with something that is no service at all: a pointer
// to one may be nil.
func IsService(service Service) error {
	switch service.(type) {
	case ExistingService, FargateService:
		return nil
	case nil:
		return errors.New("is nil: remove it")
	}
	return fmt.Errorf("is %s: must be a props.ExistingService{…} or a props.FargateService{…}, without &", TypeOf(service))
}

// Validate returns all that is wrong with the blogs and services and between them,
// or nil.
func Validate(blogs []Blog, services []Service) error {
	if len(blogs)+len(services) == 0 {
		return errors.New("blogs.go lists no blog, and there is no service in services.go: add one, as README.md shows")
	}
	var errs []error
	type place struct{ bucket, prefix string }
	places := map[place]string{}
	names := map[string]string{}
	for _, b := range blogs {
		errs = append(errs, b.Validate())
		p := &Problems{owner: b.Identity()}
		at := place{b.Deploy.Bucket, b.Deploy.KeyPrefix}
		if other, taken := places[at]; taken && b.Deploy.Bucket != "" {
			p.add("Deploy.Bucket", b.Deploy.Bucket, fmt.Sprintf("blog %q publishes to the same place; give each its own Deploy.KeyPrefix", other))
		}
		places[at] = b.Name
		if b.Site != nil {
			for _, n := range b.Site.Names() {
				// Twice in one Site has been reported.
				if other, taken := names[n.Value]; taken && other != b.Name {
					p.add(n.field, n.Value, fmt.Sprintf("blog %q has this name; CloudFront gives it to one distribution", other))
				}
				names[n.Value] = b.Name
			}
		}
		errs = append(errs, p.Join())
	}
	for i, s := range services {
		if err := IsService(s); err != nil {
			errs = append(errs, fmt.Errorf("services[%d] %w", i, err))
			continue
		}
		errs = append(errs, s.Validate())
	}
	return errors.Join(append(errs, sameNames(blogs, services))...)
}

// sameNames reports names that are there twice: a name becomes that of a pipeline, of
// a function and of a metric's dimension.
func sameNames(blogs []Blog, services []Service) error {
	var owners []Identity
	for _, b := range blogs {
		owners = append(owners, b.Identity())
	}
	for _, s := range services {
		if IsService(s) == nil {
			owners = append(owners, s.Identity())
		}
	}
	first := map[string]Identity{}
	var errs []error
	for _, o := range owners {
		// In lower case, because the stacks' templates are files.
		name := strings.ToLower(o.Name)
		if other, taken := first[name]; taken {
			p := &Problems{owner: o}
			p.add("Name", o.Name, fmt.Sprintf("another %s has this name; each needs its own", other.Kind))
			errs = append(errs, p.Join())
			continue
		}
		first[name] = o
	}
	return errors.Join(errs...)
}

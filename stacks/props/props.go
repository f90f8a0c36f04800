// Package props has everything that the owner of a blog or of a service writes into blogs.go and
// services.go, and the rules that say what is accepted. It does not use the CDK.
//
// A list of blogs has one [Blog] for each:
//
//	var blogs = []props.Blog{{
//		Name: "my-blog",
//		Source: props.GitHubConnection{
//			Owner: "my-name", Repo: "blog", ConnectionARN: "arn:aws:codeconnections:us-east-1:123456789012:connection/…",
//		},
//		Deploy:     props.Deploy{Bucket: "amzn-s3-demo-bucket"},
//		Invalidate: props.Invalidate{DistributionID: "E2QWRUHAPOMQZL"},
//	}}
//
// With a [Site], the bucket and the distribution are created as well. A list of services has an
// [ExistingService] for a service that exists already, and a [FargateService] for one that is created.
//
// A field that is not set has the default that its comment names; the zero value of a type is all
// defaults. Fields whose comment says "Required" have none. What comments say of a change, such as "It
// cannot be changed", is about a blog or service that has been deployed.
package props

import (
	"errors"
	"fmt"
	"strings"

	"blog-deploy-pipeline/appspec"
)

// Service is an ECS service behind CloudFront: an [ExistingService] or a [FargateService].
type Service interface {
	// Validate returns everything that is wrong with the service's props, or nil.
	Validate() error

	// Identity returns the service's name, account and region.
	Identity() Identity
	// StackName returns the name of the service's stack.
	StackName() string
	// AppSpec returns the AppSpec that calls the hook, if CodeDeploy deploys the service. If ECS does,
	// it returns an error that says where the hook is.
	AppSpec() (appspec.Spec, error)
}

// isService returns what is wrong with a value in the list of services that is not a service, such as
// a nil pointer, or nil.
func isService(service Service) error {
	switch service.(type) {
	case ExistingService, FargateService:
		return nil
	case nil:
		return errors.New("is nil: remove it")
	}
	return fmt.Errorf("is %s: must be a props.ExistingService{…} or a props.FargateService{…}, without &", typeOf(service))
}

// Validate returns everything that is wrong with the blogs and services, each alone and together, or
// nil.
func Validate(blogs []Blog, services []Service) error {
	if len(blogs)+len(services) == 0 {
		return errors.New("blogs.go lists no blog, and services.go lists no service: add one, as README.md shows")
	}
	var errs []error
	for _, b := range blogs {
		errs = append(errs, b.Validate())
	}
	for i, s := range services {
		if err := isService(s); err != nil {
			errs = append(errs, fmt.Errorf("services[%d] %w", i, err))
			continue
		}
		errs = append(errs, s.Validate())
	}
	return errors.Join(append(errs, samePlaces(blogs), sameNames(blogs, services))...)
}

// samePlaces reports blogs that publish to the same folder of a bucket, and Sites with the same name
// in DNS.
func samePlaces(blogs []Blog) error {
	type place struct{ bucket, prefix string }
	var errs []error
	places, names := map[place]string{}, map[string]string{}
	for _, b := range blogs {
		p := &problems{of: b.Identity()}
		at := place{b.Deploy.Bucket, b.Deploy.KeyPrefix}
		if other, taken := places[at]; taken && b.Deploy.Bucket != "" {
			p.add("Deploy.Bucket", b.Deploy.Bucket, fmt.Sprintf("blog %q publishes to the same place: give each its own Deploy.KeyPrefix", other))
		}
		places[at] = b.Name
		if b.Site != nil {
			for _, name := range b.Site.dns().names() {
				// A name that one Site has twice has been reported.
				if other, taken := names[name.value]; taken && other != b.Name {
					p.add(name.field, name.value, fmt.Sprintf("blog %q has the same name, and CloudFront allows one distribution for a name: remove one of them", other))
				}
				names[name.value] = b.Name
			}
		}
		errs = append(errs, p.join())
	}
	return errors.Join(errs...)
}

// sameNames reports names that are used twice. Pipelines, functions and metrics are named after blogs
// and services, and stacks' templates are files, whose names may not differ in case alone.
func sameNames(blogs []Blog, services []Service) error {
	var all []Identity
	for _, b := range blogs {
		all = append(all, b.Identity())
	}
	for _, s := range services {
		if isService(s) == nil {
			all = append(all, s.Identity())
		}
	}
	first := map[string]Identity{}
	var errs []error
	for _, i := range all {
		name := strings.ToLower(i.Name)
		if other, taken := first[name]; taken {
			p := &problems{of: i}
			p.add("Name", i.Name, fmt.Sprintf("another %s has this name: give each its own", other.Kind))
			errs = append(errs, p.join())
			continue
		}
		first[name] = i
	}
	return errors.Join(errs...)
}

package command

import (
	"errors"
	"flag"
	"fmt"
	"strings"

	"blog-deploy-pipeline/stacks/props"
)

// target is the blog or the service that a command is for.
type target struct{ blog, service string }

func (t *target) flags(set *flag.FlagSet) {
	set.StringVar(&t.blog, "blog", "", "the `name` of a blog in blogs.go")
	set.StringVar(&t.service, "service", "", "the `name` of a service in services.go")
}

// check returns an error unless exactly one of the two is named.
func (t *target) check() error {
	switch {
	case t.blog == "" && t.service == "":
		return errors.New("which blog or service? Name one from blogs.go or services.go: BLOG=name or SERVICE=name for make, -blog name or -service name for dist/app")
	case t.blog != "" && t.service != "":
		return fmt.Errorf("the blog %q and the service %q are both named: name one of them", t.blog, t.service)
	}
	return nil
}

// validate returns what is wrong with the props of all blogs and services.
func (app App) validate() error {
	if err := props.Validate(app.Blogs, app.Services); err != nil {
		return fmt.Errorf("blogs.go or services.go has problems:\n%w", err)
	}
	return nil
}

// blog returns the blog called name.
func (app App) blog(name string) (props.Blog, error) {
	var names []string
	for _, blog := range app.Blogs {
		if blog.Name == name {
			return blog, nil
		}
		names = append(names, blog.Name)
	}
	return props.Blog{}, fmt.Errorf("no blog %q in blogs.go; there are: %s", name, list(names))
}

// service returns the service called name.
func (app App) service(name string) (props.Service, error) {
	var names []string
	for _, service := range app.Services {
		if service.Identity().Name == name {
			return service, nil
		}
		names = append(names, service.Identity().Name)
	}
	return nil, fmt.Errorf("no service %q in services.go; there are: %s", name, list(names))
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

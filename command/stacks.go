package command

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"blog-deploy-pipeline/lambdas/contract"
)

// printStacks prints the names of a target's stacks, each on a line, in the order in which they are deployed.
// The CDK CLI needs names that exist: it does nothing where a name is unknown, and reads * as all stacks.
type printStacks struct {
	target
	destroy, site bool
}

func (c *printStacks) flags(set *flag.FlagSet) {
	c.target.flags(set)
	set.BoolVar(&c.destroy, "destroy", false, "print only the stacks that make destroy removes: a blog's site stays")
	set.BoolVar(&c.site, "site", false, "with -destroy, print the stacks of the blog's site, too")
}

func (c *printStacks) run(app App, stdout, stderr io.Writer) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.site && !c.destroy {
		return errors.New("-site goes only with -destroy: without it, all stacks are printed")
	}
	if err := app.validate(); err != nil {
		return err
	}
	var names []string
	var err error
	if c.service != "" {
		names, err = c.ofService(app)
	} else {
		names, err = c.ofBlog(app, stderr)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, strings.Join(names, "\n"))
	return err
}

func (c *printStacks) ofService(app App) ([]string, error) {
	service, err := app.service(c.service)
	if err != nil {
		return nil, err
	}
	if c.site {
		return nil, fmt.Errorf("service %q: only a blog has a site: leave out SITE=yes (-site)", c.service)
	}
	return []string{service.StackName()}, nil
}

func (c *printStacks) ofBlog(app App, stderr io.Writer) ([]string, error) {
	blog, err := app.blog(c.blog)
	switch {
	case err != nil:
		return nil, err
	case !c.destroy:
		return blog.StackNames(), nil
	case !c.site:
		return []string{contract.StackName(blog.Name, contract.StackPipeline)}, nil
	case blog.Site == nil:
		return nil, fmt.Errorf("the blog %q has no Site in blogs.go: leave out SITE=yes (-site). The stacks of a Site that it had before stay in AWS until you delete them there", blog.Name)
	}
	_, err = fmt.Fprintf(stderr, "The blog %s goes offline: its distribution, its certificate and its DNS records are deleted. "+
		"The bucket and all of its files stay, unless the site was deployed with BucketRemoval: props.BucketRemovalDelete.\n", blog.Name)
	return blog.StackNames(), err
}

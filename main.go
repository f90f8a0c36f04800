// Command blog-deploy-pipeline is the CDK app: it makes the stacks of each blog in blogs.go and of each
// service in services.go. `dist/app --help` lists what else it does.
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/command"
	"blog-deploy-pipeline/command/cdksettings"
	"blog-deploy-pipeline/stacks"
	"blog-deploy-pipeline/stacks/props"
)

// services is set by services.go, which an owner who has only blogs deletes.
var services []props.Service

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	// jsii has made a temporary folder by now, also for a command that does not need it.
	defer jsii.Close()
	return command.Run(command.App{Blogs: blogs, Services: services, Synth: synth}, args, os.Stdout, os.Stderr)
}

// synth writes the templates of all stacks.
func synth() (err error) {
	if err := props.Validate(blogs, services); err != nil {
		return fmt.Errorf("blogs.go or services.go has problems; nothing was synthesised:\n%w", err)
	}
	context, err := cdksettings.Context(os.LookupEnv)
	if err == nil {
		err = refuseStackTags(os.LookupEnv, services)
	}
	if err != nil {
		return fmt.Errorf("nothing was synthesised: %w", err)
	}
	defer func() {
		// The CDK panics with its error messages. A stack trace helps only with a mistake in Go code.
		if cause := recover(); cause != nil {
			if _, isBug := cause.(runtime.Error); isBug {
				panic(cause)
			}
			err = fmt.Errorf("%v", cause)
		}
	}()

	app := awscdk.NewApp(&awscdk.AppProps{Context: &context})
	for _, blog := range blogs {
		stacks.NewBlogStack(app, blog)
	}
	for _, service := range services {
		stacks.NewServiceStack(app, service)
	}
	return stacks.OpenAssets(*app.Synth(nil).Directory())
}

// refuseStackTags returns an error if the CDK CLI would give tags to the whole stack of a service that must
// not get them.
func refuseStackTags(env cdksettings.Lookup, services []props.Service) error {
	where, err := cdksettings.StackTags(env)
	if err != nil || where == "" {
		return err
	}
	return stacks.RefuseStackTags(services, where)
}

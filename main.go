// Command blog-deploy-pipeline is the CDK app: one stack for each blog in blogs.go and each
// service in services.go.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks"
)

// services is set by services.go, which an owner of blogs alone deletes.
var services []stacks.Service

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	// jsii has made a folder by now, whatever is asked for.
	defer jsii.Close()
	switch {
	case len(args) == 0:
		return synth()
	case len(args) == 2 && args[0] == "appspec":
		return printAppSpec(args[1])
	}
	return fmt.Errorf("arguments are %q: must be none, to synthesise, or: appspec NAME", args)
}

func printAppSpec(service string) error {
	text, err := stacks.AppSpec(blogs, services, service)
	if err != nil {
		return err
	}
	_, err = io.WriteString(os.Stdout, text)
	return err
}

func synth() (err error) {
	if err := stacks.Validate(blogs, services); err != nil {
		return fmt.Errorf("blogs.go or services.go has problems; nothing was synthesised:\n%w", err)
	}
	context, err := cdkContext(os.LookupEnv)
	if err == nil {
		err = refuseStackTags(os.LookupEnv, services)
	}
	if err != nil {
		return fmt.Errorf("nothing was synthesised: %w", err)
	}
	defer func() {
		// The CDK throws what it finds wrong; only a mistake in Go wants a stack.
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

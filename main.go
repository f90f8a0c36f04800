// Command blog-deploy-pipeline is the CDK app: one stack for each blog in blogs.go.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks"
)

func main() {
	if err := stacks.Validate(blogs); err != nil {
		fmt.Fprintf(os.Stderr, "blogs.go has problems; nothing was synthesised:\n%v\n", err)
		os.Exit(1)
	}
	defer jsii.Close()

	app := awscdk.NewApp(nil)
	for _, blog := range blogs {
		stacks.NewBlogStack(app, blog)
	}
	app.Synth(nil)
}

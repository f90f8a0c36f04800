// Package command is the command line of dist/app: what the app does besides writing templates. Each command
// is a file of its own.
package command

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"blog-deploy-pipeline/stacks/props"
)

// App holds what the commands need of the app.
type App struct {
	Blogs    []props.Blog
	Services []props.Service

	// Synth writes the templates of all stacks.
	Synth func() error
}

// command is one word of the command line.
type command interface {
	// flags declares the flags that the command accepts.
	flags(set *flag.FlagSet)
	// run does the work. Only what was asked for goes to stdout, so that a script can read it.
	run(app App, stdout, stderr io.Writer) error
}

var commands = []struct {
	name, does string
	new        func() command
}{
	{"stacks", "print the names of a blog's or a service's stacks", func() command { return new(printStacks) }},
	{"pipelines", "print the pipelines as JSON for dist/operate", func() command { return new(printPipelines) }},
	{"appspec", "print the AppSpec of a service that CodeDeploy deploys", func() command { return new(printAppSpec) }},
}

// Run runs the command that args names, or Synth if there are no args, as when the CDK CLI starts the app.
func Run(app App, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return app.Synth()
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		_, err := io.WriteString(stdout, help())
		return err
	}
	var known []string
	for _, c := range commands {
		if c.name == args[0] {
			return parseAndRun(app, c.name, c.does, c.new(), args[1:], stdout, stderr)
		}
		known = append(known, c.name)
	}
	return fmt.Errorf("dist/app has no command %q; there are: %s. Without a command it writes the templates; --help says more", args[0], strings.Join(known, ", "))
}

func parseAndRun(app App, name, does string, c command, args []string, stdout, stderr io.Writer) error {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard) // The caller prints the error.
	c.flags(set)
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		set.SetOutput(stdout)
		if _, err := fmt.Fprintf(stdout, "dist/app %s: %s\n", name, does); err != nil {
			return err
		}
		set.PrintDefaults()
		return nil
	case err != nil:
		return fmt.Errorf("dist/app %s: %w; --help lists its flags", name, err)
	case set.NArg() > 0:
		return fmt.Errorf("dist/app %s: %q is not a flag; --help lists its flags", name, set.Arg(0))
	}
	return c.run(app, stdout, stderr)
}

func help() string {
	var text strings.Builder
	text.WriteString(`Usage: dist/app [command [flags]]

Without a command, the app writes the CloudFormation template of every blog in blogs.go and
every service in services.go into the folder CDK_OUTDIR. The CDK CLI and make start it so.

Commands:
`)
	for _, c := range commands {
		fmt.Fprintf(&text, "  %-9s %s\n", c.name, c.does)
	}
	text.WriteString("\ndist/app COMMAND --help lists a command's flags.\n")
	return text.String()
}

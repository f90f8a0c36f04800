package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline"

	"blog-deploy-pipeline/operate/status"
)

// showStatus prints the status of each pipeline, or follows one.
func showStatus(ctx context.Context, c call) error {
	var errs []error
	for _, p := range c.pipelines {
		config, err := connect(ctx, p)
		if err != nil {
			return err // The other pipelines have the same credentials.
		}
		client := codepipeline.NewFromConfig(config)
		if c.watch {
			w := status.Watcher{
				Client: client, Name: p.Name, Now: time.Now, Sleep: c.sleep,
				Tell: func(line string) { _, _ = fmt.Fprintln(c.stdout, line) }, // The exit status says what came of it, too.
			}
			return explain(w.Watch(ctx), p, config)
		}
		if _, err := fmt.Fprintf(c.stdout, "%s  %s\n", p.Name, config.Region); err != nil {
			return err
		}
		s, err := status.Read(ctx, client, p.Name)
		if err != nil {
			errs = append(errs, explain(err, p, config))
			continue
		}
		for _, line := range s.Lines(time.Now()) {
			if _, err := fmt.Fprintln(c.stdout, line); err != nil {
				return err
			}
		}
	}
	return errors.Join(errs...)
}

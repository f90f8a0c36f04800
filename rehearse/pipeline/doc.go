// Package pipeline rehearses what a template deploys: a pipeline of CodePipeline, or the hooks of a service's deployment.
// The build, the functions and the S3 server are real; the other services of AWS are doubles.
//
//	plan, err := pipeline.Read(template)
//	…
//	result, err := pipeline.Run(ctx, plan, pipeline.Options{…}, func(e rehearsal.Event) { … })
//
// A [Plan] is what the template says. Each kind of action has a file with its type, which is listed in kinds: it reads
// its part of the template, and runs. An action gets a job and returns an outcome; nothing else passes from one action to
// the next.
package pipeline

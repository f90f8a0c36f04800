// Package pipeline runs a synthesised CodePipeline pipeline on this machine: its stages and actions, as
// the template has them, with the real build, the real functions and a real S3 server.
//
//	plan, err := pipeline.Read(template)
//	…
//	result, err := pipeline.Run(ctx, pipeline.Options{Plan: plan, …}, func(e pipeline.Event) { … })
//
// [Event] and [Result] are what it tells.
package pipeline

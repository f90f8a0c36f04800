// Package pipeline rehearses what a template deploys: a pipeline of CodePipeline, or the hooks of a service's deployment.
// The build, the functions and the S3 server are real; the other services of AWS are doubles.
//
//	plan, err := pipeline.Read(template)
//	…
//	result, err := pipeline.Run(ctx, plan, pipeline.Options{…}, func(e rehearsal.Event) { … })
//
// A [Plan] is what the template says, and a process, a [Pipeline] or a [Deployment], runs in a world of doubles. Where to
// look:
//
//   - run.go prepares the world and runs the process; options.go has what the owner chooses.
//   - plan.go reads a template; pipeline.go, kinds.go and function.go read its parts.
//   - execution.go runs a pipeline. It gives each action a job and gets an outcome back (action.go); nothing else passes
//     from one action to the next.
//   - source.go, build.go, deploy.go and invoke.go are the kinds of actions, which kinds.go lists. Each reads its part of the
//     template, and runs.
//   - publication.go has readers visit what an action publishes: before, after and, while a function publishes, meanwhile.
//   - proof.go has a function look at the site of this machine, and rollback.go takes a release back at the end.
//   - deployment.go runs the hooks of a service, as codedeploy.go or ecs.go call them.
//   - world.go holds what stands for AWS: cloud.go the services that functions call, lambda.go the functions that run,
//     and fault.go what goes wrong on purpose.
package pipeline

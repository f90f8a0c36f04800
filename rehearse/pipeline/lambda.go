package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// compileFunctions compiles functions for this machine.
func (w *world) compileFunctions(ctx context.Context, functions []*Function) error {
	for _, f := range functions {
		binary := filepath.Join(w.dir, "function-"+f.ID, "bootstrap")
		if err := os.MkdirAll(filepath.Dir(binary), 0o750); err != nil {
			return err
		}
		if err := w.compile(ctx, f.Asset, binary); err != nil {
			return fmt.Errorf("compile the function %s: %w", f.ID, err)
		}
		w.binaries[f] = binary
	}
	return nil
}

// credentialsLast is longer than a rehearsal runs. Lambda renews a function's credentials by itself.
const credentialsLast = 12 * time.Hour

// startFunction starts a function for invocations, until stop is called. What it writes belongs to the action that runs.
func (w *world) startFunction(f *Function) (_ *lambdaruntime.Runtime, stop func() error, err error) {
	w.account.AddRole(f.Role, "function "+f.ID)
	if err := w.account.AssumeByService("Lambda", "lambda.amazonaws.com", f.Role); err != nil {
		return nil, nil, err
	}
	w.checkLog(f)
	if f.Assumes != nil {
		w.account.AddRole(f.Assumes, "assumed by function "+f.ID)
		if w.Faults["sts"] != noRole {
			w.cloud.AddRole(f.Assumes.ARN)
		}
	}
	settings, timeout, notes := w.Faults.settings(f.Env[contract.EnvSiteBucket] != "", f.Timeout)
	for _, note := range notes {
		w.record.Note("%s", note)
	}
	env := maps.Clone(f.Env)
	maps.Copy(env, settings)
	maps.Copy(env, w.cloud.Issue(f.Role.Principal(f.Name), credentialsLast).Env())
	env["AWS_ENDPOINT_URL"], env["AWS_REGION"] = w.endpoint, w.template.Region
	w.lookHere(f, env)
	tell := func(kind rehearsal.Kind, text string) {
		stage, action := w.record.Running()
		w.record.Tell(rehearsal.Event{Kind: kind, Stage: stage, Action: action, Text: text})
	}
	output := &lines{emit: func(line string) { tell(rehearsal.Output, line) }}
	runtime, err := lambdaruntime.Start(lambdaruntime.Function{
		Binary: w.binaries[f], Name: f.Name, Env: env, Timeout: timeout, MemoryMB: f.MemoryMB, Retries: f.Retries, Log: output,
		RetryDelay: func(attempt int) time.Duration {
			wait := time.Duration(attempt) * time.Minute
			w.clock.Skip(wait)
			tell(rehearsal.Progressed, fmt.Sprintf("the invocation failed; Lambda retries after %v, which are skipped here", wait))
			return 0
		},
	})
	if err != nil {
		return nil, nil, err
	}
	end := w.callers.begin(&invoked{f, runtime})
	return runtime, func() error {
		end()
		err := runtime.Close()
		output.close()
		return err
	}, nil
}

// addFunctions has the double of Lambda invoke functions, for the owner's commands and for other functions.
func (w *world) addFunctions(ctx context.Context, functions []*Function) {
	for _, f := range functions {
		w.cloud.AddFunction(f.Name, func(_ context.Context, event []byte) ([]byte, bool) { return w.answer(ctx, f, event) })
	}
}

// answer invokes a function for a caller who waits for its answer.
func (w *world) answer(ctx context.Context, f *Function, event []byte) (answer []byte, failed bool) {
	runtime, stop, err := w.startFunction(f)
	var result lambdaruntime.Result
	if err == nil {
		result, err = runtime.Invoke(ctx, event)
		err = errors.Join(err, stop())
	}
	if err != nil {
		answer, _ = json.Marshal(lambdaruntime.FunctionError{ErrorType: "Rehearsal", ErrorMessage: err.Error()}) // Two strings always encode.
		return answer, true
	}
	w.answered.Add(int64(result.Duration + result.InitDuration))
	return result.Payload, result.Err != nil
}

// checkLog checks what Lambda needs to keep a function's log. A function runs without a log, too.
func (w *world) checkLog(f *Function) {
	t := w.template
	stream := fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s:log-stream:%s", t.Partition, t.Region, t.Account, f.LogGroup, w.id)
	for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
		if err := w.account.Allow(iam.Call{Role: f.Role, Session: f.Name, Action: action, On: stream}); err != nil {
			w.record.Warn("the function %s would run without a log: %v", f.ID, err)
			return // One warning is enough.
		}
	}
}

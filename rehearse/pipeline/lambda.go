package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/loopback"
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

// startCloud serves the doubles of the services that functions call.
func (w *world) startCloud() error {
	w.cloud = fakeaws.New(fakeaws.Options{
		Account: w.template.Account, Region: w.template.Region, Now: w.clock.Now,
		Authorize: func(c fakeaws.Call) error {
			f := w.invoked.Load()
			if f == nil {
				return errors.New("no function is being invoked")
			}
			asked := iam.Call{Role: f.Role, Session: f.Name, Action: c.Action, On: c.Resource}
			if other := f.Assumes; other != nil {
				if c.Principal == other.Principal(f.Name) {
					asked.Role = other
				} else if c.Resource == other.ARN {
					asked.Trust = other.Trust
				}
			}
			if part, denied := w.Faults.denies(c.Action); denied {
				w.struck(part, c.Action)
				return iam.Denied(asked)
			}
			if err := w.account.Allow(asked); err != nil {
				return err
			}
			if part, unusual := w.Faults.answers(c.Action); unusual {
				w.struck(part, c.Action)
			}
			return nil
		},
		Fault: func(c fakeaws.Call) fakeaws.Fault {
			f := w.invoked.Load()
			if f == nil {
				return fakeaws.Fault{}
			}
			part, fault := w.Faults.strike(c, f.Kill, f.Freeze)
			if fault.Kind == fakeaws.NoFault {
				return fault
			}
			do := fault.Do
			fault.Do = func() {
				w.struck(part, c.Action)
				if do != nil {
					do()
				}
			}
			return fault
		},
	})
	server, url, err := loopback.Serve(w.cloud)
	if err != nil {
		return err
	}
	w.onClose(server.Close)
	w.endpoint = url
	return nil
}

// credentialsLast is longer than a rehearsal runs. Lambda renews a function's credentials by itself.
const credentialsLast = 12 * time.Hour

// startFunction starts a function for invocations, until stop is called. What it writes belongs to the action that runs.
func (w *world) startFunction(f *Function) (_ *lambdaruntime.Runtime, stop func() error, err error) {
	w.account.Use(f.Role, "function "+f.ID)
	if err := w.account.Serve("Lambda", "lambda.amazonaws.com", f.Role); err != nil {
		return nil, nil, err
	}
	w.writeLogs(f)
	if f.Assumes != nil {
		w.account.Use(f.Assumes, "assumed by function "+f.ID)
		if w.Faults["sts"] != noRole {
			w.cloud.AddRole(f.Assumes.ARN)
		}
	}
	settings, timeout, notes := w.Faults.settings(f.Timeout)
	for _, note := range notes {
		w.record.Note("%s", note)
	}
	env := maps.Clone(f.Env)
	maps.Copy(env, settings)
	maps.Copy(env, w.cloud.Issue(f.Role.Principal(f.Name), credentialsLast).Env())
	env["AWS_ENDPOINT_URL"], env["AWS_REGION"] = w.endpoint, w.template.Region
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
	w.invoked.Store(&invoked{f, runtime})
	return runtime, func() error {
		w.invoked.Store(nil)
		err := runtime.Close()
		output.close()
		return err
	}, nil
}

// writeLogs checks what Lambda needs to keep a function's log. A function runs without a log, too.
func (w *world) writeLogs(f *Function) {
	t := w.template
	stream := fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s:log-stream:%s", t.Partition, t.Region, t.Account, f.LogGroup, w.id)
	for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
		if err := w.account.Allow(iam.Call{Role: f.Role, Session: f.Name, Action: action, On: stream}); err != nil {
			w.record.Warn("the function %s would run without a log: %v", f.ID, err)
			return // One warning is enough.
		}
	}
}

// addDistribution adds a distribution to the account in which the function clears it.
func (w *world) addDistribution(id string, f *Function) {
	d := w.Faults.distribution(id, w.CompleteAfter)
	if f.Assumes != nil {
		d.Account = f.Assumes.Account()
	}
	w.cloud.AddDistribution(d)
}

// cleared reports whether an invalidation of a distribution is completed. Those that were there before do not count.
func (w *world) cleared(distribution string, before int) bool {
	for n, made := range w.cloud.Invalidations(distribution) {
		if n >= before && made.Status == "Completed" {
			return true
		}
	}
	return false
}

// although says which distributions are not clear, as the end of an action's summary.
func although(uncleared []string) string {
	switch len(uncleared) {
	case 0:
		return ""
	case 1:
		return ", although " + uncleared[0] + " is not clear"
	}
	return ", although " + strings.Join(uncleared, ", ") + " are not clear"
}

// lines splits what is written to it into lines.
type lines struct {
	emit func(string)
	rest []byte
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		if line := strings.TrimRight(string(l.rest[:i]), "\r"); line != "" {
			l.emit(line)
		}
		l.rest = l.rest[i+1:]
	}
}

func (l *lines) close() {
	if len(l.rest) > 0 {
		l.emit(string(l.rest))
		l.rest = nil
	}
}

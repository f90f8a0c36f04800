package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

const (
	edgeID   = "E2QWRUHAPOMQZL"
	edgeRole = "arn:aws:iam::210987654321:role/edge/clear-cache"
)

// scenario describes a deployment and the AWS that it runs in.
type scenario struct {
	cloud   fakeaws.Options
	edges   []fakeaws.Distribution // default: one that needs 100 ms
	role    string                 // to assume; default: none
	env     map[string]string
	timeout time.Duration
	// started is called before each event is delivered, if it is set.
	started func(w *functiontest.World, event []byte)
}

// setup returns the function with all distributions of the scenario in its environment.
func (s *scenario) setup() functiontest.Setup {
	if s.edges == nil {
		s.edges = []fakeaws.Distribution{{ID: edgeID, CompleteAfter: 100 * time.Millisecond}}
	}
	var list []contract.Distribution
	for _, edge := range s.edges {
		list = append(list, contract.Distribution{ID: edge.ID})
	}
	env := map[string]string{contract.EnvService: "shop", contract.EnvDistributions: contract.JSON(list)}
	return functiontest.Setup{Binary: binary, Name: functionName, Cloud: s.cloud, Distributions: s.edges, Role: s.role, Env: []map[string]string{env, s.env}, Timeout: s.timeout}
}

func (s *scenario) handOver(w *functiontest.World, event []byte) {
	if s.started != nil {
		s.started(w, event)
	}
}

// deployed is a deployment that has ended, with its record.
type deployed struct {
	*functiontest.World
	record functiontest.Record
	status string // the deployment's

	codeDeploy *fakeaws.Deployment
	ecs        *fakeaws.ServiceDeployment
}

// notCleared reports whether the function has logged a failure.
func (d *deployed) notCleared() bool {
	return strings.Contains(d.Function.Logs(), `"msg":"not cleared"`)
}

// counted returns how often the end of a hook was counted.
func (d *deployed) counted() int { return strings.Count(d.Function.Logs(), `"_aws":`) }

// outcome returns how the deployment ended, as its owner sees it.
func (d *deployed) outcome() string {
	if d.notCleared() {
		return d.status + ", not cleared"
	}
	return d.status
}

// byCodeDeploy runs a deployment with a hook at AfterAllowTraffic.
func (s scenario) byCodeDeploy(ctx context.Context) (*deployed, error) {
	d := &deployed{}
	setup := s.setup()
	d.record.Distributions = setup.Distributions
	err := functiontest.With(setup, func(w *functiontest.World) (err error) {
		d.World = w
		d.codeDeploy, err = w.Cloud.StartDeployment(fakeaws.DeploymentInput{Application: "shop", DeploymentGroup: "shop-blue-green", AutoRollback: true,
			Hooks: map[string]string{"AfterAllowTraffic": functionName}})
		if err != nil {
			return err
		}
		hook := d.codeDeploy.Next()
		s.handOver(w, hook.Event())
		attempts := w.Function.InvokeAsync(ctx, hook.Event())
		reports := hook.Reports()
		d.record.Requests = append(d.record.Requests, functiontest.Request{Attempts: attempts, Reports: len(reports)})
		for _, attempt := range attempts {
			d.record.Said = append(d.record.Said, string(attempt.Payload))
		}
		var event struct {
			HookExecution string `json:"LifecycleEventHookExecutionId"`
		}
		if err := json.Unmarshal(hook.Event(), &event); err != nil {
			return err
		}
		d.record.Secrets = []string{event.HookExecution, `"LifecycleEventHookExecutionId"`}
		if hook := d.codeDeploy.Next(); hook != nil {
			return fmt.Errorf("another hook at %s", hook.LifecycleEvent())
		}
		d.status = d.codeDeploy.Status()
		switch {
		case len(reports) == 0:
			d.status = "no report"
		case reports[0].Success && !d.notCleared():
			d.record.Success = reports[0].At
		}
		return nil
	})
	return d, err
}

// ownDetail is in hookDetails that the owner wrote, and must not be logged.
const ownDetail = "theOwnersOwnDetailEXAMPLE"

// byECS runs a deployment with the function at some stages. If other is set, another
// function at the last stage answers that.
func (s scenario) byECS(ctx context.Context, input fakeaws.ServiceDeploymentInput, other string, stages ...string) (*deployed, error) {
	const otherARN = "arn:aws:lambda:us-east-1:123456789012:function:other"
	d := &deployed{}
	setup := s.setup()
	d.record.Distributions = setup.Distributions
	d.record.Secrets = []string{ownDetail, `"executionDetails"`}
	err := functiontest.With(setup, func(w *functiontest.World) (err error) {
		d.World = w
		input.Cluster, input.Service = "production", "shop"
		input.Hooks = []fakeaws.ServiceHook{{HookTargetARN: functionARN, RoleARN: roleARN, LifecycleStages: stages, HookDetails: json.RawMessage(`{"own":"` + ownDetail + `"}`)}}
		if other != "" {
			input.Hooks = append(input.Hooks, fakeaws.ServiceHook{HookTargetARN: otherARN, RoleARN: roleARN, LifecycleStages: []string{"POST_PRODUCTION_TRAFFIC_SHIFT"}})
		}
		if d.ecs, err = w.Cloud.StartServiceDeployment(input); err != nil {
			return err
		}
		for call := d.ecs.Next(); call != nil; call = d.ecs.Next() {
			if call.Function() == otherARN {
				if err := call.Answer([]byte(`{"hookStatus":"`+other+`"}`), nil); err != nil {
					return err
				}
				continue
			}
			if len(d.record.Requests) == 200 {
				return fmt.Errorf("still not done after %d calls", len(d.record.Requests))
			}
			time.Sleep(call.Delay() / 100)
			s.handOver(w, call.Event())
			result, err := w.Function.Invoke(ctx, call.Event())
			if err != nil {
				return err
			}
			d.answer(call, result)
		}
		d.status = d.ecs.Status()
		return nil
	})
	return d, err
}

// answer passes an answer to ECS and records it.
func (d *deployed) answer(call *fakeaws.HookCall, result lambdaruntime.Result) {
	request := functiontest.Request{Attempts: []lambdaruntime.Result{result}, Synchronous: true}
	var failure error
	if result.Err != nil {
		failure = result.Err
	}
	if call.Answer(result.Payload, failure) == nil {
		request.Reports = 1
	}
	d.record.Requests = append(d.record.Requests, request)

	var answer struct {
		HookStatus  string
		HookDetails map[string]json.RawMessage
	}
	_ = json.Unmarshal(result.Payload, &answer) // Answer has refused what cannot be read.
	if state := string(answer.HookDetails[detailsKey]); state != "" {
		d.record.Secrets = append(d.record.Secrets, state)
	}
	if answer.HookStatus == "SUCCEEDED" && !d.notCleared() {
		d.record.Success = time.Now()
	}
}

package main

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
)

var (
	create = functiontest.Call{Name: "CreateInvalidation", Match: functiontest.Calls("cloudfront:CreateInvalidation")}
	assume = functiontest.Call{Name: "AssumeRole", Match: functiontest.Calls("sts:AssumeRole")}
	get    = functiontest.Call{Name: "GetInvalidation", Match: functiontest.Calls("cloudfront:GetInvalidation")}

	putStatus = functiontest.Calls("codedeploy:PutLifecycleEventHookExecutionStatus")
	putOfEnd  = functiontest.Call{Name: "PutLifecycleEventHookExecutionStatus", Match: putStatus, Report: true}
	// The fault strikes the report of a failure.
	putOfFailure = functiontest.Call{Name: "PutLifecycleEventHookExecutionStatus, not cleared", Match: putStatus, Report: true}

	choices = []string{proceed, fail}
)

// scenarioOf returns the scenario in which the fault strikes.
func scenarioOf(ctx context.Context, c *functiontest.Case) scenario {
	s := scenario{
		cloud: fakeaws.Options{Fault: c.Strike},
		// The function has to ask at least once, even on a slow machine.
		edges: []fakeaws.Distribution{{ID: edgeID, CompleteAfter: 400 * time.Millisecond, CompleteAfterGets: 1}},
		env:   map[string]string{contract.EnvOnFailure: c.Variant},
		started: func(w *functiontest.World, event []byte) {
			c.World, c.Redeliver = w, func() { w.Again(ctx, event) }
		},
	}
	if c.Call.Name == assume.Name {
		s.role = edgeRole
	}
	if c.Always {
		s.env[contract.EnvDeadline] = "1500ms"
	}
	if c.Always && c.Fault.Fatal() && !c.Call.Report {
		// Otherwise a retry on a slow machine finds the invalidation completed, and makes no
		// more calls.
		s.edges[0].CompleteAfter = time.Hour
	}
	return s
}

// judge checks what must hold in every case.
func judge(c *functiontest.Case, d *deployed) functiontest.Outcome {
	broken := d.BrokenRules(d.record)
	// There may be a second report only if an answer was lost or an event came twice.
	if n := d.Count(functiontest.Refused("LifecycleEventAlreadyCompletedException")); n > 0 && !c.Fault.Processed() && !c.Fault.Again && !d.MissedAnswer() {
		broken = append(broken, fmt.Sprintf("rule 1: reported %d times more than once", n))
	}
	// A process may die between its report and the line that counts it, and the next one
	// does not count a success again. A failure must be counted.
	uncounted := c.Fault.Fatal() && c.Always || (c.Fault.Fatal() || c.Fault.Processed()) && !d.notCleared()
	if n := d.counted(); n > 1 && !c.Fault.Again || n == 0 && d.status != "no report" && !uncounted {
		broken = append(broken, fmt.Sprintf("the end was counted %d times, want once", n))
	}
	return functiontest.Outcome{Ended: d.outcome(), Broken: broken, Logs: d.Function.Logs()}
}

// TestFaultMatrix strikes every call that the function makes with every fault, once
// and always, with both of the owner's choices, and checks the rules that never bend
// and how the deployment ends.
func TestFaultMatrix(t *testing.T) {
	t.Run("CodeDeploy", codeDeployMatrix().Test)
	t.Run("ECS", ecsMatrix().Test)
}

func codeDeployMatrix() functiontest.Matrix {
	return functiontest.Matrix{
		Name: "lambdas/deployhook for CodeDeploy", Calls: []functiontest.Call{assume, create, get, putOfEnd, putOfFailure}, Faults: functiontest.Faults, Variants: choices,
		Run: func(ctx context.Context, c *functiontest.Case) (functiontest.Outcome, error) {
			s := scenarioOf(ctx, c)
			if c.Call.Name == putOfFailure.Name {
				s.env[contract.EnvDistributions] = distributions(contract.Distribution{ID: "E1NOTTHERE0000"})
			}
			if c.Fault.Kind == fakeaws.Hang && !c.Call.Report && !c.Always {
				// A call ends after five seconds; there must be time for another one.
				s.timeout = 14 * time.Second
			}
			d, err := s.byCodeDeploy(ctx)
			if err != nil {
				return functiontest.Outcome{}, err
			}
			return judge(c, d), nil
		},
		Want: func(c *functiontest.Case) string {
			cleared, notCleared := "Succeeded", "Succeeded, not cleared"
			if c.Variant == fail {
				notCleared = "Failed, not cleared"
			}
			normal := cleared
			if c.Call.Name == putOfFailure.Name {
				normal = notCleared
			}
			switch {
			case c.Fault.Again, c.Call.Report && c.Fault.Processed():
				return normal
			case !c.Call.Report && c.Fault.Refused():
				return notCleared
			case !c.Always:
				return normal
			case c.Call.Report && c.Call.Name == putOfFailure.Name:
				return "no report, not cleared"
			case c.Call.Report, c.Fault.Fatal():
				// Lambda tries three times, and CodeDeploy fails the deployment after an hour.
				return "no report"
			default:
				return notCleared
			}
		},
	}
}

func ecsMatrix() functiontest.Matrix {
	return functiontest.Matrix{
		Name: "lambdas/deployhook for ECS", Calls: []functiontest.Call{assume, create, get}, Faults: slices.Concat(functiontest.Faults, functiontest.Freezes), Variants: choices,
		Run: func(ctx context.Context, c *functiontest.Case) (functiontest.Outcome, error) {
			s := scenarioOf(ctx, c)
			if c.Fault.Freeze {
				s.timeout = 1500 * time.Millisecond
			}
			// AWS does not document whether the calls of a hook share an execution id, so half
			// of the cases have each.
			d, err := s.byECS(ctx, fakeaws.ServiceDeploymentInput{NewExecutionIDs: c.Always}, "", "POST_PRODUCTION_TRAFFIC_SHIFT")
			if err != nil {
				return functiontest.Outcome{}, err
			}
			for i := range d.record.Requests {
				d.record.Requests[i].Killed = c.Fault.Fatal()
			}
			return judge(c, d), nil
		},
		Want: func(c *functiontest.Case) string {
			notCleared := "SUCCESSFUL, not cleared"
			if c.Variant == fail {
				notCleared = "ROLLBACK_SUCCESSFUL, not cleared"
			}
			switch {
			case c.Fault.Again:
				return "SUCCESSFUL"
			case c.Fault.Fatal():
				// ECS does not call again, whatever the owner's choice is.
				return "ROLLBACK_SUCCESSFUL"
			case c.Fault.Refused(), c.Always:
				return notCleared
			default:
				return "SUCCESSFUL"
			}
		},
	}
}

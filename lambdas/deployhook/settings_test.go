package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
)

func TestReadSettings(t *testing.T) {
	got, err := readSettings(variables(map[string]string{
		contract.EnvDistributions: distributions(contract.Distribution{ID: "E1", Paths: []string{"/a"}}, contract.Distribution{ID: "E2"}), contract.EnvOnFailure: fail,
		contract.EnvWaitFor: string(contract.WaitForCreated), contract.EnvDeadline: "5m",
	}))
	want := settings{
		service:       "shop",
		distributions: []contract.Distribution{{ID: "E1", Paths: []string{"/a"}}, {ID: "E2", Paths: []string{"/*"}}},
		onFailure:     contract.OnFailureFail,
		invalidation:  invalidation.Settings{PollFor: 40 * time.Second, PollEvery: 2 * time.Second, Deadline: 5 * time.Minute, WaitFor: contract.WaitForCreated},
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("settings are %v, %v, want %v", got, err, want)
	}

	// The error has every problem, and the settings that are right are returned with it.
	got, err = readSettings(variables(map[string]string{
		contract.EnvService: "", contract.EnvDistributions: distributions(contract.Distribution{ID: "E1"}, contract.Distribution{ID: "E1"}, contract.Distribution{}), contract.EnvOnFailure: fail,
		contract.EnvWaitFor: "ever", contract.EnvDeadline: "soon",
	}))
	if got.onFailure != contract.OnFailureFail {
		t.Errorf("onFailure is %q, want the owner's choice", got.onFailure)
	}
	for _, want := range []string{contract.EnvService + ` is ""`, contract.EnvDistributions + ` has "E1" twice`, contract.EnvDistributions + "[2] has no DistributionId", contract.EnvWaitFor + ` is "ever"`, contract.EnvDeadline + ` is "soon"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q in it", err, want)
		}
	}
	for name, env := range map[string]map[string]string{
		contract.EnvDistributions + ` is "E1":`:          {contract.EnvDistributions: "E1"},
		contract.EnvDistributions + " has no":            {contract.EnvDistributions: ""},
		`unknown field "Path"`:                           {contract.EnvDistributions: strings.Replace(distributions(contract.Distribution{ID: "E1", Paths: []string{"/a"}}), "Paths", "Path", 1)},
		contract.EnvOnFailure + ` is "explode": must be`: {contract.EnvOnFailure: "explode"},
	} {
		got, err := readSettings(variables(env))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: error is %v, want %q in it", env, err, name)
		}
		if got.onFailure != contract.OnFailureProceed {
			t.Errorf("%v: onFailure is %q, want the default", env, got.onFailure)
		}
	}
}

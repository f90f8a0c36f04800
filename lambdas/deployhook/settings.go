package main

import (
	"fmt"
	"slices"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/environment"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
)

// settings holds the owner's choices for the hook of one service.
type settings struct {
	// service is the name of the service, for logs and metrics.
	service       string
	distributions []contract.Distribution
	onFailure     contract.OnFailure
	invalidation  invalidation.Settings
}

// readSettings reads the settings from the function's environment. It returns every
// problem, and with them the settings that are right, so that a failure has the
// consequence that the owner chose.
func readSettings(getenv func(string) string) (settings, error) {
	env := environment.Reader{Getenv: getenv}
	s := settings{
		service:      env.Required(contract.EnvService, "the service's name"),
		onFailure:    environment.Choice(&env, contract.EnvOnFailure, contract.OnFailureProceed, contract.OnFailureFail),
		invalidation: invalidation.ReadSettings(&env),
	}
	s.invalidation.WaitFor = environment.Choice(&env, contract.EnvWaitFor, contract.WaitForCompleted, contract.WaitForCreated)
	s.distributions = readDistributions(&env)
	return s, env.Err()
}

func readDistributions(env *environment.Reader) []contract.Distribution {
	all, ok := environment.JSON(env, contract.EnvDistributions, []contract.Distribution{{ID: "E2EXAMPLE", Paths: []string{contract.AllPaths}}})
	if ok && len(all) == 0 {
		env.Add(fmt.Errorf("%s has no distribution: must have at least one", contract.EnvDistributions))
	}
	for i, d := range all {
		if d.ID == "" {
			env.Add(fmt.Errorf("%s[%d] has no DistributionId", contract.EnvDistributions, i))
		}
		if slices.ContainsFunc(all[:i], func(other contract.Distribution) bool { return other.ID == d.ID }) {
			env.Add(fmt.Errorf("%s has %q twice: put all its paths in one", contract.EnvDistributions, d.ID))
		}
		if len(d.Paths) == 0 {
			all[i].Paths = []string{contract.AllPaths}
		}
	}
	return all
}

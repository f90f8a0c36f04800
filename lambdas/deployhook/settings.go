package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/strictjson"
)

// settings are what the owner chose for one service's hook.
type settings struct {
	// service is for logs and metrics.
	service       string
	distributions []distribution
	onFailure     onFailure
	invalidation  invalidation.Settings
}

// distribution is one that stands in front of the service.
type distribution struct {
	ID string `json:"DistributionId"`
	// Paths to clear; everything, if there are none.
	Paths []string
	// account is that of the role that the function takes on; "" for its own.
	account string
}

// onFailure is what a cache that was not cleared does to the deployment.
type onFailure string

const (
	proceed  onFailure = "proceed"
	rollBack onFailure = "roll-back"
)

// Names of the environment variables, besides those of the invalidation.
const (
	envService       = "SERVICE"
	envDistributions = "DISTRIBUTIONS"
	envOnFailure     = "ON_FAILURE"
	envWaitFor       = "WAIT_FOR"
)

// parseSettings reads the settings from the function's environment. All that is
// wrong is reported at once, and what is right is there even so: a failure is told
// as the owner chose.
func parseSettings(getenv func(string) string) (settings, error) {
	s := settings{service: getenv(envService), onFailure: proceed}
	var errs []error
	var err error
	if s.invalidation, err = invalidation.ParseSettings(getenv); err != nil {
		errs = append(errs, err)
	}
	// onFailure is for late invalidations, too.
	s.invalidation.AfterDeadline = invalidation.Fail
	if s.service == "" {
		errs = append(errs, fmt.Errorf("%s is empty: must be the service's name", envService))
	}
	if s.distributions, err = parseDistributions(getenv(envDistributions)); err != nil {
		errs = append(errs, err)
	}
	for i := range s.distributions {
		s.distributions[i].account = s.invalidation.RoleAccount()
	}
	switch choice := onFailure(getenv(envOnFailure)); choice {
	case "":
	case proceed, rollBack:
		s.onFailure = choice
	default:
		errs = append(errs, fmt.Errorf("%s is %q: must be %q or %q", envOnFailure, choice, proceed, rollBack))
	}
	switch choice := invalidation.WaitFor(getenv(envWaitFor)); choice {
	case "", invalidation.UntilCompleted, invalidation.UntilCreated:
		s.invalidation.WaitFor = choice
	default:
		errs = append(errs, fmt.Errorf("%s is %q: must be %q or %q", envWaitFor, choice, invalidation.UntilCompleted, invalidation.UntilCreated))
	}
	return s, errors.Join(errs...)
}

func parseDistributions(text string) ([]distribution, error) {
	var all []distribution
	if err := strictjson.Decode(text, &all); err != nil {
		return nil, fmt.Errorf(`%s is %q: %w; must be JSON such as [{"DistributionId":"E2EXAMPLE","Paths":["/*"]}]`, envDistributions, text, err)
	}
	var errs []error
	if len(all) == 0 {
		errs = append(errs, fmt.Errorf("%s has no distribution: must have one at least", envDistributions))
	}
	for i, d := range all {
		if d.ID == "" {
			errs = append(errs, fmt.Errorf("%s[%d] has no DistributionId", envDistributions, i))
		}
		if slices.ContainsFunc(all[:i], func(other distribution) bool { return other.ID == d.ID }) {
			errs = append(errs, fmt.Errorf("%s has %q twice: put all its paths in one", envDistributions, d.ID))
		}
		if len(d.Paths) == 0 {
			all[i].Paths = []string{invalidation.Everything}
		}
	}
	return all, errors.Join(errs...)
}

// words are those of blogs.go.
func words(d distribution) invalidation.Words {
	return invalidation.Words{
		Distribution: "the ID in the service's Hook.Distributions",
		Paths:        "the Paths in the service's Hook.Distributions",
		Deadline:     "the service's Hook.Deadline",
		Again:        again(d),
	}
}

// maxCommandPaths keeps a command short enough to read: beyond, it clears all.
const maxCommandPaths = 10

// again is how to clear a distribution after a failure. A hook cannot be run again
// by itself.
func again(d distribution) string {
	paths := d.Paths
	if len(paths) > maxCommandPaths {
		paths = []string{invalidation.Everything}
	}
	var quoted []string
	for _, path := range paths {
		quoted = append(quoted, "'"+strings.ReplaceAll(path, "'", `'\''`)+"'")
	}
	where := ""
	if d.account != "" {
		where = ", with credentials of the account " + d.account
	}
	return fmt.Sprintf("deploy the service again, or clear by hand%s: aws cloudfront create-invalidation --distribution-id %s --paths %s",
		where, d.ID, strings.Join(quoted, " "))
}

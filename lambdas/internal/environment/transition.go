package environment

import "blog-deploy-pipeline/lambdas/contract"

// Transition reads the words of templates that stacks/ still writes. It goes when the
// stacks write the words of package contract.
func Transition(getenv func(string) string) func(string) string {
	return func(name string) string {
		value := getenv(name)
		switch {
		case name == contract.EnvOnFailure && value == "roll-back":
			return string(contract.OnFailureFail)
		case name == contract.EnvOnFailure && value == "" && getenv("AFTER_DEADLINE") == "warn":
			return string(contract.OnFailureProceed)
		}
		return value
	}
}

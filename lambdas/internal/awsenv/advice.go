package awsenv

import "blog-deploy-pipeline/lambdas/internal/failure"

// Advice returns what a refusal is due to, and what to do, that means the same for each
// service or that the caller does not know. reference names where the service's errors are
// listed, and again says how to try again; both fit into the middle of a sentence.
func Advice(code, reference, again string) (failure.Kind, string) {
	switch {
	case code == NoCode:
		return failure.Other, "Something between the function and AWS may have answered: look for a proxy, a firewall or a VPC endpoint's policy, and for AWS_ENDPOINT_URL in the function's environment; then " + again
	case OfCredentials(code):
		return failure.Permission, "If the error stays, deploy the stack again. For now, " + again
	}
	return failure.Other, "Look the error up in " + reference + "; then " + again
}

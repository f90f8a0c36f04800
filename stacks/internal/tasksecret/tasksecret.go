// Package tasksecret has what the rules and the construct of a service agree on about secrets of tasks.
package tasksecret

import "strings"

// InGrant is the number of secrets in one statement of a policy. Four ARNs of at most 1,011 characters fit
// into a policy together with ten keys.
const InGrant = 4

// Parts splits a secret as ECS accepts it into its ARN, a key of JSON, and a version's label and id.
func Parts(secret string) (arn, key, label, version string) {
	parts := append(strings.Split(secret, ":"), "", "", "")
	return strings.Join(parts[:7], ":"), parts[7], parts[8], parts[9]
}

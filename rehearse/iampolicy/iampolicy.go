// Package iampolicy decides whether AWS would allow a call under a role's policies. It uses iam-simulate, a Node.js
// library that contains IAM's actions, resource types and condition keys and needs neither network nor account:
// https://github.com/cloud-copilot/iam-simulate
//
// The caller is a role or a service of AWS. For a role the package evaluates its identity policies and the resource's
// own policy, if the request has one. A resource in another account must allow the call in its own policy, too. For a
// service only the resource's policy counts. The package assumes that there are no service control policies,
// permissions boundaries and session policies.
package iampolicy

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Request is a call of an AWS API by a role or by a service.
type Request struct {
	// Principal is the ARN of a role, or a service such as cloudfront.amazonaws.com, which has no identity policies.
	// Required.
	Principal string `json:"principal"`
	// Action is the IAM action, such as cloudfront:CreateInvalidation. Required.
	Action string `json:"action"`
	// Resource is the ARN of the resource, or "*" for an action without a resource, such as
	// codepipeline:PutJobSuccessResult. Required.
	Resource string `json:"resource"`
	// Context holds the condition keys of the request, such as iam:PassedToService. A key that AWS never sets for the
	// action is an error.
	Context map[string]string `json:"context,omitempty"`
	// ResourcePolicy is the resource's own policy, such as a bucket policy. Required for KMS keys, for assuming a role
	// and for a service, because AWS then allows nothing without it.
	ResourcePolicy json.RawMessage `json:"resourcePolicy,omitempty"`
}

// Decision is the verdict on one Request.
type Decision struct {
	Allowed bool
	// Reason says which statements decided, or why no statement allows the call.
	Reason string
	// Statements holds the statements that allow the call or explicitly deny it. It is empty if no statement allows the
	// call.
	Statements []Statement
}

// Statement identifies a statement of one of the evaluated policies.
type Statement struct {
	// Policy is the index of the policy in Evaluate's list, or -1 for the request's ResourcePolicy.
	Policy int
	// Index is the index of the statement in its policy.
	Index int
	// Sid is the statement's id, if it has one.
	Sid string
}

// String returns a text such as `policy 0 Statement[1] ("Deploy")`.
func (s Statement) String() string {
	var b strings.Builder
	if s.Policy < 0 {
		b.WriteString("resource policy")
	} else {
		fmt.Fprintf(&b, "policy %d", s.Policy)
	}
	fmt.Fprintf(&b, " Statement[%d]", s.Index)
	if s.Sid != "" {
		fmt.Fprintf(&b, " (%q)", s.Sid)
	}
	return b.String()
}

// verdict is the answer of simulate.mjs for one request.
type verdict struct {
	Result     string // Allowed, ExplicitlyDenied or ImplicitlyDenied
	Statements []Statement
	// Near holds the statements that allow the action but do not match the request.
	Near []struct {
		Statement
		Element string // Principal, Resource or Condition
	}
}

func (v verdict) decision(r Request) (Decision, error) {
	d := Decision{Statements: v.Statements}
	switch v.Result {
	case "Allowed":
		d.Allowed = true
		d.Reason = "allowed by " + join(v.Statements)
		if len(v.Statements) == 0 {
			d.Reason = "allowed without a statement" // This is so for sts:GetCallerIdentity.
		}
	case "ExplicitlyDenied":
		d.Reason = "explicitly denied by " + join(v.Statements)
	case "ImplicitlyDenied":
		var b strings.Builder
		fmt.Fprintf(&b, "implicitly denied: no statement allows %s on %s", r.Action, r.Resource)
		for _, near := range v.Near {
			fmt.Fprintf(&b, "; %v allows the action but its %s does not match", near.Statement, near.Element)
		}
		d.Reason = b.String()
	default:
		return Decision{}, fmt.Errorf("unknown result %q for %s on %s", v.Result, r.Action, r.Resource)
	}
	return d, nil
}

func join(statements []Statement) string {
	names := make([]string, len(statements))
	for i, s := range statements {
		names[i] = s.String()
	}
	return strings.Join(names, ", ")
}

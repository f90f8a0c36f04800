// Package iampolicy tells whether AWS would allow a call under a role's
// policies. The evaluation itself is iam-simulate's, a Node.js library that
// knows IAM's actions, resource types and condition keys; it needs no network
// and no account. https://github.com/cloud-copilot/iam-simulate
//
// It looks at one role: its identity policies and, where given, the policy of the
// resource, which in another account must allow the call, too; or at a service of AWS,
// for which the resource's policy alone decides. Service control policies, permissions boundaries and
// session policies are taken to be absent.
package iampolicy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Request is one call of an AWS API by a role, or by a service.
type Request struct {
	// Principal is the ARN of the role that calls, or the service that calls as itself, such as
	// cloudfront.amazonaws.com; then there are no identity policies. Required.
	Principal string `json:"principal"`
	// Action is the IAM action, such as cloudfront:CreateInvalidation. Required.
	Action string `json:"action"`
	// Resource is the ARN of what the call acts on, or "*" for an action that is
	// on no resource, such as codepipeline:PutJobSuccessResult. Required.
	Resource string `json:"resource"`
	// Context holds the condition keys AWS would send along, such as
	// iam:PassedToService. A key that AWS never sends for the action is an error.
	Context map[string]string `json:"context,omitempty"`
	// ResourcePolicy is the policy of the resource itself, for instance a
	// bucket's. Required for KMS keys, for assuming a role and for a service, where
	// AWS allows nothing without it.
	ResourcePolicy json.RawMessage `json:"resourcePolicy,omitempty"`
}

// Decision is the verdict on one Request.
type Decision struct {
	Allowed bool
	// Reason is for people: which statements decided, or why none did.
	Reason string
	// Statements are those that allowed the call, or those that explicitly denied
	// it. Empty if it was denied for want of a statement.
	Statements []Statement
}

// Statement points at a statement of one of the evaluated policies.
type Statement struct {
	// Policy is the index of the policy in Evaluate's list, or -1 for the
	// request's ResourcePolicy.
	Policy int
	// Index is the statement's position in its policy, from 0.
	Index int
	// Sid is the statement's id, if it has one.
	Sid string
}

// String returns, for instance, `policy 0 Statement[1] ("Deploy")`.
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

// Evaluate decides the requests, in order, under a role's identity policies. It
// starts a Node.js process, which takes about 0.1 s; for many calls over time
// use [Start].
//
// A malformed policy, an action that IAM does not have (requested, or spelt out
// in a policy), an ARN of a kind the action does not work on, and a condition
// key the action does not have are errors that name it, never a denial.
func Evaluate(ctx context.Context, policies []json.RawMessage, requests []Request) ([]Decision, error) {
	e, err := Start(ctx)
	if err != nil {
		return nil, err
	}
	decisions, err := e.Evaluate(ctx, policies, requests)
	return decisions, errors.Join(err, e.Close())
}

// verdict is what simulate.mjs says about one request.
type verdict struct {
	Result     string // Allowed, ExplicitlyDenied or ImplicitlyDenied
	Statements []Statement
	// Near are statements that allow the action but do not match otherwise.
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
			d.Reason = "allowed without a statement" // sts:GetCallerIdentity is
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

// Package iam stands for AWS IAM: it reads the roles of a template, and decides by their policies what each call
// may do.
package iam

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// Account decides calls by the policies of roles, and counts which permissions allowed them.
type Account struct {
	ctx       context.Context //nolint:containedctx // of the rehearsal; the doubles of AWS have none to pass on
	evaluator *iampolicy.Evaluator
	note      func(format string, args ...any)

	mu     sync.Mutex
	roles  []*Role // in the order in which they were added
	grants map[*Role]*grants
	broken error // why a policy could not be evaluated; this is no denial
}

// NewAccount returns an account that works until ctx is done. note tells the owner what is not evaluated.
func NewAccount(ctx context.Context, evaluator *iampolicy.Evaluator, note func(format string, args ...any)) *Account {
	return &Account{ctx: ctx, evaluator: evaluator, note: note, grants: map[*Role]*grants{}}
}

// grants are the permissions of one role.
type grants struct {
	purposes []string
	list     []rehearsal.Permission
	// at has the indexes in list of each statement's permissions, by policy and statement.
	at map[[2]int][]int
}

// AddRole adds a role whose permissions are counted from now on. purpose says what assumes it.
func (a *Account) AddRole(role *Role, purpose string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.grants[role]
	if g == nil {
		g = granted(role)
		a.grants[role] = g
		a.roles = append(a.roles, role)
	}
	if !slices.Contains(g.purposes, purpose) {
		g.purposes = append(g.purposes, purpose)
	}
}

func granted(role *Role) *grants {
	g := &grants{at: map[[2]int][]int{}}
	for p, policy := range role.Policies {
		statements, err := Statements(policy)
		if err != nil {
			continue // The first call by the role says what is wrong with it.
		}
		for s, statement := range statements {
			if statement.Effect != "Allow" {
				continue
			}
			for _, action := range statement.actions() {
				g.at[[2]int{p, s}] = append(g.at[[2]int{p, s}], len(g.list))
				g.list = append(g.list, rehearsal.Permission{Action: action, Resource: statement.resource()})
			}
		}
	}
	return g
}

// Call is a call of AWS by a role.
type Call struct {
	Role    *Role
	Session string // the name of the role's session, which a denial contains
	Action  string
	On      string          // the ARN of the resource
	Trust   json.RawMessage // the resource's own policy, or nil
	// Context has the condition keys of the call, such as s3:prefix.
	Context map[string]string
}

// Allow decides a call. The error words a denial as AWS does.
func (a *Account) Allow(c Call) error {
	if c.Role.Unknown != "" {
		return nil
	}
	decisions, err := a.evaluator.Evaluate(a.ctx, c.Role.Policies, []iampolicy.Request{{Principal: c.Role.ARN, Action: c.Action, Resource: literal(c.On), ResourcePolicy: c.Trust, Context: c.Context}})
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.broken = cmp.Or(a.broken, err)
		return err
	}
	decision := decisions[0]
	if !decision.Allowed {
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
		if strings.HasPrefix(decision.Reason, "explicitly denied") {
			return Denied(c)
		}
		return denied(c, "because no identity-based policy allows the "+c.Action+" action")
	}
	g := a.grants[c.Role]
	if g == nil {
		return nil
	}
	for _, s := range decision.Statements {
		for _, i := range g.at[[2]int{s.Policy, s.Index}] {
			// A statement with NotAction has only one permission.
			if strings.HasPrefix(g.list[i].Action, allBut) || matches(g.list[i].Action, c.Action) {
				g.list[i].Used++
			}
		}
	}
	return nil
}

// literal returns the ARN of an object without what the evaluator would read as a pattern, or not match: an
// asterisk and the ends of lines, which the keys of objects may contain. Another character stands for each.
func literal(arn string) string {
	bucket, key, isObject := strings.Cut(arn, "/")
	if !isObject || !strings.Contains(bucket, ":s3:::") {
		return arn
	}
	return bucket + "/" + strings.NewReplacer("*", "_", "\n", "_", "\r", "_", "\u2028", "_", "\u2029", "_").Replace(key)
}

// Denied is the denial of a call by a statement that denies.
func Denied(c Call) error { return denied(c, "with an explicit deny in an identity-based policy") }

func denied(c Call, because string) error {
	return &rehearsal.Failure{
		Code: "AccessDenied",
		Reason: fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s",
			c.Role.Principal(c.Session), c.Action, c.On, because),
		Look: c.Role.WhereToLook(),
	}
}

// Assume lets a role assume another, if its own policies and the other's trust policy allow it.
func (a *Account) Assume(by, role *Role, session string) error {
	if role.Unknown != "" {
		return nil
	}
	return a.Allow(Call{Role: by, Session: session, Action: assumeRole, On: role.ARN, Trust: role.Trust})
}

// AssumeByService lets a service of AWS assume a role, if the role's trust policy allows it. name is how AWS's messages
// call the service, and service its principal.
func (a *Account) AssumeByService(name, service string, role *Role) error {
	if role.Unknown != "" {
		return nil
	}
	statements, err := Statements(role.Trust)
	if err != nil {
		return fmt.Errorf("read the trust policy of role %s: %w", role.ID, err)
	}
	var allowed, denied bool
	for _, s := range statements {
		if !s.covers(service) {
			continue
		}
		switch {
		case s.Effect == "Deny" && s.Condition == nil:
			denied = true
		case s.Effect == "Deny":
			a.note("the trust policy of the role %s denies on a Condition, which is not rehearsed: it is assumed not to be met", role.ID)
		case s.Effect == "Allow":
			allowed = true
			if s.Condition != nil {
				a.note("the trust policy of the role %s has a Condition, which is not rehearsed: it is assumed to be met", role.ID)
			}
		}
	}
	if allowed && !denied {
		return nil
	}
	look := "it must name " + service
	if denied {
		look = "a statement of it denies " + service
	}
	return &rehearsal.Failure{
		Code:   "AccessDenied",
		Reason: fmt.Sprintf("%s is not authorized to perform: sts:AssumeRole on %s", name, role.ARN),
		Look:   "the trust policy (AssumeRolePolicyDocument) of the role " + role.ID + " in the template: " + look,
	}
}

// Bucket decides what a bucket's policy allows a service. reason says why it refuses; "" if it allows the call.
func (a *Account) Bucket(ctx context.Context, service, action, arn string, policy json.RawMessage, with map[string]string) (reason string, err error) {
	decisions, err := a.evaluator.Evaluate(ctx, nil, []iampolicy.Request{{
		Principal: service, Action: action, Resource: arn, ResourcePolicy: policy, Context: with,
	}})
	if err != nil || decisions[0].Allowed {
		return "", err
	}
	return decisions[0].Reason, nil
}

// Permissions lists what the added roles grant, and how often each permission allowed a call.
func (a *Account) Permissions() []rehearsal.RolePermissions {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []rehearsal.RolePermissions
	for _, role := range a.roles {
		if role.Unknown != "" {
			continue
		}
		g := a.grants[role]
		all = append(all, rehearsal.RolePermissions{Role: cmp.Or(role.ID, role.ARN), Purpose: strings.Join(g.purposes, ", "), Actions: slices.Clone(g.list)})
	}
	return all
}

// Err returns why a policy could not be evaluated, if that happened.
func (a *Account) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.broken
}

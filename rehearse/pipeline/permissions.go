package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"blog-deploy-pipeline/rehearse/iampolicy"
)

// account plays IAM: it decides calls by the roles' policies, and counts which permission allowed them.
type account struct {
	ctx context.Context //nolint:containedctx // of the rehearsal; the doubles of AWS hand on none
	iam *iampolicy.Evaluator
	// note tells the owner what is not evaluated.
	note func(format string, args ...any)

	mu     sync.Mutex
	roles  []*Role // in the order of their first use
	grants map[*Role]*grants
	broken error // why IAM could not be asked; no denial
}

// grants are the permissions of one role.
type grants struct {
	purposes []string
	list     []Permission
	// at has the permissions of a statement in list, by policy and statement.
	at map[[2]int][]int
}

// statement is a part of a policy.
type statement struct {
	Effect            string
	Action, NotAction oneOrMore
	Resource          oneOrMore
	NotResource       oneOrMore
	Principal         json.RawMessage
	NotPrincipal      json.RawMessage
	Condition         json.RawMessage
}

// on is what the statement is about, as it has it.
func (s statement) on() string {
	if len(s.NotResource) > 0 {
		return allBut + strings.Join(s.NotResource, " ")
	}
	return strings.Join(s.Resource, " ")
}

// allBut begins what a statement says with NotAction or NotResource.
const allBut = "all but "

// oneOrMore is a list that a policy may also write as a single string.
type oneOrMore []string

// UnmarshalJSON decodes a string or a list of strings.
func (l *oneOrMore) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// statements are those of a policy, which may be a list or a single one.
func statements(policy json.RawMessage) ([]statement, error) {
	var document struct{ Statement json.RawMessage }
	if err := json.Unmarshal(policy, &document); err != nil {
		return nil, err
	}
	var many []statement
	if err := json.Unmarshal(document.Statement, &many); err == nil {
		return many, nil
	}
	var one statement
	err := json.Unmarshal(document.Statement, &one)
	return []statement{one}, err
}

// use registers a role: from now on its permissions are among those told at the end.
func (a *account) use(role *Role, purpose string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.grants[role]
	if g == nil {
		g = &grants{at: map[[2]int][]int{}}
		if a.grants == nil {
			a.grants = map[*Role]*grants{}
		}
		a.grants[role] = g
		a.roles = append(a.roles, role)
		for p, policy := range role.Policies {
			parts, err := statements(policy)
			if err != nil {
				continue // IAM will say what is wrong with it.
			}
			for s, part := range parts {
				if part.Effect != "Allow" {
					continue
				}
				actions := part.Action
				if len(part.NotAction) > 0 {
					actions = oneOrMore{allBut + strings.Join(part.NotAction, " ")}
				}
				for _, action := range actions {
					g.at[[2]int{p, s}] = append(g.at[[2]int{p, s}], len(g.list))
					g.list = append(g.list, Permission{Action: action, Resource: part.on()})
				}
			}
		}
	}
	if !slices.Contains(g.purposes, purpose) {
		g.purposes = append(g.purposes, purpose)
	}
}

// call is an AWS call by a role.
type call struct {
	role    *Role
	session string // of the role, in the words of a denial
	action  string
	on      string
	trust   json.RawMessage // the resource's own policy
}

// allow decides a call. The error is AWS's, as it would word it.
func (a *account) allow(c call) error {
	if c.role.Unknown != "" {
		return nil
	}
	decisions, err := a.iam.Evaluate(a.ctx, c.role.Policies, []iampolicy.Request{{Principal: c.role.ARN, Action: c.action, Resource: ordinary(c.on), ResourcePolicy: c.trust}})
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		if a.broken == nil {
			a.broken = err
		}
		return err
	}
	decision := decisions[0]
	if !decision.Allowed {
		return a.denied(c, because(c, decision))
	}
	g := a.grants[c.role]
	if g == nil {
		return nil
	}
	for _, s := range decision.Statements {
		for _, i := range g.at[[2]int{s.Policy, s.Index}] {
			// IAM says which statement it was: NotAction's has but one entry.
			if strings.HasPrefix(g.list[i].Action, allBut) || matches(g.list[i].Action, c.action) {
				g.list[i].Used++
			}
		}
	}
	return nil
}

// ordinary is the ARN of an object for the evaluator, which takes an asterisk for a pattern, and whose own
// patterns do not match the end of a line: another character stands for each.
func ordinary(arn string) string {
	bucket, key, isObject := strings.Cut(arn, "/")
	if !isObject || !strings.Contains(bucket, ":s3:::") {
		return arn
	}
	return bucket + "/" + strings.NewReplacer("*", "_", "\n", "_", "\r", "_", "\u2028", "_", "\u2029", "_").Replace(key)
}

// denied words a denial.
func (a *account) denied(c call, because string) error {
	return &failure{Code: "AccessDenied", Reason: fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s",
		principal(c.role, c.session), c.action, c.on, because), Look: lookAtRole(c.role)}
}

// principal is the ARN of who took on a role.
func principal(role *Role, session string) string {
	return fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", role.account(), role.Name, session)
}

// explicitly is the end of AWS's sentence where a statement denies.
const explicitly = "with an explicit deny in an identity-based policy"

// because is the end of AWS's sentence.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func because(c call, decision iampolicy.Decision) string {
	if strings.HasPrefix(decision.Reason, "explicitly denied") {
		return explicitly
	}
	return "because no identity-based policy allows the " + c.action + " action"
}

func lookAtRole(role *Role) string {
	return cmp.Or(role.Look, "the policies of the role "+role.ID+" in the template")
}

// matches reports whether an action is one that a policy's pattern names.
func matches(pattern, action string) bool {
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(action))
	return err == nil && ok
}

// assume lets one role take on another: its own policies and the other's trust must allow it.
func (a *account) assume(by, role *Role, session string) error {
	if by.Unknown != "" || role.Unknown != "" {
		return nil
	}
	return a.allow(call{role: by, session: session, action: "sts:AssumeRole", on: role.ARN, trust: role.Trust})
}

// serve lets a service of AWS take on a role, which its trust must allow.
func (a *account) serve(service, principal string, role *Role) error {
	if role.Unknown != "" {
		return nil
	}
	parts, err := statements(role.Trust)
	if err != nil {
		return fmt.Errorf("read the trust policy of role %s: %w", role.ID, err)
	}
	var allowed, denied bool
	for _, s := range parts {
		if !s.covers(principal) {
			continue
		}
		switch {
		case s.Effect == "Deny" && s.Condition == nil:
			denied = true
		case s.Effect == "Deny":
			a.note("the trust policy of the role %s denies on a Condition, which is not rehearsed: it is taken not to be met", role.ID)
		case s.Effect == "Allow":
			allowed = true
			if s.Condition != nil {
				a.note("the trust policy of the role %s has a Condition, which is not rehearsed: it is taken to be met", role.ID)
			}
		}
	}
	if allowed && !denied {
		return nil
	}
	look := "it must name " + principal
	if denied {
		look = "a statement of it denies " + principal
	}
	return &failure{
		Code:   "AccessDenied",
		Reason: fmt.Sprintf("%s is not authorized to perform: sts:AssumeRole on %s", service, role.ARN),
		Look:   "the trust policy (AssumeRolePolicyDocument) of the role " + role.ID + " in the template: " + look,
	}
}

// covers reports whether a statement of a trust policy is about a service that takes on the role.
func (s statement) covers(principal string) bool {
	assumes := func(action string) bool { return matches(action, "sts:AssumeRole") }
	if len(s.NotAction) > 0 && slices.ContainsFunc(s.NotAction, assumes) || len(s.NotAction) == 0 && !slices.ContainsFunc(s.Action, assumes) {
		return false
	}
	if s.NotPrincipal != nil {
		return !names(s.NotPrincipal, principal)
	}
	return names(s.Principal, principal)
}

// names reports whether a Principal is everybody, or has the service.
func names(element json.RawMessage, principal string) bool {
	var all string
	if json.Unmarshal(element, &all) == nil {
		return all == "*"
	}
	var kinds struct{ Service oneOrMore }
	if json.Unmarshal(element, &kinds) != nil {
		return false // IAM would have refused it.
	}
	return slices.Contains(kinds.Service, principal)
}

// permissions are those of all roles used.
func (a *account) permissions() []RolePermissions {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []RolePermissions
	for _, role := range a.roles {
		if role.Unknown != "" {
			continue
		}
		g := a.grants[role]
		all = append(all, RolePermissions{Role: cmp.Or(role.ID, role.ARN), Purpose: strings.Join(g.purposes, ", "), Actions: slices.Clone(g.list)})
	}
	return all
}

// failure is why an action failed.
type failure struct {
	Code, Reason, Look string
	Cause              string // what a build said of it, or ""
}

// Error implements error.
func (f *failure) Error() string { return f.Code + ": " + f.Reason }

// Denial is what the doubles of AWS answer.
func (f *failure) Denial() string { return f.Reason }

// failed is why IAM could not be asked, if it could not.
func (a *account) failed() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.broken
}

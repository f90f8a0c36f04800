package iam

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// Statement is a statement of a policy.
type Statement struct {
	Effect            string
	Action, NotAction oneOrMore
	Resource          oneOrMore
	NotResource       oneOrMore
	Principal         json.RawMessage
	NotPrincipal      json.RawMessage
	Condition         json.RawMessage
}

// Statements returns the statements of a policy, which may write a single one without a list.
func Statements(policy json.RawMessage) ([]Statement, error) {
	var document struct{ Statement json.RawMessage }
	if err := json.Unmarshal(policy, &document); err != nil {
		return nil, err
	}
	var many []Statement
	if err := json.Unmarshal(document.Statement, &many); err == nil {
		return many, nil
	}
	var one Statement
	err := json.Unmarshal(document.Statement, &one)
	return []Statement{one}, err
}

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

const assumeRole = "sts:AssumeRole"

// allBut begins what NotAction and NotResource are shown as.
const allBut = "all but "

// actions returns the actions that the statement is about, as it writes them.
func (s Statement) actions() []string {
	if len(s.NotAction) > 0 {
		return []string{allBut + strings.Join(s.NotAction, " ")}
	}
	return s.Action
}

// resource returns the resources that the statement is about, as it writes them.
func (s Statement) resource() string {
	if len(s.NotResource) > 0 {
		return allBut + strings.Join(s.NotResource, " ")
	}
	return strings.Join(s.Resource, " ")
}

// covers reports whether a statement of a trust policy applies to a service that assumes the role.
func (s Statement) covers(service string) bool {
	assumes := func(action string) bool { return matches(action, assumeRole) }
	if len(s.NotAction) > 0 && slices.ContainsFunc(s.NotAction, assumes) || len(s.NotAction) == 0 && !slices.ContainsFunc(s.Action, assumes) {
		return false
	}
	if s.NotPrincipal != nil {
		return !names(s.NotPrincipal, service)
	}
	return names(s.Principal, service)
}

// names reports whether a Principal is everybody, or names the service.
func names(element json.RawMessage, service string) bool {
	var all string
	if json.Unmarshal(element, &all) == nil {
		return all == "*"
	}
	var kinds struct{ Service oneOrMore }
	if json.Unmarshal(element, &kinds) != nil {
		return false // IAM would have refused it.
	}
	return slices.Contains(kinds.Service, service)
}

// matches reports whether a policy's pattern for actions matches an action.
func matches(pattern, action string) bool {
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(action))
	return err == nil && ok
}

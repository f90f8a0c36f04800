package iam

import (
	"cmp"
	"encoding/json"
	"strings"

	"blog-deploy-pipeline/rehearse/assembly"
)

// Role is a role, and what it may do.
type Role struct {
	ID       string // its logical id; "" for a role that is not in the template
	Name     string
	ARN      string
	Policies []json.RawMessage
	Trust    json.RawMessage
	// Unknown says why its permissions are not known; "" where they are.
	Unknown string
	// Look names where the policies are of a role that is not in the template.
	Look string
}

// Named returns the role of an ARN, of which nothing else is known.
func Named(arn string) *Role {
	return &Role{ARN: arn, Name: arn[strings.LastIndex(arn, "/")+1:]}
}

// Account returns the account that the role is in.
func (r *Role) Account() string {
	if parts := strings.Split(r.ARN, ":"); len(parts) > 4 {
		return parts[4]
	}
	return ""
}

// Principal returns the ARN of the session of a role that was assumed.
func (r *Role) Principal(session string) string {
	return "arn:aws:sts::" + r.Account() + ":assumed-role/" + r.Name + "/" + session
}

// WhereToLook names where the policies of the role are.
func (r *Role) WhereToLook() string {
	return cmp.Or(r.Look, "the policies of the role "+r.ID+" in the template")
}

// Roles reads the roles of a template, each once.
type Roles struct {
	*assembly.Inspection

	ids  map[string]string // of the template's roles, by ARN
	read map[string]*Role  // by ARN
}

// Read returns the role whose ARN is v. A role that is not in the template is Unknown.
func (r *Roles) Read(what string, v any) *Role {
	arn := r.Text(what, v)
	if arn == "" {
		r.Problem("%s: there is no role", what)
		return &Role{}
	}
	if r.read == nil {
		r.ids, r.read = map[string]string{}, map[string]*Role{}
		for _, resource := range r.Template.OfType("AWS::IAM::Role") {
			r.ids[r.ARN(resource.ID)] = resource.ID
		}
	}
	if r.read[arn] == nil {
		r.read[arn] = r.role(arn)
	}
	return r.read[arn]
}

func (r *Roles) role(arn string) *Role {
	role := Named(arn)
	if role.ID = r.ids[arn]; role.ID == "" {
		role.Unknown = "it is not in the template"
	} else {
		var err error
		if role.Policies, err = r.Template.RolePolicies(role.ID); err != nil {
			role.Unknown = err.Error()
		}
		properties := r.Template.Resources[role.ID].Properties
		if boundary := r.Resolve(role.ID+": PermissionsBoundary", properties["PermissionsBoundary"]); boundary != nil {
			r.Note("the permissions boundary %v is not rehearsed: it is assumed to allow what the roles' policies allow", boundary)
		}
		trust := r.Resolve(role.ID+": AssumeRolePolicyDocument", properties["AssumeRolePolicyDocument"])
		if role.Trust, err = json.Marshal(trust); err != nil {
			r.Problem("%s: %w", role.ID, err)
		}
	}
	if role.Unknown != "" {
		r.Note("what the role %s may do is not checked: %s", cmp.Or(role.ID, arn), role.Unknown)
	}
	return role
}

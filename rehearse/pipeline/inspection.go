package pipeline

import (
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/iam"
)

// inspection reads a template.
type inspection struct {
	*assembly.Inspection

	roles     *iam.Roles
	functions *functions
}

func inspect(template *assembly.Template) *inspection {
	i := &assembly.Inspection{Template: template}
	roles := &iam.Roles{Inspection: i}
	return &inspection{Inspection: i, roles: roles, functions: &functions{Inspection: i, roles: roles}}
}

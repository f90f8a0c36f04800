package cdk

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// JustifyKey is a key of an app's context. If it is set, [Justify] writes justifications into the
// templates. Only cdk-nag reads them: an app without it saves a third of its calls of the CDK.
const JustifyKey = "blog-deploy-pipeline:justify"

// current is the app that values without a scope belong to. Those of another one are of no use to it: its
// jsii kernel may have been closed since, as tests do at their end.
var current struct {
	root      constructs.IConstruct
	scopes    map[constructs.Construct]bool // that are known to be in it
	justifies bool                          // whether its context has JustifyKey
	forget    []func()
}

// enter begins a construct that needs the values, in scope. It forgets those of another app.
func enter(scope constructs.Construct) {
	if current.scopes[scope] {
		return
	}
	if root := scope.Node().Root(); root != current.root {
		for _, forget := range current.forget {
			forget()
		}
		current.root, current.scopes = root, map[constructs.Construct]bool{}
		current.justifies = root.Node().TryGetContext(jsii.String(JustifyKey)) != nil
	}
	current.scopes[scope] = true
}

// NewConstruct makes a construct without resources of its own.
func NewConstruct(scope constructs.Construct, id string) constructs.Construct {
	enter(scope)
	made := constructs.NewConstruct(scope, jsii.String(id))
	current.scopes[made] = true
	return made
}

// NewStack makes a stack.
func NewStack(scope constructs.Construct, id string, props *awscdk.StackProps) awscdk.Stack {
	enter(scope)
	made := awscdk.NewStack(scope, jsii.String(id), props)
	current.scopes[made] = true
	return made
}

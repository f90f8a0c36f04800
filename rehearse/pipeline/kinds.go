package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/assembly"
)

// kinds lists the kinds of actions that can be rehearsed, by category and provider.
var kinds = []struct {
	provider string
	// read reads the rest of an action that has all fields but Publishes, Remembers and Clears, and sets these.
	read func(i *inspection, what string, a *Action) kind
}{
	{"Source/CodeStarSourceConnection", readConnection},
	{"Source/GitHub", readGitHub},
	{"Build/CodeBuild", readBuild},
	{"Test/CodeBuild", readBuild},
	{"Deploy/S3", readUpload},
	{"Invoke/Lambda", readInvocation},
}

// actionProperties lists the properties of an action that are read.
var actionProperties = []string{"ActionTypeId", "Configuration", "InputArtifacts", "Name", "Namespace", "OutputArtifacts", "Region", "RoleArn", "RunOrder"}

// action reads an action of a stage.
func (i *inspection) action(stage string, properties map[string]any) *Action {
	a := &Action{Stage: stage, Name: i.Text("Name", properties["Name"]), Configuration: map[string]string{}, Namespace: i.Text("Namespace", properties["Namespace"])}
	what := fmt.Sprintf("stage %s, action %s", stage, a.Name)
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		if !slices.Contains(actionProperties, key) {
			i.Ignored(what, properties, key)
		}
	}
	a.RunOrder = i.Number(what+": RunOrder", properties["RunOrder"], 1)
	id := assembly.Object(i.Resolve(what, properties["ActionTypeId"]))
	a.Category, a.Provider = assembly.Text(id["Category"]), assembly.Text(id["Provider"])
	configuration := assembly.Object(properties["Configuration"])
	for _, key := range slices.Sorted(maps.Keys(configuration)) {
		if key != "OAuthToken" { // A secret, and nothing here needs it.
			a.Configuration[key] = i.Text(what+": "+key, configuration[key])
		}
	}
	for _, v := range assembly.List(properties["InputArtifacts"]) {
		a.Inputs = append(a.Inputs, i.Text(what, assembly.Object(v)["Name"]))
	}
	for _, v := range assembly.List(properties["OutputArtifacts"]) {
		a.Outputs = append(a.Outputs, i.Text(what, assembly.Object(v)["Name"]))
	}
	if properties["RoleArn"] != nil {
		a.Role, a.OwnRole = i.roles.Read(what+": RoleArn", properties["RoleArn"]), true
	}
	if region := i.Text(what, properties["Region"]); region != "" && region != i.Template.Region {
		i.Problem("%s: it runs in %s: an action in another Region than the stack's (%s) cannot be rehearsed", what, region, i.Template.Region)
	}
	var known []string
	for _, k := range kinds {
		if k.provider == a.Category+"/"+a.Provider && assembly.Text(id["Owner"]) != "Custom" {
			a.kind = k.read(i, what, a)
			return a
		}
		known = append(known, k.provider)
	}
	i.Problem("%s: an action of the provider %s (%s, by %s) cannot be rehearsed; those that can are %s",
		what, a.Provider, a.Category, assembly.Text(id["Owner"]), strings.Join(known, ", "))
	return a
}

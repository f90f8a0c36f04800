package pipeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/codebuild"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// project is a project of CodeBuild.
type project struct {
	ID, Name, ARN string
	// Buildspec is the text of an inline buildspec, or else BuildspecPath is the file's path in the source.
	Buildspec     string
	BuildspecPath string
	Env           map[string]string
	// Secrets has the variables whose values only AWS has, and what AWS calls them.
	Secrets    map[string]string
	Image      string
	Timeout    time.Duration
	Role       *iam.Role
	LogGroup   string
	WritesLogs bool
}

// project reads the project whose name or ARN is name.
func (i *inspection) project(what, name string) *project {
	resource, ok := i.Named(what, "AWS::CodeBuild::Project", name)
	if !ok {
		return nil
	}
	properties := resource.Properties
	p := &project{ID: resource.ID, Name: i.Ref(resource.ID), ARN: i.ARN(resource.ID), Env: map[string]string{}, Secrets: map[string]string{}}
	i.Ignored("the project "+resource.ID, properties, "VpcConfig", "FileSystemLocations", "SecondarySources", "SecondaryArtifacts")
	environment := assembly.Object(properties["Environment"])
	for _, v := range assembly.List(environment["EnvironmentVariables"]) {
		name := i.Text(what, assembly.Object(v)["Name"])
		value := i.Text(what+": variable "+name, assembly.Object(v)["Value"])
		if isPlain(i.Text(what, assembly.Object(v)["Type"])) {
			p.Env[name] = value
		} else {
			p.Secrets[name] = value
		}
	}
	p.Image = i.Text(what, environment["Image"])
	p.Timeout = time.Duration(i.Number(what+": TimeoutInMinutes", properties["TimeoutInMinutes"], 60)) * time.Minute
	p.Role = i.roles.Read(what+": ServiceRole", properties["ServiceRole"])

	source := assembly.Object(i.Resolve(what, properties["Source"]))
	if kind := assembly.Text(source["Type"]); kind != "CODEPIPELINE" {
		i.Problem("%s: the source of project %s is %s, want CODEPIPELINE", what, p.Name, kind)
	}
	// A buildspec is inline if it is more than the name of a file.
	switch spec := assembly.Text(source["BuildSpec"]); {
	case spec == "":
		p.BuildspecPath = "buildspec.yml"
	case strings.Contains(spec, "\n") || strings.HasPrefix(strings.TrimSpace(spec), "{"):
		p.Buildspec = spec
	case strings.HasPrefix(spec, "arn:"):
		i.Problem("%s: the buildspec of project %s is in S3 (%s), which cannot be rehearsed", what, p.Name, spec)
	default:
		p.BuildspecPath = spec
	}
	logs := assembly.Object(assembly.Object(i.Resolve(what, properties["LogsConfig"]))["CloudWatchLogs"])
	p.LogGroup = cmp.Or(assembly.Text(logs["GroupName"]), "/aws/codebuild/"+p.Name)
	p.WritesLogs = assembly.Text(logs["Status"]) != "DISABLED"
	return p
}

// isPlain reports whether a type of environment variable says that its value is the variable's own.
func isPlain(kind string) bool { return kind == "" || kind == "PLAINTEXT" }

// environment returns what this machine, the project and the action set, in this order.
func (p *project) environment(machine, configuration map[string]string) (map[string]string, error) {
	env := map[string]string{}
	maps.Copy(env, machine)
	maps.Copy(env, p.Env)
	for _, name := range slices.Sorted(maps.Keys(p.Secrets)) {
		return nil, fmt.Errorf("project %s: the variable %s comes from %q, which only AWS has: it cannot be rehearsed", p.Name, name, p.Secrets[name])
	}
	var added []struct{ Name, Value, Type string }
	if text := configuration["EnvironmentVariables"]; text != "" {
		if err := json.Unmarshal([]byte(text), &added); err != nil {
			return nil, &rehearsal.Failure{Code: "InvalidActionConfiguration", Reason: "EnvironmentVariables is not valid JSON: " + err.Error(), Look: "the action's EnvironmentVariables"}
		}
	}
	for _, v := range added {
		if !isPlain(v.Type) {
			return nil, fmt.Errorf("the variable %s comes from %q, which only AWS has: it cannot be rehearsed", v.Name, v.Value)
		}
		env[v.Name] = v.Value
	}
	return env, nil
}

// buildspec reads the buildspec: the project's own, or the one in the source. where names it.
func (p *project) buildspec(source string) (_ *codebuild.Buildspec, where string, err error) {
	text, where := p.Buildspec, "the buildspec of the project "+p.ID+" in the template"
	broken := func(message string) error {
		return &rehearsal.Failure{Code: "JobFailed", Reason: terminationReason(codebuild.Failed, codebuild.DownloadSource, "YAML_FILE_ERROR", message), Look: where}
	}
	if text == "" {
		where = p.BuildspecPath + " in the source"
		root, err := os.OpenRoot(source)
		if err != nil {
			return nil, where, err
		}
		defer func() { _ = root.Close() }() // It was only read.
		content, err := root.ReadFile(filepath.Clean(p.BuildspecPath))
		if err != nil { // It is not there, or a link that leads out of the source.
			return nil, where, broken(p.BuildspecPath + ": no such file or directory")
		}
		text = string(content)
	}
	spec, err := codebuild.Parse(text)
	if err != nil {
		return nil, where, broken(err.Error())
	}
	return spec, where, nil
}

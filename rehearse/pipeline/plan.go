package pipeline

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
)

// Plan is a pipeline as its template describes it: what is to be rehearsed.
type Plan struct {
	Template *assembly.Template
	Name     string
	// Role runs the pipeline, and every action that has no role of its own.
	Role *Role
	// Store is the bucket of the artifacts.
	Store  string
	Stages []Stage
	// Deployment is that of a service, in place of a pipeline; then the stages are those of its lifecycle,
	// and there is neither Role nor Store. See [ReadService].
	Deployment *Deployment
	// Distributions are those that the functions clear and the assembly makes, by their id.
	Distributions map[string]*Distribution
	// Notes are what the template has and the rehearsal leaves out.
	Notes []string

	variables map[string]string // the pipeline's own, with their defaults
}

// Stage is one stage; its actions are in the order in which they run.
type Stage struct {
	Name    string
	Actions []*Action
}

// Action is one action.
type Action struct {
	Stage, Name string
	Provider    string // such as "CodeBuild"
	RunOrder    int
	// Configuration is resolved but for variables of the pipeline, #{namespace.Name}. A token is left out.
	Configuration map[string]string
	// Inputs and Outputs are names of artifacts.
	Inputs, Outputs []string
	// Namespace is that of its output variables, or "".
	Namespace string
	// Role is the action's own, or the pipeline's.
	Role *Role
	// OwnRole says that it is the action's own, which the pipeline's role takes on.
	OwnRole bool

	Project  *Project  // of a CodeBuild action
	Function *Function // of a Lambda action
}

// String is such as "Deploy/S3".
func (a *Action) String() string { return a.Stage + "/" + a.Name }

// Role is a role and what it may do.
type Role struct {
	ID       string // logical; "" for one that is not in the template
	Name     string
	ARN      string
	Policies []json.RawMessage
	Trust    json.RawMessage
	// Unknown says why nothing can be said about its permissions; "" where they are known.
	Unknown string
	// Look is where the policies are of a role that is not in the template and known even so.
	Look string
}

// account is the role's.
func (r *Role) account() string {
	if parts := strings.Split(r.ARN, ":"); len(parts) > 4 {
		return parts[4]
	}
	return ""
}

// Project is a project of CodeBuild.
type Project struct {
	ID, Name, ARN string
	// Buildspec is the text of an inline buildspec. BuildspecPath is where it is in the source otherwise.
	Buildspec     string
	BuildspecPath string
	Env           map[string]string
	// Secrets are variables whose values only AWS has: what they are called there, by the variable's name.
	Secrets    map[string]string
	Image      string
	Timeout    time.Duration
	Role       *Role
	LogGroup   string
	WritesLogs bool
}

// Function is a Lambda function.
type Function struct {
	ID, Name, ARN string
	// Asset is the folder that it is made of.
	Asset    string
	Env      map[string]string
	Timeout  time.Duration
	MemoryMB int
	// Retries is how often an asynchronous invocation that failed is tried again.
	Retries  int
	Role     *Role
	LogGroup string
	// TakesOn is the role that the function takes on to clear its distributions, in their account; nil if
	// it clears them with its own.
	TakesOn *Role
}

// account is that of the distributions that the function clears; "" is the function's own.
func (f *Function) account() string {
	if f.TakesOn == nil {
		return ""
	}
	return f.TakesOn.account()
}

// The providers of actions that can be rehearsed.
const (
	sourceConnection = "CodeStarSourceConnection"
	sourceGitHub     = "GitHub"
	providerBuild    = "CodeBuild"
	providerS3       = "S3"
	providerLambda   = "Lambda"
)

// rehearsable are they, with the category that each can be in.
var rehearsable = []string{"Source/" + sourceConnection, "Source/" + sourceGitHub, "Build/" + providerBuild, "Test/" + providerBuild, "Deploy/" + providerS3, "Invoke/" + providerLambda}

// Read reads the pipeline of a template. An error says all that keeps it from being rehearsed.
func Read(template *assembly.Template) (*Plan, error) {
	const pipelines = "AWS::CodePipeline::Pipeline"
	made := template.OfType(pipelines)
	if len(made) != 1 {
		return nil, fmt.Errorf("read stack %s: it has %d pipelines, want one", template.Name, len(made))
	}
	r := &reader{template: template}
	r.settle(made[0])
	plan, err := r.plan(r.template.OfType(pipelines)[0])
	if err != nil {
		return nil, fmt.Errorf("stack %s cannot be rehearsed: %w", template.Name, err)
	}
	return plan, nil
}

// settle takes the account of the source's connection for that of a stack which is bound to none, or,
// having example values, to the documentation's: the stack will be where the connection is.
func (r *reader) settle(pipeline assembly.NamedResource) {
	why, ok := map[string]string{
		"123456789012": "the stack is bound to no account", // stands in for an account that is not known
		"111122223333": "the stack has example values, and so cannot be deployed",
	}[r.template.Account]
	if !ok {
		return
	}
	for _, s := range list(pipeline.Properties["Stages"]) {
		for _, a := range list(object(s)["Actions"]) {
			arn, _ := object(object(a)["Configuration"])["ConnectionArn"].(string)
			if parts := strings.Split(arn, ":"); len(parts) > 4 && parts[4] != r.template.Account {
				r.template = r.template.InAccount(parts[4])
				r.note("%s: it is taken to be in %s, where the source's connection is", why, parts[4])
				return
			}
		}
	}
}

// reader reads a template. What it finds wrong it collects.
type reader struct {
	template *assembly.Template
	roles    map[string]*Role // by ARN
	errs     []error
	notes    []string
}

func (r *reader) problem(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	// What several parts refer to is read for each of them.
	if !slices.ContainsFunc(r.errs, func(known error) bool { return known.Error() == err.Error() }) {
		r.errs = append(r.errs, err)
	}
}

func (r *reader) note(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(r.notes, note) {
		r.notes = append(r.notes, note)
	}
}

// resolve resolves a part of the template; what it is a part of is for people.
func (r *reader) resolve(what string, v any) any {
	resolved, err := r.template.Resolve(v)
	if err != nil {
		r.problem("%s: %w", what, err)
	}
	return resolved
}

func (r *reader) text(what string, v any) string { return text(r.resolve(what, v)) }

// text is a value as CloudFormation hands it on; "" for none.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strings.TrimSuffix(fmt.Sprintf("%.0f", v), ".")
	default:
		return fmt.Sprint(v)
	}
}

func (r *reader) number(what string, v any, otherwise int) int {
	s := r.text(what, v)
	if s == "" {
		return otherwise
	}
	var n int
	if _, err := fmt.Sscan(s, &n); err != nil {
		r.problem("%s is %q, want a whole number", what, s)
	}
	return n
}

func (r *reader) ref(id string) string {
	return r.text(id, map[string]any{"Ref": id})
}

func (r *reader) arn(id string) string {
	return r.text(id, map[string]any{"Fn::GetAtt": []any{id, "Arn"}})
}

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }
func list(v any) []any            { l, _ := v.([]any); return l }

func (r *reader) plan(pipeline assembly.NamedResource) (*Plan, error) {
	p := pipeline.Properties
	plan := &Plan{Template: r.template, Name: cmp.Or(r.text("Name", p["Name"]), r.ref(pipeline.ID)), variables: map[string]string{}}
	plan.Role = r.role("RoleArn", p["RoleArn"])
	store := object(r.resolve("ArtifactStore", p["ArtifactStore"]))
	if plan.Store = text(store["Location"]); plan.Store == "" {
		r.problem("the pipeline %s has no ArtifactStore: one with stores in several Regions (ArtifactStores) cannot be rehearsed", plan.Name)
	}
	if store["EncryptionKey"] != nil {
		r.note("the artifacts' encryption key is not rehearsed: whether the roles may use it is not checked")
	}
	for _, v := range list(p["Variables"]) {
		v := object(r.resolve("Variables", v))
		plan.variables[text(v["Name"])] = text(v["DefaultValue"])
	}
	for _, s := range list(p["Stages"]) {
		plan.Stages = append(plan.Stages, r.stage(object(s)))
	}
	if len(plan.Stages) == 0 {
		r.problem("the pipeline %s has no stages", plan.Name)
	}
	r.artifacts(plan.Stages)
	for _, schedule := range r.template.OfType("AWS::Scheduler::Schedule") {
		r.note("the schedule %s is not rehearsed: at AWS it starts the pipeline, too, at %s (%s)", schedule.ID,
			r.text(schedule.ID, schedule.Properties["ScheduleExpression"]), cmp.Or(r.text(schedule.ID, schedule.Properties["ScheduleExpressionTimezone"]), "UTC"))
	}
	if p["DisableInboundStageTransitions"] != nil {
		r.note("the pipeline's DisableInboundStageTransitions is not rehearsed: AWS would wait before a stage whose transition is disabled")
	}
	for i := range plan.Stages {
		for _, a := range plan.Stages[i].Actions {
			if a.Role == nil {
				a.Role = plan.Role
			}
		}
	}
	plan.Distributions = r.distributions(plan)
	plan.Notes = r.notes
	return plan, errors.Join(r.errs...)
}

// artifacts checks what CodePipeline does when a pipeline is created: an artifact is put out once, and
// before it is wanted.
func (r *reader) artifacts(stages []Stage) {
	by := map[string]*Action{}
	for _, stage := range stages {
		for _, a := range stage.Actions {
			for _, name := range a.Inputs {
				if by[name] == nil {
					r.problem("stage %s, action %s: its input artifact %q is the output of no earlier action; CodePipeline refuses such a pipeline", a.Stage, a.Name, name)
				}
			}
			for _, name := range a.Outputs {
				if first := by[name]; first != nil {
					r.problem("stage %s, action %s: its output artifact %q is the output of stage %s, action %s, too; CodePipeline refuses such a pipeline", a.Stage, a.Name, name, first.Stage, first.Name)
				}
				by[name] = a
			}
		}
	}
}

// ignored notes properties that would change what AWS does, and that nothing here looks at.
func (r *reader) ignored(what string, p map[string]any, keys ...string) {
	for _, key := range keys {
		if p[key] != nil {
			r.note("%s: its %s is not rehearsed", what, key)
		}
	}
}

// actionKeys are what is read of an action.
var actionKeys = []string{"ActionTypeId", "Configuration", "InputArtifacts", "Name", "Namespace", "OutputArtifacts", "Region", "RoleArn", "RunOrder"}

func (r *reader) stage(s map[string]any) Stage {
	stage := Stage{Name: r.text("Name", s["Name"])}
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if key != "Name" && key != "Actions" && s[key] != nil {
			r.note("stage %s: its %s is not rehearsed", stage.Name, key)
		}
	}
	for _, a := range list(s["Actions"]) {
		stage.Actions = append(stage.Actions, r.action(stage.Name, object(a)))
	}
	slices.SortStableFunc(stage.Actions, func(a, b *Action) int { return a.RunOrder - b.RunOrder })
	for i := range stage.Actions[:max(0, len(stage.Actions)-1)] {
		if a, b := stage.Actions[i], stage.Actions[i+1]; a.RunOrder == b.RunOrder {
			r.note("stage %s: its actions %s and %s would run side by side; here they run one after the other", stage.Name, a.Name, b.Name)
		}
	}
	return stage
}

func (r *reader) action(stage string, a map[string]any) *Action {
	action := &Action{Stage: stage, Name: r.text("Name", a["Name"]), Configuration: map[string]string{}, Namespace: r.text("Namespace", a["Namespace"])}
	what := fmt.Sprintf("stage %s, action %s", stage, action.Name)
	for _, key := range slices.Sorted(maps.Keys(a)) {
		if !slices.Contains(actionKeys, key) {
			r.ignored(what, a, key)
		}
	}
	action.RunOrder = r.number(what+": RunOrder", a["RunOrder"], 1)
	kind := object(r.resolve(what, a["ActionTypeId"]))
	action.Provider = text(kind["Provider"])
	if !slices.Contains(rehearsable, text(kind["Category"])+"/"+action.Provider) || text(kind["Owner"]) == "Custom" {
		r.problem("%s: an action of the provider %s (%s, by %s) cannot be rehearsed; those that can are %s",
			what, action.Provider, text(kind["Category"]), text(kind["Owner"]), strings.Join(rehearsable, ", "))
		return action
	}
	configuration := object(a["Configuration"])
	for _, key := range slices.Sorted(maps.Keys(configuration)) {
		if key == "OAuthToken" {
			continue // A secret, and nothing here needs it.
		}
		action.Configuration[key] = r.text(what+": "+key, configuration[key])
	}
	for _, v := range list(a["InputArtifacts"]) {
		action.Inputs = append(action.Inputs, r.text(what, object(v)["Name"]))
	}
	for _, v := range list(a["OutputArtifacts"]) {
		action.Outputs = append(action.Outputs, r.text(what, object(v)["Name"]))
	}
	if a["RoleArn"] != nil {
		action.Role, action.OwnRole = r.role(what+": RoleArn", a["RoleArn"]), true
	}
	if region := r.text(what, a["Region"]); region != "" && region != r.template.Region {
		r.problem("%s: it runs in %s: an action in another Region than the stack's (%s) cannot be rehearsed", what, region, r.template.Region)
	}
	switch action.Provider {
	case sourceConnection, sourceGitHub:
		if len(action.Outputs) != 1 {
			r.problem("%s: it has %d output artifacts, want one", what, len(action.Outputs))
		}
	case providerBuild:
		if len(action.Inputs) != 1 {
			r.problem("%s: it has %d input artifacts: a build with more than one source cannot be rehearsed", what, len(action.Inputs))
		}
		if action.Configuration["BatchEnabled"] == "true" {
			r.problem("%s: BatchEnabled: a batch build cannot be rehearsed", what)
		}
		action.Project = r.project(what, action.Configuration["ProjectName"])
	case providerS3:
		if len(action.Inputs) != 1 {
			r.problem("%s: it has %d input artifacts, want one", what, len(action.Inputs))
		}
	case providerLambda:
		if len(action.Inputs)+len(action.Outputs) > 0 {
			r.problem("%s: its function takes or makes artifacts (%s), which cannot be rehearsed", what, strings.Join(append(slices.Clone(action.Inputs), action.Outputs...), ", "))
		}
		action.Function = r.functionNamed(what, action.Configuration["FunctionName"])
	}
	return action
}

// role finds a role by its ARN.
func (r *reader) role(what string, v any) *Role {
	arn := r.text(what, v)
	if arn == "" {
		r.problem("%s: there is no role", what)
		return &Role{}
	}
	if r.roles == nil {
		r.roles = map[string]*Role{}
		for _, resource := range r.template.OfType("AWS::IAM::Role") {
			r.roles[r.arn(resource.ID)] = &Role{ID: resource.ID}
		}
	}
	role, made := r.roles[arn]
	if !made {
		role = &Role{Unknown: "it is not in the template"}
		r.roles[arn] = role
	}
	if role.ARN != "" {
		return role
	}
	role.ARN, role.Name = arn, arn[strings.LastIndex(arn, "/")+1:]
	if role.ID != "" {
		var err error
		if role.Policies, err = r.template.RolePolicies(role.ID); err != nil {
			role.Unknown = err.Error()
		}
		properties := r.template.Resources[role.ID].Properties
		if boundary := r.resolve(role.ID+": PermissionsBoundary", properties["PermissionsBoundary"]); boundary != nil {
			r.note("the permissions boundary %v is not rehearsed: it is taken to allow what the roles' policies do", boundary)
		}
		trust := r.resolve(role.ID+": AssumeRolePolicyDocument", properties["AssumeRolePolicyDocument"])
		if role.Trust, err = json.Marshal(trust); err != nil {
			r.problem("%s: %w", role.ID, err)
		}
	}
	if role.Unknown != "" {
		r.note("what the role %s may do is not checked: %s", cmp.Or(role.ID, arn), role.Unknown)
	}
	return role
}

// takenOn is a role in another account, as its owner makes it of the stack's outputs.
func (r *reader) takenOn(f *Function, arn string) *Role {
	if !roleARN.MatchString(arn) {
		r.problem("the function %s: ROLE_ARN is %q: want a role's ARN", f.ID, arn)
		return nil
	}
	role := &Role{ARN: arn, Name: arn[strings.LastIndex(arn, "/")+1:], Look: "the stack's outputs RoleTrust and RolePermissions, of which the role " + arn + " is made"}
	policy := func(output string) json.RawMessage {
		text := r.text("output "+output, r.template.Outputs[output].Value)
		if !json.Valid([]byte(text)) {
			r.problem("the function %s takes on the role %s, and the stack's output %s is no policy for it: %q", f.ID, arn, output, text)
		}
		return json.RawMessage(text)
	}
	role.Trust, role.Policies = policy("RoleTrust"), []json.RawMessage{policy("RolePermissions")}
	r.note("the role %s is in another account: it is taken to be there, with the policies that are the stack's outputs RoleTrust and RolePermissions", arn)
	return role
}

var roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`)

// named finds the resource of a type that is called name, or has it for its ARN.
func (r *reader) named(what, cfnType, name string) (assembly.NamedResource, bool) {
	for _, resource := range r.template.OfType(cfnType) {
		if r.ref(resource.ID) == name || r.arn(resource.ID) == name {
			return resource, true
		}
	}
	r.problem("%s: %q is no %s of the stack %s: what is outside of the template cannot be rehearsed", what, name, cfnType, r.template.Name)
	return assembly.NamedResource{}, false
}

func (r *reader) project(what, name string) *Project {
	resource, ok := r.named(what, "AWS::CodeBuild::Project", name)
	if !ok {
		return nil
	}
	p := resource.Properties
	project := &Project{ID: resource.ID, Name: r.ref(resource.ID), ARN: r.arn(resource.ID), Env: map[string]string{}, Secrets: map[string]string{}}
	r.ignored("the project "+resource.ID, p, "VpcConfig", "FileSystemLocations", "SecondarySources", "SecondaryArtifacts")
	r.environment(what, object(p["Environment"])["EnvironmentVariables"], project)
	project.Image = r.text(what, object(p["Environment"])["Image"])
	project.Timeout = time.Duration(r.number(what+": TimeoutInMinutes", p["TimeoutInMinutes"], 60)) * time.Minute
	project.Role = r.role(what+": ServiceRole", p["ServiceRole"])

	source := object(r.resolve(what, p["Source"]))
	if kind := text(source["Type"]); kind != "CODEPIPELINE" {
		r.problem("%s: the source of project %s is %s, want CODEPIPELINE", what, project.Name, kind)
	}
	// A buildspec is inline if it is more than the name of a file.
	switch spec := text(source["BuildSpec"]); {
	case spec == "":
		project.BuildspecPath = "buildspec.yml"
	case strings.Contains(spec, "\n") || strings.HasPrefix(strings.TrimSpace(spec), "{"):
		project.Buildspec = spec
	case strings.HasPrefix(spec, "arn:"):
		r.problem("%s: the buildspec of project %s is in S3 (%s), which cannot be rehearsed", what, project.Name, spec)
	default:
		project.BuildspecPath = spec
	}
	logs := object(object(r.resolve(what, p["LogsConfig"]))["CloudWatchLogs"])
	project.LogGroup = cmp.Or(text(logs["GroupName"]), "/aws/codebuild/"+project.Name)
	project.WritesLogs = text(logs["Status"]) != "DISABLED"
	return project
}

// environment reads the variables of a project, or those that an action adds.
func (r *reader) environment(what string, variables any, project *Project) {
	for _, v := range list(variables) {
		name := r.text(what, object(v)["Name"])
		value := r.text(what+": variable "+name, object(v)["Value"])
		switch kind := r.text(what, object(v)["Type"]); kind {
		case "", "PLAINTEXT":
			project.Env[name] = value
		default:
			project.Secrets[name] = value
		}
	}
}

func (r *reader) functionNamed(what, name string) *Function {
	resource, ok := r.named(what, "AWS::Lambda::Function", name)
	if !ok {
		return nil
	}
	return r.function(what, resource)
}

func (r *reader) function(what string, resource assembly.NamedResource) *Function {
	p := resource.Properties
	f := &Function{ID: resource.ID, Name: r.ref(resource.ID), ARN: r.arn(resource.ID), Env: map[string]string{}, Retries: 2}
	if runtime := r.text(what, p["Runtime"]); !strings.HasPrefix(runtime, "provided.") {
		r.problem("%s: the function %s runs on %s: only a compiled one (provided.al2023) can be rehearsed", what, f.Name, cmp.Or(runtime, "an image"))
		return f
	}
	r.ignored("the function "+resource.ID, p, "VpcConfig", "Layers", "ReservedConcurrentExecutions", "FileSystemConfigs")
	var err error
	if f.Asset, err = r.template.FunctionAssetDir(resource.ID); err != nil {
		r.problem("%s: %w", what, err)
	}
	for name, value := range object(r.resolve(what, object(p["Environment"])["Variables"])) {
		f.Env[name] = text(value)
	}
	if arn := f.Env["ROLE_ARN"]; arn != "" {
		f.TakesOn = r.takenOn(f, arn)
	}
	f.Timeout = time.Duration(r.number(what+": Timeout", p["Timeout"], 3)) * time.Second
	f.MemoryMB = r.number(what+": MemorySize", p["MemorySize"], 128)
	f.Role = r.role(what+": Role", p["Role"])
	f.LogGroup = cmp.Or(r.text(what, object(p["LoggingConfig"])["LogGroup"]), "/aws/lambda/"+f.Name)
	for _, config := range r.template.OfType("AWS::Lambda::EventInvokeConfig") {
		if of := r.text(config.ID, config.Properties["FunctionName"]); of == f.Name || of == f.ARN {
			f.Retries = r.number(config.ID+": MaximumRetryAttempts", config.Properties["MaximumRetryAttempts"], 2)
		}
	}
	return f
}

package fakeaws_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

// told returns what CodeDeploy tells of a deployment: its state, its traffic, and its events that are not pending.
func (w *world) told(t *testing.T, id string) string {
	t.Helper()
	out, err := w.codeDeploy.GetDeployment(t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: &id})
	if err != nil {
		t.Fatal(err)
	}
	info := out.DeploymentInfo
	words := []string{string(info.Status), "by " + string(info.Creator)}
	if e := info.ErrorInformation; e != nil {
		words = append(words, string(e.Code)+": "+*e.Message)
	}
	if r := info.RollbackInfo; r != nil && r.RollbackDeploymentId != nil {
		words = append(words, "rolled back")
	}
	if r := info.RollbackInfo; r != nil && r.RollbackTriggeringDeploymentId != nil {
		words = append(words, "rolls back")
	}
	if info.StartTime == nil {
		return strings.Join(words, ", ")
	}
	ids, err := w.codeDeploy.ListDeploymentTargets(t.Context(), &codedeploy.ListDeploymentTargetsInput{DeploymentId: &id})
	if err != nil {
		t.Fatal(err)
	}
	targets, err := w.codeDeploy.BatchGetDeploymentTargets(t.Context(), &codedeploy.BatchGetDeploymentTargetsInput{DeploymentId: &id, TargetIds: ids.TargetIds})
	if err != nil {
		t.Fatal(err)
	}
	target := targets.DeploymentTargets[0].EcsTarget
	words = append(words, ids.TargetIds[0])
	for _, set := range target.TaskSetsInfo {
		words = append(words, fmt.Sprintf("%s %s %g %%", set.TaskSetLabel, *set.Status, set.TrafficWeight))
	}
	for _, e := range target.LifecycleEvents {
		if e.Status == cdtypes.LifecycleEventStatusInProgress {
			words = append(words, *e.LifecycleEventName+" since "+e.StartTime.Format("15:04"))
		}
		if e.Status == cdtypes.LifecycleEventStatusFailed {
			words = append(words, fmt.Sprintf("%s failed at %s: %s", *e.LifecycleEventName, e.EndTime.Format("15:04"), *e.Diagnostics.Message))
		}
	}
	return strings.Join(words, ", ")
}

func TestCodeDeployTellsOfDeployments(t *testing.T) {
	clock := newClock()
	w := newWorld(t, fakeaws.Options{Now: clock.Now})
	check := func(id, want string) {
		t.Helper()
		if got := w.told(t, id); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	d, err := w.cloud.StartDeployment(fakeaws.DeploymentInput{
		Application: "shop", DeploymentGroup: "blue-green", Cluster: "main", Service: "web", Creator: "CloudFormation", Created: true, AutoRollback: true,
		Hooks: map[string]string{"BeforeAllowTraffic": hookName, "AfterAllowTraffic": hookName},
	})
	if err != nil {
		t.Fatal(err)
	}
	check(d.ID(), "Created, by CloudFormation")
	clock.advance(time.Minute)
	before := d.Next()
	check(d.ID(), "InProgress, by CloudFormation, main:web, Blue PRIMARY 100 %, Green ACTIVE 0 %, BeforeAllowTraffic since 12:01")
	clock.advance(time.Minute)
	if err := w.report(t, before, hookSucceeded); err != nil {
		t.Fatal(err)
	}
	check(d.ID(), "InProgress, by CloudFormation, main:web, Blue ACTIVE 0 %, Green PRIMARY 100 %, AfterAllowTraffic since 12:02")
	clock.advance(time.Minute)
	if err := w.report(t, d.Next(), hookFailed); err != nil {
		t.Fatal(err)
	}
	const why = "the function has reported Failed"
	check(d.ID(), "Failed, by CloudFormation, HOOK_EXECUTION_FAILURE: The hook AfterAllowTraffic failed: "+why+", rolled back, main:web, Blue PRIMARY 100 %, Green ACTIVE 0 %, AfterAllowTraffic failed at 12:03: "+why)
	check(d.Rollback().ID(), "InProgress, by codeDeployRollback, rolls back, main:web, Blue PRIMARY 100 %, Green ACTIVE 0 %, BeforeAllowTraffic since 12:03")
}

func TestListsOfDeployments(t *testing.T) {
	clock := newClock()
	w := newWorld(t, fakeaws.Options{Now: clock.Now})
	first := startDeployment(t, w.cloud)
	second := startDeployment(t, w.cloud, "AfterAllowTraffic")
	clock.advance(time.Hour) // The second one is rolled back when somebody looks.
	other, err := w.cloud.StartDeployment(fakeaws.DeploymentInput{Application: "shop", DeploymentGroup: "other"})
	if err != nil {
		t.Fatal(err)
	}
	list := func(group string, states ...cdtypes.DeploymentStatus) []string {
		t.Helper()
		out, err := w.codeDeploy.ListDeployments(t.Context(), &codedeploy.ListDeploymentsInput{ApplicationName: aws.String("shop"), DeploymentGroupName: &group, IncludeOnlyStatuses: states})
		if err != nil {
			t.Fatal(err)
		}
		return out.Deployments
	}
	last := func() string {
		t.Helper()
		out, err := w.codeDeploy.GetDeploymentGroup(t.Context(), &codedeploy.GetDeploymentGroupInput{ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("blue-green")})
		if err != nil {
			t.Fatal(err)
		}
		info := out.DeploymentGroupInfo
		return *info.LastAttemptedDeployment.DeploymentId + " " + *info.LastSuccessfulDeployment.DeploymentId
	}
	if got, want := last(), second.ID()+" "+first.ID(); got != want {
		t.Errorf("last attempted and successful: got %s, want %s", got, want)
	}
	rollback := second.Rollback().ID()
	if got, want := list("blue-green"), []string{first.ID(), second.ID(), rollback}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := list("blue-green", cdtypes.DeploymentStatusInProgress, cdtypes.DeploymentStatusCreated), []string{rollback}; !slices.Equal(got, want) {
		t.Errorf("those that run: got %v, want %v", got, want)
	}
	if got, want := list("other"), []string{other.ID()}; !slices.Equal(got, want) {
		t.Errorf("of another group: got %v, want %v", got, want)
	}
	all, err := w.codeDeploy.ListDeployments(t.Context(), &codedeploy.ListDeploymentsInput{})
	if err != nil || len(all.Deployments) != 4 {
		t.Errorf("of all groups: got %v, %v, want 4", all, err)
	}
}

func TestCodeDeployRefusesToTell(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	if err := w.cloud.AddDeploymentGroup("new", "group"); err != nil {
		t.Fatal(err)
	}
	running := startDeployment(t, w.cloud, "AfterAllowTraffic")
	created, err := w.cloud.StartDeployment(fakeaws.DeploymentInput{Application: "shop", DeploymentGroup: "blue-green", Created: true})
	if err != nil {
		t.Fatal(err)
	}
	list := func(application, group *string, states ...cdtypes.DeploymentStatus) error {
		_, err := w.codeDeploy.ListDeployments(t.Context(), &codedeploy.ListDeploymentsInput{ApplicationName: application, DeploymentGroupName: group, IncludeOnlyStatuses: states})
		return err
	}
	group := func(application, group string) error {
		_, err := w.codeDeploy.GetDeploymentGroup(t.Context(), &codedeploy.GetDeploymentGroupInput{ApplicationName: &application, DeploymentGroupName: &group})
		return err
	}
	get := func(id string) error {
		_, err := w.codeDeploy.GetDeployment(t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: &id})
		return err
	}
	targets := func(id string, of ...string) error {
		_, err := w.codeDeploy.BatchGetDeploymentTargets(t.Context(), &codedeploy.BatchGetDeploymentTargetsInput{DeploymentId: &id, TargetIds: of})
		return err
	}
	ids := func(id string, change func(*codedeploy.ListDeploymentTargetsInput)) error {
		in := &codedeploy.ListDeploymentTargetsInput{DeploymentId: &id}
		if change != nil {
			change(in)
		}
		_, err := w.codeDeploy.ListDeploymentTargets(t.Context(), in)
		return err
	}
	long := strings.Repeat("a", 101)
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"a new group", group("new", "group"), ""},
		{"a new group's deployments", list(aws.String("new"), aws.String("group")), ""},
		{"another page", func() error {
			_, err := w.codeDeploy.ListDeployments(t.Context(), &codedeploy.ListDeploymentsInput{NextToken: aws.String("next")})
			return err
		}(), "InvalidNextTokenException"},
		{"no application", list(nil, aws.String("g")), "ApplicationNameRequiredException"},
		{"no group", list(aws.String("shop"), nil), "DeploymentGroupNameRequiredException"},
		{"long application", list(&long, aws.String("g")), "InvalidApplicationNameException"},
		{"long group", group("shop", long), "InvalidDeploymentGroupNameException"},
		{"unknown application", group("none", "blue-green"), "ApplicationDoesNotExistException"},
		{"unknown group", list(aws.String("shop"), aws.String("group")), "DeploymentGroupDoesNotExistException"},
		{"unknown status", list(nil, nil, "Running"), "InvalidDeploymentStatusException"},
		{"empty id", get(""), "DeploymentIdRequiredException"},
		{"another id", get("D-1"), "InvalidDeploymentIdException"},
		{"unknown id", get("d-AAAAAAAAA"), "DeploymentDoesNotExistException"},
		{"targets", targets(running.ID(), "production:shop"), ""},
		{"targets before the start", targets(created.ID(), "production:shop"), "DeploymentNotStartedException"},
		{"ids of targets before the start", ids(created.ID(), nil), "DeploymentNotStartedException"},
		{"ids of filtered targets", ids(running.ID(), func(in *codedeploy.ListDeploymentTargetsInput) {
			in.TargetFilters = map[string][]string{"TargetStatus": {"Failed"}}
		}), "ValidationException"}, // The double does not support them.
		{"a further page", ids(running.ID(), func(in *codedeploy.ListDeploymentTargetsInput) { in.NextToken = aws.String("a") }), "InvalidNextTokenException"},
		{"no target", targets(running.ID(), []string{}...), "DeploymentTargetIdRequiredException"},
		{"25 targets", targets(running.ID(), slices.Repeat([]string{"production:shop"}, 25)...), ""},
		{"26 targets", targets(running.ID(), slices.Repeat([]string{"production:shop"}, 26)...), "DeploymentTargetListSizeExceededException"},
		{"an instance", targets(running.ID(), "i-1"), "InvalidDeploymentTargetIdException"},
		{"another service", targets(running.ID(), "production:api"), "DeploymentTargetDoesNotExistException"},
	} {
		if got := errorCode(tt.err); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if err := w.cloud.AddDeploymentGroup("a b", "g"); err == nil {
		t.Error("an application with a space was accepted")
	}
	if _, err := w.cloud.StartDeployment(fakeaws.DeploymentInput{Application: "a", DeploymentGroup: "g", Creator: "me"}); err == nil {
		t.Error("an unknown creator was accepted")
	}
	var resources []string
	for _, call := range w.cloud.Calls() {
		if call.Err == "" {
			resources = append(resources, call.Action+" "+call.Resource)
		}
	}
	const arn = "arn:aws:codedeploy:" + region + ":123456789012:deploymentgroup:"
	for _, want := range []string{"codedeploy:GetDeploymentGroup " + arn + "new/group", "codedeploy:ListDeployments " + arn + "new/group", "codedeploy:BatchGetDeploymentTargets *"} {
		if !slices.Contains(resources, want) {
			t.Errorf("calls: got %q, want %s", resources, want)
		}
	}
}

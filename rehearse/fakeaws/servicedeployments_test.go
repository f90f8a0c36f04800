package fakeaws_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

// toldOfService returns what ECS tells of a deployment.
func (w *world) toldOfService(t *testing.T, arn string) string {
	t.Helper()
	out, err := w.ecs.DescribeServiceDeployments(t.Context(), &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{arn}})
	if err != nil || len(out.ServiceDeployments) != 1 {
		t.Fatalf("got %v, %v", out, err)
	}
	d := out.ServiceDeployments[0]
	words := []string{string(d.Status), string(d.LifecycleStage)}
	for _, r := range append([]types.ServiceRevisionSummary{*d.TargetServiceRevision}, d.SourceServiceRevisions...) {
		words = append(words, fmt.Sprintf("test %g production %g", *r.RequestedTestTrafficWeight, *r.RequestedProductionTrafficWeight))
	}
	for _, h := range d.LifecycleHookDetails {
		words = append(words, "hook "+string(h.Status))
	}
	if d.FinishedAt != nil {
		words = append(words, "finished at "+d.FinishedAt.Format("15:04"))
	}
	if d.Rollback != nil {
		words = append(words, "rolled back at "+d.Rollback.StartedAt.Format("15:04")+": "+*d.Rollback.Reason)
	}
	return strings.Join(words, ", ")
}

func TestECSTellsOfDeployments(t *testing.T) {
	clock := newClock()
	w := newWorld(t, fakeaws.Options{Now: clock.Now})
	d := startService(t, w.cloud, nil, hookAt(hookFunction, "PRE_SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT"))
	check := func(want string) {
		t.Helper()
		if got := w.toldOfService(t, d.ARN()); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	check("IN_PROGRESS, PRE_SCALE_UP, test 0 production 0, test 100 production 100, hook IN_PROGRESS")
	answer(t, d.Next(), `{"hookStatus":"SUCCEEDED"}`)
	check("IN_PROGRESS, PRODUCTION_TRAFFIC_SHIFT, test 100 production 100, test 0 production 0, hook IN_PROGRESS")
	clock.advance(time.Minute)
	answer(t, d.Next(), `{"hookStatus":"FAILED"}`)
	const why = "rolled back at 12:01: Service deployment rolled back because of a lifecycle hook failure at PRODUCTION_TRAFFIC_SHIFT."
	check("ROLLBACK_IN_PROGRESS, PRODUCTION_TRAFFIC_SHIFT, test 100 production 0, test 0 production 100, hook IN_PROGRESS, " + why)
	clock.advance(time.Minute)
	answer(t, d.Next(), `{"hookStatus":"SUCCEEDED"}`)
	check("ROLLBACK_SUCCESSFUL, CLEAN_UP, test 0 production 0, test 100 production 100, finished at 12:02, " + why)
}

func TestListsOfServiceDeployments(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	var want []string
	for range 3 {
		want = append(want, startService(t, w.cloud, nil).ARN())
	}
	startService(t, w.cloud, func(in *fakeaws.ServiceDeploymentInput) { in.Service = "api" })
	in := &ecs.ListServiceDeploymentsInput{Cluster: aws.String("production"), Service: aws.String("shop"), MaxResults: aws.Int32(2)}
	var got []string
	for range 2 {
		out, err := w.ecs.ListServiceDeployments(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range out.ServiceDeployments {
			got = append(got, *d.ServiceDeploymentArn)
		}
		in.NextToken = out.NextToken
	}
	if !slices.Equal(got, want) || in.NextToken != nil {
		t.Errorf("got %v, and the token %v, want %v and none", got, in.NextToken, want)
	}
	arns := &ecs.ListServiceDeploymentsInput{
		Cluster: aws.String("arn:aws:ecs:" + region + ":123456789012:cluster/production"), Service: aws.String("arn:aws:ecs:" + region + ":123456789012:service/production/shop"),
	}
	if out, err := w.ecs.ListServiceDeployments(t.Context(), arns); err != nil || len(out.ServiceDeployments) != 3 {
		t.Errorf("by ARNs: got %v, %v, want 3", out, err)
	}
}

func TestECSRefusesToTell(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	if err := w.cloud.AddService("default", "new"); err != nil {
		t.Fatal(err)
	}
	d := startService(t, w.cloud, nil)
	list := func(cluster *string, service string, most int32, token *string) error {
		in := &ecs.ListServiceDeploymentsInput{Cluster: cluster, Service: &service, NextToken: token}
		if most >= 0 {
			in.MaxResults = &most
		}
		_, err := w.ecs.ListServiceDeployments(t.Context(), in)
		return err
	}
	describe := func(arns ...string) error {
		_, err := w.ecs.DescribeServiceDeployments(t.Context(), &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: arns})
		return err
	}
	production := aws.String("production")
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"a new service of the default cluster", list(nil, "new", 100, nil), ""},
		{"no service", list(production, "", -1, nil), "InvalidParameterException"},
		{"0 of them", list(production, "shop", 0, nil), "InvalidParameterException"},
		{"101 of them", list(production, "shop", 101, nil), "InvalidParameterException"},
		{"another token", list(production, "shop", -1, aws.String("a")), "InvalidParameterException"},
		{"unknown service", list(production, "api", -1, nil), "ServiceNotFoundException"},
		{"unknown cluster", list(aws.String("none"), "shop", -1, nil), "ClusterNotFoundException"},
		{"20 deployments", describe(slices.Repeat([]string{d.ARN()}, 20)...), ""},
		{"21 deployments", describe(slices.Repeat([]string{d.ARN()}, 21)...), "InvalidParameterException"},
		{"no deployment", describe([]string{}...), "InvalidParameterException"},
		{"no ARN", describe("shop"), "InvalidParameterException"},
		{"of another service", describe(strings.Replace(d.ARN(), "/shop/", "/api/", 1)), "ServiceNotFoundException"},
	} {
		if got := errorCode(tt.err); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	missing := d.ARN() + "x"
	out, err := w.ecs.DescribeServiceDeployments(t.Context(), &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{missing}})
	if err != nil || len(out.ServiceDeployments) != 0 || *out.Failures[0].Arn != missing {
		t.Errorf("a missing deployment: got %v, %v, want a failure", out, err)
	}
	if err := w.cloud.AddService("a b", "s"); err == nil {
		t.Error("a cluster with a space was accepted")
	}
	calls := w.cloud.Calls()
	if got, want := calls[0].Resource, "arn:aws:ecs:"+region+":123456789012:service/default/new"; got != want {
		t.Errorf("resource of a list: got %s, want %s", got, want)
	}
	if got := calls[len(calls)-1].Resource; got != missing {
		t.Errorf("resource of a description: got %s, want %s", got, missing)
	}
}

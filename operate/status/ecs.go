package status

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"blog-deploy-pipeline/lambdas/contract"
)

// ECS is the part of the API that is read.
type ECS interface {
	ListServiceDeployments(context.Context, *ecs.ListServiceDeploymentsInput, ...func(*ecs.Options)) (*ecs.ListServiceDeploymentsOutput, error)
	DescribeServiceDeployments(context.Context, *ecs.DescribeServiceDeploymentsInput, ...func(*ecs.Options)) (*ecs.DescribeServiceDeploymentsOutput, error)
}

// endedByECS are the states of a service deployment that has ended.
var endedByECS = []types.ServiceDeploymentStatus{
	types.ServiceDeploymentStatusSuccessful, types.ServiceDeploymentStatusStopped,
	types.ServiceDeploymentStatusRollbackSuccessful, types.ServiceDeploymentStatusRollbackFailed,
}

// ecsStages are the stages of a service deployment in their order.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
var ecsStages = []string{
	"RECONCILE_SERVICE", "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
	"PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP",
}

// maxServiceDeployments limits the service deployments on a page.
const maxServiceDeployments = 100

// readECS returns the newest deployment of a service by ECS, which is the one that runs if there is one; nil if there was
// none in the last 90 days, for which ECS keeps them.
func readECS(ctx context.Context, client ECS, s contract.Service, function string) (*Deployment, error) {
	arn, err := lastServiceDeployment(ctx, client, s)
	if err != nil || arn == "" {
		return nil, unknownService(err, s)
	}
	out, err := client.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{arn}})
	if err != nil {
		return nil, err
	}
	if len(out.ServiceDeployments) == 0 {
		// The list has it already, the description not yet.
		return &Deployment{ID: Name(arn), Status: string(types.ServiceDeploymentStatusPending), Running: true}, nil
	}
	of := out.ServiceDeployments[0]
	d := &Deployment{
		ID: Name(arn), Status: string(of.Status), Running: !slices.Contains(endedByECS, of.Status), Succeeded: of.Status == types.ServiceDeploymentStatusSuccessful,
		Started: aws.ToTime(of.StartedAt), Ended: aws.ToTime(of.FinishedAt),
	}
	if d.Started.IsZero() {
		d.Started = aws.ToTime(of.CreatedAt)
	}
	if d.Ended.IsZero() {
		d.Ended = aws.ToTime(of.StoppedAt)
	}
	if !d.Succeeded && (!d.Running || of.Rollback != nil) {
		d.Reasons = reasons(of, function)
	}
	d.Traffic = weights(of)
	if d.Running && of.LifecycleStage != "" {
		d.Steps = []Step{{Name: string(of.LifecycleStage), Status: string(types.ServiceDeploymentStatusInProgress)}}
	}
	d.Hooks = ecsHooks(of, s.Events, function)
	return d, nil
}

// lastServiceDeployment returns the ARN of the newest deployment of a service; "" if there was none.
func lastServiceDeployment(ctx context.Context, client ECS, s contract.Service) (string, error) {
	var newest types.ServiceDeploymentBrief
	in := &ecs.ListServiceDeploymentsInput{Cluster: &s.Cluster, Service: &s.Service, MaxResults: aws.Int32(maxServiceDeployments)}
	for range maxPages {
		out, err := client.ListServiceDeployments(ctx, in)
		if err != nil {
			return "", err
		}
		for _, d := range out.ServiceDeployments { // AWS does not document their order.
			if newest.ServiceDeploymentArn == nil || aws.ToTime(d.CreatedAt).After(aws.ToTime(newest.CreatedAt)) {
				newest = d
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	return aws.ToString(newest.ServiceDeploymentArn), nil
}

func unknownService(err error, s contract.Service) error {
	_, noCluster := errors.AsType[*types.ClusterNotFoundException](err)
	_, noService := errors.AsType[*types.ServiceNotFoundException](err)
	if noCluster || noService {
		return unknown("ECS has no service "+s.Service+" in the cluster "+s.Cluster, err)
	}
	return err
}

// reasons returns what ECS says about a deployment that did not succeed.
func reasons(of types.ServiceDeployment, function string) (all []string) {
	given := []*string{of.StatusReason}
	if of.Rollback != nil {
		given = append(given, of.Rollback.Reason)
	}
	byHook := false
	for _, reason := range given {
		text := aws.ToString(reason)
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
		byHook = byHook || strings.Contains(text, "hook")
	}
	if byHook {
		all = append(all, lookAt(function))
	}
	return all
}

// weights returns the shares of production traffic. They are missing for other strategies than blue/green ones.
func weights(of types.ServiceDeployment) []Share {
	target := of.TargetServiceRevision
	if target == nil || target.RequestedProductionTrafficWeight == nil {
		return nil
	}
	var old float64
	for _, source := range of.SourceServiceRevisions {
		old += aws.ToFloat64(source.RequestedProductionTrafficWeight)
	}
	return []Share{{blue, old}, {green, *target.RequestedProductionTrafficWeight}}
}

// ecsHooks returns the stages that call the hook, as far as ECS tells of them: it has details only of the hooks of the present
// stage. What a hook has said to stop a deployment is in the deployment's reasons.
func ecsHooks(of types.ServiceDeployment, events []string, function string) (hooks []Step) {
	if of.Rollback != nil || of.LifecycleStage == "" {
		return nil
	}
	now := slices.Index(ecsStages, string(of.LifecycleStage))
	for _, event := range events {
		s := Step{Name: event, Status: notBegun}
		switch at := slices.Index(ecsStages, event); {
		case of.Status == types.ServiceDeploymentStatusSuccessful || at < now:
			s.Status = "SUCCEEDED"
		case at == now:
			s.Status = string(types.ServiceDeploymentStatusInProgress)
			for _, detail := range of.LifecycleHookDetails {
				if strings.HasSuffix(aws.ToString(detail.TargetArn), ":function:"+function) {
					s.Status = string(detail.Status)
				}
			}
		}
		if s.Status == string(types.DeploymentLifecycleHookStatusFailed) || s.Status == string(types.DeploymentLifecycleHookStatusTimedOut) {
			s.Said = lookAt(function)
		}
		hooks = append(hooks, s)
	}
	return hooks
}

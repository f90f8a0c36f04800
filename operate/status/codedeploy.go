package status

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"blog-deploy-pipeline/lambdas/contract"
)

// CodeDeploy is the part of the API that is read.
type CodeDeploy interface {
	ListDeployments(context.Context, *codedeploy.ListDeploymentsInput, ...func(*codedeploy.Options)) (*codedeploy.ListDeploymentsOutput, error)
	GetDeploymentGroup(context.Context, *codedeploy.GetDeploymentGroupInput, ...func(*codedeploy.Options)) (*codedeploy.GetDeploymentGroupOutput, error)
	GetDeployment(context.Context, *codedeploy.GetDeploymentInput, ...func(*codedeploy.Options)) (*codedeploy.GetDeploymentOutput, error)
	ListDeploymentTargets(context.Context, *codedeploy.ListDeploymentTargetsInput, ...func(*codedeploy.Options)) (*codedeploy.ListDeploymentTargetsOutput, error)
	BatchGetDeploymentTargets(context.Context, *codedeploy.BatchGetDeploymentTargetsInput, ...func(*codedeploy.Options)) (*codedeploy.BatchGetDeploymentTargetsOutput, error)
}

// runningDeployments are the states of a deployment that has not ended.
var runningDeployments = []types.DeploymentStatus{
	types.DeploymentStatusCreated, types.DeploymentStatusQueued, types.DeploymentStatusInProgress, types.DeploymentStatusBaking, types.DeploymentStatusReady,
}

// readCodeDeploy returns the deployment of a deployment group that runs, or else the last one; nil if there was none.
func readCodeDeploy(ctx context.Context, client CodeDeploy, s contract.Service, function string) (*Deployment, error) {
	id, err := lastDeployment(ctx, client, s)
	if err != nil || id == "" {
		return nil, unknownGroup(err, s)
	}
	out, err := client.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id})
	if err != nil {
		return nil, err
	}
	info := out.DeploymentInfo
	d := &Deployment{
		ID: id, Status: string(info.Status), Running: slices.Contains(runningDeployments, info.Status), Succeeded: info.Status == types.DeploymentStatusSucceeded,
		Started: aws.ToTime(info.CreateTime), Ended: aws.ToTime(info.CompleteTime), By: creator(info),
	}
	if info.ErrorInformation != nil {
		d.Reasons = append(d.Reasons, strings.TrimSuffix(fmt.Sprintf("%s: %s", info.ErrorInformation.Code, aws.ToString(info.ErrorInformation.Message)), ": "))
	}
	if r := info.RollbackInfo; r != nil && aws.ToString(r.RollbackDeploymentId) != "" {
		d.Reasons = append(d.Reasons, "rolled back by "+*r.RollbackDeploymentId)
	}
	if err := readTarget(ctx, client, d); err != nil {
		return nil, err
	}
	for i := range d.Steps {
		step := &d.Steps[i]
		if !slices.Contains(s.Events, step.Name) {
			continue
		}
		if step.Status == string(types.LifecycleEventStatusFailed) {
			step.Said = strings.TrimPrefix(step.Said+"; "+lookAt(function), "; ")
		}
		d.Hooks = append(d.Hooks, *step)
	}
	return d, nil
}

// lastDeployment returns the id of the deployment of a group that runs, or else of the last one; "" if there was none.
func lastDeployment(ctx context.Context, client CodeDeploy, s contract.Service) (string, error) {
	// AWS does not document the order of this list, nor whether a group names a deployment that runs. A group has at most one.
	in := &codedeploy.ListDeploymentsInput{
		ApplicationName: &s.Application, DeploymentGroupName: &s.DeploymentGroup, IncludeOnlyStatuses: runningDeployments,
	}
	for range maxPages { // A page of a filtered list may be empty.
		running, err := client.ListDeployments(ctx, in)
		if err != nil {
			return "", err
		}
		if len(running.Deployments) > 0 {
			return running.Deployments[0], nil
		}
		if in.NextToken = running.NextToken; in.NextToken == nil {
			break
		}
	}
	group, err := client.GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{ApplicationName: &s.Application, DeploymentGroupName: &s.DeploymentGroup})
	if err != nil || group.DeploymentGroupInfo.LastAttemptedDeployment == nil {
		return "", err
	}
	return aws.ToString(group.DeploymentGroupInfo.LastAttemptedDeployment.DeploymentId), nil
}

func unknownGroup(err error, s contract.Service) error {
	_, noApplication := errors.AsType[*types.ApplicationDoesNotExistException](err)
	_, noGroup := errors.AsType[*types.DeploymentGroupDoesNotExistException](err)
	if noApplication || noGroup {
		return unknown("CodeDeploy has no deployment group "+s.DeploymentGroup+" of the application "+s.Application, err)
	}
	return err
}

// unknown says what to do if AWS does not know what deploys a service.
func unknown(what string, err error) error {
	return fmt.Errorf("%s in this account and region: correct the service's DeployedBy or Region in services.go, or use other credentials (AWS_PROFILE): %w", what, err)
}

// creator words what has created a deployment. CodeDeploy counts a pipeline as a user.
func creator(info *types.DeploymentInfo) string {
	switch {
	case info.RollbackInfo != nil && aws.ToString(info.RollbackInfo.RollbackTriggeringDeploymentId) != "":
		return "which rolls back " + *info.RollbackInfo.RollbackTriggeringDeploymentId
	case info.Creator == types.DeploymentCreatorUser:
		return "by a user or a pipeline"
	case info.Creator == "":
		return ""
	}
	return "by " + string(info.Creator)
}

// readTarget adds what the deployment's target knows: the lifecycle events, and the traffic.
func readTarget(ctx context.Context, client CodeDeploy, d *Deployment) error {
	ids, err := client.ListDeploymentTargets(ctx, &codedeploy.ListDeploymentTargetsInput{DeploymentId: &d.ID})
	if _, notStarted := errors.AsType[*types.DeploymentNotStartedException](err); notStarted {
		return nil
	}
	if err != nil || len(ids.TargetIds) == 0 {
		return err
	}
	// A deployment to ECS has one target, the service.
	out, err := client.BatchGetDeploymentTargets(ctx, &codedeploy.BatchGetDeploymentTargetsInput{DeploymentId: &d.ID, TargetIds: ids.TargetIds[:1]})
	if err != nil {
		return err
	}
	for _, target := range out.DeploymentTargets {
		if target.EcsTarget == nil {
			return fmt.Errorf("the deployment %s is not of a service of ECS", d.ID)
		}
		for _, e := range target.EcsTarget.LifecycleEvents {
			d.Steps = append(d.Steps, lifecycleStep(e))
		}
		for _, set := range target.EcsTarget.TaskSetsInfo {
			version := blue
			if set.TaskSetLabel == types.TargetLabelGreen {
				version = green
			}
			d.Traffic = append(d.Traffic, Share{version, set.TrafficWeight})
		}
	}
	return nil
}

func lifecycleStep(e types.LifecycleEvent) Step {
	s := Step{Name: aws.ToString(e.LifecycleEventName), Status: string(e.Status), At: aws.ToTime(e.EndTime)}
	if s.At.IsZero() {
		s.At = aws.ToTime(e.StartTime)
	}
	if e.Status == types.LifecycleEventStatusFailed && e.Diagnostics != nil {
		s.Said = strings.Trim(fmt.Sprintf("%s: %s", e.Diagnostics.ErrorCode, aws.ToString(e.Diagnostics.Message)), ": ")
	}
	return s
}

// lookAt says where a hook has said more than AWS tells.
func lookAt(function string) string { return "the log of the function " + function + " says why" }

package status

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/lambdas/contract"
)

// Services reads the deployments of services.
type Services struct {
	CodePipeline interface {
		GetPipeline(context.Context, *codepipeline.GetPipelineInput, ...func(*codepipeline.Options)) (*codepipeline.GetPipelineOutput, error)
	}
	CodeDeploy CodeDeploy
	ECS        ECS
}

// Read returns the deployment of a service that runs, or else the last one; nil if there was none.
func (s Services) Read(ctx context.Context, p contract.Pipeline) (*Deployment, error) {
	service := *p.Service
	if !p.Existing() {
		var err error
		if service, err = s.named(ctx, p); err != nil {
			return nil, err
		}
	}
	function := contract.HookFunctionName(p.Name)
	if service.Application != "" {
		return readCodeDeploy(ctx, s.CodeDeploy, service, function)
	}
	return readECS(ctx, s.ECS, service, function)
}

// named returns the service with the names that its pipeline has for it.
func (s Services) named(ctx context.Context, p contract.Pipeline) (contract.Service, error) {
	service := *p.Service
	out, err := s.CodePipeline.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &p.Name})
	if err != nil {
		return service, err
	}
	for _, stage := range out.Pipeline.Stages {
		for _, action := range stage.Actions {
			configuration := action.Configuration
			if of := action.ActionTypeId; of != nil && aws.ToString(of.Provider) == "CodeDeployToECS" {
				service.Application, service.DeploymentGroup = configuration["ApplicationName"], configuration["DeploymentGroupName"]
			}
			var variables []struct{ Name, Value string }
			if json.Unmarshal([]byte(configuration["EnvironmentVariables"]), &variables) != nil {
				continue // It has none.
			}
			for _, v := range variables {
				switch v.Name {
				case buildspec.EnvCluster:
					service.Cluster = v.Value
				case buildspec.EnvService:
					service.Service = v.Value
				}
			}
		}
	}
	if service.Application == "" && service.Cluster == "" {
		return service, fmt.Errorf("the pipeline %s does not name what it deploys, as one of an earlier version: deploy it again (make deploy SERVICE=%s)", p.Name, p.Name)
	}
	return service, nil
}

package fakeaws

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServiceDeployments.html
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListServiceDeployments.html
const (
	maxServiceDeployments = 20
	defaultECSPage        = 20
)

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
var serviceDeploymentPattern = regexp.MustCompile(`^arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d{12}:service-deployment/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+$`)

// ecsService is a service of ECS and its deployments, the oldest first.
type ecsService struct {
	deployments []*ServiceDeployment
}

// AddService adds a service without deployments. It returns an error for names that ECS refuses.
func (c *Cloud) AddService(cluster, service string) error {
	for _, name := range []string{cluster, service} {
		if !ecsNamePattern.MatchString(name) {
			return fmt.Errorf("add service: %q does not match ECS's %s", name, ecsNamePattern)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addService(cluster, service)
	return nil
}

func (c *Cloud) addService(cluster, service string) *ecsService {
	arn := c.ecsARN("service", cluster+"/"+service)
	if c.services[arn] == nil {
		c.services[arn] = &ecsService{}
	}
	return c.services[arn]
}

func (c *Cloud) ecsARN(kind, id string) string {
	return fmt.Sprintf("arn:aws:ecs:%s:%s:%s/%s", c.opts.Region, c.opts.Account, kind, id)
}

// serviceARN returns the ARN of a service that a request names by names or ARNs.
func (c *Cloud) serviceARN(cluster, service string) string {
	if strings.HasPrefix(service, "arn:") {
		return service
	}
	name := cmp.Or(cluster, "default")
	if _, id, ok := strings.Cut(cluster, ":cluster/"); ok {
		name = id
	}
	return c.ecsARN("service", name+"/"+service)
}

// serviceDeploymentOperation describes a call that reads deployments by ECS, and returns the function that runs the
// operation, or nil for an unknown operation.
func (c *Cloud) serviceDeploymentOperation(operation string, body []byte, call *Call) func() reply {
	// This only describes the call. The operation itself checks the body.
	var in struct {
		Cluster, Service      string
		ServiceDeploymentArns []string
	}
	_ = json.NewDecoder(bytes.NewReader(body)).Decode(&in)
	switch operation {
	case "ListServiceDeployments":
		call.Resource = c.serviceARN(in.Cluster, in.Service)
		return func() reply { return c.listServiceDeployments(body) }
	case "DescribeServiceDeployments":
		if len(in.ServiceDeploymentArns) > 0 {
			call.Resource = in.ServiceDeploymentArns[0]
		}
		return func() reply { return c.describeServiceDeployments(body) }
	}
	return nil
}

func refuseECS(code, message string) reply {
	return refuseJSON(apiError{code, message, http.StatusBadRequest})
}

// AWS documents no order. The double returns the oldest deployment first, since most callers would like the newest best.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListServiceDeployments.html
func (c *Cloud) listServiceDeployments(body []byte) reply {
	var in struct {
		Service    *string `json:"service"`
		Cluster    *string `json:"cluster"`
		MaxResults *int    `json:"maxResults"`
		NextToken  *string `json:"nextToken"`
	}
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseECS("InvalidParameterException", refusal.message)
	}
	switch n := in.MaxResults; {
	case value(in.Service) == "":
		return refuseECS("InvalidParameterException", "Service cannot be blank.")
	case n != nil && (*n < 1 || *n > maxPage):
		return refuseECS("InvalidParameterException", fmt.Sprintf("maxResults must be between 1 and %d.", maxPage))
	}
	arn := c.serviceARN(value(in.Cluster), *in.Service)
	service := c.services[arn]
	if service == nil {
		cluster := arn[:strings.LastIndex(arn, "/")+1]
		for known := range c.services {
			if strings.HasPrefix(known, cluster) {
				return refuseECS("ServiceNotFoundException", "Service not found.")
			}
		}
		return refuseECS("ClusterNotFoundException", "Cluster not found.")
	}
	var all []any
	for _, d := range service.deployments {
		d.settle()
		all = append(all, d.brief())
	}
	size := defaultECSPage
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	rep := page("serviceDeployments", all, "deployments of "+arn, &size, in.NextToken)
	if rep.errCode != "" {
		return refuseECS("InvalidParameterException", "Invalid token.")
	}
	return rep
}

// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeploymentBrief.html
func (d *ServiceDeployment) brief() map[string]any {
	brief := map[string]any{
		"serviceDeploymentArn": d.arn, "serviceArn": d.service, "clusterArn": d.cloud.ecsARN("cluster", d.input.Cluster),
		"createdAt": seconds(d.created), "startedAt": seconds(d.created), "status": d.status, "targetServiceRevisionArn": d.targetRevision,
	}
	if !d.finished.IsZero() {
		brief["finishedAt"] = seconds(d.finished)
	}
	if d.reason != "" {
		brief["statusReason"] = d.reason
	}
	return brief
}

// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServiceDeployments.html
func (c *Cloud) describeServiceDeployments(body []byte) reply {
	var in struct {
		ServiceDeploymentARNs []string `json:"serviceDeploymentArns"`
	}
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseECS("InvalidParameterException", refusal.message)
	}
	if n := len(in.ServiceDeploymentARNs); n < 1 || n > maxServiceDeployments {
		return refuseECS("InvalidParameterException", fmt.Sprintf("serviceDeploymentArns must have 1 to %d members.", maxServiceDeployments))
	}
	found, failures := []any{}, []any{}
	for _, arn := range in.ServiceDeploymentARNs {
		if !serviceDeploymentPattern.MatchString(arn) {
			return refuseECS("InvalidParameterException", "Invalid service deployment ARN: "+arn)
		}
		path := strings.Split(arn, "/")
		service := c.services[strings.Replace(strings.Join(path[:3], "/"), ":service-deployment/", ":service/", 1)]
		if service == nil {
			return refuseECS("ServiceNotFoundException", "Service not found.")
		}
		i := slices.IndexFunc(service.deployments, func(d *ServiceDeployment) bool { return d.arn == arn })
		if i < 0 {
			failures = append(failures, map[string]any{"arn": arn, "reason": "MISSING"})
			continue
		}
		service.deployments[i].settle()
		found = append(found, service.deployments[i].describe())
	}
	return acceptJSON(map[string]any{"serviceDeployments": found, "failures": failures})
}

// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
func (d *ServiceDeployment) describe() map[string]any {
	of := d.brief()
	delete(of, "targetServiceRevisionArn")
	of["updatedAt"] = seconds(cmp.Or(d.finished, d.rolledBack, d.created))
	of["lifecycleStage"] = "CLEAN_UP"
	if len(d.plan) > 0 {
		of["lifecycleStage"] = d.plan[0]
	}
	if !d.rolledBack.IsZero() {
		of["rollback"] = map[string]any{"reason": d.reason, "startedAt": seconds(d.rolledBack), "serviceRevisionArn": d.sourceRevision}
	}
	test, production := d.reached(stageTestShift), d.reached(stageProductionShift)
	of["targetServiceRevision"] = revision(d.targetRevision, test, production)
	of["sourceServiceRevisions"] = []any{revision(d.sourceRevision, !test, !production)}
	hooks := []any{}
	if d.call != nil {
		hooks = append(hooks, map[string]any{
			"hookId": d.call.executionID, "targetType": "AWS_LAMBDA", "targetArn": d.call.hook.HookTargetARN,
			"status": ecsInProgress, "expiresAt": seconds(d.call.started.Add(serviceHookTimeout)), "timeoutAction": "ROLLBACK",
		})
	}
	of["lifecycleHookDetails"] = hooks
	of["deploymentConfiguration"] = map[string]any{"strategy": "BLUE_GREEN", "lifecycleHooks": d.declaredHooks()}
	return of
}

func (d *ServiceDeployment) declaredHooks() []any {
	all := []any{}
	for _, hook := range d.input.Hooks {
		all = append(all, map[string]any{"hookTargetArn": hook.HookTargetARN, "roleArn": hook.RoleARN, "lifecycleStages": hook.LifecycleStages})
	}
	return all
}

// reached reports whether the deployment has shifted traffic at a stage to the new revision, and has not shifted it back.
func (d *ServiceDeployment) reached(shift string) (reached bool) {
	for _, stage := range d.stages {
		if stage.Name == shift {
			reached = !stage.Rollback
		}
	}
	return reached
}

// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceRevisionSummary.html
func revision(arn string, test, production bool) map[string]any {
	weight := func(serves bool) float64 {
		if serves {
			return 100
		}
		return 0
	}
	return map[string]any{
		"arn": arn, "requestedTaskCount": 2, "runningTaskCount": 2, "pendingTaskCount": 0,
		"requestedTestTrafficWeight": weight(test), "requestedProductionTrafficWeight": weight(production),
	}
}

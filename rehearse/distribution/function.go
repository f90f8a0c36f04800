package distribution

import (
	"fmt"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/edgefunction"
)

// associateFunctions reads the CloudFront Functions of a cache behaviour.
func (d *inspection) associateFunctions(what string, behavior *edge.Behavior, associations any) {
	for i, v := range assembly.List(associations) {
		what, association := fmt.Sprintf("%s: FunctionAssociations[%d]", what, i), assembly.Object(v)
		compiled := d.function(what, assembly.Text(association["FunctionARN"]))
		event := assembly.Text(association["EventType"])
		// "Each event type can have only one edge function association."
		// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html
		switch {
		case event != "viewer-request" && event != "viewer-response":
			d.Problem("%s: EventType is %q: CloudFront runs its functions on viewer-request and on viewer-response", what, event)
		case event == "viewer-request" && behavior.ViewerRequest != nil, event == "viewer-response" && behavior.ViewerResponse != nil:
			d.Problem("%s: EventType is %s once more: CloudFront allows one function for each", what, event)
		case compiled == nil: // The problem is known.
		case event == "viewer-request":
			behavior.ViewerRequest = compiled
		default:
			behavior.ViewerResponse = compiled
		}
	}
}

// function compiles a CloudFront Function, once.
func (d *inspection) function(what, arn string) *edgefunction.Function {
	if compiled, known := d.functions[arn]; known {
		return compiled
	}
	stack, resource := d.made("AWS::CloudFront::Function", "FunctionARN", arn)
	if stack == nil {
		d.Problem("%s: FunctionARN %q is no function of the assembly: what is outside of the templates cannot be rehearsed", what, arn)
		return nil
	}
	what = "the function " + resource.ID
	if publish := assembly.Text(resource.Properties["AutoPublish"]); publish != "true" {
		// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-function.html
		d.Problem("%s: AutoPublish is %q, want true: CloudFront runs only published functions", what, publish)
	}
	config := d.config(stack, resource, "FunctionConfig")
	d.only(what, config, "", "Comment", "Runtime")
	if runtime := assembly.Text(config["Runtime"]); runtime != "cloudfront-js-2.0" {
		d.Problem("%s: Runtime %s cannot be rehearsed, only cloudfront-js-2.0", what, runtime)
	}
	code, err := stack.Resolve(resource.Properties["FunctionCode"])
	if err != nil {
		d.Problem("%s: FunctionCode: %w", what, err)
		return nil
	}
	compiled, err := edgefunction.New(assembly.Text(code))
	if err != nil {
		d.Problem("%s: FunctionCode: %w", what, err)
		return nil
	}
	d.functions[arn] = compiled
	return compiled
}

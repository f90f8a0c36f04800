package pipeline

import (
	"fmt"

	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/edgefunction"
)

// associate reads a behaviour's functions.
func (d *distributionReader) associate(what string, behavior *edge.Behavior, associations any) {
	for i, v := range list(associations) {
		what, association := fmt.Sprintf("%s: FunctionAssociations[%d]", what, i), object(v)
		compiled := d.cloudFrontFunction(what, text(association["FunctionARN"]))
		event := text(association["EventType"])
		// "Each event type can have only one edge function association."
		// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html
		switch {
		case event != "viewer-request" && event != "viewer-response":
			d.problem("%s: EventType is %q: CloudFront runs its functions on viewer-request and on viewer-response", what, event)
		case event == "viewer-request" && behavior.ViewerRequest != nil, event == "viewer-response" && behavior.ViewerResponse != nil:
			d.problem("%s: EventType is %s once more: CloudFront takes one function for each", what, event)
		case compiled == nil: // Why, has been told.
		case event == "viewer-request":
			behavior.ViewerRequest = compiled
		default:
			behavior.ViewerResponse = compiled
		}
	}
}

// cloudFrontFunction compiles a CloudFront Function, once.
func (d *distributionReader) cloudFrontFunction(what, arn string) *edgefunction.Function {
	if compiled, known := d.functions[arn]; known {
		return compiled
	}
	stack, resource := d.made("AWS::CloudFront::Function", "FunctionARN", arn)
	if stack == nil {
		d.problem("%s: FunctionARN %q is no function of the assembly: what is outside of the templates cannot be rehearsed", what, arn)
		return nil
	}
	what = "the function " + resource.ID
	if publish := text(resource.Properties["AutoPublish"]); publish != "true" {
		// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-function.html
		d.problem("%s: AutoPublish is %q, want true: CloudFront takes no function that is not published", what, publish)
	}
	config := d.config(stack, resource, "FunctionConfig")
	d.only(what, config, "", "Comment", "Runtime")
	if runtime := text(config["Runtime"]); runtime != "cloudfront-js-2.0" {
		d.problem("%s: Runtime %s cannot be rehearsed, only cloudfront-js-2.0", what, runtime)
	}
	code, err := stack.Resolve(resource.Properties["FunctionCode"])
	if err != nil {
		d.problem("%s: FunctionCode: %w", what, err)
		return nil
	}
	compiled, err := edgefunction.New(text(code))
	if err != nil {
		d.problem("%s: FunctionCode: %w", what, err)
		return nil
	}
	d.functions[arn] = compiled
	return compiled
}

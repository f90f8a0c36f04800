package distribution

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/assembly"
)

// readOrigin reads the bucket behind the distribution, and its policy.
func (d *inspection) readOrigin(distribution *Distribution, config map[string]any) {
	origins := assembly.List(config["Origins"])
	at := slices.IndexFunc(origins, func(v any) bool { return assembly.Text(assembly.Object(v)["Id"]) == d.origin })
	if at < 0 {
		d.Problem("%s: Origins: none has the Id %q, which is the TargetOriginId of the cache behaviours", d.what, d.origin)
		return
	}
	what, origin := fmt.Sprintf("%s: Origins[%d]", d.what, at), assembly.Object(origins[at])
	d.only(what, origin, "Origin", "DomainName", "Id", "OriginAccessControlId", "S3OriginConfig")
	// "Exactly one of CustomOriginConfig, VpcOriginConfig, and S3OriginConfig must be specified", says its API.
	if origin["S3OriginConfig"] == nil {
		d.Problem("%s: S3OriginConfig is not given: only a bucket can be rehearsed, and with OriginAccessControlId its OriginAccessIdentity is empty", what)
	}
	// An empty identity means in CloudFormation that there is none.
	d.only(what+": S3OriginConfig", assembly.Object(origin["S3OriginConfig"]), "")
	distribution.Origin = assembly.Text(origin["DomainName"])
	for _, attribute := range []string{"RegionalDomainName", "DomainName"} {
		stack, bucket := d.made("AWS::S3::Bucket", attribute, distribution.Origin)
		if stack == nil {
			continue
		}
		if name, err := stack.Resolve(map[string]any{"Ref": bucket.ID}); err == nil {
			distribution.Origin = assembly.Text(name)
		}
		if encryption := assembly.Object(bucket.Properties["BucketEncryption"]); strings.Contains(fmt.Sprint(encryption), "aws:kms") {
			d.Note("the bucket %s is encrypted with a key of KMS: whether the distribution may use it is not checked", bucket.ID)
		}
		break
	}
	distribution.Unsigned = d.unsigned(assembly.Text(origin["OriginAccessControlId"]))
	for _, stack := range d.Template.Stacks() {
		for _, policy := range stack.OfType("AWS::S3::BucketPolicy") {
			// The Ref of a policy is the name of its bucket. A policy that is not created has no Ref.
			if of, err := stack.Resolve(map[string]any{"Ref": policy.ID}); err != nil || assembly.Text(of) != distribution.Origin {
				continue
			}
			if distribution.PolicyResource != "" {
				d.Problem("the bucket %s has the policies %s and %s: S3 keeps only one", distribution.Origin, distribution.PolicyResource, policy.ID)
			}
			document, err := json.Marshal(d.config(stack, policy, "PolicyDocument"))
			if err != nil {
				d.Problem("%s: PolicyDocument: %w", policy.ID, err)
			}
			distribution.Policy, distribution.PolicyResource = document, policy.ID
		}
	}
}

// unsigned returns why the distribution does not sign its requests, and S3 so treats them as anonymous; "" if it
// signs them.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
func (d *inspection) unsigned(id string) string {
	if id == "" {
		return "its origin has no OriginAccessControlId"
	}
	stack, resource := d.made("AWS::CloudFront::OriginAccessControl", "Id", id)
	if stack == nil {
		d.Problem("%s: OriginAccessControlId %q is none of the assembly: what is outside of the templates cannot be rehearsed", d.what, id)
		return ""
	}
	config := d.config(stack, resource, "OriginAccessControlConfig")
	if kind := assembly.Text(config["OriginAccessControlOriginType"]); kind != "s3" {
		return fmt.Sprintf("the OriginAccessControlOriginType of %s is %q, not s3", resource.ID, kind)
	}
	if signs := assembly.Text(config["SigningBehavior"]); signs == "never" {
		return fmt.Sprintf("the SigningBehavior of %s is never", resource.ID)
	}
	return ""
}

package pipeline

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/rehearse/s3"
)

// cloudFront is the service as bucket policies name it.
const cloudFront = "cloudfront.amazonaws.com"

// readFrom prepares readers of a distribution that the assembly makes: what it may do with its origin,
// and what readers are to get for what is not there.
func (r *rehearsal) readFrom(ctx context.Context, d *Distribution, readers *readers, built map[string]*zip.File) (s3.Access, error) {
	if len(d.Aliases) > 0 {
		readers.site = "https://" + d.Aliases[0]
	}
	if d.Origin != readers.bucket {
		readers.refused = &failure{
			Code:   "WrongOrigin",
			Reason: fmt.Sprintf("the distribution %s reads from %s, and the pipeline deploys to %s", d.ID, d.Origin, readers.bucket),
			Look:   d.look("the Origins"),
		}
		return s3.Access{Read: true}, nil
	}
	read, err := r.refusal(ctx, d, "s3:GetObject", "/"+home)
	if err != nil {
		return s3.Access{}, err
	}
	list, err := r.refusal(ctx, d, "s3:ListBucket", "")
	if err != nil {
		return s3.Access{}, err
	}
	readers.refused = read
	for _, code := range slices.Sorted(maps.Keys(d.Errors)) {
		page, err := url.PathUnescape(d.Errors[code].PagePath)
		if _, ok := built[strings.TrimPrefix(page, "/")]; page != "" && (!ok || err != nil) {
			r.warn("the distribution %s answers an error %d with %s, which is not among what was built: unless the bucket has it, readers get S3's own error; %s", d.ID, code, d.Errors[code].PagePath, errorPageToName(built))
		}
	}
	if response := d.Errors[http.StatusNotFound]; response.PagePath != "" {
		page, err := url.PathUnescape(response.PagePath)
		if file, ok := built[strings.TrimPrefix(page, "/")]; ok && err == nil {
			content, err := contentOf(file)
			if err != nil {
				return s3.Access{}, err
			}
			readers.notFound = &notFound{path: page, built: content, status: response.Status, instead: list}
		}
	}
	return s3.Access{Read: read == nil, List: list == nil}, nil
}

// errorPageToName says what to do about an error page that was not built: Hugo makes one in the folder of each
// language, and none at the top, where every language has a folder.
func errorPageToName(built map[string]*zip.File) string {
	var pages []string
	for _, key := range slices.SortedFunc(maps.Keys(built), byLength) {
		if path.Base(key) == "404.html" || strings.HasSuffix("/"+key, "/404/"+home) {
			pages = append(pages, escaped("/"+key))
		}
	}
	const most = 3
	switch n := len(pages); {
	case n == 0:
		return "make one (Hugo's is layouts/404.html), or name yours in Site.NotFoundPage"
	case n > most:
		return fmt.Sprintf("set Site.NotFoundPage to a page of the build, such as %s, or one of %d others", pages[0], n-1)
	default:
		return "set Site.NotFoundPage to a page of the build: " + strings.Join(pages, " or ")
	}
}

// refusal is why S3 would refuse the distribution, by the bucket's policy; nil if it would not.
//
// Who may not list a bucket gets a 403 for what is not in it, and not a 404.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (r *rehearsal) refusal(ctx context.Context, d *Distribution, action, on string) (*failure, error) {
	refused := &failure{
		Code: "AccessDenied",
		Look: fmt.Sprintf("the bucket's policy in the template of the stack %s: it must let %s do %s where AWS:SourceArn is %s", d.Stack, cloudFront, action, d.ARN),
	}
	if d.PolicyResource != "" {
		refused.Look = strings.Replace(refused.Look, "policy", "policy "+d.PolicyResource, 1)
	}
	t := r.plan.Template
	switch {
	case d.Unsigned != "":
		refused.Reason, refused.Look = d.Unsigned, d.look("the origin's access control")
	case d.Policy == nil:
		refused.Reason = "the bucket has no policy"
	default:
		decisions, err := r.account.iam.Evaluate(ctx, nil, []iampolicy.Request{{
			Principal: cloudFront, Action: action, Resource: "arn:" + t.Partition + ":s3:::" + d.Origin + on, ResourcePolicy: d.Policy,
			Context: map[string]string{"aws:SourceArn": d.ARN, "aws:SourceAccount": strings.Split(d.ARN, ":")[4], "aws:SecureTransport": "true", "s3:TlsVersion": "1.3"},
		}})
		if err != nil {
			return nil, fmt.Errorf("read the policy of the bucket %s: %w", d.Origin, err)
		}
		if decisions[0].Allowed {
			return nil, nil //nolint:nilnil // There is no refusal.
		}
		refused.Reason = decisions[0].Reason
	}
	does, so := "read", ""
	if action == "s3:ListBucket" {
		does, so = "list", ", and so S3 answers 403 for what is not there"
	}
	refused.Reason = fmt.Sprintf("the distribution %s may not %s the bucket %s%s: %s", d.ID, does, d.Origin, so, refused.Reason)
	return refused, nil
}

// look is where a part of the distribution is found.
func (d *Distribution) look(part string) string {
	return fmt.Sprintf("%s of the distribution %s in the template of the stack %s", part, d.Resource, d.Stack)
}

// readOrigin reads the bucket behind the distribution, and what its policy says.
func (d *distributionReader) readOrigin(distribution *Distribution, config map[string]any) {
	origins := list(config["Origins"])
	at := slices.IndexFunc(origins, func(v any) bool { return text(object(v)["Id"]) == d.origin })
	if at < 0 {
		d.problem("%s: Origins: none has the Id %q, which is the TargetOriginId of the cache behaviours", d.what, d.origin)
		return
	}
	what, origin := fmt.Sprintf("%s: Origins[%d]", d.what, at), object(origins[at])
	d.only(what, origin, "Origin", "DomainName", "Id", "OriginAccessControlId", "S3OriginConfig")
	// "Exactly one of CustomOriginConfig, VpcOriginConfig, and S3OriginConfig must be specified", says its API.
	if origin["S3OriginConfig"] == nil {
		d.problem("%s: S3OriginConfig is not given: only a bucket can be rehearsed, and with OriginAccessControlId its OriginAccessIdentity is empty", what)
	}
	// An empty identity is CloudFormation's way to say that there is none.
	d.only(what+": S3OriginConfig", object(origin["S3OriginConfig"]), "")
	distribution.Origin = text(origin["DomainName"])
	for _, attribute := range []string{"RegionalDomainName", "DomainName"} {
		stack, bucket := d.made("AWS::S3::Bucket", attribute, distribution.Origin)
		if stack == nil {
			continue
		}
		if name, err := stack.Resolve(map[string]any{"Ref": bucket.ID}); err == nil {
			distribution.Origin = text(name)
		}
		if encryption := object(bucket.Properties["BucketEncryption"]); strings.Contains(fmt.Sprint(encryption), "aws:kms") {
			d.note("the bucket %s is encrypted with a key of KMS: whether the distribution may use it is not checked", bucket.ID)
		}
		break
	}
	distribution.Unsigned = d.unsigned(text(origin["OriginAccessControlId"]))
	for _, stack := range d.template.Stacks() {
		for _, policy := range stack.OfType("AWS::S3::BucketPolicy") {
			// A policy's Ref is its bucket's name; one that is not created has none.
			if of, err := stack.Resolve(map[string]any{"Ref": policy.ID}); err != nil || text(of) != distribution.Origin {
				continue
			}
			if distribution.PolicyResource != "" {
				d.problem("the bucket %s has the policies %s and %s: S3 keeps one", distribution.Origin, distribution.PolicyResource, policy.ID)
			}
			document, err := json.Marshal(d.config(stack, policy, "PolicyDocument"))
			if err != nil {
				d.problem("%s: PolicyDocument: %w", policy.ID, err)
			}
			distribution.Policy, distribution.PolicyResource = document, policy.ID
		}
	}
}

// unsigned says why S3 does not know who asks: without a signature it takes CloudFront for anybody.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
func (d *distributionReader) unsigned(id string) string {
	if id == "" {
		return "its origin has no OriginAccessControlId"
	}
	stack, resource := d.made("AWS::CloudFront::OriginAccessControl", "Id", id)
	if stack == nil {
		d.problem("%s: OriginAccessControlId %q is none of the assembly: what is outside of the templates cannot be rehearsed", d.what, id)
		return ""
	}
	config := d.config(stack, resource, "OriginAccessControlConfig")
	if kind := text(config["OriginAccessControlOriginType"]); kind != "s3" {
		return fmt.Sprintf("the OriginAccessControlOriginType of %s is %q, not s3", resource.ID, kind)
	}
	if signs := text(config["SigningBehavior"]); signs == "never" {
		return fmt.Sprintf("the SigningBehavior of %s is never", resource.ID)
	}
	return ""
}

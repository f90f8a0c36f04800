package pipeline

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/rehearse/s3"
)

// cloudFront is the service as bucket policies name it.
const cloudFront = "cloudfront.amazonaws.com"

// readFrom prepares readers of a distribution that the assembly makes: what it may do with its origin,
// and what readers are to get for what is not there.
func (r *rehearsal) readFrom(ctx context.Context, d *Distribution, readers *readers, built map[string][]byte) (s3.Access, error) {
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
			r.note("the distribution %s answers an error %d with %s, which is not among what was built: readers get S3's own error instead", d.ID, code, d.Errors[code].PagePath)
		}
	}
	if response := d.Errors[http.StatusNotFound]; response.PagePath != "" {
		page, err := url.PathUnescape(response.PagePath)
		if content, ok := built[strings.TrimPrefix(page, "/")]; ok && err == nil {
			readers.notFound = &notFound{path: page, built: content, status: response.Status, instead: list}
		}
	}
	return s3.Access{Read: read == nil, List: list == nil}, nil
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

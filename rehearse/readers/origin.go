package readers

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
)

// cloudFront is the service's principal in the policies of buckets.
const cloudFront = "cloudfront.amazonaws.com"

// access returns what the distribution, which the assembly makes, may do with its origin. It finds out why readers
// would not get what was built, and what they get for what is not there.
func (s *Site) access(ctx context.Context, build *Build) (s3.Access, error) {
	d := s.Distribution
	if len(d.Aliases) > 0 {
		s.address = "https://" + d.Aliases[0]
	}
	if d.Origin != s.Bucket {
		s.refused = &rehearsal.Failure{
			Code:   "WrongOrigin",
			Reason: fmt.Sprintf("the distribution %s reads from %s, and the pipeline deploys to %s", d.ID, d.Origin, s.Bucket),
			Look:   d.Look("the Origins"),
		}
		return s3.Access{Read: true}, nil
	}
	read, err := s.refusal(ctx, "s3:GetObject", "/"+home)
	if err != nil {
		return s3.Access{}, err
	}
	list, err := s.refusal(ctx, "s3:ListBucket", "")
	if err != nil {
		return s3.Access{}, err
	}
	s.refused = read
	for _, code := range slices.Sorted(maps.Keys(d.Errors)) {
		if page := d.Errors[code].PagePath; page != "" && build.files[keyOf(page)] == nil {
			s.Record.Warn("the distribution %s answers an error %d with %s, which is not among what was built: unless the bucket has it, readers get S3's own error; %s", d.ID, code, page, build.errorPageToName())
		}
	}
	response := d.Errors[http.StatusNotFound]
	if key := keyOf(response.PagePath); build.files[key] != nil {
		content, err := build.content(key)
		if err != nil {
			return s3.Access{}, err
		}
		s.notFound = &notFound{path: "/" + key, built: content, status: response.Status, instead: list}
	}
	return s3.Access{Read: read == nil, List: list == nil}, nil
}

// keyOf returns the key of the object at a path of the distribution; "" for a path that cannot be decoded.
func keyOf(pagePath string) string {
	decoded, err := url.PathUnescape(pagePath)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(decoded, "/")
}

// errorPageToName says what to do about an error page that was not built. Hugo makes one in the folder of each
// language, and none at the top if every language has a folder.
func (b *Build) errorPageToName() string {
	var pages []string
	for _, key := range b.shortestFirst() {
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

// refusal returns why S3 refuses a call of the distribution; nil if it allows it.
//
// A caller that may not list the bucket gets a 403 for an object that is not there, and not a 404.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (s *Site) refusal(ctx context.Context, action, object string) (*rehearsal.Failure, error) {
	d := s.Distribution
	look := fmt.Sprintf("the bucket's %s in the template of the stack %s: it must let %s do %s where AWS:SourceArn is %s", strings.TrimSpace("policy "+d.PolicyResource), d.Stack, cloudFront, action, d.ARN)
	var reason string
	switch {
	case d.Unsigned != "":
		reason, look = d.Unsigned, d.Look("the origin's access control")
	case d.Policy == nil:
		reason = "the bucket has no policy"
	default:
		arn := strings.Split(d.ARN, ":")
		var err error
		reason, err = s.Account.Bucket(ctx, cloudFront, action, "arn:"+arn[1]+":s3:::"+d.Origin+object, d.Policy, map[string]string{
			"aws:SourceArn": d.ARN, "aws:SourceAccount": arn[4], "aws:SecureTransport": "true", "s3:TlsVersion": "1.3",
		})
		if err != nil {
			return nil, fmt.Errorf("read the policy of the bucket %s: %w", d.Origin, err)
		}
		if reason == "" {
			return nil, nil //nolint:nilnil // There is no refusal.
		}
	}
	does, so := "read", ""
	if action == "s3:ListBucket" {
		does, so = "list", ", and so S3 answers 403 for what is not there"
	}
	return &rehearsal.Failure{
		Code: "AccessDenied", Look: look,
		Reason: fmt.Sprintf("the distribution %s may not %s the bucket %s%s: %s", d.ID, does, d.Origin, so, reason),
	}, nil
}

package pipeline

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestReadersSeeTheSiteOfTheAssembly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := map[string]string{}
	r := rehearse(t, ctx, read(t, siteAssembly(t)), Options{Source: blog(t), Serve: true}, func(e rehearsal.Event) {
		if e.Kind != rehearsal.Serving {
			return
		}
		defer cancel()
		for _, address := range []string{e.Result.Served.URL + "/", e.Result.Served.SecureURL + "/", e.Result.Served.SecureURL + "/nothing/", e.Result.Served.SecureURL + "/index.xml"} {
			status, header, _ := get(t, ctx, address)
			if status == "" {
				return
			}
			scheme, path, _ := strings.Cut(address, "://")
			got[scheme+path[strings.Index(path, "/"):]] = strings.Join([]string{status, header.Get("Strict-Transport-Security"), header.Get("Cache-Control")}, " | ")
		}
	})
	if r.err != nil || r.statuses() != allSucceeded {
		t.Fatalf("stages end as %s, %v: %+v", r.statuses(), r.err, r.failed())
	}
	const always, policy = "max-age=31536000; includeSubDomains; preload", " | public, max-age=0, must-revalidate"
	if want := map[string]string{
		"http/": "200 OK | " + policy, "https/": "200 OK | " + always + policy, "https/nothing/": "404 Not Found | " + always + policy, "https/index.xml": "404 Not Found |  | ",
	}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := r.editions(rehearsal.AfterInvalidate), (map[string]rehearsal.Edition{"/": rehearsal.New, "/about/": rehearsal.New, "/posts/猫/": rehearsal.New}); !maps.Equal(got, want) {
		t.Errorf("readers get %v, want %v", got, want)
	}
	for _, v := range r.Visits {
		if v.URL != "https://blog.example.com"+v.Path {
			t.Errorf("a reader of %s visits %s", v.Path, v.URL)
		}
		if gone := strings.Contains(v.Path, "there-is-no-such-page"); gone && (v.Status != http.StatusNotFound || v.Edition != rehearsal.Missing) {
			t.Errorf("%s what is not there is %s with %d", v.When, v.Edition, v.Status)
		}
	}
	if notes := strings.Join(slices.Concat(r.Warnings, r.Notes), "\n"); strings.Contains(notes, "assumed") || strings.Contains(notes, "not among what was built") || !strings.Contains(notes, "not rehearsed: DNS, the certificate, HTTP/3") {
		t.Errorf("notes are %q", r.Notes)
	}
	if made := r.Invalidations; len(made) != 1 || made[0].Status != "Completed" || !strings.HasPrefix(made[0].Distribution, "E") {
		t.Errorf("invalidations are %+v", made)
	}
	// What the roles may do with the site is allowed by statements that name another stack's outputs.
	used := map[string]bool{}
	for _, role := range r.Permissions {
		for _, p := range role.Actions {
			used[p.Action] = used[p.Action] || p.Used > 0
		}
	}
	for _, action := range []string{"s3:PutObject", "cloudfront:CreateInvalidation"} {
		if !used[action] {
			t.Errorf("%s was not used", action)
		}
	}
}

func TestReadersFindOutThatASiteIsBroken(t *testing.T) {
	for _, tt := range []struct {
		name, old, with    string
		code, reason, look string
	}{
		{
			"policy for another distribution", `distribution/${Distribution}`, `distribution/EANOTHER`,
			"AccessDenied", "may not read the bucket blog-site-bucket-", "the bucket's policy BucketPolicy in the template of the stack blog-site: it must let cloudfront.amazonaws.com do s3:GetObject where AWS:SourceArn is arn:aws:cloudfront::123456789012:distribution/E",
		},
		{
			"policy that says why", `distribution/${Distribution}`, `distribution/EANOTHER`,
			"AccessDenied", "resource policy Statement[1] allows the action but its Condition does not match; readers do not get what was built: / (missing, 403)", "",
		},
		{
			"policy of another bucket", `"Bucket": {"Ref": "Bucket"},`, `"Bucket": {"Ref": "Other"},`,
			"AccessDenied", "the bucket has no policy", "the bucket's policy in the template",
		},
		{
			"policy that denies", `"aws:SecureTransport": "false"`, `"aws:SecureTransport": "true"`,
			"AccessDenied", "explicitly denied by resource policy Statement[0]", "BucketPolicy",
		},
		{
			"policy for folders only", `{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}],
					"Condition": {"StringEquals"`, `{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/posts/*"}],
					"Condition": {"StringEquals"`,
			"AccessDenied", "its Resource does not match", "BucketPolicy",
		},
		{
			"policy that does not let it list", `["s3:GetObject", "s3:ListBucket"]`, `"s3:GetObject"`,
			"AccessDenied", "and so S3 answers 403 for what is not there: implicitly denied", "do s3:ListBucket where",
		},
		{
			"no signature", `"OriginAccessControlId": {"Fn::GetAtt": ["AccessControl", "Id"]}, `, ``,
			"AccessDenied", "its origin has no OriginAccessControlId", "the origin's access control of the distribution Distribution in the template of the stack blog-site",
		},
		{
			"another bucket", `["Bucket", "RegionalDomainName"]`, `["Other", "RegionalDomainName"]`,
			"WrongOrigin", "reads from blog-site-other-", "the Origins of the distribution Distribution in the template of the stack blog-site",
		},
		{
			"function that sends readers elsewhere", `if (request.uri.endsWith('/'))`, `if (request.uri.endsWith('nowhere'))`,
			"StaleReaders", "/about/ (missing, 404)", "how the distribution answers them",
		},
		{
			"function that fails", `if (request.uri.endsWith('/'))`, `if (request.headers.referer.value === '')`,
			"FunctionExecutionError", "could not run: run CloudFront Function: TypeError: Cannot read property 'value' of undefined", "the functions of the distribution Distribution in the template of the stack blog-site",
		},
		{
			"function that returns nothing", `return request;`, ``,
			"FunctionValidationError", "CloudFront Function: returned undefined; it must return the request or a response; readers do not get what was built: / (missing, 502)", "the functions of",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, t.Context(), read(t, siteAssembly(t, replace(t, tt.old, tt.with))), Options{Source: blog(t)}, nil)
			failed := r.failed()
			if r.err != nil || r.Status != rehearsal.Failed || failed.Code != tt.code || !strings.Contains(failed.Reason, tt.reason) || !strings.Contains(failed.Look, tt.look) {
				t.Errorf("it ends as %s (%v) with %s: %s\nLook at %s", r.Status, r.err, failed.Code, failed.Reason, failed.Look)
			}
		})
	}
}

func TestReadersAskForAPlusAsLinksHaveIt(t *testing.T) {
	t.Parallel()
	source := blog(t)
	write(t, source, map[string]string{"site/tags/c++/index.html": "<h1>c++</h1>"})
	r := rehearse(t, t.Context(), read(t, siteAssembly(t)), Options{Source: source}, nil)
	if failed := r.failed(); failed.Code != "StaleReaders" || !strings.Contains(failed.Reason, "/tags/c++/ (missing, 404)") {
		t.Errorf("it ends as %s (%v) with %s: %s", r.Status, r.err, failed.Code, failed.Reason)
	}
	r = rehearse(t, t.Context(), read(t, siteAssembly(t, replace(t,
		`return request;`, `request.uri = request.uri.replace(/[+]/g, '%2B'); return request;`,
	))), Options{Source: source}, nil)
	if r.statuses() != allSucceeded || r.editions(rehearsal.AfterInvalidate)["/tags/c++/"] != rehearsal.New || strings.Contains(strings.Join(r.Notes, "\n"), "+") {
		t.Errorf("stages end as %s (%v), readers get %v, notes are %q: %+v", r.statuses(), r.err, r.editions(rehearsal.AfterInvalidate), r.Notes, r.failed())
	}
}

func TestAPlusIsEncodedForADistributionThatIsNotKnown(t *testing.T) {
	t.Parallel()
	source := blog(t)
	write(t, source, map[string]string{"site/tags/c++/index.html": "<h1>c++</h1>"})
	r := rehearse(t, t.Context(), read(t, template(t, "uploaded-pipeline")), Options{Source: source}, nil)
	if r.statuses() != allSucceeded || r.editions(rehearsal.AfterInvalidate)["/tags/c++/"] != rehearsal.New {
		t.Errorf("stages end as %s (%v), readers get %v: %+v", r.statuses(), r.err, r.editions(rehearsal.AfterInvalidate), r.failed())
	}
	if !strings.Contains(strings.Join(r.Notes, "\n"), "links to it must be /tags/c%2B%2B/ (a Site has such a function)") {
		t.Errorf("notes are %q", r.Notes)
	}
}

func TestReadersVisitAFileOfEachBehavior(t *testing.T) {
	t.Parallel()
	css := replace(t, `"*.xml"`, `"*.css"`)
	r := rehearse(t, t.Context(), read(t, siteAssembly(t, css)), Options{Source: blog(t)}, nil)
	if got := r.editions(rehearsal.AfterInvalidate)["/style.css"]; r.err != nil || r.Status != rehearsal.Succeeded || got != rehearsal.New {
		t.Errorf("it ends as %s (%v), and the style sheet is %q", r.Status, r.err, got)
	}
	r = rehearse(t, t.Context(), read(t, siteAssembly(t, css, replace(t,
		`if (request.uri.endsWith('/'))`, `if (request.uri.endsWith('.css')) { request.nothing.at; } if (request.uri.endsWith('/'))`,
	))), Options{Source: blog(t)}, nil)
	if failed := r.failed(); r.err != nil || failed.Code != "FunctionExecutionError" || !strings.HasSuffix(failed.Reason, "readers do not get what was built: /style.css (missing, 503)") {
		t.Errorf("it ends as %s (%v) with %s: %s", r.Status, r.err, failed.Code, failed.Reason)
	}
}

func TestAnErrorPageThatWasNotBuiltIsWarnedOf(t *testing.T) {
	t.Parallel()
	r := rehearse(t, t.Context(), read(t, siteAssembly(t, replace(t, `"/404.html"`, `"/errors/nowhere.html"`))), Options{Source: blog(t)}, nil)
	if r.err != nil || r.statuses() != allSucceeded {
		t.Errorf("stages end as %s, %v: %+v", r.statuses(), r.err, r.failed())
	}
	if notes := strings.Join(r.Warnings, "\n"); !strings.Contains(notes, "answers an error 404 with /errors/nowhere.html, which is not among what was built") ||
		!strings.Contains(notes, "set Site.NotFoundPage to a page of the build: /404.html") {
		t.Errorf("notes are %q", r.Warnings)
	}
}

func TestAnErrorPageForA403IsAsGood(t *testing.T) {
	t.Parallel()
	r := rehearse(t, t.Context(), read(t, siteAssembly(t,
		replace(t, `["s3:GetObject", "s3:ListBucket"]`, `"s3:GetObject"`),
		replace(t, `"CustomErrorResponses": [`, `"CustomErrorResponses": [{"ErrorCode": 403, "ResponseCode": 404, "ResponsePagePath": "/404.html"}, `),
	)), Options{Source: blog(t)}, nil)
	if r.err != nil || r.statuses() != allSucceeded {
		t.Errorf("stages end as %s, %v: %+v", r.statuses(), r.err, r.failed())
	}
}

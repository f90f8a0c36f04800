package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
)

// TestMakeRefuses asks make for what it cannot deploy, destroy, compare or print. The refusal comes before the CDK CLI
// asks for credentials.
func TestMakeRefuses(t *testing.T) {
	c := sharedCheckout(t)
	const blogs, services = "there are: blog, served, new-blog, own, site, example, sample", "there are: shop, news, api, docs, stall, paper"
	for _, tt := range []struct{ target, want string }{
		{"deploy", "which blog or service? Name one from blogs.go or services.go: BLOG=name or SERVICE=name"},
		{"destroy", "which blog or service? Name one from blogs.go or services.go: BLOG=name or SERVICE=name"},
		{"appspec", "which service? Name one from services.go: SERVICE=name"},
		{"deploy BLOG=example SERVICE=shop", `the blog "example" and the service "shop" are both named: name one of them`},
		{"destroy BLOG=example SERVICE=shop", "name one of them"},
		{"diff BLOG=example SERVICE=shop", "name one of them"},
		{"deploy BLOG=nope", `no blog "nope" in blogs.go; ` + blogs},
		{"destroy BLOG=nope", `no blog "nope" in blogs.go; ` + blogs},
		{"destroy BLOG=*", `no blog "*" in blogs.go`},
		{"diff BLOG=own-pipeline", `no blog "own-pipeline" in blogs.go`},
		{"diff BLOG=shop", `no blog "shop" in blogs.go; ` + blogs},
		{"deploy SERVICE=nope", `no service "nope" in services.go; ` + services},
		{"destroy SERVICE=own", `no service "own" in services.go; ` + services},
		{"destroy SERVICE=*", `no service "*" in services.go`},
		{"diff SERVICE=shop-hook", `no service "shop-hook" in services.go`},
		{"appspec SERVICE=nope", `no service "nope" in services.go; there are: shop, news`},
		{"appspec SERVICE=own", `blog "own" has no AppSpec, only services have: no service "own" in services.go; there are: shop, news`},
		{"appspec SERVICE=news", `service "news" is deployed by ECS itself, which has no AppSpec: copy the output LifecycleHooks of the stack news-hook`},
		{"destroy BLOG=own SITE=yes", `the blog "own" has no Site in blogs.go`},
		{"destroy SERVICE=shop SITE=yes", `service "shop": only a blog has a site: leave out SITE=yes`},
		{"destroy BLOG=site-site SITE=yes", `no blog "site-site" in blogs.go; ` + blogs},
	} {
		if out, err := c.make(tt.target); err == nil || !strings.Contains(out, tt.want) || strings.Contains(out, "credentials") {
			t.Errorf("make %s: %v\n%s\nwant %q in it", tt.target, err, out, tt.want)
		}
	}
}

// TestMakeDeploy starts the real CDK CLI, which gets as far as it can without AWS.
func TestMakeDeploy(t *testing.T) {
	c := sharedCheckout(t)
	for _, tt := range []struct {
		target, want string
		asks         bool // for credentials
	}{
		{"BLOG=example", `blog "example" still has example values and cannot be deployed: Source.Owner, Deploy.Bucket, Invalidate.DistributionID. Put your own into blogs.go`, false},
		// A warning about one stack of a blog stops the deployment of all of them.
		{"BLOG=sample", `blog "sample" still has example values and cannot be deployed: Site.Domain, Site.HostedZone.Name`, false},
		{"SERVICE=stall", `service "stall" still has example values and cannot be deployed: Hook.Invalidations[0].DistributionID`, false},
		// Without example values there is no warning, and the CLI gets as far as AWS.
		{"BLOG=own APPROVAL=never", "Need to perform AWS calls for account 210987654321", true},
		{"BLOG=site APPROVAL=never", "Need to perform AWS calls for account 210987654321", true},
		{"SERVICE=paper APPROVAL=never", "Unable to resolve AWS account", true},
	} {
		out, err := c.make("deploy " + tt.target)
		if err == nil || !strings.Contains(out, tt.want) || !strings.Contains(out, "not deployed") {
			t.Errorf("make deploy %s: %v\n%s\nwant %q in it", tt.target, err, out, tt.want)
		}
		if asks := strings.Contains(out, "credentials") || strings.Contains(out, "AWS account"); asks != tt.asks {
			t.Errorf("make deploy %s asks for credentials: %t, want %t\n%s", tt.target, asks, tt.asks, out)
		}
	}
}

// TestNoCommandDeploysExamples checks that the account of the example values stops every command of the CDK CLI,
// whatever its credentials allow.
func TestNoCommandDeploysExamples(t *testing.T) {
	c := sharedCheckout(t)
	var calls []string
	var mu sync.Mutex
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // A request in another form is reported by its path.
		form, _ := url.ParseQuery(string(body))
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, r.Method+" "+r.URL.Path+" "+form.Get("Action"))
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>arn:aws:iam::210987654321:user/me</Arn><UserId>me</UserId><Account>210987654321</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	defer aws.Close()
	env := []string{
		"AWS_ENDPOINT_URL=" + aws.URL, "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret",
		"CDK_HOME=" + t.TempDir(), // The CLI caches there to which account credentials belong.
	}
	const refused = "Need to perform AWS calls for account 111122223333, but the current credentials are for 210987654321"
	for _, command := range []string{
		"deploy sample* example* stall* --require-approval never",
		"deploy sample-site --exclusively --force --method direct --require-approval never --role-arn arn:aws:iam::210987654321:role/admin",
		"deploy stall-hook --hotswap",
		"destroy example-pipeline --force",
	} {
		calls = nil
		out, err := c.run(env, "node_modules/.bin/cdk", append(strings.Fields(command), "--app", "synthesised")...)
		if err == nil || !strings.Contains(out, refused) {
			t.Errorf("cdk %s: %v\n%s\nwant %q in it", command, err, out, refused)
		}
		for _, call := range calls {
			if call != "POST / GetCallerIdentity" {
				t.Errorf("cdk %s calls %s", command, call)
			}
		}
	}
}

// TestMakeNamesStacks checks which stacks make names to the CDK CLI, for blogs with and without a Site.
func TestMakeNamesStacks(t *testing.T) {
	c := sharedCheckout(t)
	if err := os.WriteFile(filepath.Join(c.dir, "told"), []byte("#!/bin/sh\necho \"told: $*\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	const all = "site-certificate site-site site-logs site-pipeline"
	for _, tt := range []struct{ target, want string }{
		{"deploy BLOG=site", "told: deploy --app cdk.out --strict --require-approval any-change " + all + "\n"},
		{"diff BLOG=site", "told: diff --app cdk.out " + all + "\n"},
		{"diff", "told: diff --app cdk.out\n"},
		{"destroy BLOG=site", "told: destroy --app cdk.out site-pipeline\n"},
		{"destroy BLOG=site SITE=no", "told: destroy --app cdk.out site-pipeline\n"},
		{"destroy BLOG=site SITE=yes", "told: destroy --app cdk.out " + all + "\n"},
		{"deploy BLOG=own APPROVAL=never", "never own-pipeline\n"},
		{"destroy BLOG=own", "told: destroy --app cdk.out own-pipeline\n"},
		{"deploy SERVICE=shop", "any-change shop-hook\n"},
	} {
		out, err := c.make(tt.target + " CDK=./told")
		if err != nil || !strings.Contains(out, tt.want) {
			t.Errorf("make %s: %v\n%s\nwant %q in it", tt.target, err, out, tt.want)
		}
		if goes := strings.Contains(out, "The blog site goes offline"); goes != strings.Contains(tt.target, "SITE=yes") {
			t.Errorf("make %s says that the site goes offline: %v\n%s", tt.target, goes, out)
		}
	}
}

func TestMakeAppSpec(t *testing.T) {
	c := sharedCheckout(t)
	// Standard output is the file, and nothing else.
	out, err := c.run(nil, "sh", "-c", "make appspec SERVICE=stall 2>/dev/null")
	if err != nil || !strings.HasPrefix(out, "version: 0.0\n") || !strings.HasSuffix(out, "- AfterAllowTraffic: \""+contract.HookFunctionName("stall")+"\"\n") {
		t.Errorf("make appspec: %v\n%s", err, out)
	}
}

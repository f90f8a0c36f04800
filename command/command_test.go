package command

import (
	"errors"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/props"
)

var (
	token     = props.GitHubToken{Owner: "me", Repo: "blog", SecretName: "github"}
	plainBlog = props.Blog{
		Name: "plain", Source: token,
		Deploy:     props.Deploy{Bucket: "my-bucket"},
		Invalidate: props.Invalidate{DistributionID: "E2QWRUHAPOMQZL"},
	}
	siteBlog = props.Blog{
		Name: "site", Region: "eu-central-1", Source: token,
		Site: &props.Site{Domain: "site.dev", HostedZone: props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "site.dev"}},
	}
	shop = props.ExistingService{
		Name:       "shop",
		DeployedBy: props.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: "web", Port: 80},
		Hook:       props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
	}
	api = props.FargateService{
		Name: "api", Source: token,
		Hook: props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
	}
	app = App{
		Blogs:    []props.Blog{plainBlog, siteBlog},
		Services: []props.Service{shop, api},
		Synth:    func() error { return errors.New("synthesised") },
	}
)

// run returns what a command line prints to stdout and stderr, and its error.
func run(app App, line string) (stdout, stderr string, err error) {
	var out, errs strings.Builder
	err = Run(app, strings.Fields(line), &out, &errs)
	return out.String(), errs.String(), err
}

func TestStacks(t *testing.T) {
	const site = "site-certificate\nsite-site\nsite-pipeline\n"
	for _, tt := range []struct {
		name, line     string
		stdout, stderr string
	}{
		{"blog", "stacks -blog plain", "plain-pipeline\n", ""},
		{"blog with a Site", "stacks -blog site", site, ""},
		{"existing service", "stacks -service shop", "shop-hook\n", ""},
		{"new service", "stacks -service api", "api-service\n", ""},
		{"destroy a blog", "stacks -destroy -blog plain", "plain-pipeline\n", ""},
		{"destroy a blog with a Site", "stacks -destroy -blog site", "site-pipeline\n", ""},
		{"destroy a blog and its site", "stacks -destroy -site -blog site", site, "The blog site goes offline: its distribution, its certificate and its DNS records are deleted. " +
			"The bucket and all of its files stay, unless the site was deployed with BucketRemoval: props.BucketRemovalDelete.\n"},
		{"destroy a service", "stacks -destroy -service api", "api-service\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, err := run(app, tt.line)
			if err != nil {
				t.Fatal(err)
			}
			if stdout != tt.stdout || stderr != tt.stderr {
				t.Errorf("got %q and %q, want %q and %q", stdout, stderr, tt.stdout, tt.stderr)
			}
		})
	}
}

func TestPipelines(t *testing.T) {
	const (
		ofShop = `{"Name":"shop","Service":{"Application":"a","DeploymentGroup":"g","Events":["AfterAllowTraffic"]}}`
		ofAPI  = `{"Name":"api","Service":{"Events":["AfterAllowTraffic"]}}`
	)
	news := shop
	news.Name, news.Region, news.DeployedBy = "news", "eu-west-1", props.ECSService{Cluster: "production", Service: "web"}
	for line, want := range map[string]string{
		"pipelines":               `[{"Name":"plain"},{"Name":"site","Region":"eu-central-1"},` + ofShop + `,` + ofAPI + `]`,
		"pipelines -blog site":    `[{"Name":"site","Region":"eu-central-1"}]`,
		"pipelines -service api":  `[` + ofAPI + `]`,
		"pipelines -service shop": `[` + ofShop + `]`,
		"pipelines -service news": `[{"Name":"news","Region":"eu-west-1","Service":{"Cluster":"production","Service":"web","Events":["PRODUCTION_TRAFFIC_SHIFT","POST_PRODUCTION_TRAFFIC_SHIFT"]}}]`,
	} {
		app := app
		if strings.HasSuffix(line, "news") {
			app.Services = []props.Service{news}
		}
		if stdout, stderr, err := run(app, line); err != nil || stdout != want+"\n" || stderr != "" {
			t.Errorf("dist/app %s: got %q, %q, %v; want %s", line, stdout, stderr, err, want)
		}
	}
	if stdout, _, err := run(App{}, "pipelines"); err == nil && stdout != "[]\n" {
		t.Errorf("without blogs: got %q, want an empty list", stdout)
	}
}

func TestAppSpec(t *testing.T) {
	stdout, stderr, err := run(app, "appspec -service shop")
	if err != nil || stderr != "" || !strings.HasPrefix(stdout, "version: 0.0\n") || !strings.Contains(stdout, contract.HookFunctionName("shop")) {
		t.Errorf("got %q, %q, %v; want an AppSpec with the hook of shop", stdout, stderr, err)
	}
}

func TestHelp(t *testing.T) {
	for line, want := range map[string]string{
		"help": "Usage: dist/app [command [flags]]\n", "-h": "Usage: dist/app", "--help": "Usage: dist/app",
		"stacks --help": "dist/app stacks: print the names of a blog's or a service's stacks\n  -blog name\n", "appspec -h": "dist/app appspec: print the AppSpec",
	} {
		if stdout, stderr, err := run(app, line); err != nil || !strings.HasPrefix(stdout, want) || stderr != "" {
			t.Errorf("dist/app %s: got %q, %q, %v; want %q", line, stdout, stderr, err, want)
		}
	}
}

func TestHelpListsCommands(t *testing.T) {
	stdout, _, err := run(app, "help")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		if !strings.Contains(stdout, "\n  "+c.name+" ") || !strings.Contains(stdout, c.does+"\n") {
			t.Errorf("help does not list %s: %s\n%s", c.name, c.does, stdout)
		}
	}
}

func TestErrors(t *testing.T) {
	none := App{Services: []props.Service{shop}}
	unclear, byECS := shop, api
	byECS.Controller = props.ControllerECS
	unclear.Name, unclear.Hook.Invalidations = "unclear", nil
	broken := App{Blogs: []props.Blog{{Name: "plain"}}, Services: []props.Service{nil}}
	for _, tt := range []struct {
		name string
		app  App
		line string
		want string
	}{
		{"no command synthesises", app, "", "synthesised"},
		{"unknown command", app, "stack -blog plain", `dist/app has no command "stack"; there are: stacks, pipelines, appspec.`},
		{"unknown flag", app, "stacks -blogs plain", "dist/app stacks: flag provided but not defined: -blogs; --help lists its flags"},
		{"name without a flag", app, "stacks plain", `dist/app stacks: "plain" is not a flag`},
		{"no name", app, "stacks", "which blog or service?"},
		{"two names", app, "stacks -blog plain -service shop", `the blog "plain" and the service "shop" are both named: name one of them`},
		{"unknown blog", app, "stacks -blog nope", `no blog "nope" in blogs.go; there are: plain, site`},
		{"every blog", app, "stacks -blog *", `no blog "*" in blogs.go`},
		{"stack of a blog", app, "stacks -blog plain-pipeline", `no blog "plain-pipeline" in blogs.go`},
		{"no blogs at all", none, "stacks -blog nope", `no blog "nope" in blogs.go; there are: none`},
		{"unknown service", app, "stacks -service plain", `no service "plain" in services.go; there are: shop, api`},
		{"site of a service", app, "stacks -destroy -site -service shop", `service "shop": only a blog has a site`},
		{"site of a blog without one", app, "stacks -destroy -site -blog plain", `the blog "plain" has no Site in blogs.go`},
		{"site without destroy", app, "stacks -site -blog site", "-site goes only with -destroy"},
		{"props that are not valid", broken, "stacks -blog plain", "blogs.go or services.go has problems:\n"},
		{"pipelines of props that are not valid", broken, "pipelines", "blogs.go or services.go has problems:\n"},
		{"pipeline of a blog that is none", app, "pipelines -blog nope", `no blog "nope" in blogs.go`},
		{"pipelines of two", app, "pipelines -blog plain -service api", "name one of them"},
		{"AppSpec of nothing", app, "appspec", "which service? Name one from services.go"},
		{"AppSpec of an unknown service", app, "appspec -service nope", `no service "nope" in services.go; there are: shop, api`},
		{"AppSpec of a service in capitals", app, "appspec -service Shop", `no service "Shop" in services.go`},
		{"AppSpec without services", App{}, "appspec -service shop", `no service "shop" in services.go; there are: none`},
		{"AppSpec of a blog", app, "appspec -service plain", `blog "plain" has no AppSpec, only services have: no service "plain" in services.go; there are: shop, api`},
		{"AppSpec of a service that ECS deploys", App{Services: []props.Service{byECS}}, "appspec -service api", `service "api" is deployed by ECS itself, which has no AppSpec`},
		{"AppSpec of a list with nil", broken, "appspec -service shop", "services[0] is nil"},
		{"AppSpec of a list with mistakes", App{Services: []props.Service{shop, unclear}}, "appspec -service shop", "Hook.Invalidations is"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, err := run(tt.app, tt.line)
			if err == nil || !strings.Contains(err.Error(), tt.want) || stdout != "" || stderr != "" {
				t.Errorf("got %v, and printed %q and %q; want only the error %q", err, stdout, stderr, tt.want)
			}
		})
	}
}

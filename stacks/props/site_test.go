package props_test

import (
	"fmt"
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// TestSiteRefuses makes one mistake at a time.
func TestSiteRefuses(t *testing.T) {
	of := func(given props.Blog, change func(*props.Site)) func(*props.Blog) {
		return func(b *props.Blog) {
			at2 := *given.Site
			change(&at2)
			*b, b.Site = given, &at2
		}
	}
	names := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("w%d.kzmorita.dev", i))
		}
		return all
	}
	domain := func(name string) func(*props.Blog) {
		return of(fixtures.Elsewhere, func(s *props.Site) { s.Domain, s.RedirectFrom = name, nil })
	}
	zone := func(id, name string) func(*props.Blog) {
		return of(fixtures.Virginia, func(s *props.Site) { s.HostedZone = props.HostedZone{ID: id, Name: name} })
	}
	notFound := func(path string) func(*props.Blog) {
		return of(fixtures.Bare, func(s *props.Site) { s.NotFoundPage = path })
	}
	const someZone = "Z0123456789ABCDEFGHIJ"
	tests := []struct {
		name   string
		change func(*props.Blog)
		want   string
	}{
		{"no region", func(b *props.Blog) { *b = fixtures.Bare; b.Region = "" }, `blog "bare": Region is "": must be set for a Site, such as ap-northeast-1`},
		{"a bucket, too", func(b *props.Blog) { *b = fixtures.Bare; b.Deploy.Bucket = "kzmorita-blog" }, `Deploy.Bucket is "kzmorita-blog": must be empty: Site creates the bucket`},
		{"a folder", func(b *props.Blog) { *b = fixtures.Bare; b.Deploy.KeyPrefix = "ja" }, `Deploy.KeyPrefix is "ja": must be empty`},
		{"a key", func(b *props.Blog) {
			*b = fixtures.Bare
			b.Deploy.EncryptionKeyARN = "arn:aws:kms:ap-northeast-1:" + fixtures.Account + ":key/" + fixtures.UUID
		}, "Deploy.EncryptionKeyARN is"},
		{"a distribution, too", func(b *props.Blog) { *b = fixtures.Bare; b.Invalidate.DistributionID = "E2QWRUHAPOMQZL" }, `Invalidate.DistributionID is "E2QWRUHAPOMQZL": must be empty: Site creates the distribution`},
		{"header", func(b *props.Blog) { *b = fixtures.Bare; b.Deploy.CacheControl = "#{a.b}" }, "start of a variable"},
		{"too many paths", func(b *props.Blog) { *b = fixtures.Bare; b.Invalidate.Paths = []string{"/" + strings.Repeat("a", 999)} }, "CodePipeline allows at most 1000"},

		{"slash", of(fixtures.Bare, func(s *props.Site) { s.MissingSlash = "keep" }), `Site.MissingSlash is "keep": must be one of "redirect", "rewrite"`},
		{"error page without its slash", notFound("404.html"), `Site.NotFoundPage is "404.html": must be a path that starts with /, such as /en/404.html`},
		{"error page's folder", notFound("/en/404/"), `Site.NotFoundPage is "/en/404/": must be a file, which CloudFront asks S3 for: "/en/404/index.html"`},
		{"error page as a page", notFound("/en/404"), `"/en/404/index.html"`},
		{"error page with a query", notFound("/404.html?x=1"), "must be the path of one file"},
		{"error pages", notFound("/*/404.html"), "must be the path of one file"},
		{"error page in Japanese", notFound("/日/404.html"), `must be URL-encoded: "/%E6%97%A5/404.html"`},
		{"error page with a plus", notFound("/c++/404.html"), `must be URL-encoded: "/c%2B%2B/404.html"`},
		{"error page elsewhere", notFound("https://kzmorita.dev/404.html"), "must be a path that starts with /"},
		{"error page too long", notFound("/" + strings.Repeat("a", 1020) + ".html"), "has 1026 characters, and S3 allows names of at most 1024 bytes"},
		{"error page above", notFound("/en/%2E%2e/404.html"), "must be the path of a file as Hugo writes it"},
		{"error page in a folder without a name", notFound("//404.html"), "must be the path of a file as Hugo writes it"},
		{"error page that never changes", of(fixtures.Bare, func(s *props.Site) { s.NotFoundPage, s.Caching.Immutable = "/en/404.html", []string{"/en/*"} }), "matches /en/404.html"},
		{"price class", of(fixtures.Bare, func(s *props.Site) { s.PriceClass = "200" }), `Site.PriceClass is "200": must be one of "PriceClass_All", "PriceClass_200", "PriceClass_100"`},
		{"removal", of(fixtures.Bare, func(s *props.Site) { s.BucketRemoval = "empty" }), `Site.BucketRemoval is "empty": must be one of "keep", "delete"`},

		{"redirect to nowhere", of(fixtures.Bare, func(s *props.Site) { s.RedirectFrom = []string{"www.kzmorita.dev"} }), `Site.RedirectFrom is "www.kzmorita.dev": needs a Site.Domain`},
		{"zone for nothing", of(fixtures.Bare, func(s *props.Site) { s.HostedZone = fixtures.Tokyo.Site.HostedZone }), `Site.HostedZone is "kzmorita.dev": needs a Site.Domain`},
		{"zone's id for nothing", of(fixtures.Bare, func(s *props.Site) { s.HostedZone.ID = someZone }), `Site.HostedZone is "` + someZone + `": needs a Site.Domain`},
		{"certificate for nothing", of(fixtures.Bare, func(s *props.Site) { s.CertificateARN = fixtures.SiteCertificate }), "Site.CertificateARN is"},
		{"domain alone", of(fixtures.Bare, func(s *props.Site) { s.Domain = "kzmorita.dev" }), `Site.HostedZone is "": must be the hosted zone of Site.Domain`},

		{"URL", domain("https://blog.kzmorita.io"), `Site.Domain is "https://blog.kzmorita.io": must be a name in DNS`},
		{"path", domain("kzmorita.io/blog"), "Site.Domain is"},
		{"port", domain("kzmorita.io:443"), "Site.Domain is"},
		{"last dot", domain("kzmorita.io."), "Site.Domain is"},
		{"capitals", domain("Blog.kzmorita.io"), "in lower case"},
		{"one label", domain("blog"), "Site.Domain is"},
		{"empty label", domain("blog..io"), "Site.Domain is"},
		{"leading hyphen", domain("-blog.io"), "Site.Domain is"},
		{"trailing hyphen", domain("blog-.io"), "Site.Domain is"},
		{"underscore", domain("my_blog.io"), "Site.Domain is"},
		{"wildcard", domain("*.kzmorita.io"), "Site.Domain is"},
		{"address", domain("192.0.2.1"), "Site.Domain is"},
		{"Japanese", domain("ブログ.io"), "other scripts as xn--"},
		{"quote", domain(`a";alert(1)//.io`), "Site.Domain is"},
		{"two lines", domain("kzmorita.io\n"), "Site.Domain is"},
		{"URL in a zone", of(fixtures.Virginia, func(s *props.Site) { s.Domain = "https://notes.kzmorita.dev" }), `Site.Domain is "https://notes.kzmorita.dev": must be a name in DNS`},
		{"long label", domain(strings.Repeat("a", 64) + ".io"), "Site.Domain is"},
		{"long name", domain(strings.Repeat("a.", 127) + "io"), "Site.Domain is"},
		{"redirect as URL", of(fixtures.Elsewhere, func(s *props.Site) { s.RedirectFrom = []string{"kzmorita.io", "https://a.io"} }), `Site.RedirectFrom[1] is "https://a.io"`},
		{"redirect to itself", of(fixtures.Elsewhere, func(s *props.Site) { s.RedirectFrom = []string{s.Domain} }), `Site.RedirectFrom[0] is "blog.kzmorita.io": is listed twice`},
		{"redirect twice", of(fixtures.Elsewhere, func(s *props.Site) { s.RedirectFrom = []string{"a.io", "a.io"} }), `Site.RedirectFrom[1] is "a.io": is listed twice`},
		{"eleven names", of(fixtures.Tokyo, func(s *props.Site) { s.RedirectFrom = names(10) }), "with Site.Domain there are 11 names, and ACM allows 10 for a certificate"},
		{"a hundred and one", of(fixtures.Elsewhere, func(s *props.Site) { s.RedirectFrom = names(100) }), "with Site.Domain there are 101 names, and a distribution allows 100"},
		{"names that fill the function", of(fixtures.Elsewhere, func(s *props.Site) {
			s.RedirectFrom = nil
			for i := range 60 {
				s.RedirectFrom = append(s.RedirectFrom, fmt.Sprintf("w%d.%sio", i, strings.Repeat("a.", 110)))
			}
		}), "the CloudFront Function has"},
		{"domain too long for a certificate", of(fixtures.Tokyo, func(s *props.Site) { s.Domain = strings.Repeat("a", 53) + ".kzmorita.dev" }), "has 66 characters, and ACM allows 64 for the first name of a certificate"},

		{"zone without id", zone("", "kzmorita.dev"), `Site.HostedZone.ID is "": must be a hosted zone's id`},
		{"zone's path", zone("/hostedzone/"+someZone, "kzmorita.dev"), "without /hostedzone/"},
		{"zone without name", zone(someZone, ""), `Site.HostedZone.Name is "": must be the hosted zone's name`},
		{"zone with a dot", zone(someZone, "kzmorita.dev."), "without a dot at its end"},
		{"another zone", zone(someZone, "example.dev"), `Site.Domain is "notes.kzmorita.dev": must be in Site.HostedZone: example.dev or a name below it`},
		{"zone that only ends so", zone(someZone, "morita.dev"), "must be in Site.HostedZone"},
		{"redirect out of the zone", of(fixtures.Virginia, func(s *props.Site) { s.RedirectFrom = []string{"kzmorita.io"} }), `Site.RedirectFrom[0] is "kzmorita.io": must be in Site.HostedZone`},

		{"certificate's id", of(fixtures.Elsewhere, func(s *props.Site) { s.CertificateARN = fixtures.UUID }), "must be a certificate's ARN"},
		{"certificate of a wrong form in a wrong region", of(fixtures.Elsewhere, func(s *props.Site) { s.CertificateARN = "arn:aws:acm:eu-west-1:1:certificate/c" }), "must be in us-east-1"},
		{"certificate of IAM", of(fixtures.Elsewhere, func(s *props.Site) { s.CertificateARN = "arn:aws:iam::" + fixtures.Account + ":server-certificate/c" }), "must be a certificate's ARN"},
		{"certificate of the blog's region", of(fixtures.Elsewhere, func(s *props.Site) {
			s.CertificateARN = strings.Replace(fixtures.SiteCertificate, "us-east-1", "eu-central-1", 1)
		}), "must be in us-east-1"},
		{"certificate of another account", of(fixtures.Complete, func(s *props.Site) {
			s.CertificateARN = strings.Replace(fixtures.SiteCertificate, fixtures.Account, "999999999999", 1)
		}), "must be in the blog's Account, 123456789012"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var given props.Blog
			tt.change(&given)
			wantProblem(t, given.Validate(), tt.want)
		})
	}
}

func TestSiteAccepts(t *testing.T) {
	for name, change := range map[string]func(*props.Site){
		"apex": func(s *props.Site) { s.Domain, s.RedirectFrom = "kzmorita.dev", nil },
		"Japanese": func(s *props.Site) {
			s.Domain, s.RedirectFrom, s.HostedZone.Name = "xn--vckk7bxa.xn--q9jyb4c", nil, "xn--vckk7bxa.xn--q9jyb4c"
		},
		"ten names": func(s *props.Site) {
			s.RedirectFrom = strings.Fields("a.kzmorita.dev b.kzmorita.dev c.kzmorita.dev d.kzmorita.dev e.kzmorita.dev f.kzmorita.dev g.kzmorita.dev h.kzmorita.dev i.kzmorita.dev")
		},
		"64 characters": func(s *props.Site) { s.Domain = strings.Repeat("a", 51) + ".kzmorita.dev" },
		"zone below its parent": func(s *props.Site) {
			s.Domain, s.RedirectFrom, s.HostedZone.Name = "a.blog.kzmorita.dev", nil, "blog.kzmorita.dev"
		},
		"old zone's id": func(s *props.Site) { s.HostedZone.ID = "Z3M3LMPEXAMPLE" },
		"long name, certificate by ARN": func(s *props.Site) {
			s.Domain, s.CertificateARN = strings.Repeat("a", 60)+".kzmorita.dev", fixtures.SiteCertificate
		},
	} {
		at2 := *fixtures.Tokyo.Site
		change(&at2)
		given := fixtures.Tokyo
		given.Site = &at2
		if err := given.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSitesShareNoName(t *testing.T) {
	twin := fixtures.SiteBlog("twin", "ap-northeast-1", props.Site{
		Domain: "www.kzmorita.dev", HostedZone: fixtures.Tokyo.Site.HostedZone,
	})
	want := `blog "twin": Site.Domain is "www.kzmorita.dev": blog "tokyo" has the same name`
	wantProblem(t, props.Validate([]props.Blog{fixtures.Tokyo, twin}, nil), want)
	if err := props.Validate(fixtures.SiteBlogs, nil); err != nil {
		t.Errorf("Sites with names of their own: %v", err)
	}
	if err := props.Validate([]props.Blog{fixtures.Bare, fixtures.SiteBlog("other", "ap-northeast-1", props.Site{})}, nil); err != nil {
		t.Errorf("two Sites without names: %v", err)
	}
}

func TestBudgetRefused(t *testing.T) {
	var emails []string
	for i := range 11 {
		emails = append(emails, fmt.Sprintf("reader%d@blog.dev", i))
	}
	for _, tt := range []struct {
		name    string
		dollars int
		tell    props.Notifications
		want    string
	}{
		{"less than nothing", -1, props.Notifications{}, "Site.MonthlyBudget is -1: must be whole US dollars"},
		{"nobody to tell", 10, props.Notifications{}, "Site.MonthlyBudget is 10: has nobody to tell: add an address or a topic to Notifications"},
		{"eleven to tell", 10, props.Notifications{Emails: emails}, `Notifications.Emails is "11 addresses": a budget tells at most 10`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			given := withSite(func(s *props.Site) { s.MonthlyBudget = tt.dollars })
			given.Notifications = tt.tell
			wantProblem(t, given.Validate(), tt.want)
		})
	}
	for name, tell := range map[string]props.Notifications{
		"ten":   {Emails: emails[:10], TopicARN: "arn:aws:sns:ap-northeast-1:" + fixtures.Account + ":alerts"},
		"topic": {TopicARN: "arn:aws:sns:ap-northeast-1:" + fixtures.Account + ":alerts"},
	} {
		given := withSite(func(s *props.Site) { s.MonthlyBudget = 1 })
		given.Notifications = tell
		if err := given.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	stockholm := withSite(func(s *props.Site) { s.MonthlyBudget = 10 })
	stockholm.Region, stockholm.Notifications.Emails = "eu-north-1", emails[:1]
	wantProblem(t, stockholm.Validate(), "Site.MonthlyBudget is 10: cannot be set in eu-north-1, where CloudFormation cannot create budgets")
	eleven := fixtures.Bare
	eleven.Notifications.Emails = emails
	if err := eleven.Validate(); err != nil {
		t.Errorf("eleven to tell without a budget: %v", err)
	}
}

func TestAccessLogDaysRefused(t *testing.T) {
	for _, days := range []int{-1, 3654} {
		wantProblem(t, withSite(func(s *props.Site) { s.AccessLogRetentionDays = days }).Validate(), "must be from 1 to 3653 days, or 0 for no logs")
	}
	if err := withSite(func(s *props.Site) { s.AccessLogRetentionDays = 3653 }).Validate(); err != nil {
		t.Error(err)
	}
}

// withSite returns a blog with a changed Site.
func withSite(change func(*props.Site)) props.Blog {
	at2 := *fixtures.Bare.Site
	change(&at2)
	given := fixtures.Bare
	given.Site = &at2
	return given
}

func TestWebACLRefused(t *testing.T) {
	good := fixtures.Complete.Site.WebACLARN
	for _, tt := range []struct{ name, arn, want string }{
		{"id", fixtures.UUID, `Site.WebACLARN is "` + fixtures.UUID + `": must be the ARN of a WAF web ACL of scope CLOUDFRONT`},
		{"regional", strings.Replace(good, "global", "regional", 1), "of scope CLOUDFRONT"},
		{"another region", strings.Replace(good, "us-east-1", "ap-northeast-1", 1), "of scope CLOUDFRONT"},
		{"WAF classic", "arn:aws:waf::" + fixtures.Account + ":webacl/" + fixtures.UUID, "of scope CLOUDFRONT"},
		{"rule group", strings.Replace(good, "/webacl/", "/rulegroup/", 1), "of scope CLOUDFRONT"},
		{"another account", strings.Replace(good, fixtures.Account, "999999999999", 1), "must be in the blog's Account, 123456789012"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			given := withSite(func(s *props.Site) { s.WebACLARN = tt.arn })
			given.Account = fixtures.Account
			wantProblem(t, given.Validate(), tt.want)
		})
	}
}

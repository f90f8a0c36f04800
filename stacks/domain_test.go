package stacks

import (
	"blog-deploy-pipeline/stacks/props"
	"fmt"
	"strings"
	"testing"
)

// TestSiteRefuses breaks one thing at a time, as TestValidateRefuses does.
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
		return of(elsewhere, func(s *props.Site) { s.Domain, s.RedirectFrom = name, nil })
	}
	zone := func(id, name string) func(*props.Blog) {
		return of(virginia, func(s *props.Site) { s.HostedZone = props.HostedZone{ID: id, Name: name} })
	}
	notFound := func(path string) func(*props.Blog) {
		return of(bare, func(s *props.Site) { s.NotFoundPage = path })
	}
	const someZone = "Z0123456789ABCDEFGHIJ"
	tests := []struct {
		name   string
		change func(*props.Blog)
		want   string
	}{
		{"no region", func(b *props.Blog) { *b = bare; b.Region = "" }, `blog "bare": Region is "": must be named for a Site, such as ap-northeast-1`},
		{"a bucket, too", func(b *props.Blog) { *b = bare; b.Deploy.Bucket = "kzmorita-blog" }, `Deploy.Bucket is "kzmorita-blog": must be empty: Site makes the bucket`},
		{"a folder", func(b *props.Blog) { *b = bare; b.Deploy.KeyPrefix = "ja" }, `Deploy.KeyPrefix is "ja": must be empty`},
		{"a key", func(b *props.Blog) {
			*b = bare
			b.Deploy.EncryptionKeyARN = "arn:aws:kms:ap-northeast-1:" + account + ":key/" + uuid
		}, "Deploy.EncryptionKeyARN is"},
		{"a distribution, too", func(b *props.Blog) { *b = bare; b.Invalidate.DistributionID = "E2QWRUHAPOMQZL" }, `Invalidate.DistributionID is "E2QWRUHAPOMQZL": must be empty: Site makes the distribution`},
		{"header", func(b *props.Blog) { *b = bare; b.Deploy.CacheControl = "#{a.b}" }, "start of a variable"},
		{"too many paths", func(b *props.Blog) { *b = bare; b.Invalidate.Paths = []string{"/" + strings.Repeat("a", 999)} }, "CodePipeline takes at most 1000"},

		{"slash", of(bare, func(s *props.Site) { s.MissingSlash = "keep" }), `Site.MissingSlash is "keep": must be one of "redirect", "rewrite"`},
		{"error page without its slash", notFound("404.html"), `Site.NotFoundPage is "404.html": must be a path from /, such as /en/404.html`},
		{"error page's folder", notFound("/en/404/"), `Site.NotFoundPage is "/en/404/": must be a file, which CloudFront asks S3 for: "/en/404/index.html"`},
		{"error page as a page", notFound("/en/404"), `"/en/404/index.html"`},
		{"error page with a query", notFound("/404.html?x=1"), "must be the path of one file"},
		{"error pages", notFound("/*/404.html"), "must be the path of one file"},
		{"error page in Japanese", notFound("/日/404.html"), `must be URL-encoded: "/%E6%97%A5/404.html"`},
		{"error page with a plus", notFound("/c++/404.html"), `must be URL-encoded: "/c%2B%2B/404.html"`},
		{"error page elsewhere", notFound("https://kzmorita.dev/404.html"), "must be a path from /"},
		{"error page too long", notFound("/" + strings.Repeat("a", 1020) + ".html"), "is 1026 characters long, and S3's names have at most 1024 bytes"},
		{"error page above", notFound("/en/%2E%2e/404.html"), "must be the path of a file as Hugo writes it"},
		{"error page in a folder without a name", notFound("//404.html"), "must be the path of a file as Hugo writes it"},
		{"error page that never changes", of(bare, func(s *props.Site) { s.NotFoundPage, s.Caching.Immutable = "/en/404.html", []string{"/en/*"} }), "matches /en/404.html"},
		{"price class", of(bare, func(s *props.Site) { s.PriceClass = "200" }), `Site.PriceClass is "200": must be one of "PriceClass_All", "PriceClass_200", "PriceClass_100"`},
		{"removal", of(bare, func(s *props.Site) { s.BucketRemoval = "empty" }), `Site.BucketRemoval is "empty": must be one of "keep", "delete"`},

		{"redirect to nowhere", of(bare, func(s *props.Site) { s.RedirectFrom = []string{"www.kzmorita.dev"} }), `Site.RedirectFrom is "www.kzmorita.dev": belongs to a Site.Domain`},
		{"zone for nothing", of(bare, func(s *props.Site) { s.HostedZone = tokyo.Site.HostedZone }), `Site.HostedZone is "kzmorita.dev": belongs to a Site.Domain`},
		{"zone's id for nothing", of(bare, func(s *props.Site) { s.HostedZone.ID = someZone }), `Site.HostedZone is "` + someZone + `": belongs to`},
		{"certificate for nothing", of(bare, func(s *props.Site) { s.CertificateARN = siteCertificate }), "Site.CertificateARN is"},
		{"domain alone", of(bare, func(s *props.Site) { s.Domain = "kzmorita.dev" }), `Site.HostedZone is "": must be the hosted zone of Site.Domain`},

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
		{"URL in a zone", of(virginia, func(s *props.Site) { s.Domain = "https://notes.kzmorita.dev" }), `Site.Domain is "https://notes.kzmorita.dev": must be a name in DNS`},
		{"long label", domain(strings.Repeat("a", 64) + ".io"), "Site.Domain is"},
		{"long name", domain(strings.Repeat("a.", 127) + "io"), "Site.Domain is"},
		{"redirect as URL", of(elsewhere, func(s *props.Site) { s.RedirectFrom = []string{"kzmorita.io", "https://a.io"} }), `Site.RedirectFrom[1] is "https://a.io"`},
		{"redirect to itself", of(elsewhere, func(s *props.Site) { s.RedirectFrom = []string{s.Domain} }), `Site.RedirectFrom[0] is "blog.kzmorita.io": is there twice`},
		{"redirect twice", of(elsewhere, func(s *props.Site) { s.RedirectFrom = []string{"a.io", "a.io"} }), `Site.RedirectFrom[1] is "a.io": is there twice`},
		{"eleven names", of(tokyo, func(s *props.Site) { s.RedirectFrom = names(10) }), "with Site.Domain they are 11, and a certificate takes 10"},
		{"a hundred and one", of(elsewhere, func(s *props.Site) { s.RedirectFrom = names(100) }), "with Site.Domain they are 101, and a distribution takes 100"},
		{"names that fill the function", of(elsewhere, func(s *props.Site) {
			s.RedirectFrom = nil
			for i := range 60 {
				s.RedirectFrom = append(s.RedirectFrom, fmt.Sprintf("w%d.%sio", i, strings.Repeat("a.", 110)))
			}
		}), "they make the CloudFront Function"},
		{"domain too long for a certificate", of(tokyo, func(s *props.Site) { s.Domain = strings.Repeat("a", 53) + ".kzmorita.dev" }), "has 66 characters, and the first name of a certificate takes 64"},

		{"zone without id", zone("", "kzmorita.dev"), `Site.HostedZone.ID is "": must be a hosted zone's id`},
		{"zone's path", zone("/hostedzone/"+someZone, "kzmorita.dev"), "without /hostedzone/"},
		{"zone without name", zone(someZone, ""), `Site.HostedZone.Name is "": must be the hosted zone's name`},
		{"zone with a dot", zone(someZone, "kzmorita.dev."), "without the last dot"},
		{"another zone", zone(someZone, "example.dev"), `Site.Domain is "notes.kzmorita.dev": must be in Site.HostedZone, example.dev or below it`},
		{"zone that only ends so", zone(someZone, "morita.dev"), "must be in Site.HostedZone"},
		{"redirect out of the zone", of(virginia, func(s *props.Site) { s.RedirectFrom = []string{"kzmorita.io"} }), `Site.RedirectFrom[0] is "kzmorita.io": must be in Site.HostedZone`},

		{"certificate's id", of(elsewhere, func(s *props.Site) { s.CertificateARN = uuid }), "must be a certificate's ARN"},
		{"certificate of a wrong form in a wrong region", of(elsewhere, func(s *props.Site) { s.CertificateARN = "arn:aws:acm:eu-west-1:1:certificate/c" }), "must be in us-east-1"},
		{"certificate of IAM", of(elsewhere, func(s *props.Site) { s.CertificateARN = "arn:aws:iam::" + account + ":server-certificate/c" }), "must be a certificate's ARN"},
		{"certificate of the blog's region", of(elsewhere, func(s *props.Site) {
			s.CertificateARN = strings.Replace(siteCertificate, "us-east-1", "eu-central-1", 1)
		}), "must be in us-east-1"},
		{"certificate of another account", of(complete, func(s *props.Site) {
			s.CertificateARN = strings.Replace(siteCertificate, account, "999999999999", 1)
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
			s.Domain, s.CertificateARN = strings.Repeat("a", 60)+".kzmorita.dev", siteCertificate
		},
	} {
		at2 := *tokyo.Site
		change(&at2)
		given := tokyo
		given.Site = &at2
		if err := given.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSitesShareNoName(t *testing.T) {
	twin := siteBlog("twin", "ap-northeast-1", props.Site{
		Domain: "www.kzmorita.dev", HostedZone: tokyo.Site.HostedZone,
	})
	want := `blog "twin": Site.Domain is "www.kzmorita.dev": blog "tokyo" has this name`
	wantProblem(t, props.Validate([]props.Blog{tokyo, twin}, nil), want)
	if err := props.Validate(siteFixtures, nil); err != nil {
		t.Errorf("Sites with names of their own: %v", err)
	}
	if err := props.Validate([]props.Blog{bare, siteBlog("other", "ap-northeast-1", props.Site{})}, nil); err != nil {
		t.Errorf("two Sites without names: %v", err)
	}
}

func TestExampleValuesOfASite(t *testing.T) {
	given := props.Blog{Source: modern.Source, Site: &props.Site{
		Domain:         "blog.example.com",
		RedirectFrom:   []string{"kzmorita.dev", "www.example.org", "myexample.net", "example.net"},
		HostedZone:     props.HostedZone{ID: "Z0123456789EXAMPLE", Name: "example.com"},
		CertificateARN: "arn:aws:acm:us-east-1:111122223333:certificate/" + uuid,
		WebACLARN:      "arn:aws:wafv2:us-east-1:111122223333:global/webacl/blog/" + uuid,
	}}
	equal(t, "fields", props.ExampleValues(given), []string{
		"Site.Domain", "Site.RedirectFrom[1]", "Site.RedirectFrom[3]", "Site.HostedZone.ID", "Site.HostedZone.Name", "Site.CertificateARN", "Site.WebACLARN",
	})
}

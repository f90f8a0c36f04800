package site

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/props"
)

func TestDeliveryNames(t *testing.T) {
	valid := regexp.MustCompile(`^[\w-]{1,60}$`)
	long := strings.Repeat("a-long-name-", 9)[:100]
	seen := map[string]string{}
	for _, blog := range []string{"a", "kzmorita-blog", long[:48], long[:49], long[:50], long, long[:99] + "x"} {
		got := deliveryName(blog)
		if !valid.MatchString(got) {
			t.Errorf("the delivery of %s is called %q, want %s", blog, got, valid)
		}
		if other, taken := seen[got]; taken {
			t.Errorf("%s and %s have the same delivery, %s", blog, other, got)
		}
		seen[got] = blog
	}
	// Another name would be another delivery.
	for blog, want := range map[string]string{
		"kzmorita-blog": "kzmorita-blog-access-logs",
		long:            "a-long-name-a-long-name-a-long-name-a-l-cd444c1f-access-logs",
	} {
		if got := deliveryName(blog); got != want {
			t.Errorf("the delivery of %s is called %q, want %q", blog, got, want)
		}
	}
}

func TestDescriptionOfManyNamesFits(t *testing.T) {
	s := props.Site{Domain: "blog.kzmorita.io", CertificateARN: "arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"}
	for i := range 40 {
		s.RedirectFrom = append(s.RedirectFrom, fmt.Sprintf("w%d.%s.kzmorita.io", i, strings.Repeat("a", 20)))
		text := recordsToMake(s)
		if len(text) > 1024 || !strings.Contains(text, s.Domain) {
			t.Errorf("with %d names the description has %d bytes: %s", i+1, len(text), text)
		}
		if i < 10 && !strings.HasSuffix(text, s.RedirectFrom[i]) || i == 39 && !strings.HasSuffix(text, "and the 40 names of RedirectFrom") {
			t.Errorf("%d names: %s", i+1, text)
		}
	}
}

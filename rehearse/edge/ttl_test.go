package edge

import (
	"net/http"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// The cases are the rows of the table "Specify the amount of time that CloudFront caches objects", for both columns:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
func TestTTLIsThatOfAWSsTable(t *testing.T) {
	const day, year = 24 * time.Hour, 365 * 24 * time.Hour
	optimized := CachingOptimized                                              // minimum above 0
	none := CachePolicy{MinTTL: 0, DefaultTTL: time.Hour, MaxTTL: day}         // minimum 0
	minute := CachePolicy{MinTTL: time.Minute, DefaultTTL: 1, MaxTTL: 3 * day} // default below the minimum
	tests := []struct {
		name         string
		policy       CachePolicy
		cacheControl string
		expires      string
		want         time.Duration
	}{
		{"max-age, minimum 0", none, "max-age=60", "", time.Minute},
		{"max-age above the maximum, minimum 0", none, "max-age=604800", "", day},
		{"max-age 0, minimum 0", none, "max-age=0", "", 0},
		{"max-age between minimum and maximum", optimized, "max-age=3600", "", time.Hour},
		{"max-age below the minimum", minute, "max-age=5", "", time.Minute},
		{"max-age above the maximum", optimized, "max-age=99999999999", "", year},
		{"no header, minimum 0", none, "", "", time.Hour},
		{"no header", optimized, "", "", day},
		{"no header, default below the minimum", minute, "", "", time.Minute},
		{"Cache-Control without an age", optimized, "public, must-revalidate", "", day},
		{"s-maxage and max-age, minimum 0", none, "max-age=5, s-maxage=60", "", time.Minute},
		{"s-maxage and max-age", optimized, "public, max-age=0, s-maxage=31536000, must-revalidate", "", year},
		{"s-maxage below the minimum", minute, "s-maxage=0, max-age=7200", "", time.Minute},
		{"Expires, minimum 0", none, "", "Sun, 01 Nov 2026 12:30:00 GMT", 30 * time.Minute},
		{"Expires above the maximum, minimum 0", none, "", "Fri, 01 Jan 2027 00:00:00 GMT", day},
		{"Expires", optimized, "", "Mon, 02 Nov 2026 12:00:00 GMT", day},
		{"Expires below the minimum", minute, "", "Sun, 01 Nov 2026 12:00:30 GMT", time.Minute},
		{"Expires in the past", optimized, "", "Sat, 31 Oct 2026 12:00:00 GMT", time.Second},
		{"Expires that is no date", optimized, "", "0", time.Second},
		{"max-age before Expires", optimized, "max-age=60", "Mon, 02 Nov 2026 12:00:00 GMT", time.Minute},
		{"no-cache, minimum 0", none, "no-cache", "", 0},
		{"no-store, minimum 0", none, "no-store", "", 0},
		{"private, minimum 0", none, "private, max-age=600", "", 0},
		{"no-cache", optimized, "no-cache", "", time.Second},
		{"no-store", optimized, "no-store, max-age=600", "", time.Second},
		{"private", minute, "private", "", time.Minute},

		// The cases below are not in the table. They check how a header is read.
		{"upper case and spaces", optimized, " Public ,  MAX-AGE=60", "", time.Minute},
		{"quoted", optimized, `max-age="60"`, "", time.Minute},
		{"comma in quotes", optimized, `ext="a, max-age=5", max-age=60`, "", time.Minute},
		{"private for one header is private", none, `private="set-cookie, x-a", max-age=60`, "", 0},
		{"twice", optimized, "max-age=60, max-age=5", "", time.Minute},
		{"unreadable", optimized, "max-age=soon", "", time.Second},
		{"more seconds than a Duration holds", optimized, "max-age=9223372037", "", year},
		{"negative", optimized, "max-age=-1", "", time.Second},
		{"empty parts", optimized, ",,max-age=60,", "", time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			header := make(http.Header)
			if test.cacheControl != "" {
				header.Set("Cache-Control", test.cacheControl)
			}
			if test.expires != "" {
				header.Set("Expires", test.expires)
			}
			if got := test.policy.ttl(header, noon); got != test.want {
				t.Errorf("ttl: got %v, want %v", got, test.want)
			}
		})
	}
}

func TestCacheControlOnSeveralLines(t *testing.T) {
	header := http.Header{"Cache-Control": {"public", "max-age=60"}}
	if got := CachingOptimized.ttl(header, noon); got != time.Minute {
		t.Errorf("ttl: got %v, want 1m0s", got)
	}
}

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
func TestErrorTTL(t *testing.T) {
	tests := []struct {
		name         string
		status       int
		cacheControl string
		minimum      time.Duration
		want         time.Duration
	}{
		{"without a header", 404, "", 10 * time.Second, 10 * time.Second},
		{"403", 403, "", 10 * time.Second, 10 * time.Second},
		{"500", 500, "", 10 * time.Second, 10 * time.Second},
		{"minimum 0", 404, "", 0, 0},
		{"the greater: max-age", 404, "max-age=60", 10 * time.Second, time.Minute},
		{"the greater: the minimum", 404, "max-age=5", 10 * time.Second, 10 * time.Second},
		{"s-maxage", 503, "max-age=5, s-maxage=60", 10 * time.Second, time.Minute},
		{"at most the maximum", 404, "max-age=99999999", 10 * time.Second, 365 * 24 * time.Hour},
		{"no-store counts for 404", 404, "no-store", 10 * time.Second, 0},
		{"no-cache counts for 410", 410, "no-cache", 10 * time.Second, 0},
		{"private counts for 414", 414, "private", 10 * time.Second, 0},
		{"no-store counts for 501", 501, "no-store", 10 * time.Second, 0},
		{"no-store is ignored for 403", 403, "no-store", 10 * time.Second, 10 * time.Second},
		{"no-cache is ignored for 500", 500, "no-cache", 10 * time.Second, 10 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{"Cache-Control": {test.cacheControl}}
			if got := CachingOptimized.errorTTL(test.status, header, test.minimum, noon); got != test.want {
				t.Errorf("errorTTL: got %v, want %v", got, test.want)
			}
		})
	}
}

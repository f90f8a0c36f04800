package fakeaws

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// TestSignIsAWSs signs the example in AWS's documentation, and compares the hash and the signature.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func TestSignIsAWSs(t *testing.T) {
	const scope = "AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request"
	const want = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://iam.amazonaws.com/?Version=2010-05-08&Action=ListUsers", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded;  charset=utf-8 ")
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	auth, problem := parseAuthorization(signingAlgorithm + " Credential=" + scope + ", SignedHeaders=content-type;host;x-amz-date, Signature=" + want)
	if problem != "" {
		t.Fatal(problem)
	}
	if got, want := hash([]byte(canonicalRequest(r, hash(nil), auth))), "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"; got != want {
		t.Errorf("canonical request: got %s, want %s; it is\n%s", got, want, canonicalRequest(r, hash(nil), auth))
	}
	if got := sign(stringToSign(r, hash(nil), auth), auth, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"); got != auth.signature {
		t.Errorf("signature: got %s, want %s", got, auth.signature)
	}
}

func TestSigningDate(t *testing.T) {
	tests := []struct {
		name   string
		header map[string]string
		want   string
	}{
		{"AWS's header", map[string]string{"X-Amz-Date": "20150830T123600Z"}, "20150830T123600Z"},
		{"AWS's header first", map[string]string{"X-Amz-Date": "20150830T123600Z", "Date": "20160830T123600Z"}, "20150830T123600Z"},
		{"HTTP's header in AWS's form", map[string]string{"Date": "20150830T123600Z"}, "20150830T123600Z"},
		{"HTTP's header in HTTP's form", map[string]string{"Date": "Sun, 30 Aug 2015 12:36:00 GMT"}, "20150830T123600Z"},
		{"none", nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			for name, value := range test.header {
				r.Header.Set(name, value)
			}
			if got := signingDate(r); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCanonicalQuery(t *testing.T) {
	tests := []struct{ query, want string }{
		{"", ""},
		{"b=2&a=1", "a=1&b=2"},
		{"a=2&a=1", "a=1&a=2"},
		{"a1=x&a-b=x&a=x", "a=x&a-b=x&a1=x"},
		{"a=b+c&%c3%a9=~*/", "%C3%A9=~%2A%2F&a=b%20c"},
		{"acl", "acl="},
	}
	for _, test := range tests {
		if got := canonicalQuery(&url.URL{RawQuery: test.query}); got != test.want {
			t.Errorf("%s: got %s, want %s", test.query, got, test.want)
		}
	}
}

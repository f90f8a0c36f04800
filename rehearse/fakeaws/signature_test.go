package fakeaws_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

// refusals holds the statuses and codes of each refusal: first those of CloudFront and STS, then those of the JSON services,
// whose HTTP status is always 400.
var refusals = map[string]struct{ xml, json string }{
	"":         {"", ""},
	"unsigned": {"403 MissingAuthenticationToken", "400 MissingAuthenticationTokenException"},
	"garbled":  {"400 IncompleteSignature", "400 IncompleteSignatureException"},
	"mismatch": {"403 SignatureDoesNotMatch", "400 InvalidSignatureException"},
	"unknown":  {"403 InvalidClientTokenId", "400 UnrecognizedClientException"},
	"expired":  {"403 ExpiredToken", "400 ExpiredTokenException"},
}

// edit returns a change that replaces the first occurrence of from in a header.
func edit(header, from, to string) func(*http.Request) {
	return func(r *http.Request) {
		value := r.Header.Get(header)
		if !strings.Contains(value, from) {
			panic(fmt.Sprintf("no %q in %s: %s", from, header, value))
		}
		r.Header.Set(header, strings.Replace(value, from, to, 1))
	}
}

func TestSignatureIsRequired(t *testing.T) {
	const user = "arn:aws:iam::123456789012:user/me"
	const invalid, expired = "The security token included in the request is invalid.", "The security token included in the request is expired"
	moved := func(by time.Duration) func(*http.Request) {
		return func(r *http.Request) {
			at := time.Now().UTC().Add(by).Format("20060102T150405Z")
			edit("Authorization", "/"+r.Header.Get("X-Amz-Date")[:8]+"/", "/"+at[:8]+"/")(r)
			r.Header.Set("X-Amz-Date", at)
		}
	}
	tests := []struct {
		name   string
		key    func(*fakeaws.Cloud) fakeaws.Credentials // the key that signs; default: a role's key
		change func(*http.Request)                      // a change after the signature
		want   string                                   // a key of refusals
		text   string                                   // a part of the message
	}{
		{name: "as it should be"},
		{name: "a user's key", key: func(c *fakeaws.Cloud) fakeaws.Credentials { return c.Issue(user, 0) }},

		{name: "no signature", change: func(r *http.Request) { r.Header.Del("Authorization") }, want: "unsigned"},
		{name: "another kind of authorization", change: func(r *http.Request) { r.SetBasicAuth("me", "secret") }, want: "unsigned"},
		{name: "no credential", change: edit("Authorization", "Credential=", "Cred="), want: "garbled", text: "requires 'Credential' parameter."},
		{name: "no signed headers", change: edit("Authorization", "SignedHeaders=", "Headers="), want: "garbled", text: "requires 'SignedHeaders' parameter."},
		{name: "no signature in it", change: edit("Authorization", "Signature=", "Sign="), want: "garbled", text: "requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 Credential="},
		{name: "a part without a value", change: edit("Authorization", "SignedHeaders=", ""), want: "garbled", text: "missing equal-sign"},
		{name: "a space after the key", change: edit("Authorization", "/", " /"), want: "garbled", text: "/aws4_request' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 Credential="},
		{name: "a part twice", change: edit("Authorization", "SignedHeaders=", "Signature=x, SignedHeaders="), want: "garbled", text: "'Signature' twice"},
		{name: "signed twice", change: func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, want: "garbled", text: "one Authorization header, not 2"},
		{name: "signed in the query, too", change: func(r *http.Request) { r.URL.RawQuery = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=x" }, want: "garbled", text: "query string"},
		{name: "another algorithm", change: edit("Authorization", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), want: "garbled", text: "'AWS4-HMAC-SHA1'"},
		{name: "scope too short", change: edit("Authorization", "/aws4_request", ""), want: "garbled", text: "exactly 5 slash-delimited elements"},
		{name: "no date", change: func(r *http.Request) { r.Header.Del("X-Amz-Date") }, want: "garbled", text: "either a 'X-Amz-Date' or a 'Date' header."},
		{name: "date of another form", change: edit("X-Amz-Date", "Z", "+01"), want: "garbled", text: "ISO-8601 'basic format'"},

		{name: "old", change: moved(-301 * time.Second), want: "mismatch", text: "Signature expired: "},
		{name: "from the future", change: moved(time.Hour), want: "mismatch", text: "Signature not yet current: "},
		{name: "host not signed", change: edit("Authorization", "host;", ""), want: "mismatch", text: "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{name: "session token not signed", change: edit("Authorization", ";x-amz-security-token", ""), want: "mismatch", text: "'x-amz-security-token' must be a 'SignedHeader'"},
		{name: "more of AWS's headers, not signed", change: func(r *http.Request) { r.Header.Set("X-Amz-Meta", "x") }, want: "mismatch", text: "'x-amz-meta' must be a 'SignedHeader'"},
		{name: "another service", change: func(r *http.Request) {
			for _, name := range []string{"cloudfront", "codepipeline", "codedeploy", "sts"} {
				r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/"+name+"/", "/s3/", 1))
			}
		}, want: "mismatch", text: "Credential should be scoped to correct service: '"},
		{name: "another region", change: func(r *http.Request) {
			for _, name := range []string{"us-east-1", region} {
				r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/"+name+"/", "/us-west-2/", 1))
			}
		}, want: "mismatch", text: "Credential should be scoped to a valid region"},
		{name: "scope of another version", change: edit("Authorization", "aws4_request", "aws5_request"), want: "mismatch", text: "valid terminator: 'aws4_request', not 'aws5_request'."},
		{name: "another day in the scope", change: func(r *http.Request) {
			edit("Authorization", "/"+r.Header.Get("X-Amz-Date")[:8]+"/", "/20200101/")(r)
		}, want: "mismatch", text: "'20200101' != '"},

		{name: "a key that nobody has", key: func(*fakeaws.Cloud) fakeaws.Credentials {
			return fakeaws.New(fakeaws.Options{}).Issue(roleARN, time.Hour)
		}, want: "unknown", text: invalid},
		{name: "a user's key that nobody has", key: func(*fakeaws.Cloud) fakeaws.Credentials {
			return fakeaws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
		}, want: "unknown", text: invalid},
		{name: "a role's key without its token", key: func(c *fakeaws.Cloud) fakeaws.Credentials {
			key := c.Issue(roleARN, time.Hour)
			key.SessionToken = ""
			return key
		}, want: "unknown", text: invalid},
		{name: "a role's key with another's token", key: func(c *fakeaws.Cloud) fakeaws.Credentials {
			key := c.Issue(roleARN, time.Hour)
			key.SessionToken = c.Issue(roleARN, time.Hour).SessionToken
			return key
		}, want: "unknown", text: invalid},
		{name: "a user's key with a token", key: func(c *fakeaws.Cloud) fakeaws.Credentials {
			key := c.Issue(user, 0)
			key.SessionToken = c.Issue(roleARN, time.Hour).SessionToken
			return key
		}, want: "unknown", text: invalid},
		{name: "a key that has ended", key: func(c *fakeaws.Cloud) fakeaws.Credentials { return c.Issue(roleARN, -time.Second) }, want: "expired", text: expired},

		{name: "another's secret", key: func(c *fakeaws.Cloud) fakeaws.Credentials {
			key := c.Issue(roleARN, time.Hour)
			key.SecretAccessKey = c.Issue(roleARN, time.Hour).SecretAccessKey
			return key
		}, want: "mismatch"},
		{name: "another's key", key: func(c *fakeaws.Cloud) fakeaws.Credentials {
			key, other := c.Issue(user, 0), c.Issue(user, 0)
			key.AccessKeyID = other.AccessKeyID
			return key
		}, want: "mismatch"},
		{name: "signature cut off", change: func(r *http.Request) {
			r.Header.Set("Authorization", strings.TrimRight(r.Header.Get("Authorization"), "0123456789")+"a")
		}, want: "mismatch"},
		{name: "another query", change: func(r *http.Request) { r.URL.RawQuery = "a=b" }, want: "mismatch"},
		{name: "another path", change: func(r *http.Request) { r.URL.Path += "x" }, want: "mismatch"},
		{name: "another method", change: func(r *http.Request) { r.Method = http.MethodPut }, want: "mismatch"},
		{name: "another body", change: func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}")), 2
		}, want: "mismatch"},
	}
	const json, form = "application/x-amz-json-1.1", "application/x-www-form-urlencoded"
	services := []struct {
		name, method, path, kind, target, body, answers string
		refusal                                         func(string) string
	}{
		{"cloudfront", http.MethodGet, "/2020-05-31/distribution/" + distID + "/invalidation/I1", "", "", "", "404 NoSuchDistribution", func(of string) string { return refusals[of].xml }},
		{"codepipeline", http.MethodPost, "/", json, "CodePipeline_20150709.PutJobSuccessResult", `{"jobId":"11111111-abcd-1111-abcd-111111abcdef"}`, "400 JobNotFoundException", func(of string) string { return refusals[of].json }},
		{"codedeploy", http.MethodPost, "/", json, "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus", `{"deploymentId":"d-AAAAAAAAA","status":"Failed"}`, "400 DeploymentDoesNotExistException", func(of string) string { return refusals[of].json }},
		{"sts", http.MethodPost, "/", form, "", "Action=AssumeRole&Version=2011-06-15", "400 ValidationError", func(of string) string { return refusals[of].xml }},
	}
	for _, test := range tests {
		for _, service := range services {
			t.Run(test.name+"/"+service.name, func(t *testing.T) {
				w := newWorld(t, fakeaws.Options{})
				if test.key != nil {
					w.credentials = test.key(w.cloud)
				}
				header := map[string]string{"Content-Type": service.kind, "X-Amz-Target": service.target}
				maps.DeleteFunc(header, func(_, value string) bool { return value == "" })
				status, answer, _ := w.raw(t, service.method, service.path, header, service.body, test.change)
				call := w.cloud.Calls()[0]
				want, principal := service.refusal(test.want), ""
				if want == "" {
					want, principal = service.answers, w.credentials.Principal
				}
				if got := fmt.Sprint(status, " ", call.Err); got != want || !strings.Contains(answer, call.Err) || !strings.Contains(plain(answer), test.text) {
					t.Errorf("got %s: %s\nwant %s and %q", got, answer, want, test.text)
				}
				if call.Principal != principal {
					t.Errorf("principal: got %q, want %q", call.Principal, principal)
				}
			})
		}
	}
}

// TestRequestsMayTravelInOtherWays checks that a signature does not depend on the way in which HTTP sends the request.
func TestRequestsMayTravelInOtherWays(t *testing.T) {
	tests := map[string]func(*http.Request){
		"in chunks":             func(r *http.Request) { r.ContentLength = -1 },
		"after 100 Continue":    func(r *http.Request) { r.Header.Set("Expect", "100-continue") },
		"with other wishes":     func(r *http.Request) { r.Header["accept"] = []string{"application/xml", "*/*"} },
		"for one request":       func(r *http.Request) { r.Close = true },
		"with a date of HTTP's": func(r *http.Request) { r.Header.Set("Date", "Thu, 26 Nov 2020 12:00:00 GMT") },
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			w.cloud.AddDistribution(fakeaws.Distribution{ID: distID})
			job := w.startAction(t)
			status, answer, _ := w.raw(t, http.MethodPost, "/2020-05-31/distribution/"+distID+"/invalidation", nil, batchXML("job-1", 1, "/a"), tests[name])
			if status != http.StatusCreated {
				t.Errorf("CloudFront: got %d %s, want 201", status, answer)
			}
			status, answer, _ = w.raw(t, http.MethodPost, "/", map[string]string{
				"X-Amz-Target": "CodePipeline_20150709.PutJobSuccessResult", "Content-Type": "application/x-amz-json-1.1",
			}, `{"jobId":"`+job.ID()+`"}`, tests[name])
			if status != http.StatusOK {
				t.Errorf("CodePipeline: got %d %s, want 200", status, answer)
			}
		})
	}
}

// plain returns a body without the differences between XML and JSON.
func plain(answer string) string {
	return strings.NewReplacer("&#39;", "'", `\u0026`, "&", "&#xA;", "\n", `\n`, "\n", "&#34;", `"`).Replace(answer)
}

// TestWrongSignatureIsAnsweredWithWhatShouldHaveBeenSigned checks that the reply contains the session token, as at AWS.
func TestWrongSignatureIsAnsweredWithWhatShouldHaveBeenSigned(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	w.credentials.SecretAccessKey = "wrong"
	var signed *http.Request
	keep := func(r *http.Request) { signed = r }
	_, answer, _ := w.raw(t, http.MethodGet, "/2020-05-31/distribution/E%20D/invalidation/I1?b=%2F&a=1%2B1", nil, "", keep)
	date := signed.Header.Get("X-Amz-Date")
	scope := date[:8] + "/us-east-1/cloudfront/aws4_request"
	want := []string{
		"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n",
		"The Canonical String for this request should have been\n'GET\n/2020-05-31/distribution/E%2520D/invalidation/I1\na=1%2B1&amp;b=%2F\n" +
			"host:" + signed.URL.Host + "\nx-amz-date:" + date + "\nx-amz-security-token:" + w.credentials.SessionToken + "\n\nhost;x-amz-date;x-amz-security-token\n" +
			"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\n",
		"The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n",
	}
	for _, want := range want {
		if !strings.Contains(plain(answer), want) {
			t.Errorf("CloudFront: got %s\nwant %s in it", answer, want)
		}
	}

	client := newClients(w.cloud, w.url, w.credentials)
	_, err := client.codePipeline.PutJobSuccessResult(t.Context(), success("11111111-abcd-1111-abcd-111111abcdef"))
	if got, want := errorCode(err), "InvalidSignatureException"; got != want || httpStatus(err) != http.StatusBadRequest {
		t.Errorf("CodePipeline: got %d %s, want 400 %s", httpStatus(err), got, want)
	}
	for _, want := range []string{"for details.\n\nThe Canonical String for this request should have been\n'POST\n/\n\n", "\nx-amz-security-token:" + w.credentials.SessionToken + "\n", "'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n"} {
		if !strings.Contains(errorMessage(err), want) {
			t.Errorf("CodePipeline: got %q, want %q in it", errorMessage(err), want)
		}
	}
}

// TestPrincipalsHaveKeysOfTheirOwn checks that each call has its own principal when several callers call at once.
func TestPrincipalsHaveKeysOfTheirOwn(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	other := newClients(w.cloud, w.url, w.cloud.Issue("arn:aws:sts::210987654321:assumed-role/edge/my-blog", time.Hour))
	for _, client := range []*world{w, other, w} {
		_, _ = client.get(t, "INONE")
	}
	var got []string
	for _, call := range w.cloud.Calls() {
		got = append(got, call.Principal)
	}
	if want := []string{roleARN, other.credentials.Principal, roleARN}; !slices.Equal(got, want) {
		t.Errorf("principals: got %q, want %q", got, want)
	}
	secrets := w.cloud.Secrets()
	for _, key := range []fakeaws.Credentials{w.credentials, other.credentials} {
		for _, secret := range key.Env() {
			if !slices.Contains(secrets, secret) {
				t.Errorf("secrets: got %q, want %q among them", secrets, secret)
			}
		}
	}
}

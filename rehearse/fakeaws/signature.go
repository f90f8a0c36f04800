package fakeaws

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	signingAlgorithm  = "AWS4-HMAC-SHA256"
	signingTerminator = "aws4_request"
	amzDateFormat     = "20060102T150405Z"

	// maxSignatureAge limits the difference between X-Amz-Date and the present time, for all services except S3.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
	maxSignatureAge = 5 * time.Minute
)

// authorization is a parsed Authorization header.
type authorization struct {
	accessKey, date, region, service, terminator string
	signedHeaders                                []string // sorted
	signature                                    string
}

// authenticate checks the Signature Version 4 of a request in AWS's order. payload is the hash of the body that was
// signed. It returns the ARN of the caller, or AWS's refusal.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func (c *Cloud) authenticate(r *http.Request, payload string, svc *service) (principal string, refusal *apiError) {
	refuse := func(as apiError, format string, args ...any) (string, *apiError) {
		as.message = fmt.Sprintf(format, args...)
		return "", &as
	}
	if r.URL.Query().Has("X-Amz-Algorithm") {
		return refuse(svc.garbled, "The double of AWS does not support signatures in the query string.")
	}
	header := r.Header.Values("Authorization")
	if len(header) == 0 || !strings.HasPrefix(header[0], "AWS4-") {
		return "", &svc.unsigned
	}
	if len(header) > 1 {
		return refuse(svc.garbled, "The double of AWS accepts one Authorization header, not %d.", len(header))
	}
	auth, problem := parseAuthorization(header[0])
	if problem != "" {
		return refuse(svc.garbled, "%s", problem)
	}
	date := signingDate(r)
	if date == "" {
		return refuse(svc.garbled, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	signedAt, err := time.Parse(amzDateFormat, date)
	if err != nil {
		return refuse(svc.garbled, "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", date)
	}
	if problem := untimely(signedAt, time.Now().UTC(), svc.maxSignatureAge); problem != "" {
		return refuse(svc.untimely, "%s", problem)
	}
	for _, name := range requiredSignedHeaders(r) {
		if !slices.Contains(auth.signedHeaders, name) {
			return refuse(svc.mismatch, "'%s' must be a 'SignedHeader' in the AWS Authorization.", cmp.Or(map[string]string{"host": "Host' or ':authority"}[name], name))
		}
	}
	if problems := c.misscoped(auth, svc, date); len(problems) > 0 {
		return refuse(svc.misscoped, "%s", strings.Join(problems, " "))
	}

	c.mu.Lock()
	key, known := c.credentials[auth.accessKey]
	c.mu.Unlock()
	if token := r.Header.Values("X-Amz-Security-Token"); !known || strings.Join(token, ",") != key.SessionToken {
		return "", &svc.unknownKey
	}
	if !key.Expires.IsZero() && !time.Now().Before(key.Expires) {
		return "", &svc.expiredKey
	}
	toSign := stringToSign(r, payload, auth)
	if !hmac.Equal([]byte(auth.signature), []byte(sign(toSign, auth, key.SecretAccessKey))) {
		return "", wrongSignature(r, payload, svc)
	}
	return key.Principal, nil
}

// signingDate returns the time of a signature in the form that is signed. It comes from X-Amz-Date, or else from Date,
// which may also have the form of HTTP.
func signingDate(r *http.Request) string {
	date := cmp.Or(r.Header.Get("X-Amz-Date"), r.Header.Get("Date"))
	if at, err := http.ParseTime(date); err == nil {
		return at.UTC().Format(amzDateFormat)
	}
	return date
}

// untimely returns AWS's message for a signature that is too old or too new, or "" otherwise.
func untimely(signedAt, now time.Time, maxAge time.Duration) string {
	at, present := signedAt.Format(amzDateFormat), now.Format(amzDateFormat)
	minutes := int(maxAge / time.Minute)
	if oldest := now.Add(-maxAge); signedAt.Before(oldest) {
		return fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %d min.)", at, oldest.Format(amzDateFormat), present, minutes)
	}
	if newest := now.Add(maxAge); signedAt.After(newest) {
		return fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %d min.)", at, newest.Format(amzDateFormat), present, minutes)
	}
	return ""
}

// misscoped returns AWS's messages for all mistakes in the scope of a credential.
func (c *Cloud) misscoped(auth authorization, svc *service, date string) (problems []string) {
	if !slices.Contains(svc.signingRegions(c.opts.Region), auth.region) {
		problems = append(problems, fmt.Sprintf("Credential should be scoped to a valid region, not '%s'.", auth.region))
	}
	if auth.service != svc.name {
		problems = append(problems, fmt.Sprintf("Credential should be scoped to correct service: '%s'.", svc.name))
	}
	if auth.terminator != signingTerminator {
		problems = append(problems, fmt.Sprintf("Credential should be scoped with a valid terminator: '%s', not '%s'.", signingTerminator, auth.terminator))
	}
	if day := date[:len("20060102")]; auth.date != day {
		problems = append(problems, fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", auth.date, day, date))
	}
	return problems
}

// wrongSignature returns the refusal of a wrong signature. Its message shows what should have been signed, which includes
// the session token.
func wrongSignature(r *http.Request, payload string, svc *service) *apiError {
	auth, _ := parseAuthorization(r.Header.Get("Authorization"))
	refusal := svc.mismatch
	refusal.message = "The request signature we calculated does not match the signature you provided." +
		" Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n" +
		"The Canonical String for this request should have been\n'" + canonicalRequest(r, payload, auth) + "'\n\n" +
		"The String-to-Sign should have been\n'" + stringToSign(r, payload, auth) + "'\n"
	return &refusal
}

// requiredSignedHeaders returns host and the names of all x-amz-* headers of the request.
func requiredSignedHeaders(r *http.Request) []string {
	names := []string{"host"}
	for name := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") {
			names = append(names, name)
		}
	}
	slices.Sort(names[1:])
	return names
}

// parseAuthorization parses an Authorization header. problem is AWS's message for an invalid header, or "".
func parseAuthorization(header string) (auth authorization, problem string) {
	algorithm, rest, _ := strings.Cut(header, " ")
	parts := make(map[string]string)
	for part := range strings.FieldsFuncSeq(rest, func(r rune) bool { return r == ',' || r == ' ' }) {
		name, value, ok := strings.Cut(part, "=")
		if !ok { // This is the case for an access key with a space.
			return auth, fmt.Sprintf("'%s' not a valid key=value pair (missing equal-sign) in Authorization header: '%s'.", name, header)
		}
		if _, twice := parts[name]; twice {
			return auth, fmt.Sprintf("Authorization header has '%s' twice.", name)
		}
		parts[name] = value
	}
	var missing []string
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[name] == "" {
			missing = append(missing, fmt.Sprintf("Authorization header requires '%s' parameter.", name))
		}
	}
	if missing != nil {
		return auth, strings.Join(missing, " ") + " Authorization=" + header
	}
	if algorithm != signingAlgorithm {
		return auth, fmt.Sprintf("Unsupported AWS 'algorithm': '%s'.", algorithm)
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 {
		return auth, fmt.Sprintf("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'.", parts["Credential"])
	}
	auth.accessKey, auth.date, auth.region, auth.service, auth.terminator = scope[0], scope[1], scope[2], scope[3], scope[4]
	auth.signedHeaders = slices.Sorted(slices.Values(strings.Split(parts["SignedHeaders"], ";")))
	auth.signature = parts["Signature"]
	return auth, ""
}

// canonicalRequest returns the canonical request with the headers that the client has signed. It follows the documentation
// and does not use the SDK's signer, which would repeat its own mistakes.
func canonicalRequest(r *http.Request, payload string, auth authorization) string {
	var headers strings.Builder
	for _, name := range auth.signedHeaders {
		values := r.Header.Values(name)
		switch name {
		case "host":
			values = []string{r.Host}
		case "content-length":
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		var trimmed []string
		for _, value := range values {
			trimmed = append(trimmed, strings.Join(strings.Fields(value), " "))
		}
		headers.WriteString(name + ":" + strings.Join(trimmed, ",") + "\n")
	}
	return strings.Join([]string{
		r.Method, canonicalPath(r.URL, auth.service), canonicalQuery(r.URL), headers.String(), strings.Join(auth.signedHeaders, ";"), payload,
	}, "\n")
}

// canonicalPath returns the path of a request as it is signed. S3 encodes it once and keeps all slashes, because they are
// part of the object's key. The other services clean the path and encode it twice.
func canonicalPath(u *url.URL, service string) string {
	if service == s3Name {
		return encode(s3Path(u), "/")
	}
	uri := path.Clean(u.EscapedPath())
	if strings.HasSuffix(u.EscapedPath(), "/") && uri != "/" {
		uri += "/"
	}
	return encode(uri, "/")
}

func canonicalQuery(u *url.URL) string {
	var pairs []string
	for name, values := range u.Query() {
		for _, value := range values {
			pairs = append(pairs, encode(name, "")+" "+encode(value, ""))
		}
	}
	slices.Sort(pairs) // This sorts by name and then by value, because a space sorts before every character of a name.
	return strings.ReplaceAll(strings.Join(pairs, "&"), " ", "=")
}

// encode encodes every byte except the unreserved characters of RFC 3986 and those in keep.
func encode(s, keep string) string {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	var encoded strings.Builder
	for _, b := range []byte(s) {
		if strings.IndexByte(unreserved+keep, b) >= 0 {
			encoded.WriteByte(b)
		} else {
			fmt.Fprintf(&encoded, "%%%02X", b)
		}
	}
	return encoded.String()
}

func stringToSign(r *http.Request, payload string, auth authorization) string {
	return strings.Join([]string{
		signingAlgorithm, signingDate(r),
		strings.Join([]string{auth.date, auth.region, auth.service, auth.terminator}, "/"),
		hash([]byte(canonicalRequest(r, payload, auth))),
	}, "\n")
}

func sign(toSign string, auth authorization, secret string) string {
	key := []byte("AWS4" + secret)
	for _, part := range []string{auth.date, auth.region, auth.service, auth.terminator, toSign} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

func hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

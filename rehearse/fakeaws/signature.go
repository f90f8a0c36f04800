package fakeaws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	signingAlgorithm = "AWS4-HMAC-SHA256"
	amzDateFormat    = "20060102T150405Z"

	// maxSignatureAge is how far a request's X-Amz-Date may be off.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
	maxSignatureAge = 5 * time.Minute
)

// authorization is a parsed Authorization header.
type authorization struct {
	accessKey, date, region, service string
	signedHeaders                    []string
	signature                        string
}

// authenticate checks a request's Signature Version 4 and returns the refusal AWS would answer.
func (c *Cloud) authenticate(r *http.Request, body []byte, svc *service) *apiError {
	header := r.Header.Get("Authorization")
	if header == "" {
		return &svc.unsigned
	}
	refuse := func(as apiError, format string, args ...any) *apiError {
		as.message = fmt.Sprintf(format, args...)
		return &as
	}

	auth, problem := parseAuthorization(header)
	if problem != "" {
		return refuse(svc.garbled, "%s", problem)
	}
	signedAt, err := time.Parse(amzDateFormat, r.Header.Get("X-Amz-Date"))
	if err != nil {
		return refuse(svc.garbled, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if auth.service != svc.name {
		return refuse(svc.mismatch, "Credential should be scoped to correct service: '%s'.", svc.name)
	}
	if regions := c.signingRegions(svc); !slices.Contains(regions, auth.region) {
		return refuse(svc.mismatch, "Credential should be scoped to a valid region, not '%s': expected '%s'.", auth.region, regions[0])
	}
	if auth.date != signedAt.Format("20060102") {
		return refuse(svc.mismatch, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s'.", auth.date)
	}
	if age := time.Since(signedAt); age > maxSignatureAge || age < -maxSignatureAge {
		return refuse(svc.mismatch, "Signature expired: %s is not within %v of the current time.", signedAt.Format(amzDateFormat), maxSignatureAge)
	}
	for _, name := range requiredSignedHeaders(r) {
		if !slices.Contains(auth.signedHeaders, name) {
			return refuse(svc.mismatch, "'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	if c.opts.SecretKey == "" {
		return nil
	}
	want, err := sign(r, body, auth, c.opts.SecretKey, signedAt)
	if err != nil || !hmac.Equal([]byte(auth.signature), []byte(want)) {
		return refuse(svc.mismatch, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.")
	}
	return nil
}

// requiredSignedHeaders are host and every x-amz-* header of the request.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
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

// parseAuthorization returns what is wrong with the header in AWS's words, "" if nothing is.
func parseAuthorization(header string) (auth authorization, problem string) {
	algorithm, rest, _ := strings.Cut(header, " ")
	if algorithm != signingAlgorithm {
		return auth, fmt.Sprintf("Unsupported AWS 'algorithm': '%s'.", algorithm)
	}
	parts := make(map[string]string)
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parts[name] == "" {
			return auth, fmt.Sprintf("Authorization header requires '%s' parameter.", name)
		}
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 || scope[0] == "" || scope[4] != "aws4_request" {
		return auth, fmt.Sprintf("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'.", parts["Credential"])
	}
	if raw, err := hex.DecodeString(parts["Signature"]); err != nil || len(raw) != sha256.Size {
		return auth, fmt.Sprintf("Signature must be %d hexadecimal digits.", hex.EncodedLen(sha256.Size))
	}
	auth.accessKey, auth.date, auth.region, auth.service = scope[0], scope[1], scope[2], scope[3]
	auth.signedHeaders = strings.Split(parts["SignedHeaders"], ";")
	auth.signature = parts["Signature"]
	return auth, ""
}

// sign computes the signature that the request should carry, over the headers it says it signed.
func sign(r *http.Request, body []byte, auth authorization, secret string, at time.Time) (string, error) {
	again := r.Clone(r.Context())
	again.Header = make(http.Header)
	again.ContentLength = 0
	for _, name := range auth.signedHeaders {
		switch name {
		case "host": // Taken from the request itself.
		case "content-length":
			again.ContentLength = int64(len(body))
		default:
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	sum := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: auth.accessKey, SecretAccessKey: secret}
	if err := v4.NewSigner().SignHTTP(r.Context(), credentials, again, hex.EncodeToString(sum[:]), auth.service, auth.region, at); err != nil {
		return "", fmt.Errorf("sign request: %w", err)
	}
	resigned, problem := parseAuthorization(again.Header.Get("Authorization"))
	if problem != "" {
		return "", fmt.Errorf("parse own signature: %s", problem)
	}
	return resigned.signature, nil
}

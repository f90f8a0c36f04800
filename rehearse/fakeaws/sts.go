package fakeaws

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/xml"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	stsVersion   = "2011-06-15"
	stsNamespace = "https://sts.amazonaws.com/doc/" + stsVersion + "/"
)

var sts = newXMLService("sts", stsNamespace, "<AssumeRoleRe")

// AddRole adds a role of any account. It trusts every caller that Options.Authorize allows to call sts:AssumeRole on it.
// For a role that does not exist STS returns the same error as for a role that does not trust the caller.
func (c *Cloud) AddRole(arn string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roles[arn] = "AROA" + randomString(17, upperAlphanumeric)
}

// isSTS reports whether a request is for STS and not for CloudFront. Requests to STS are forms with the path "/".
func isSTS(r *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return r.URL.Path == "/" && kind == "application/x-www-form-urlencoded"
}

// stsRequest finds the operation by the form's Action.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
func (c *Cloud) stsRequest(r *http.Request, body []byte) *request {
	form, err := url.ParseQuery(string(body))
	operation := form.Get("Action")
	req := &request{svc: sts, call: Call{Action: "sts:" + operation, Resource: cmp.Or(form.Get("RoleArn"), "*")}}
	refuse := func(code, format string, args ...any) *request {
		req.run = func() reply { return sts.refuse(apiError{code, fmt.Sprintf(format, args...), http.StatusBadRequest}) }
		return req
	}
	switch {
	case err != nil || r.Method != http.MethodPost || operation == "":
		req.call.Action = unknownAction(sts, r)
		return refuse("MissingAction", "The double of STS requires a form with an Action, sent by POST")
	case form.Get("Version") != stsVersion:
		return refuse("InvalidAction", "Could not find operation %s for version %s", operation, cmp.Or(form.Get("Version"), "NO_VERSION_SPECIFIED"))
	case operation == "AssumeRole":
		req.run = func() reply { return c.assumeRole(req.call.Principal, form) }
	case operation == "GetCallerIdentity":
		req.checks = []Call{} // No policy can deny it.
		req.run = func() reply { return callerIdentity(req.call.Principal, form) }
	default:
		return refuse("InvalidAction", "The double of STS does not support %s", operation)
	}
	return req
}

// callerIdentity answers with who the caller is.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func callerIdentity(by string, form url.Values) reply {
	if refusal := unknownField(form, "Action", "Version"); refusal != "" {
		return sts.refuse(apiError{"ValidationError", refusal, http.StatusBadRequest})
	}
	type result struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	}
	// A user's id is always the same.
	sum := sha256.Sum256([]byte(by))
	id := "AIDA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
	if sessionPattern.MatchString(by) {
		id = "AROA" + id[4:] + ":" + path.Base(by)
	}
	requestID := uuid.NewString()
	body := mustMarshalXML(struct {
		XMLName   xml.Name
		Result    result `xml:"GetCallerIdentityResult"`
		RequestID string `xml:"ResponseMetadata>RequestId"`
	}{
		XMLName:   xml.Name{Space: stsNamespace, Local: "GetCallerIdentityResponse"},
		Result:    result{Arn: by, UserID: id, Account: strings.Split(by, ":")[4]},
		RequestID: requestID,
	})
	return reply{status: http.StatusOK, header: xmlHeader(requestID), body: body}
}

// unknownField returns a message about a form's first field that is none of the known ones, or that is there twice; ""
// for none.
func unknownField(form url.Values, known ...string) string {
	for _, name := range slices.Sorted(maps.Keys(form)) {
		switch {
		case !slices.Contains(known, name):
			return fmt.Sprintf("The double of STS does not support %s's %s", form.Get("Action"), name)
		case len(form[name]) > 1:
			return name + " occurs more than once"
		}
	}
	return ""
}

// STS's limits on AssumeRole.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	minSession     = 15 * time.Minute
	maxSession     = 12 * time.Hour
	defaultSession = time.Hour
	// maxChained is the limit for a role that is assumed with another role's credentials.
	maxChained = time.Hour
)

var (
	assumableRolePattern = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}):role/(?:[\x21-\x7e]+/)?([\w+=,.@-]{1,64})$`)
	sessionNamePattern   = regexp.MustCompile(`^[\w+=,.@-]*$`)
	sessionPattern       = regexp.MustCompile(`^arn:aws[a-z-]*:sts::\d{12}:assumed-role/`)
)

// assumeRole issues credentials of a role. The caller holds c.mu.
func (c *Cloud) assumeRole(by string, form url.Values) reply {
	lifetime, refusal := validSession(by, form)
	if refusal != "" {
		return sts.refuse(apiError{"ValidationError", refusal, http.StatusBadRequest})
	}
	arn, session := form.Get("RoleArn"), form.Get("RoleSessionName")
	id, ok := c.roles[arn]
	if !ok {
		denied := sts.accessDenied
		denied.message = fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", by, arn)
		return sts.refuse(denied)
	}
	role := assumableRolePattern.FindStringSubmatch(arn)
	principal := fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", role[1], role[2], session)
	credentials := c.issue(principal, lifetime)

	type user struct {
		AssumedRoleID string `xml:"AssumedRoleId"`
		Arn           string
	}
	type key struct {
		AccessKeyID                   string `xml:"AccessKeyId"`
		SecretAccessKey, SessionToken string
		Expiration                    string
	}
	type result struct {
		AssumedRoleUser user
		Credentials     key
	}
	requestID := uuid.NewString()
	body := mustMarshalXML(struct {
		XMLName   xml.Name
		Result    result `xml:"AssumeRoleResult"`
		RequestID string `xml:"ResponseMetadata>RequestId"`
	}{
		XMLName: xml.Name{Space: stsNamespace, Local: "AssumeRoleResponse"},
		Result: result{
			AssumedRoleUser: user{AssumedRoleID: id + ":" + session, Arn: principal},
			Credentials: key{
				AccessKeyID: credentials.AccessKeyID, SecretAccessKey: credentials.SecretAccessKey, SessionToken: credentials.SessionToken,
				Expiration: credentials.Expires.UTC().Format("2006-01-02T15:04:05Z"),
			},
		},
		RequestID: requestID,
	})
	return reply{status: http.StatusOK, header: xmlHeader(requestID), body: body}
}

// validSession returns the lifetime of the session, or AWS's message for an invalid request.
func validSession(by string, form url.Values) (lifetime time.Duration, refusal string) {
	if refusal := unknownField(form, "Action", "Version", "RoleArn", "RoleSessionName", "DurationSeconds"); refusal != "" {
		return 0, refusal
	}
	var v violations
	for _, member := range []struct {
		name, at    string
		least, most int
	}{{"RoleArn", "roleArn", 20, 2048}, {"RoleSessionName", "roleSessionName", 2, 64}} {
		value := form.Get(member.name)
		switch n := length(value); {
		case !form.Has(member.name):
			v = append(v, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", member.at))
		case n < member.least:
			v.addValue(member.at, value, fmt.Sprintf("Member must have length greater than or equal to %d", member.least))
		case n > member.most:
			v.addValue(member.at, value, fmt.Sprintf("Member must have length less than or equal to %d", member.most))
		}
	}
	if name := form.Get("RoleSessionName"); !sessionNamePattern.MatchString(name) {
		v.addValue("roleSessionName", name, `Member must satisfy regular expression pattern: [\w+=,.@-]*`)
	}
	lifetime = defaultSession
	if form.Has("DurationSeconds") {
		value := form.Get("DurationSeconds")
		seconds, err := strconv.ParseInt(value, 10, 32)
		lifetime = time.Duration(seconds) * time.Second
		switch {
		case err != nil:
			return 0, "DurationSeconds is not a number of 32 bits"
		case lifetime < minSession:
			v.addValue("durationSeconds", value, fmt.Sprintf("Member must have value greater than or equal to %.0f", minSession.Seconds()))
		case lifetime > maxSession:
			v.addValue("durationSeconds", value, fmt.Sprintf("Member must have value less than or equal to %.0f", maxSession.Seconds()))
		}
	}
	if len(v) > 0 {
		return 0, v.message()
	}
	if arn := form.Get("RoleArn"); !assumableRolePattern.MatchString(arn) {
		return 0, arn + " is invalid"
	}
	if lifetime > maxChained && sessionPattern.MatchString(by) {
		return 0, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
	}
	return lifetime, ""
}

package fakeaws

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Credentials are an access key that the cloud gave to somebody. It accepts no other.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
type Credentials struct {
	// AccessKeyID starts with "ASIA" for a role's temporary key and with "AKIA" for a user's.
	AccessKeyID, SecretAccessKey string
	// SessionToken goes with a temporary key, and with no other.
	SessionToken string
	// Expires is when a temporary key ends, by the machine's clock, as its holder renews it by that
	// clock; zero for a user's key.
	Expires time.Time
	// Principal is the ARN of who calls with the key, such as
	// "arn:aws:sts::123456789012:assumed-role/invalidate/my-blog".
	Principal string
}

// Issue gives a principal, named by its ARN, a new access key: a temporary one that is valid for the
// lifetime (and has ended already where that is negative), or for 0 a user's, which does not end.
func (c *Cloud) Issue(principal string, lifetime time.Duration) Credentials {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.issue(principal, lifetime)
}

// issue is called with c.mu held.
func (c *Cloud) issue(principal string, lifetime time.Duration) Credentials {
	const idAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	credentials := Credentials{
		AccessKeyID:     "AKIA" + randomString(16, idAlphabet),
		SecretAccessKey: randomString(40, base64Alphabet),
		Principal:       principal,
	}
	if lifetime != 0 {
		credentials.AccessKeyID = "ASIA" + credentials.AccessKeyID[4:]
		credentials.SessionToken = "IQoJb3JpZ2luX2Vj" + randomString(880, base64Alphabet)
		credentials.Expires = time.Now().Add(lifetime)
	}
	c.credentials[credentials.AccessKeyID] = credentials
	return credentials
}

// Env returns the environment variables that hand the credentials to an AWS SDK, as Lambda sets them.
func (c Credentials) Env() map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID":     c.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": c.SecretAccessKey,
		"AWS_SESSION_TOKEN":     c.SessionToken,
	}
}

// Secrets returns every credential given to anybody so far, those in events included: what must never
// be logged.
func (c *Cloud) Secrets() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var secrets []string
	for _, id := range slices.Sorted(maps.Keys(c.credentials)) {
		secrets = append(secrets, id, c.credentials[id].SecretAccessKey)
		if token := c.credentials[id].SessionToken; token != "" {
			secrets = append(secrets, token)
		}
	}
	return secrets
}

// callersAccount returns the account of the key that a request names, before its signature is checked; the
// cloud's own if nobody has the key.
func (c *Cloud) callersAccount(r *http.Request) string {
	auth, _ := parseAuthorization(r.Header.Get("Authorization"))
	c.mu.Lock()
	defer c.mu.Unlock()
	if parts := strings.Split(c.credentials[auth.accessKey].Principal, ":"); len(parts) == 6 {
		return parts[4]
	}
	return c.opts.Account
}

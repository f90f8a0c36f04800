package fakeaws

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Credentials are an access key that the cloud has issued. The cloud accepts no other keys.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
type Credentials struct {
	// AccessKeyID starts with "ASIA" for a role's temporary key and with "AKIA" for a user's.
	AccessKeyID, SecretAccessKey string
	// SessionToken belongs to a temporary key. Other keys have none.
	SessionToken string
	// Expires is the time at which a temporary key expires, by the machine's clock, which its holder also uses. It is
	// zero for a user's key.
	Expires time.Time
	// Principal is the ARN of the key's holder, such as "arn:aws:sts::123456789012:assumed-role/invalidate/my-blog".
	Principal string
}

// Issue returns a new access key for the principal with this ARN. The key is temporary and valid for the lifetime;
// with a negative lifetime it has already expired. With a lifetime of 0 it is a user's key, which never expires.
func (c *Cloud) Issue(principal string, lifetime time.Duration) Credentials {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.issue(principal, lifetime)
}

// issue is Issue for callers that hold c.mu.
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

// Env returns the environment variables from which an AWS SDK reads the credentials, as Lambda sets them.
func (c Credentials) Env() map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID":     c.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": c.SecretAccessKey,
		"AWS_SESSION_TOKEN":     c.SessionToken,
	}
}

// Secrets returns all credentials that the cloud has issued so far, including those in events. None of them may be
// logged.
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

// callersAccount returns the account of the key that a request names, or the cloud's own account for an unknown key.
// It does not check the signature.
func (c *Cloud) callersAccount(r *http.Request) string {
	auth, _ := parseAuthorization(r.Header.Get("Authorization"))
	c.mu.Lock()
	defer c.mu.Unlock()
	if parts := strings.Split(c.credentials[auth.accessKey].Principal, ":"); len(parts) == 6 {
		return parts[4]
	}
	return c.opts.Account
}

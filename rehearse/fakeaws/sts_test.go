package fakeaws_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

const (
	edgeAccount = "210987654321"
	edgeRole    = "arn:aws:iam::" + edgeAccount + ":role/edge/clear-cache"
	edgeSession = "arn:aws:sts::" + edgeAccount + ":assumed-role/clear-cache/shop"
)

// sts returns a client with the world's credentials that does not retry.
func (w *world) sts() *sts.Client {
	return sts.New(sts.Options{
		Region: region, BaseEndpoint: &w.url, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(w.credentials.AccessKeyID, w.credentials.SecretAccessKey, w.credentials.SessionToken),
	})
}

func TestAssumeRoleAnswersAsSTS(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	w.cloud.AddRole(edgeRole)
	w.cloud.AddDistribution(fakeaws.Distribution{ID: distID})
	w.cloud.AddDistribution(fakeaws.Distribution{ID: "EOTHER", Account: edgeAccount})

	out, err := w.sts().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(edgeRole), RoleSessionName: aws.String("shop"), DurationSeconds: aws.Int32(900)})
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(out.AssumedRoleUser.Arn); got != edgeSession {
		t.Errorf("user is %s, want %s", got, edgeSession)
	}
	if id := aws.ToString(out.AssumedRoleUser.AssumedRoleId); !strings.HasPrefix(id, "AROA") || !strings.HasSuffix(id, ":shop") {
		t.Errorf("id is %s, want AROA….:shop", id)
	}
	if left := time.Until(*out.Credentials.Expiration); left < 14*time.Minute || left > 15*time.Minute {
		t.Errorf("the credentials last %v, want 15 minutes", left)
	}
	key := fakeaws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
	for _, secret := range []string{key.SecretAccessKey, key.SessionToken} {
		if !slices.Contains(w.cloud.Secrets(), secret) {
			t.Error("the cloud does not count the credentials among its secrets")
		}
	}

	// Callers find only the distributions of their own account.
	edge := newClients(w.cloud, w.url, key)
	for _, tt := range []struct {
		name         string
		of           *world
		distribution string
		want         string
	}{
		{"own", w, distID, ""}, {"own, elsewhere", w, "EOTHER", "NoSuchDistribution"},
		{"edge", edge, "EOTHER", ""}, {"edge, elsewhere", edge, distID, "NoSuchDistribution"},
	} {
		input := createInput("job-1", "/*")
		input.DistributionId = &tt.distribution
		if _, err := tt.of.cloudFront.CreateInvalidation(t.Context(), input); errorCode(err) != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, errorCode(err), tt.want)
		}
	}
	calls := w.cloud.Calls()
	if got := calls[0]; got.Action != "sts:AssumeRole" || got.Resource != edgeRole || got.Principal != roleARN {
		t.Errorf("recorded %+v, want sts:AssumeRole on the role by %s", got, roleARN)
	}
	if got := calls[3]; got.Resource != "arn:aws:cloudfront::"+edgeAccount+":distribution/EOTHER" || got.Principal != edgeSession {
		t.Errorf("recorded %+v, want the edge account's distribution, by %s", got, edgeSession)
	}
}

func TestAssumeRoleRefusals(t *testing.T) {
	const unknown = "arn:aws:iam::" + edgeAccount + ":role/unknown"
	tests := []struct {
		name    string
		change  func(*sts.AssumeRoleInput)
		code    string
		message string
		status  int
	}{
		{"no such role", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String(unknown) },
			"AccessDenied", "User: " + roleARN + " is not authorized to perform: sts:AssumeRole on resource: " + unknown, http.StatusForbidden},
		{"the role's name without its path", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String(strings.Replace(edgeRole, "edge/", "", 1)) },
			"AccessDenied", "is not authorized to perform: sts:AssumeRole", http.StatusForbidden},
		{"no ARN", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("clear-cache-of-the-edge-account") }, "ValidationError", "clear-cache-of-the-edge-account is invalid", 400},
		{"short ARN", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("x") }, "ValidationError", "1 validation error detected: Value 'x' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20", 400},
		{"short session", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("s") }, "ValidationError", "Value 's' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2", 400},
		{"long session", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String(strings.Repeat("s", 65)) }, "ValidationError", "Member must have length less than or equal to 64", 400},
		{"session with a space", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("my blog") }, "ValidationError", `Member must satisfy regular expression pattern: [\w+=,.@-]*`, 400},
		{"short", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }, "ValidationError", "Member must have value greater than or equal to 900", 400},
		{"long", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(43201) }, "ValidationError", "Member must have value less than or equal to 43200", 400},
		{"longer than a chain allows", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, "ValidationError", "exceeds the 1 hour session limit for roles assumed by role chaining", 400},
		{"two problems", func(in *sts.AssumeRoleInput) { in.RoleArn, in.RoleSessionName = aws.String("x"), aws.String("s") }, "ValidationError", "2 validation errors detected: ", 400},
		{"unsupported parameter", func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("12") }, "ValidationError", "does not support AssumeRole's ExternalId", 400},
	}
	w := newWorld(t, fakeaws.Options{})
	w.cloud.AddRole(edgeRole)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			input := &sts.AssumeRoleInput{RoleArn: aws.String(edgeRole), RoleSessionName: aws.String("shop")}
			tt.change(input)
			_, err := w.sts().AssumeRole(t.Context(), input)
			if errorCode(err) != tt.code || httpStatus(err) != tt.status || !strings.Contains(errorMessage(err), tt.message) {
				t.Errorf("got %d %s %q, want %d %s with %q", httpStatus(err), errorCode(err), errorMessage(err), tt.status, tt.code, tt.message)
			}
		})
	}
	if _, err := w.sts().GetSessionToken(t.Context(), &sts.GetSessionTokenInput{}); errorCode(err) != "InvalidAction" {
		t.Errorf("another operation: got %v, want InvalidAction", err)
	}
	w.credentials.SessionToken = ""
	if _, err := w.sts().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(edgeRole), RoleSessionName: aws.String("shop")}); errorCode(err) != "InvalidClientTokenId" {
		t.Errorf("without the session token: got %v, want InvalidClientTokenId", err)
	}
}

func TestAssumeRoleIsAuthorized(t *testing.T) {
	w := newWorld(t, fakeaws.Options{Authorize: func(call fakeaws.Call) error {
		if call.Action == "sts:AssumeRole" && call.Resource == edgeRole && call.Principal == roleARN {
			return errors.New("of a test")
		}
		return nil
	}})
	w.cloud.AddRole(edgeRole)
	_, err := w.sts().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(edgeRole), RoleSessionName: aws.String("shop")})
	if want := "User: " + roleARN + " is not authorized to perform: sts:AssumeRole on resource: " + edgeRole; errorCode(err) != "AccessDenied" || !strings.HasPrefix(errorMessage(err), want) {
		t.Errorf("got %s %q, want AccessDenied %q", errorCode(err), errorMessage(err), want)
	}
}

// TestGetCallerIdentityAnswersAsSTS has STS answer whoever asks, whatever their policies say.
func TestGetCallerIdentityAnswersAsSTS(t *testing.T) {
	w := newWorld(t, fakeaws.Options{Authorize: func(fakeaws.Call) error { return errors.New("of a test") }})
	const user = "arn:aws:iam::123456789012:user/me"
	for arn, id := range map[string]string{roleARN: "AROA", user: "AIDA"} {
		key := w.cloud.Issue(arn, 0)
		out, err := newClients(w.cloud, w.url, key).sts().GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if err != nil {
			t.Fatal(err)
		}
		if *out.Arn != arn || *out.Account != "123456789012" || !strings.HasPrefix(*out.UserId, id) || strings.Contains(*out.UserId, ":") != (id == "AROA") {
			t.Errorf("%s is %s, %s of %s, want %s…", arn, *out.Arn, *out.UserId, *out.Account, id)
		}
	}
	w.credentials.SecretAccessKey = "wrong"
	if _, err := w.sts().GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); errorCode(err) != "SignatureDoesNotMatch" {
		t.Errorf("with a wrong secret: got %v, want SignatureDoesNotMatch", err)
	}
}

package invalidation

import (
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/environment"
)

func TestReadSettings(t *testing.T) {
	tests := []struct {
		name     string
		env      map[string]string
		want     Settings
		wantErrs []string
	}{
		{name: "defaults", want: settings},
		{
			name: "all set",
			env:  map[string]string{contract.EnvPollFor: "1s", contract.EnvPollEvery: "100ms", contract.EnvDeadline: "2h", contract.EnvRoleARN: "arn:aws:iam::210987654321:role/r"},
			want: Settings{PollFor: time.Second, PollEvery: 100 * time.Millisecond, Deadline: 2 * time.Hour, RoleARN: "arn:aws:iam::210987654321:role/r"},
		},
		{
			name:     "no ARN of a role",
			env:      map[string]string{contract.EnvRoleARN: "edge"},
			want:     Settings{PollFor: settings.PollFor, PollEvery: settings.PollEvery, Deadline: settings.Deadline, RoleARN: "edge"},
			wantErrs: []string{contract.EnvRoleARN + ` is "edge": must be a role's ARN`},
		},
		{
			name:     "every problem at once",
			env:      map[string]string{contract.EnvPollFor: "40", contract.EnvPollEvery: "0s", contract.EnvDeadline: "-1m"},
			want:     settings,
			wantErrs: []string{contract.EnvPollFor + ` is "40"`, contract.EnvPollEvery + ` is "0s"`, contract.EnvDeadline + ` is "-1m"`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := environment.Reader{Getenv: func(name string) string { return tt.env[name] }}
			got, err := ReadSettings(&env), env.Err()
			if got != tt.want {
				t.Errorf("settings are %+v, want %+v", got, tt.want)
			}
			if (err == nil) != (len(tt.wantErrs) == 0) {
				t.Fatalf("error is %v, want one: %v", err, len(tt.wantErrs) > 0)
			}
			for _, want := range tt.wantErrs {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

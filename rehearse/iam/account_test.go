package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestATrustPolicyDecidesWhichServiceAssumesTheRole(t *testing.T) {
	const allow = `{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}`
	for _, tt := range []struct{ name, trust, want, note string }{
		{"one statement", allow + `}`, "", ""},
		{"condition", `[` + allow + `, "Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}]`, "", "has a Condition"},
		{"denied", `[` + allow + `}, {"Effect": "Deny", "Action": "sts:*", "Principal": "*"}]`, "a statement of it denies lambda.amazonaws.com", ""},
		{"denied on a condition", `[` + allow + `}, {"Effect": "Deny", "Action": "sts:*", "Principal": "*", "Condition": {}}]`, "", "denies on a Condition"},
		{"everybody else denied", `[` + allow + `}, {"Effect": "Deny", "NotAction": "sts:TagSession", "NotPrincipal": {"Service": ["lambda.amazonaws.com"]}}]`, "", ""},
		{"another", `[{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::1:root"}}]`, "it must name lambda.amazonaws.com", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var notes string
			a := NewAccount(t.Context(), nil, func(format string, args ...any) { notes += fmt.Sprintf(format, args...) })
			err := a.AssumeByService("Lambda", "lambda.amazonaws.com", &Role{ID: "R", Trust: []byte(`{"Statement": ` + tt.trust + `}`)})
			var look string
			if why := (*rehearsal.Failure)(nil); errors.As(err, &why) {
				look = why.Look
			} else if err != nil {
				t.Fatal(err)
			}
			if (look == "") != (tt.want == "") || !strings.Contains(look, tt.want) || (notes == "") != (tt.note == "") || !strings.Contains(notes, tt.note) {
				t.Errorf("got %q and the notes %q, want %q and %q", look, notes, tt.want, tt.note)
			}
		})
	}
}

func TestPermissionsShowNotActionAsAllBut(t *testing.T) {
	a := NewAccount(t.Context(), nil, nil)
	role := &Role{ID: "R", Policies: []json.RawMessage{[]byte(`{"Statement": {"Effect": "Allow", "NotAction": ["iam:*", "s3:DeleteObject"], "NotResource": "arn:x"}}`)}}
	a.AddRole(role, "test")
	if got, want := a.Permissions()[0].Actions, (rehearsal.Permission{Action: "all but iam:* s3:DeleteObject", Resource: "all but arn:x"}); len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestLiteralKeepsKeysOfObjectsFromBeingPatterns(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:s3:::blog/a*b\n/*": "arn:aws:s3:::blog/a_b_/_",
		"arn:aws:s3:::blog*":        "arn:aws:s3:::blog*",
		"*":                         "*",
		"arn:aws:logs:us-east-1:1:log-group:/a/*": "arn:aws:logs:us-east-1:1:log-group:/a/*",
		"arn:aws-cn:s3:::blog/日本?":                "arn:aws-cn:s3:::blog/日本?",
	} {
		if got := literal(arn); got != want {
			t.Errorf("%q: got %q, want %q", arn, got, want)
		}
	}
}

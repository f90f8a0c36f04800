package stacks

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// problems collects what is wrong with one blog or service, so that an owner reads
// all of it at once.
type problems struct {
	owner owner
	errs  []error
}

// add reports a field, the value it has and what would be right. A GitHub token, in
// whatever field it was pasted, is not repeated.
func (p *problems) add(field string, got any, want string) {
	if text, ok := got.(string); ok {
		got = fmt.Sprintf("%q", text)
		if tokenInsidePattern.MatchString(text) {
			got, want = "a GitHub token (hidden)", "revoke it, store a new one in Secrets Manager and name the secret in Source; this field "+want
		}
	}
	p.errs = append(p.errs, fmt.Errorf("%s: %s is %v: %s", p.owner, field, got, want))
}

// match reports a value that pattern does not match in full.
func (p *problems) match(field, got string, pattern *regexp.Regexp, want string) {
	if !pattern.MatchString(got) {
		p.add(field, got, want)
	}
}

// empty reports a value where another field leaves nothing to say.
func (p *problems) empty(field, got, why string) {
	if got != "" {
		p.add(field, got, "must be empty: "+why)
	}
}

// sameRegion and sameAccount report an ARN of another region or account than the
// owner's, as far as that is known.
func (p *problems) sameRegion(field, arn string) {
	if got := arnPart(arn, 3); got != "" && p.owner.region != "" && got != p.owner.region {
		p.add(field, arn, fmt.Sprintf("must be in the %s's Region, %s", p.owner.kind, p.owner.region))
	}
}

func (p *problems) sameAccount(field, arn string) {
	if got := arnPart(arn, 4); got != "" && p.owner.account != "" && got != p.owner.account {
		p.add(field, arn, fmt.Sprintf("must be in the %s's Account, %s", p.owner.kind, p.owner.account))
	}
}

// arnPart returns one of an ARN's six parts, and "" of what is no ARN: its pattern
// has been reported.
func arnPart(arn string, i int) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return ""
	}
	return parts[i]
}

// oneOf reports a value that is not in allowed.
func oneOf[T ~string](p *problems, field string, got T, allowed ...T) {
	if !slices.Contains(allowed, got) {
		p.add(field, string(got), "must be one of "+listOf(allowed))
	}
}

func listOf[T ~string](values []T) string {
	names := make([]string, len(values))
	for i, value := range values {
		names[i] = fmt.Sprintf("%q", value)
	}
	return strings.Join(names, ", ")
}

// valueType is what a value is, where only that can be wrong.
type valueType string

func typeOf(value any) valueType {
	if value == nil {
		return "missing"
	}
	return valueType(fmt.Sprintf("a %T", value))
}

func (p *problems) join() error { return errors.Join(p.errs...) }

// or returns value, or what it defaults to.
func or[T comparable](value, byDefault T) T {
	var zero T
	if value == zero {
		return byDefault
	}
	return value
}

package props

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// problems collects what is wrong with one blog or service, so that an owner reads
// all of it at once.
type Problems struct {
	owner Identity
	errs  []error
	// tokens are the values with a token in them that have been reported.
	tokens []string
}

// maxShown characters of a value are shown whole.
const maxShown = 200

// quoted shows a text, or the beginning of a long one.
func quoted(text string) string {
	if n := utf8.RuneCountInString(text); n > maxShown {
		return fmt.Sprintf("%.*q… (%d characters)", maxShown/2, text, n)
	}
	return fmt.Sprintf("%q", text)
}

// add reports a field, the value it has and what would be right. A token, in whatever
// field it was pasted, is reported once, and not repeated.
func (p *Problems) add(field string, got any, want string) {
	if text, ok := got.(string); ok {
		got = quoted(text)
		if isToken(text) {
			if slices.Contains(p.tokens, text) {
				return
			}
			got, want = "a token or key (hidden)", "revoke it, store a new one in Secrets Manager, and name that where a secret is asked for; this field "+want
			p.tokens = append(p.tokens, text)
		}
	}
	text := fmt.Sprintf("%s: %s is %v: %s", p.owner, field, got, want)
	p.errs = append(p.errs, errors.New(tokenInsidePattern.ReplaceAllString(text, "(hidden)")))
}

var (
	// plainPattern are the characters of names of secrets and parameters that are plain;
	// randomPattern is more of them in a row than words have.
	plainPattern  = regexp.MustCompile(`^[A-Za-z0-9/_.:-]*$`)
	randomPattern = regexp.MustCompile(`[A-Za-z0-9]{16}`)
)

// addReference is add for a field that says where a secret is. The secret itself may have
// been pasted there, so only what hardly is one is repeated: an ARN, or short words.
func (p *Problems) addReference(field, got, want string) {
	if isToken(got) || strings.HasPrefix(got, "arn:") || plainPattern.MatchString(got) && !randomPattern.MatchString(got) {
		p.add(field, got, want)
		return
	}
	p.add(field, valueType(fmt.Sprintf("a text of %d characters (hidden, because it may be the secret itself)", utf8.RuneCountInString(got))), want)
}

// match reports a value that pattern does not match in full.
func (p *Problems) match(field, got string, pattern *regexp.Regexp, want string) {
	if !pattern.MatchString(got) {
		p.add(field, got, want)
	}
}

// arnPattern matches the ARNs of one service's resources.
func arnPattern(service, resource string) *regexp.Regexp {
	return regexp.MustCompile(`^arn:aws:` + service + `:[a-z0-9-]+:\d{12}:` + resource + `$`)
}

// arn reports what is no ARN that pattern matches, in a region that there is, and
// returns whether it is one.
func (p *Problems) arn(field, got string, pattern *regexp.Regexp, want string) bool {
	if !pattern.MatchString(got) || !isRegion(ArnPart(got, 3)) {
		p.add(field, got, want)
		return false
	}
	return true
}

// noTokens reports tokens wherever they are in props: a value that its field takes would
// go into the template, for everybody to read.
func (p *Problems) noTokens(props any) {
	EachString(reflect.ValueOf(props), "", func(field, text string) {
		if tokenInsidePattern.MatchString(text) {
			p.add(field, text, "is no place for one")
		}
	})
}

// eachString calls f with each text in v, and with the names of the field that it is in.
func EachString(v reflect.Value, field string, f func(field, text string)) {
	switch v.Kind() {
	case reflect.String:
		f(field, v.String())
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			EachString(v.Elem(), field, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if field != "" {
				name = field + "." + name
			}
			EachString(v.Field(i), name, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			EachString(v.Index(i), fmt.Sprintf("%s[%d]", field, i), f)
		}
	case reflect.Map:
		names := v.MapKeys()
		slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, name := range names {
			f(field, name.String())
			EachString(v.MapIndex(name), fmt.Sprintf("%s[%q]", field, name.String()), f)
		}
	}
}

// empty reports a value where another field leaves nothing to say.
func (p *Problems) empty(field, got, why string) {
	if got != "" {
		p.add(field, got, "must be empty: "+why)
	}
}

// sameRegion and sameAccount report an ARN of another region or account than the
// owner's, as far as that is known. What is no account or region has been reported.
func (p *Problems) sameRegion(field, arn string) {
	if got := ArnPart(arn, 3); got != "" && isRegion(p.owner.Region) && got != p.owner.Region {
		p.add(field, arn, fmt.Sprintf("must be in the %s's Region, %s", p.owner.Kind, p.owner.Region))
	}
}

func (p *Problems) sameAccount(field, arn string) {
	if p.isForeign(arn) {
		p.add(field, arn, fmt.Sprintf("must be in the %s's Account, %s", p.owner.Kind, p.owner.Account))
	}
}

// isForeign reports whether an ARN is known to be of another account.
func (p *Problems) isForeign(arn string) bool {
	got := ArnPart(arn, 4)
	return got != "" && accountPattern.MatchString(p.owner.Account) && got != p.owner.Account
}

// arnPart returns one of an ARN's six parts, and "" of what is no ARN: its pattern
// has been reported.
func ArnPart(arn string, i int) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return ""
	}
	return parts[i]
}

// oneOf reports a value that is not in allowed, and returns whether it is.
func oneOf[T ~string](p *Problems, field string, got T, allowed ...T) bool {
	known := slices.Contains(allowed, got)
	if !known {
		p.add(field, string(got), "must be one of "+listOf(allowed))
	}
	return known
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

func TypeOf(value any) valueType {
	if value == nil {
		return "missing"
	}
	return valueType(fmt.Sprintf("a %T", value))
}

func (p *Problems) Join() error { return errors.Join(p.errs...) }

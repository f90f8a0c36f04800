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

// Identity says which blog or service a problem is in, and where that is deployed.
type Identity struct {
	Kind                  string // "blog" or "service"
	Name, Account, Region string
}

func (i Identity) String() string { return i.Kind + " " + quoted(i.Name) }

var accountPattern = regexp.MustCompile(`^\d{12}$`)

// problems collects everything that is wrong with one blog or service, so that its owner reads all of
// it at once.
type problems struct {
	of   Identity // the blog or service
	errs []error
	// tokens are the values with a token that have been reported.
	tokens []string
}

// add reports a field, the value that it has, and what to do. It reports a token only once, in
// whatever field it is, and never shows it.
func (p *problems) add(field string, got any, want string) {
	if text, ok := got.(string); ok {
		got = quoted(text)
		if isToken(text) {
			if slices.Contains(p.tokens, text) {
				return
			}
			got, want = "a token or key (hidden)", "revoke it, store a new one in Secrets Manager, and write the name of that secret into the field for it; this field "+want
			p.tokens = append(p.tokens, text)
		}
	}
	text := fmt.Sprintf("%s: %s is %v: %s", p.of, field, got, want)
	text = passwordPattern.ReplaceAllString(tokenInsidePattern.ReplaceAllString(text, "(hidden)"), "${1}(hidden)@")
	p.errs = append(p.errs, errors.New(text))
}

var (
	// plainPattern matches names of secrets and parameters that consist of plain characters.
	// randomPattern matches more letters and digits in a row than words have.
	plainPattern  = regexp.MustCompile(`^[A-Za-z0-9/_.:-]*$`)
	randomPattern = regexp.MustCompile(`[A-Za-z0-9]{16}`)
)

// addReference is add for a field with the name of a secret. Somebody may have pasted the secret itself
// there, so the message shows only what can hardly be one: an ARN, or short words.
func (p *problems) addReference(field, got, want string) {
	if isToken(got) || strings.HasPrefix(got, "arn:") || plainPattern.MatchString(got) && !randomPattern.MatchString(got) {
		p.add(field, got, want)
		return
	}
	p.add(field, description("a text of "+count(utf8.RuneCountInString(got), "character")+" (hidden, because it may be the secret itself)"), want)
}

// match reports a value that pattern does not match.
func (p *problems) match(field, got string, pattern *regexp.Regexp, want string) {
	if !pattern.MatchString(got) {
		p.add(field, got, want)
	}
}

// arnPattern returns a pattern for the ARNs of one kind of resource.
func arnPattern(service, resource string) *regexp.Regexp {
	return regexp.MustCompile(`^arn:aws:` + service + `:[a-z0-9-]+:\d{12}:` + resource + `$`)
}

// arn reports a value that is not an ARN as pattern describes it, or has an unknown region. It returns
// whether the value is right.
func (p *problems) arn(field, got string, pattern *regexp.Regexp, want string) bool {
	if !pattern.MatchString(got) || !isRegion(arnPart(got, 3)) {
		p.add(field, got, want)
		return false
	}
	return true
}

// noTokens reports tokens in any field of props. Most fields go into the template, which others can
// read.
func (p *problems) noTokens(props any) {
	eachString(reflect.ValueOf(props), "", func(field, text string) {
		if tokenInsidePattern.MatchString(text) {
			p.add(field, text, "must not contain one")
		}
	})
}

// eachString calls f with each text in v, and with the name of its field, such as "Source.Owner".
func eachString(v reflect.Value, field string, f func(field, text string)) {
	switch v.Kind() {
	case reflect.String:
		f(field, v.String())
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			eachString(v.Elem(), field, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if field != "" {
				name = field + "." + name
			}
			eachString(v.Field(i), name, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachString(v.Index(i), fmt.Sprintf("%s[%d]", field, i), f)
		}
	case reflect.Map:
		names := v.MapKeys()
		slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, name := range names {
			f(field, name.String())
			eachString(v.MapIndex(name), fmt.Sprintf("%s[%q]", field, name.String()), f)
		}
	}
}

// empty reports a value in a field that must be empty, and why.
func (p *problems) empty(field, got, why string) {
	if got != "" {
		p.add(field, got, "must be empty: "+why)
	}
}

// sameRegion reports an ARN of another region than that of the blog or service, if that is known. An
// ARN or region that is not valid has been reported before.
func (p *problems) sameRegion(field, arn string) {
	if got := arnPart(arn, 3); got != "" && isRegion(p.of.Region) && got != p.of.Region {
		p.add(field, arn, fmt.Sprintf("must be in the %s's Region, %s", p.of.Kind, p.of.Region))
	}
}

// sameAccount does the same for the account.
func (p *problems) sameAccount(field, arn string) {
	if p.isForeign(arn) {
		p.add(field, arn, fmt.Sprintf("must be in the %s's Account, %s", p.of.Kind, p.of.Account))
	}
}

// isForeign returns whether an ARN is known to be of another account.
func (p *problems) isForeign(arn string) bool {
	got := arnPart(arn, 4)
	return got != "" && accountPattern.MatchString(p.of.Account) && got != p.of.Account
}

// arnPart returns one of the six parts of an ARN, counted from 0, or "" if the text is not an ARN.
func arnPart(arn string, i int) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return ""
	}
	return parts[i]
}

// oneOf reports a value that is not one of the allowed ones, and returns whether it is.
func oneOf[T ~string](p *problems, field string, got T, allowed ...T) bool {
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

// description says what a value is. Messages show it without quotes.
type description string

// typeOf returns what a message says about a value of a wrong type.
func typeOf(value any) description {
	if value == nil {
		return "missing"
	}
	return description(fmt.Sprintf("a %T", value))
}

// join returns all problems as one error, or nil.
func (p *problems) join() error { return errors.Join(p.errs...) }

// listedTwice is what messages say of a value that a list has twice.
const listedTwice = "is listed twice: list it once"

package props

import (
	"fmt"
	"regexp"
	"unicode/utf8"
)

// maxShown is the number of characters up to which a message shows a whole value.
const maxShown = 200

// quoted returns a text in quotes, or the beginning of a long one.
func quoted(text string) string {
	if n := utf8.RuneCountInString(text); n > maxShown {
		return fmt.Sprintf("%.*q… (%d characters)", maxShown/2, text, n)
	}
	return fmt.Sprintf("%q", text)
}

// count returns a number of things, such as "1 zone" and "2 zones".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

var (
	// tokenInsidePattern matches tokens and keys that can be recognised by their form: those of
	// GitHub, GitLab, Slack, Stripe, AWS and npm, JSON web tokens, and private keys.
	// https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns
	tokenInsidePattern = regexp.MustCompile(`(gh[pousr]|github_pat)_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{20,}|\bxox[abeoprs]-[A-Za-z0-9-]{20,}|` +
		`\b[rs]k_(live|test)_[A-Za-z0-9]{16,}|\b(AKIA|ASIA)[A-Z2-7]{16}\b|\bnpm_[A-Za-z0-9]{36}|` +
		`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY-----`)
	// passwordPattern matches the password in a URL, with what is before and after it.
	passwordPattern = regexp.MustCompile(`(://[^/\s:@"]*:)[^/\s@"]+@`)
	// tokenAlonePattern matches two more kinds, which only a field for the name of a secret must not
	// contain: GitHub's tokens until 2021, which look like a commit, and Google's keys, which pages may
	// show.
	tokenAlonePattern = regexp.MustCompile(`^([0-9a-f]{40}|AIza[A-Za-z0-9_-]{35})$`)
)

// isToken reports whether the text in a field for the name of a token is a token.
func isToken(text string) bool {
	return tokenInsidePattern.MatchString(text) || tokenAlonePattern.MatchString(text)
}

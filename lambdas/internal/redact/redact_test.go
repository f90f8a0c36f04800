package redact

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// Credentials like AWS's, with characters that are escaped.
const (
	accessKey = "ASIAQ3EGVDJ5TXW7H2PL"
	secretKey = "k7/Tq+9aZbX3/LwPm+R0vYcJd5sGnHe1UfIo8KtE"
	token     = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDx+7Yk/q3Rw9Zt0PsLm8vNa+2Ub6Ec1HdGfTjKoSiXWAIgB5yMzV4nCq8pQlDrF0tJuOeIhAxKw=="
)

func TestMain(m *testing.M) {
	Learn(accessKey, secretKey, token, "", "123456789012", "local", "emulated")
	m.Run()
}

func inJSON(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(encoded[1 : len(encoded)-1])
}

func inXML(text string) string {
	var out strings.Builder
	if err := xml.EscapeText(&out, []byte(text)); err != nil {
		panic(err)
	}
	return out.String()
}

// each formats every character, for example by %%%02x.
func each(format string) func(string) string {
	return func(text string) string {
		var out strings.Builder
		for i := range len(text) {
			fmt.Fprintf(&out, format, text[i])
		}
		return out.String()
	}
}

// forms are the forms in which a service, a proxy or the SDK may write a credential.
var forms = map[string]func(string) string{
	"as it is": func(text string) string { return text },
	"query":    url.QueryEscape,
	"path":     url.PathEscape,
	"query in lower case": func(text string) string {
		return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(text), "%2B", "%2b"), "%2F", "%2f")
	},
	"query twice":           func(text string) string { return url.QueryEscape(url.QueryEscape(text)) },
	"every character":       each("%%%02x"),
	"JSON":                  inJSON,
	"JSON, slashes escaped": func(text string) string { return strings.ReplaceAll(text, "/", `\/`) },
	"JSON, by number":       each(`\u%04x`),
	"JSON in JSON":          func(text string) string { return inJSON(strings.ReplaceAll(text, "/", `\/`)) },
	"XML":                   inXML,
	"XML, by number":        each("&#x%X;"),
	"XML, by decimal":       each("&#%d;"),
	"query in XML in JSON":  func(text string) string { return inJSON(inXML(url.QueryEscape(text))) },
	"quoted in Go":          func(text string) string { return strings.Trim(fmt.Sprintf("%q", text), `"`) },
	"in two lines":          func(text string) string { return text[:len(text)/2] + "\n" + text[len(text)/2:] },
	"beginning":             func(text string) string { return text[:len(text)*2/3] },
	"end":                   func(text string) string { return text[len(text)/3:] },
	"middle":                func(text string) string { return text[len(text)/4 : len(text)*3/4] },
}

// leaks reports whether a text contains a run of a credential after unescaping.
func leaks(text string) bool {
	l := asItIs(text)
	for range layers {
		for _, credential := range []string{accessKey, secretKey, token} {
			for i := 0; i+run <= len(credential); i++ {
				if strings.Contains(string(l.text), credential[i:i+run]) {
					return true
				}
			}
		}
		l, _ = l.decode()
	}
	return false
}

func TestText(t *testing.T) {
	for name, form := range forms {
		for _, credential := range []string{accessKey, secretKey, token} {
			text := "x-amz-security-token:" + form(credential) + ", host:cloudfront.amazonaws.com"
			got := Text(text)
			if leaks(got) {
				t.Errorf("%s: %q became %q, which shows a credential", name, text, got)
			}
			for _, want := range []string{"x-amz-security-token:" + mark, ", host:cloudfront.amazonaws.com"} {
				if !strings.Contains(got, want) {
					t.Errorf("%s: %q became %q, want %q in it", name, text, got, want)
				}
			}
		}
	}
	if got := Text(accessKey + " and " + secretKey); got != mark+" and "+mark {
		t.Errorf("got %q, want two marks and nothing else", got)
	}
	if got := Text("an emulator's secret is emulated"); got != "an emulator's secret is "+mark {
		t.Errorf("got %q: a credential of 8 characters is one, too", got)
	}
}

// Only the text beside the credential remains of base64.
func TestTextInBase64(t *testing.T) {
	for _, credential := range []string{accessKey, secretKey, token} {
		for _, before := range []string{"", "a", "ab", "X-Amz-Security-Token: "} {
			text := base64.StdEncoding.EncodeToString([]byte(before + credential + " and"))
			got := Text(text)
			if rest := len(got) - len(mark) - base64.StdEncoding.EncodedLen(len(before)); !strings.Contains(got, mark) || rest > 12 {
				t.Errorf("%q became %q, want a mark and what is beside it", text, got)
			}
		}
	}
}

// A line of the log stays JSON, even if a credential begins with the letter of an escape.
func TestTextKeepsJSON(t *testing.T) {
	Learn("nQ7b/wZkX3mR+dLc", "2028wZkX3mR+dLcQ")
	for _, text := range []string{"line\nQ7b/wZkX3mR+dLc", "line\n\\nQ7b/wZkX3mR+dLc", `\nQ7b/wZkX3mR+dLc"`, token + "\n" + secretKey, "line\u2028wZkX3mR+dLcQ"} {
		line, err := json.Marshal(map[string]string{"msg": text})
		if err != nil {
			t.Fatal(err)
		}
		if got := Text(string(line)); !json.Valid([]byte(got)) || !strings.Contains(got, mark) {
			t.Errorf("%s became %s, want JSON", line, got)
		}
	}
}

// Text without credentials stays as it is, byte for byte.
func TestTextLeavesTheRest(t *testing.T) {
	for _, text := range []string{
		"", "short", "a\xffb\x00 – 100 % \\u00zz &amp; &nosuch; &#; &#x; %zz % \\",
		"operation error CloudFront: CreateInvalidation, HTTP 403 AccessDenied: not authorized",
		"arn:aws:iam::123456789012:role/local", // with an account id, which emulators accept as a key
		`{"blog":"my-blog","distribution":"E2QWRUHAPOMQZL","invalidation":"IV08N6NBBCWA94PA65WBCLWN5T"}`,
		accessKey[:run-1] + " " + token[len(token)-run+1:],
	} {
		if got := Text(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestLine(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		limit            int
	}{
		{"one line", "Rate exceeded", "Rate exceeded", 100},
		{"a request after it", "The signature does not match.\n\nThe Canonical String was\n'POST", "The signature does not match", 100},
		{"a colon at the end", "Problems: \n- one", "Problems", 100},
		{"a line end of Windows", "first\r\nsecond", "first", 100},
		{"empty lines before it", "\n \n first \nsecond", "first", 100},
		{"nothing", " \n ", "", 100},
		{"orders to a terminal", "\x1b[2Jgone\x00\u202e\u2028.\x7f", " [2Jgone", 100},
		{"cut", "0123456789", "012…", 4},
		{"redacted before it is cut", "token " + token, "token [red…", 11},
	} {
		if got := Line(tt.text, tt.limit); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		limit            int
	}{
		{"fits", "abc", "abc", 3},
		{"does not", "abcd", "ab…", 3},
		{"kana are one each", "ああああ", "ああ…", 3},
		{"emoji are two each", "🎉🎉", "🎉🎉", 4},
		{"no half emoji", "🎉🎉🎉", "🎉…", 4},
		{"no UTF-8", "\xff\xff\xff\xff", "\xff\xff…", 3},
	} {
		got := Cut(tt.text, tt.limit)
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if n := len(utf16.Encode([]rune(got))); n > tt.limit {
			t.Errorf("%s: %q has %d characters, want at most %d", tt.name, got, n, tt.limit)
		}
	}
}

func TestWriter(t *testing.T) {
	var out strings.Builder
	line := "token=" + token + "\n"
	n, err := Writer(&out).Write([]byte(line))
	if n != len(line) || err != nil || out.String() != "token="+mark+"\n" {
		t.Errorf("wrote %d, %v and %q, want all of it, redacted", n, err, out.String())
	}
}

// FuzzText checks that no run of a credential remains, whatever is around it and wherever
// it is cut, and that other text stays as it is.
func FuzzText(f *testing.F) {
	names := slices.Sorted(maps.Keys(forms))
	for _, name := range names {
		f.Add(name, "%", "&", 3, 90)
	}
	f.Fuzz(func(t *testing.T, name, before, after string, from, to int) {
		form, ok := forms[name]
		if !ok {
			form = forms[names[len(name)%len(names)]]
		}
		written := form(token)
		from = min(max(from, 0), len(written))
		to = min(max(to, from), len(written))
		text := before + written[from:to] + after
		got := Text(text)
		if leaks(got) {
			t.Errorf("%q became %q, which shows a credential", text, got)
		}
		line, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if redacted := Text(string(line)); !json.Valid([]byte(redacted)) || leaks(redacted) {
			t.Errorf("%s became %s, want JSON that shows no credential", line, redacted)
		}
		if !leaks(text) && got != text {
			t.Errorf("%q became %q, although it shows no credential", text, got)
		}
	})
}

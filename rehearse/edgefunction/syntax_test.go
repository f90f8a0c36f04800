package edgefunction

import (
	"strings"
	"testing"
)

// TestNewTakesCommentsForComments checks that the word import in a comment is not an import.
func TestNewTakesCommentsForComments(t *testing.T) {
	code := "/*\nimport nothing from nowhere\n*/\nfunction handler(event) { return event.request; }"
	if _, err := New(code); err != nil {
		t.Error(err)
	}
}

// TestNewRefuses has functions that CloudFront refuses, and syntax that AWS does not list for runtime 2.0.
func TestNewRefuses(t *testing.T) {
	const handler = "function handler(event) { return event.request; }\n"
	tests := []struct{ name, code, want string }{
		{"too long", handler + "//" + strings.Repeat("x", 10*1024), "CloudFront accepts 10240, including comments"},
		{"not JavaScript", "function handler(", "function.js: Line 2:1"},
		{"an import", "import cf from 'cloudfront';\n" + handler, `"import cf from 'cloudfront';": the rehearsal does not support imports`},
		{"a class", handler + "class A {}", "line 2 uses a class"},
		{"for…of", handler + "\nfor (const x of []) {}", "line 3 uses for…of"},
		{"destructuring", "const { a } = {};" + handler, "line 1 uses destructuring"},
		{"destructuring of an array", "const [a] = [];" + handler, "destructuring"},
		{"destructuring of parameters", "function a({ b }) {}" + handler, "destructuring"},
		{"spread", "const a = [...[]];" + handler, "spread"},
		{"spread in a call", "function a() { Math.max(...[]); }" + handler, "spread"},
		{"optional chaining", handler + "const a = {}; a?.b;", "optional chaining"},
		{"??", handler + "const a = null ?? 1;", "??"},
		{"logical assignment", handler + "let a; a ||= 1;", "logical assignment"},
		{"generators", "function* a() { yield 1; }" + handler, "a generator"},
		{"default values", "function a(b = 1) {}" + handler, "a parameter's default value"},
		{"default values of an arrow function", "const a = (b = 1) => b;" + handler, "a parameter's default value"},
		{"tagged templates", "const a = String.raw`x`;" + handler, "a tagged template"},
		{"an async arrow function", "const a = async () => 1;" + handler, "an async arrow function"},
		{"an async function inside", "function a() { async function b() {} }" + handler, "an async function inside of another"},
		{"new.target", "function a() { return new.target; }" + handler, "new.target"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := New(test.code); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want %s", err, test.want)
			}
		})
	}
}

// TestLanguage checks that the features that AWS lists for runtime 2.0 work.
func TestLanguage(t *testing.T) {
	tests := []struct{ expression, want string }{
		{"(() => { let a = 1; const b = 2; var c = 3; return a + b + c; })()", "6"},
		{"((...rest) => rest.length)(1, 2)", "2"},
		{"`a${1 + 1}\nb`", `"a2\nb"`},
		{"2 ** 10", "1024"},
		{"1_000", "1000"},
		{"'a-b'.replaceAll('-', '+')", `"a+b"`},
		{"'x'.padStart(3).trimStart() + 'a'.charCodeAt(0)", `"x97"`},
		{"/(?<year>\\d{4})/.exec('in 2024').groups.year", `"2024"`},
		{"Object.entries({ a: 1 })", `[["a",1]]`},
		{"[3, 1].sort().includes(3)", "true"},
		{"(() => { try { null.x; } catch (e) { return e instanceof TypeError; } finally {} })()", "true"},
		{"(() => { const keys = []; for (const k in { a: 1, b: 2 }) keys.push(k); return keys; })()", `["a","b"]`},
		{"(() => { const start = Date.now(); for (let i = 0; i < 300000; i++) {} return Date.now() - start; })()", "0"},
		{"console.log('x') === undefined", "true"},
		{"typeof Buffer + typeof structuredClone + typeof setInterval", `"undefinedundefinedundefined"`},
		{"encodeURIComponent('日') + decodeURIComponent('%E6%97%A5')", `"%E6%97%A5日"`},
	}
	for _, test := range tests {
		if got := answer(t, test.expression, get("/")); got != test.want {
			t.Errorf("%s: got %s, want %s", test.expression, got, test.want)
		}
	}
}

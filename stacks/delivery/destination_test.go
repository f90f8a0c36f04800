package delivery

import "testing"

// TestOrigin checks where the function looks for what was published. The address of a Site without a domain is a
// token.
func TestOrigin(t *testing.T) {
	for baseURL, want := range map[string]string{
		"https://kzmorita.dev/":       "https://kzmorita.dev",
		"https://kzmorita.dev":        "https://kzmorita.dev",
		"https://${Token[TOKEN.12]}/": "https://${Token[TOKEN.12]}",
		"https://kzmorita.dev/notes/": "",
		"http://kzmorita.dev/":        "",
		"":                            "",
	} {
		if got := (Destination{BaseURL: baseURL}).origin(); got != want {
			t.Errorf("BaseURL %q: got %q, want %q", baseURL, got, want)
		}
	}
}

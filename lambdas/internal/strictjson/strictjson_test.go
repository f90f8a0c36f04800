package strictjson

import (
	"encoding/json"
	"testing"
)

func TestDecode(t *testing.T) {
	type value struct{ Paths []string }
	for text, wantErr := range map[string]bool{
		`{"Paths":["/a"]}`:                 false,
		" {\"Paths\":[\"/a\"]} \n":         false,
		`{"Path":["/a"]}`:                  true,
		`{"Paths":["/a"]}{"Paths":["/b"]}`: true,
		`{"Paths":["/a"]}}`:                true,
		`{"Paths":"/a"}`:                   true,
		`{"Paths":["/a"]`:                  true,
		``:                                 true,
	} {
		var fromText, fromBytes value
		if err := Decode(text, &fromText); (err != nil) != wantErr {
			t.Errorf("%q: error is %v, want one: %v", text, err, wantErr)
		}
		if err := Decode(json.RawMessage(text), &fromBytes); (err != nil) != wantErr {
			t.Errorf("%q as bytes: error is %v, want one: %v", text, err, wantErr)
		}
		if !wantErr && (len(fromText.Paths) != 1 || len(fromBytes.Paths) != 1) {
			t.Errorf("%q: got %v and %v, want one path", text, fromText, fromBytes)
		}
	}
}

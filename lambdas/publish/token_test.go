package main

import (
	"strings"
	"testing"
	"time"
)

func TestTokenKeepsItsState(t *testing.T) {
	want := progress{job: "11111111-abcd-1111-abcd-111111abcdef", started: time.Unix(1_795_000_000, 0), attempt: 1000}
	text := want.encode()
	if len(text) >= 200 {
		t.Errorf("token has %d characters, want less than 200", len(text))
	}
	if got, err := decodeToken(text); err != nil || got != want {
		t.Errorf("decodeToken: %+v, %v, want %+v", got, err, want)
	}
}

// A new version of the function may get a token that the old one wrote.
func TestTokenOfVersion1(t *testing.T) {
	const written = `{"v":1,"job":"11111111-abcd","started":1000000,"attempt":7}`
	want := progress{job: "11111111-abcd", started: time.Unix(1000, 0), attempt: 7}
	if got, err := decodeToken(written); err != nil || got != want {
		t.Errorf("decodeToken: %+v, %v, want %+v", got, err, want)
	}
	if got := want.encode(); got != written {
		t.Errorf("encode: %s, want %s", got, written)
	}
}

func TestTokenRefusals(t *testing.T) {
	for _, text := range []string{
		``, `null`, `{}`, `[]`, `{"v":1}`,
		`{"v":1,"job":"","started":1,"attempt":1}`,
		`{"v":1,"job":"a","started":0,"attempt":1}`,
		`{"v":1,"job":"a","started":1,"attempt":0}`,
		`{"v":1,"job":"a","started":1,"attempt":1}}`,
		`{"v":1,"job":"a","started":1,"attempt":1}{}`,
		`{"v":1,"job":"a","started":1,"attempt":1,"x":0}`,
		`{"v":2,"job":"a","started":1,"attempt":1}`,
	} {
		_, err := decodeToken(text)
		if err == nil {
			t.Errorf("%s is accepted", text)
		} else if len(text) > 10 && strings.Contains(err.Error(), text) {
			t.Errorf("error quotes the token: %v", err)
		}
	}
}

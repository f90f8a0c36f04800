package invalidation

import (
	"strings"
	"testing"
	"time"
)

func TestTokenKeepsItsState(t *testing.T) {
	want := Progress{InvalidationID: "I1", Started: time.Unix(1000, 0), Deadline: time.Unix(2000, 0), Attempt: 7}
	text := EncodeToken("first-job", want)
	if len(text) > 2048 {
		t.Errorf("token has %d characters, CodePipeline accepts 2,048", len(text))
	}
	execution, got, err := DecodeToken(text)
	if err != nil || got != want || execution != "first-job" {
		t.Errorf("DecodeToken: %q %+v %v, want first-job %+v", execution, got, err, want)
	}
}

// A new version of the function may get a token that the old one wrote.
func TestTokenOfVersion1(t *testing.T) {
	const written = `{"v":1,"job":"11111111-abcd","invalidation":"I1","started":1000000,"deadline":2000000,"attempt":7}`
	execution, progress, err := DecodeToken(written)
	want := Progress{InvalidationID: "I1", Started: time.Unix(1000, 0), Deadline: time.Unix(2000, 0), Attempt: 7}
	if err != nil || execution != "11111111-abcd" || progress != want {
		t.Errorf("DecodeToken: %q %+v %v, want 11111111-abcd %+v", execution, progress, err, want)
	}
	if got := EncodeToken(execution, progress); got != written {
		t.Errorf("EncodeToken: %s, want %s", got, written)
	}
}

func TestTokenRefusals(t *testing.T) {
	for _, text := range []string{
		``, `null`, `{}`, `[]`, `{"v":1}`,
		`{"v":1,"job":"","started":1,"deadline":2,"attempt":1}`,
		`{"v":1,"job":"a","started":0,"deadline":2,"attempt":1}`,
		`{"v":1,"job":"a","started":2,"deadline":2,"attempt":1}`,
		`{"v":1,"job":"a","started":1,"deadline":2,"attempt":0}`,
		`{"v":1,"job":"a","started":1,"deadline":2,"attempt":1}}`,
		`{"v":1,"job":"a","started":1,"deadline":2,"attempt":1}{}`,
		`{"v":1,"job":"a","started":1,"deadline":2,"attempt":1,"x":0}`,
		`{"v":2,"job":"a","started":1,"deadline":2,"attempt":1}`,
	} {
		_, _, err := DecodeToken(text)
		if err == nil {
			t.Errorf("%s is accepted", text)
		} else if len(text) > 10 && strings.Contains(err.Error(), text) {
			t.Errorf("error quotes the token: %v", err)
		}
	}
}

// FuzzToken checks that a token is refused, or means the same when it is written again.
func FuzzToken(f *testing.F) {
	f.Add(EncodeToken("job", Progress{InvalidationID: "I1", Started: time.Unix(1, 0), Deadline: time.Unix(2, 0), Attempt: 1}))
	f.Add(`{"v":1}`)
	f.Add(`{"v":2,"job":"a","started":1,"deadline":2,"attempt":1}`)
	f.Add(`null`)
	f.Add(`{"v":1,"job":"a","started":1,"deadline":2,"attempt":1}{}`)
	f.Fuzz(func(t *testing.T, text string) {
		execution, progress, err := DecodeToken(text)
		if err != nil {
			return
		}
		again, same, err := DecodeToken(EncodeToken(execution, progress))
		if err != nil || again != execution || same != progress {
			t.Errorf("%q: became %q %+v %v", text, again, same, err)
		}
	})
}

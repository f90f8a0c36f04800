package pipeline

import (
	"maps"
	"strings"
	"testing"
)

func TestParseFaultsRefusesUnknownFaults(t *testing.T) {
	got, err := ParseFaults(" cloudfront=throttle, lambda=crash-once,")
	if want := (Faults{"cloudfront": "throttle", "lambda": "crash-once"}); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if none, err := ParseFaults(""); err != nil || len(none) > 0 {
		t.Errorf("got %v, %v for no faults", none, err)
	}
	_, err = ParseFaults("cloudfront=trottle,s3,lambda=crash,lambda=timeout")
	if err == nil {
		t.Fatal("they are known")
	}
	for _, part := range []string{`"cloudfront=trottle"`, `"s3"`, "exclude each other", "cloudfront=throttle", "codepipeline=error", "lambda=timeout", "build=fail"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want it to have %s", err, part)
		}
	}
}

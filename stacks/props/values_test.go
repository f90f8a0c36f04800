package props_test

import (
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
)

// values has good and bad values of a field. Beside each bad value stands a part of the one error.
type values[T any] struct {
	field string
	set   func(*T, string)
	good  []string
	bad   map[string]string
}

func TestValues(t *testing.T) {
	checkValues(t, fixtures.Full, blogValues)
	checkValues(t, fixtures.Complete, siteValues)
	checkValues(t, fixtures.Checkout, existingValues)
	checkValues(t, fixtures.Store, serviceValues)
}

// checkValues sets the fields of base, one at a time.
func checkValues[T interface{ Validate() error }](t *testing.T, base T, all []values[T]) {
	for _, v := range all {
		t.Run(v.field, func(t *testing.T) {
			for _, good := range v.good {
				given := base
				v.set(&given, good)
				if err := given.Validate(); err != nil {
					t.Errorf("%q is refused: %v", good, err)
				}
			}
			for bad, want := range v.bad {
				given := base
				v.set(&given, bad)
				err := given.Validate()
				if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), v.field) {
					t.Errorf("%q: %v, want %s in it, and %q", bad, err, v.field, want)
				} else if strings.Contains(err.Error(), "\n") {
					t.Errorf("%q makes more than one message: %v", bad, err)
				}
			}
		})
	}
}

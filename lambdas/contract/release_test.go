package contract_test

import (
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
)

func TestPrevious(t *testing.T) {
	release := func(id string, kept bool, restores string) contract.Release {
		return contract.Release{ID: id, Kept: kept, Restores: restores}
	}
	for _, tt := range []struct {
		name    string
		list    contract.Releases // the newest first
		current int               // -1 for none
		want    string
	}{
		{"none", nil, -1, ""},
		{"the only one", contract.Releases{release("1", true, "")}, 0, ""},
		{"the one before", contract.Releases{release("3", true, ""), release("2", true, ""), release("1", true, "")}, 0, "2"},
		{"one that is kept", contract.Releases{release("3", true, ""), release("2", false, ""), release("1", true, "")}, 0, "1"},
		{"none is kept", contract.Releases{release("3", true, ""), release("2", false, "")}, 0, ""},
		{"one further back", contract.Releases{release("4", true, "2"), release("3", true, ""), release("2", true, ""), release("1", true, "")}, 0, "1"},
		{"its origin instead of itself", contract.Releases{release("4", true, ""), release("3", true, "1"), release("2", true, ""), release("1", true, "")}, 0, "1"},
		{"itself, if its origin is not kept", contract.Releases{release("4", true, ""), release("3", true, "1"), release("2", true, ""), release("1", false, "")}, 0, "3"},
		{"an origin of long ago", contract.Releases{release("4", true, "0"), release("3", true, ""), release("2", true, "")}, 0, ""},
		{"the bucket has none of them", contract.Releases{release("2", true, ""), release("1", true, "")}, -1, "2"},
	} {
		if tt.current >= 0 {
			tt.list[tt.current].Current = true
		}
		got := ""
		if previous := tt.list.Previous(); previous != nil {
			got = previous.ID
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

package pipeline

import (
	"maps"
	"strings"
	"testing"
)

func TestVariablesAreReplacedByTheirValues(t *testing.T) {
	v := variables{"codepipeline": {"PipelineExecutionId": "e-1"}, "variables": {"Env": "prod"}, "Source": {"CommitId": "abc"}}
	got, err := v.substitute(&Action{Configuration: map[string]string{
		"A": "#{Source.CommitId}/#{variables.Env}-#{codepipeline.PipelineExecutionId}", "B": "no #{variable} here, nor #{there", "C": "plain",
	}})
	if want := map[string]string{"A": "abc/prod-e-1", "B": "no #{variable} here, nor #{there", "C": "plain"}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, text := range []string{"#{Source.Nothing}", "#{Nobody.CommitId}", "#{codepipeline.Other}"} {
		if _, err := v.substitute(&Action{Configuration: map[string]string{"A": text}}); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v, want an error that names it", text, err)
		}
	}
}

func TestSetGivesVariablesOtherValues(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       map[string]string
		err        string
	}{
		{"nothing", "", map[string]string{"A": "1", "B": "2"}, ""},
		{"both", " A=x=y, B=,", map[string]string{"A": "x=y", "B": ""}, ""},
		{"one that is not there", "C=1", nil, `blog has no variable "C"; it has A, B`},
		{"no value", "A", nil, `variable "A" has no value: write A=value`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan := &Plan{Name: "blog", Pipeline: &Pipeline{variables: map[string]string{"A": "1", "B": "2"}}}
			err := plan.Set(tt.text)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("got %v, want %s", err, tt.err)
				}
				return
			}
			if got := plan.Pipeline.variables; err != nil || !maps.Equal(got, tt.want) {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
	if err := (&Plan{Name: "shop", Deployment: &Deployment{}}).Set("A=1"); err == nil || err.Error() != `shop has no variable "A"; it has none` {
		t.Errorf("for a service: %v", err)
	}
}

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

package pipeline

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
)

// hookOutputs has the outputs that tell an owner's pipeline to call the hook of a service that exists already.
var hookOutputs = map[string]map[string]any{
	"api": {contract.OutputAppSpec: map[string]any{
		"Value": fmt.Sprintf("version: 0.0\nHooks:\n  - AfterAllowTraffic: %q\n", contract.HookFunctionName("api")),
	}},
	"search": {contract.OutputLifecycleHooks: map[string]any{"Value": map[string]any{
		"Fn::Sub": `[{"hookTargetArn":"${HookB39E2767.Arn}","roleArn":"${HookInvoker7CCC2A4A.Arn}","lifecycleStages":["PRODUCTION_TRAFFIC_SHIFT","POST_PRODUCTION_TRAFFIC_SHIFT"]}]`,
	}}},
}

// hookOnly edits the golden template of a service into that of the hook of the same service, which exists already: the
// other resources are the owner's.
func hookOnly(t *testing.T, service string) edit {
	t.Helper()
	group := regexp.MustCompile(`\{\s*"Ref": "ApplicationD9CED6CE"\s*\},\s*"/",\s*\{\s*"Ref": "Deployments7DB91225"\s*\}`)
	return func(text string) string {
		var template struct {
			Resources map[string]json.RawMessage
			Outputs   map[string]any
		}
		if err := json.Unmarshal([]byte(text), &template); err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(template.Resources, func(id string, _ json.RawMessage) bool { return !strings.HasPrefix(id, "Hook") })
		template.Outputs = hookOutputs[service]
		content, err := json.MarshalIndent(template, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return group.ReplaceAllString(string(content), `"`+service+`/blue-green"`)
	}
}

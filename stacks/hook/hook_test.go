package hook

import (
	"fmt"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/props"
)

// CloudFormation's console shows at most 1,024 characters of an output's value in one piece.
func TestLifecycleHooksOfTheLongestNamesFit(t *testing.T) {
	// A role's generated name has at most 64 characters, a region at most 14.
	function := "arn:aws:lambda:ap-southeast-1:123456789012:function:" + contract.HookFunctionName(strings.Repeat("x", 49))
	role := "arn:aws:iam::123456789012:role/" + strings.Repeat("r", 64)
	if text := lifecycleHooks(function, role, props.ControllerECS.Events()); len(text) > 1024 {
		t.Errorf("the hooks have %d characters", len(text))
	}
}

func TestLifecycleHooksOfCodeDeployAreRefused(t *testing.T) {
	defer func() {
		if cause := recover(); cause == nil || !strings.Contains(fmt.Sprint(cause), "finds its hooks in the AppSpec") {
			t.Errorf("it panics with %v, want the reason", cause)
		}
	}()
	_ = (&Hook{}).LifecycleHooks()
}

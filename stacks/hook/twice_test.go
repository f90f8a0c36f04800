package hook_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/hook"
	"blog-deploy-pipeline/stacks/props"
)

// The test that cdk init writes closes the jsii kernel at its end, and the next one begins with another. What
// the constructs share in an app must not outlive it.
func TestHookAfterTheKernelWasClosed(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir) // An app runs where dist/ is.
	folder := filepath.Join("dist", "deployhook")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "bootstrap"), []byte("stands for the binary"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CDK_VALIDATION", "false")
	for range 2 {
		func() {
			defer jsii.Close()
			stack := awscdk.NewStack(awscdk.NewApp(nil), jsii.String("Shop"), nil)
			made := hook.NewHook(stack, "Hook", hook.Props{
				Hook:        props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
				ServiceName: "shop",
				Controller:  props.ControllerECS,
			})
			if text := made.LifecycleHooks(); text == "" {
				t.Error("the hook has no text for ECS")
			}
		}()
	}
}

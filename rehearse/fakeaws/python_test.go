package fakeaws_test

import (
	"maps"
	"os"
	"slices"
	"testing"
)

// pythonEnv is the name of the variable with the path of a Python that has boto3 and the AWS CLI. `make lint` sets it;
// `make test` does not need them.
const pythonEnv = "AWS_PYTHON"

func python(t *testing.T) string {
	t.Helper()
	path := os.Getenv(pythonEnv)
	if path == "" {
		t.Skipf("%s is not set to the path of a Python with boto3; make lint sets it", pythonEnv)
	}
	return path
}

// apart returns all environment variables of a Python program, so that it does not use this machine's AWS accounts and
// proxies. Without NO_PROXY Python asks macOS for its proxy.
func apart(t *testing.T, more map[string]string) []string {
	t.Helper()
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NO_PROXY=127.0.0.1", "AWS_EC2_METADATA_DISABLED=true"}
	for _, name := range slices.Sorted(maps.Keys(more)) {
		env = append(env, name+"="+more[name])
	}
	return env
}

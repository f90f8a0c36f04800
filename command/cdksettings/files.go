// Package cdksettings reads the settings of the CDK CLI as the CLI does: from cdk.json, cdk.context.json,
// ~/.cdk.json and the environment.
package cdksettings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
)

// Lookup returns a variable of the environment, as [os.LookupEnv] does.
type Lookup func(name string) (value string, isSet bool)

// projectFile is the file of the project's own settings.
const projectFile = "cdk.json"

// userFile returns the path of the user's own settings, ~/.cdk.json.
func userFile(env Lookup) string {
	home, isSet := env("HOME")
	if me, err := user.Current(); !isSet && err == nil {
		home = me.HomeDir
	}
	return filepath.Join(home, ".cdk.json")
}

// readFile returns the settings in a file, or nil if there is no such file.
func readFile(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read the settings of the CDK CLI: %w", err)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // Some editors begin a file with this mark of UTF-8.
	var decoded any
	if err := json.Unmarshal(text, &decoded); err != nil {
		line := 1
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			line += bytes.Count(text[:syntax.Offset], []byte("\n"))
		}
		return nil, fmt.Errorf("%s is not JSON, in line %d: %w: correct or remove the file, because the CDK CLI reads it, too", path, line, err)
	}
	settings := object(decoded)
	if settings == nil {
		return nil, fmt.Errorf(`%s is %s: must be an object, such as {"context": {}}`, path, asJSON(decoded))
	}
	if context := settings["context"]; context != nil && object(context) == nil {
		return nil, fmt.Errorf(`%s: context is %s: must be an object, such as {"%s": "team"}`, path, asJSON(context), qualifierKey)
	}
	return settings, nil
}

// object returns v if it is a JSON object, and otherwise nil.
func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

func asJSON(v any) string {
	text, _ := json.Marshal(v) // It comes from JSON.
	return string(text)
}

// merge copies the sources into an object. A later source overrides an earlier one, except that two objects
// under one key are merged, as the CLI does.
func merge(into map[string]any, sources ...map[string]any) {
	for _, source := range sources {
		for key, value := range source {
			if inner := object(value); inner != nil {
				both := map[string]any{}
				merge(both, object(into[key]), inner)
				value = both
			}
			into[key] = value
		}
	}
}

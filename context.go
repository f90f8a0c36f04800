package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// cdkJSON travels inside the app, so that it makes the same templates whether the
// CDK CLI starts it or, a second faster, `make synth` does.
//
//go:embed cdk.json
var cdkJSON []byte

// cdkContext returns the feature flags of cdk.json, and what the CLI adds to them.
// What the CLI passes along when it starts the app takes precedence.
func cdkContext() (map[string]any, error) {
	var settings struct {
		Context map[string]any `json:"context"`
	}
	if err := json.Unmarshal(cdkJSON, &settings); err != nil {
		return nil, fmt.Errorf("decode cdk.json: %w", err)
	}
	for _, key := range []string{"aws:cdk:enable-path-metadata", "aws:cdk:enable-asset-metadata", "aws:cdk:version-reporting"} {
		settings.Context[key] = true
	}
	return settings.Context, nil
}

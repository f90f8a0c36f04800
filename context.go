package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
)

// lookup tells the variables of the environment, as [os.LookupEnv] does.
type lookup func(name string) (value string, isSet bool)

// cdkContext returns the CDK's context: feature flags, and what a platform sets. When the CDK CLI
// starts the app, it hands the context over. When make starts the app, which saves a second, the
// app reads what the CLI reads, so that both make the same templates. In this order, where each
// prevails over those before it:
//
//   - ~/.cdk.json: its "context", and the settings below
//   - cdk.context.json
//   - cdk.json: its "context", and the settings below
//   - the environment, where the CLI takes CDK_CONTEXT=key=value for --context key=value
//
// https://docs.aws.amazon.com/cdk/v2/guide/context.html
func cdkContext(from lookup) (map[string]any, error) {
	if handed, _ := from("CDK_CONTEXT_JSON"); handed != "" {
		var context map[string]any
		if err := json.Unmarshal([]byte(handed), &context); err != nil {
			return nil, fmt.Errorf("decode CDK_CONTEXT_JSON, which only the CDK CLI sets: %w", err)
		}
		return context, checkContext(context)
	}
	home, err := readSettings(userSettings(from))
	if err != nil {
		return nil, err
	}
	found, err := readSettings("cdk.context.json")
	if err != nil {
		return nil, err
	}
	project, err := readSettings("cdk.json")
	if err != nil {
		return nil, err
	}
	if project == nil {
		return nil, errors.New("there is no cdk.json here: the app needs its feature flags, and runs in the project's folder")
	}

	context, settings := map[string]any{}, map[string]any{}
	merge(context, inObject(home["context"]), found, inObject(project["context"]))
	merge(settings, home, project)
	assignment, _ := from("CDK_CONTEXT")
	if key, value, isOne := strings.Cut(assignment, "="); isOne {
		context[key] = value
	}
	for _, s := range []struct{ name, variable, on, off string }{
		{"pathMetadata", "CDK_PATH_METADATA", "aws:cdk:enable-path-metadata", ""},
		{"assetMetadata", "CDK_ASSET_METADATA", "aws:cdk:enable-asset-metadata", ""},
		{"versionReporting", "CDK_VERSION_REPORTING", "aws:cdk:version-reporting", "aws:cdk:disable-version-reporting"},
		{"staging", "CDK_STAGING", "", "aws:cdk:disable-asset-staging"},
	} {
		isOn := settings[s.name] != false
		if text, isSet := from(s.variable); isSet {
			isOn = text == "true"
		}
		key := s.off
		if isOn {
			key = s.on
		}
		if key != "" {
			context[key] = true
		}
	}
	return context, checkContext(context)
}

// userSettings is where the CLI, in Node.js, has ~/.cdk.json.
func userSettings(from lookup) string {
	home, isSet := from("HOME")
	if me, err := user.Current(); !isSet && err == nil {
		home = me.HomeDir
	}
	return filepath.Join(home, "/.cdk.json")
}

// readSettings returns what a file of the CDK CLI's says, or nil if there is no such file.
func readSettings(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("the CDK's settings: %w", err)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors' mark of UTF-8
	var decoded any
	if err := json.Unmarshal(text, &decoded); err != nil {
		line := 1
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			line += bytes.Count(text[:syntax.Offset], []byte("\n"))
		}
		return nil, fmt.Errorf("%s is no JSON, in line %d: %w: correct or remove it, since the CDK CLI reads it, too", path, line, err)
	}
	settings := inObject(decoded)
	if settings == nil {
		return nil, fmt.Errorf(`%s is %s: must be an object, such as {"context": {}}`, path, asJSON(decoded))
	}
	if context := settings["context"]; context != nil && inObject(context) == nil {
		return nil, fmt.Errorf(`%s: context is %s: must be an object, such as {"%s": "team"}`, path, asJSON(context), qualifierKey)
	}
	return settings, nil
}

func inObject(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

func asJSON(v any) string {
	text, _ := json.Marshal(v) // It was JSON.
	return string(text)
}

// merge adds what the later objects have, and makes one object of two, as the CLI does.
func merge(into map[string]any, all ...map[string]any) {
	for _, each := range all {
		for key, value := range each {
			if inner := inObject(value); inner != nil {
				both := map[string]any{}
				merge(both, inObject(into[key]), inner)
				value = both
			}
			into[key] = value
		}
	}
}

const (
	qualifierKey = "@aws-cdk/core:bootstrapQualifier"
	boundaryKey  = "@aws-cdk/core:permissionsBoundary"
)

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
const policyPattern = `(?:[!-.0-9;-~]+/)*[\w+=,.@-]{1,128}$`

var (
	// The bootstrap template takes capitals and underscores, too, but not in the name of its bucket.
	qualifierPattern  = regexp.MustCompile(`^[a-z0-9-]{1,10}$`)
	policyNamePattern = regexp.MustCompile(`^` + policyPattern)
	policyARNPattern  = regexp.MustCompile(`^arn:aws:iam::(?:\d{12}|aws):policy/` + policyPattern)
	// What the CDK replaces in both.
	placeholders = strings.NewReplacer("${Qualifier}", "q", "${AWS::Partition}", "aws", "${AWS::AccountId}", "123456789012", "${AWS::Region}", "us-east-1")
)

// checkContext returns what is wrong with a platform's settings. The CDK takes a boundary that it
// does not understand for none, and makes roles without it.
func checkContext(context map[string]any) error {
	var errs []error
	must := func(key, what string) {
		errs = append(errs, fmt.Errorf("context %s is %s: must be %s; it comes from cdk.json, cdk.context.json, ~/.cdk.json or --context", key, asJSON(context[key]), what))
	}
	if value := context[qualifierKey]; value != nil {
		if qualifier, _ := value.(string); !qualifierPattern.MatchString(qualifier) {
			must(qualifierKey, "a text of 1 to 10 lower-case letters, digits and hyphens, since it is in the name of the bootstrap's bucket")
		}
	}
	if value := context[boundaryKey]; value != nil {
		boundary := inObject(value)
		name, _ := boundary["name"].(string)
		arn, _ := boundary["arn"].(string)
		if len(boundary) != 1 || !policyNamePattern.MatchString(placeholders.Replace(name)) && !policyARNPattern.MatchString(placeholders.Replace(arn)) {
			must(boundaryKey, `{"name": "…"}, the name of a policy in the stacks' account, with its path if it has one, or {"arn": "arn:aws:iam::…:policy/…"}`)
		}
	}
	return errors.Join(errs...)
}

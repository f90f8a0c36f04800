package cdksettings

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
)

// Context returns the CDK's context: feature flags, and what an organisation sets for all its apps. When the
// CDK CLI starts the app, it hands the context over. When make starts the app, which saves a second, the app
// reads what the CLI reads, so that both write the same templates. A later source in this list overrides an
// earlier one:
//
//   - ~/.cdk.json: its "context", and the settings below
//   - cdk.context.json
//   - cdk.json: its "context", and the settings below
//   - the environment variable CDK_CONTEXT=key=value, which the CLI accepts for --context key=value
//
// https://docs.aws.amazon.com/cdk/v2/guide/context.html
func Context(env Lookup) (map[string]any, error) {
	context, err := readContext(env)
	if err != nil {
		return nil, err
	}
	return context, checkContext(context)
}

func readContext(env Lookup) (map[string]any, error) {
	context := map[string]any{}
	if fromCLI, _ := env("CDK_CONTEXT_JSON"); fromCLI != "" {
		if err := json.Unmarshal([]byte(fromCLI), &context); err != nil {
			return nil, fmt.Errorf("decode CDK_CONTEXT_JSON, which only the CDK CLI sets: %w", err)
		}
		return context, nil
	}
	user, err := readFile(userFile(env))
	if err != nil {
		return nil, err
	}
	lookups, err := readFile("cdk.context.json")
	if err != nil {
		return nil, err
	}
	project, err := readFile(projectFile)
	if err != nil {
		return nil, err
	}
	if project == nil {
		return nil, errors.New("there is no cdk.json in this folder: the app needs its feature flags; run it in the project's folder")
	}

	merge(context, object(user["context"]), lookups, object(project["context"]))
	assignment, _ := env("CDK_CONTEXT")
	if key, value, found := strings.Cut(assignment, "="); found {
		context[key] = value
	}
	settings := map[string]any{}
	merge(settings, user, project)
	maps.Copy(context, settingsContext(settings, env))
	return context, nil
}

// settingsContext returns the context keys that the CLI sets because of other settings. Each setting is on
// unless a file or the environment turns it off.
func settingsContext(settings map[string]any, env Lookup) map[string]any {
	context := map[string]any{}
	for _, s := range []struct{ setting, variable, keyIfOn, keyIfOff string }{
		{"pathMetadata", "CDK_PATH_METADATA", "aws:cdk:enable-path-metadata", ""},
		{"assetMetadata", "CDK_ASSET_METADATA", "aws:cdk:enable-asset-metadata", ""},
		{"versionReporting", "CDK_VERSION_REPORTING", "aws:cdk:version-reporting", "aws:cdk:disable-version-reporting"},
		{"staging", "CDK_STAGING", "", "aws:cdk:disable-asset-staging"},
	} {
		isOn := settings[s.setting] != false
		if text, isSet := env(s.variable); isSet {
			isOn = text == "true"
		}
		key := s.keyIfOff
		if isOn {
			key = s.keyIfOn
		}
		if key != "" {
			context[key] = true
		}
	}
	return context
}

const (
	qualifierKey = "@aws-cdk/core:bootstrapQualifier"
	boundaryKey  = "@aws-cdk/core:permissionsBoundary"
)

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
const policyPattern = `(?:[!-.0-9;-~]+/)*[\w+=,.@-]{1,128}$`

var (
	// The bootstrap template also accepts capitals and underscores, but the name of its bucket, which has the
	// qualifier in it, must not have them.
	qualifierPattern  = regexp.MustCompile(`^[a-z0-9-]{1,10}$`)
	policyNamePattern = regexp.MustCompile(`^` + policyPattern)
	policyARNPattern  = regexp.MustCompile(`^arn:aws:iam::(?:\d{12}|aws):policy/` + policyPattern)
	// fillPlaceholders fills in what the CDK replaces in a boundary's name and ARN.
	fillPlaceholders = strings.NewReplacer("${Qualifier}", "q", "${AWS::Partition}", "aws", "${AWS::AccountId}", "123456789012", "${AWS::Region}", "us-east-1")
)

// checkContext returns what is wrong with the qualifier and the permissions boundary. The CDK ignores a
// boundary that it does not understand, and makes roles without one.
func checkContext(context map[string]any) error {
	var errs []error
	must := func(key, what string) {
		errs = append(errs, fmt.Errorf("context %s is %s: must be %s; it comes from cdk.json, cdk.context.json, ~/.cdk.json or --context", key, asJSON(context[key]), what))
	}
	if value := context[qualifierKey]; value != nil {
		if qualifier, _ := value.(string); !qualifierPattern.MatchString(qualifier) {
			must(qualifierKey, "a text of 1 to 10 lower-case letters, digits and hyphens, because the name of the bootstrap bucket contains it")
		}
	}
	if value := context[boundaryKey]; value != nil {
		boundary := object(value)
		name, _ := boundary["name"].(string)
		arn, _ := boundary["arn"].(string)
		if len(boundary) != 1 || !policyNamePattern.MatchString(fillPlaceholders.Replace(name)) && !policyARNPattern.MatchString(fillPlaceholders.Replace(arn)) {
			must(boundaryKey, `{"name": "…"}, the name of a policy in the stacks' account, with its path if it has one, or {"arn": "arn:aws:iam::…:policy/…"}`)
		}
	}
	return errors.Join(errs...)
}

package cdksettings

// StackTags returns where the settings give tags to whole stacks, such as `"tags" in cdk.json`, or "" if they
// do not. The CLI does not tell the app about those of its option --tags.
//
// https://docs.aws.amazon.com/cdk/v2/guide/cli.html
func StackTags(env Lookup) (where string, err error) {
	if tags, _ := env("CDK_TAGS"); tags != "" {
		return "CDK_TAGS, in the environment,", nil
	}
	for _, path := range []string{projectFile, userFile(env)} {
		settings, err := readFile(path)
		if err != nil {
			return "", err
		}
		tags, isSet := settings["tags"]
		if !isSet {
			continue
		}
		// The first file that has tags overrides the other, even with an empty list.
		if list, isList := tags.([]any); tags == nil || isList && len(list) == 0 {
			return "", nil
		}
		return `"tags" in ` + path, nil
	}
	return "", nil
}

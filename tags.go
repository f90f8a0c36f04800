package main

import "blog-deploy-pipeline/stacks"

// refuseStackTags returns an error if the CDK CLI would give tags to the whole stack of a service
// that must not get them. Those behind --tags, on its command line, it tells nobody of.
//
// https://docs.aws.amazon.com/cdk/v2/guide/cli.html
func refuseStackTags(from lookup, services []stacks.Service) error {
	if tags, _ := from("CDK_TAGS"); tags != "" {
		return stacks.RefuseStackTags(services, "CDK_TAGS, in the environment,")
	}
	for _, path := range []string{"cdk.json", userSettings(from)} {
		settings, err := readSettings(path)
		if err != nil {
			return err
		}
		if tags, isList := settings["tags"].([]any); len(tags) > 0 || !isList && settings["tags"] != nil {
			return stacks.RefuseStackTags(services, `"tags" in `+path)
		}
	}
	return nil
}

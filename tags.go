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
		if tags, isSet := settings["tags"]; isSet { // The first of them prevails, an empty list, too.
			if list, isList := tags.([]any); tags == nil || isList && len(list) == 0 {
				return nil
			}
			return stacks.RefuseStackTags(services, `"tags" in `+path)
		}
	}
	return nil
}

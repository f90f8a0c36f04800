package props_test

import (
	"testing"

	"blog-deploy-pipeline/stacks/props"
)

// Limits of names that contain a region are computed with the longest and the shortest name of a region.
func TestLengthsOfRegions(t *testing.T) {
	for _, region := range props.Regions {
		if len(region) > len("ap-northeast-1") || len(region) < len(props.CloudFrontRegion) {
			t.Errorf("the name of %s is longer or shorter than the rules assume", region)
		}
	}
}

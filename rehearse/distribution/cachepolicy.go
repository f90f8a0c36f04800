package distribution

import (
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/edge"
)

// managedCachePolicy is a cache policy that CloudFront provides.
type managedCachePolicy struct {
	name, id string
	policy   edge.CachePolicy
}

// uncached keeps nothing in the cache. The zero CachePolicy would stand for the default policy.
var uncached = edge.CachePolicy{MaxTTL: -1}

// managedCachePolicies lists those whose cache key is only the path.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
var managedCachePolicies = []managedCachePolicy{
	{"CachingOptimized", "658327ea-f89d-4fab-a63d-7e88639e58f6", edge.CachingOptimized},
	{"CachingOptimizedForUncompressedObjects", "b2884449-e4de-46a7-ac36-70bc7f1ddd6d", edge.CachePolicy{MinTTL: time.Second, DefaultTTL: 24 * time.Hour, MaxTTL: 365 * 24 * time.Hour}},
	{"CachingDisabled", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", uncached},
}

// cachePolicy returns the cache policy that CloudFront provides under an id.
func (d *inspection) cachePolicy(what, id string) edge.CachePolicy {
	var managed []string
	for _, m := range managedCachePolicies {
		if m.id == id {
			return m.policy
		}
		managed = append(managed, m.name+" ("+m.id+")")
	}
	d.Problem("%s: CachePolicyId %q is none of CloudFront's cache policies that can be rehearsed: %s", what, id, strings.Join(managed, ", "))
	return edge.CachePolicy{}
}

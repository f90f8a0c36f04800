package distribution

import (
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
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

// cachePolicy reads the cache policy of an id.
func (d *inspection) cachePolicy(what, id string) edge.CachePolicy {
	var managed []string
	for _, m := range managedCachePolicies {
		if m.id == id {
			return m.policy
		}
		managed = append(managed, m.name+" ("+m.id+")")
	}
	stack, resource := d.made("AWS::CloudFront::CachePolicy", "Id", id)
	if stack == nil {
		d.Problem("%s: CachePolicyId %q is no cache policy of the assembly, and none of CloudFront's that can be rehearsed: %s", what, id, strings.Join(managed, ", "))
		return edge.CachePolicy{}
	}
	what = "the cache policy " + resource.ID
	config := d.config(stack, resource, "CachePolicyConfig")
	d.only(what, config, "", "Comment", "Name", "MinTTL", "DefaultTTL", "MaxTTL", "ParametersInCacheKeyAndForwardedToOrigin")
	key := assembly.Object(config["ParametersInCacheKeyAndForwardedToOrigin"])
	for config, behavior := range map[string]string{"CookiesConfig": "CookieBehavior", "HeadersConfig": "HeaderBehavior", "QueryStringsConfig": "QueryStringBehavior"} {
		if got := assembly.Text(assembly.Object(key[config])[behavior]); got != "none" {
			d.Problem("%s: %s is %q: only none can be rehearsed, where the cache key is the path", what, behavior, got)
		}
	}
	policy := edge.CachePolicy{
		MinTTL: d.seconds(what+": MinTTL", config["MinTTL"]), DefaultTTL: d.seconds(what+": DefaultTTL", config["DefaultTTL"]), MaxTTL: d.seconds(what+": MaxTTL", config["MaxTTL"]),
	}
	if policy == (edge.CachePolicy{}) {
		return uncached // CloudFront then ignores Accept-Encoding, too.
	}
	policy.Gzip = assembly.Text(key["EnableAcceptEncodingGzip"]) == "true"
	return policy
}

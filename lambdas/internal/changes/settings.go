package changes

import (
	"strings"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/environment"
)

// Settings are the owner's choices. They are the same for every call of one function.
type Settings struct {
	// KeyPrefix is the blog's folder in its bucket, without a slash at its start or end.
	// Default: the bucket's root.
	KeyPrefix string
	// Addresses say at which URLs the distribution serves the blog.
	Addresses contract.Addresses
	// MaxPaths limits the items of an invalidation.
	MaxPaths int
}

// ReadSettings reads the settings from the function's environment.
func ReadSettings(env *environment.Reader) Settings {
	settings := Settings{
		KeyPrefix: env.Folder(contract.EnvKeyPrefix),
		MaxPaths:  env.Number(contract.EnvMaxPaths, 30, 1, 3000),
	}
	example := contract.Addresses{BasePath: "/blog/", Bare: true}
	var ok bool
	settings.Addresses, ok = environment.JSON(env, contract.EnvAddresses, example)
	if base := settings.Addresses.BasePath; ok && base != "" && !strings.HasPrefix(base, "/") {
		env.Refuse(contract.EnvAddresses, "JSON with a BasePath that begins with a slash, such as "+contract.JSON(example))
	}
	return settings
}

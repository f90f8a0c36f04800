package publication

import (
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/environment"
)

// Settings are the owner's choices. They are the same for every call of one function.
type Settings struct {
	// Bucket is the bucket that the blog is published to. Required.
	Bucket string
	// KeyPrefix is the blog's folder in it, without a slash at its start or end. Default:
	// the bucket's root.
	KeyPrefix string
	// Headers are the owner's rules. Default: each file has the headers of its type.
	Headers []contract.HeaderRule
	// Grace is how long a file that is no page stays in the bucket after it has left the
	// blog, because a reader may still have a page that asks for it. Default: it is
	// removed at once. [ReadSettings] has a default of 24 hours.
	Grace time.Duration
	// MaxDeletePercent is the share of the blog's files that may leave it at once, in per
	// cent. Default: none. [ReadSettings] has a default of 30.
	MaxDeletePercent int
}

// ReadSettings reads the settings from the function's environment.
func ReadSettings(env *environment.Reader) Settings {
	settings := Settings{
		Bucket:           env.Required(contract.EnvSiteBucket, "the name of the bucket that the blog is published to"),
		KeyPrefix:        env.Folder(contract.EnvKeyPrefix),
		Grace:            env.DurationFromZero(contract.EnvGrace, 24*time.Hour),
		MaxDeletePercent: env.Number(contract.EnvMaxDeletePercent, 30, 0, 100),
	}
	settings.Headers, _ = environment.JSON(env, contract.EnvHeaders, []contract.HeaderRule{{Match: "*.pdf", CacheControl: "max-age=60"}})
	return settings
}

// prefix is what the blog's keys start with.
func (s Settings) prefix() string {
	if s.KeyPrefix == "" {
		return ""
	}
	return s.KeyPrefix + "/"
}

// site names the bucket and the blog's folder in it.
func (s Settings) site() string { return s.Bucket + "/" + s.prefix() }
